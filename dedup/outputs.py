"""Which places may be written to, and what may be replaced there: one rule for every output.

A place that is free may be written to, and so may an empty folder. An existing output is replaced
only if dedup provably made it, or if the user asked for it with `overwrite`, and never if anything
else is in it, or if it holds an input or results that are being read. The rule is applied before
the work begins, and again when the output takes its place (`work/folder.py`).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from dedup.errors import OutputError
from dedup.read.urls import is_url, show_url


class Output:
    """A place to write a file or a folder to.

    `given` is the name as the user wrote it, for messages; `path` is the place itself, where links
    lead if there are any: they stay as they are.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options, each of its own
        self,
        given: str | os.PathLike[str],
        *,
        files: Collection[str] | None = None,
        recognise: Callable[[Path], bool] | None = None,
        overwrite: bool = False,
        inputs: Sequence[str] = (),
        results: Path | None = None,
    ) -> None:
        """Describe an output; `check` says whether it may be written.

        `files` are the names of the files in a folder, relative to it; None is a single file.
        `recognise` tells whether a folder is an older output of the same kind, which may be
        replaced without `overwrite`. `inputs` are paths on this machine that are being read, and
        `results` is the results folder that is.
        """
        name = os.fspath(given)
        refuse_url(name)
        _refuse_name(name)
        self.given = Path(name)
        with naming_output(self.given):
            self.path = Path(os.path.realpath(name))
        self.files = None if files is None else frozenset(files)
        self._folders = folders_of(self.files or ())
        self._recognise = recognise
        self._overwrite = overwrite
        self._inputs = inputs
        self._results = results

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder of files."""
        return self.files is not None

    def check(self) -> None:
        """Refuse a place where writing would destroy what dedup did not make."""
        with naming_output(self.given):
            if self.given.is_symlink() and not self.path.exists():
                raise OutputError(
                    f"{self.given} is a link that leads nowhere", hint="remove it, or name a place"
                )
            self._refuse_what_is_read()
            try:
                mode = self.path.lstat().st_mode
            except FileNotFoundError:
                return
            if self.is_folder:
                self._check_folder(mode)
            else:
                self._check_file(mode)

    def _refuse_what_is_read(self) -> None:
        is_inside = _is_inside(self.path)
        for path in filter(is_inside, self._inputs):
            would = "replace a folder with" if self.is_folder else "overwrite"
            raise OutputError(
                f"the output {self.given} would {would} the input {path}",
                hint="name another place",
            )
        if self._results is None:
            return
        if _is_inside(self._results)(str(self.path)):
            raise OutputError(
                f"{self.given} would be written into the results folder {self._results}",
                hint="name another place: a later scan replaces that folder",
            )
        if is_inside(str(self._results)):
            raise OutputError(
                f"{self.given} holds the results folder {self._results}", hint="name another place"
            )

    def _check_file(self, mode: int) -> None:
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise OutputError(
                f"{self.given} is {what}, so it will not be replaced", hint="name another file"
            )
        if not self._overwrite:
            raise OutputError(
                f"{self.given} already exists, so it will not be overwritten",
                hint="name another file, remove that one, or pass --overwrite to replace it",
            )

    def _check_folder(self, mode: int) -> None:
        if not stat.S_ISDIR(mode):
            raise OutputError(
                f"{self.given} is a file, but a folder is to be written",
                hint="name a new folder with -o",
            )
        if _is_inside(self.path)(os.getcwd()) or os.path.ismount(self.path):
            raise OutputError(
                f"{self.given} is the current folder, one above it or a mount point, and cannot"
                " be replaced",
                hint="name a new folder in it",
            )
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self.check_content(self.path)

    def check_content(self, folder: Path) -> None:
        """Refuse a folder that may not be replaced, which may have another name by now."""
        if not any(folder.iterdir()):
            return
        if self._recognise is not None and not self._recognise(folder):
            raise OutputError(
                f"{self.given} exists and is not a results folder, so it will not be overwritten",
                hint="name another folder with -o, or remove it",
            )
        stranger = _find_stranger(folder, self.files or (), self._folders)
        if stranger is not None:
            raise OutputError(
                f"{self.given} holds {stranger}, which dedup would not write there, so it will not"
                " be replaced",
                hint="name a new folder with -o, or move that away",
            )
        if self._recognise is None and not self._overwrite:
            raise OutputError(
                f"{self.given} already exists and is not empty, so it will not be replaced",
                hint="name a new folder, remove that one, or pass --overwrite to replace it",
            )


def _find_stranger(folder: Path, files: Collection[str], folders: Collection[str]) -> str | None:
    """Return an entry of a folder, relative to it, that is not among these files and folders."""

    def refuse(err: OSError) -> None:
        raise err

    for parent, below, names in os.walk(folder, onerror=refuse):
        for name in sorted([*below, *names]):
            place = os.path.join(parent, name)
            path = os.path.relpath(place, folder)
            mode = os.lstat(place).st_mode
            is_known = path in files and stat.S_ISREG(mode)
            if not is_known and not (path in folders and stat.S_ISDIR(mode)):
                return path
    return None


def folders_of(files: Collection[str]) -> set[str]:
    """Return the folders that files are in, all relative to one."""
    return {str(parent) for file in files for parent in PurePath(file).parents}


def _is_inside(place: Path) -> Callable[[str], bool]:
    """Tell which paths are a place or inside it, however links or mounts spell them."""
    try:
        there = os.stat(place)
    except OSError:
        return lambda path: False
    known: dict[str, bool] = {}

    def is_inside(path: str) -> bool:
        if path not in known:
            above = os.path.dirname(path)
            known[path] = _is_same(path, there) or (above != path and is_inside(above))
        return known[path]

    def is_inside_however_spelled(path: str) -> bool:
        folder, name = os.path.split(os.path.abspath(path))
        as_named = os.path.join(os.path.realpath(folder), name)
        return is_inside(as_named) or is_inside(os.path.realpath(path))

    return is_inside_however_spelled


def _is_same(path: str, there: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.stat(path), there)
    return False


def refuse_url(target: str | os.PathLike[str]) -> None:
    """Refuse a place on another machine, where files cannot be renamed in one step."""
    if is_url(os.fspath(target)):
        raise OutputError(
            f"{show_url(os.fspath(target))} is a URL, and output can only be written to this"
            " machine",
            hint="write to a local folder and copy it afterwards",
        )


def _refuse_name(name: str) -> None:
    if not name:
        raise OutputError("the name of the output is empty", hint="name a place with -o")
    try:
        is_name = "\0" not in os.path.abspath(name).encode().decode()
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", "\\0")
        raise OutputError(
            f"the output name {shown} is not valid UTF-8 or holds a null character",
            hint="name another place",
        )


@contextmanager
def naming_output(target: Path) -> Iterator[None]:
    """Turn a failing disk or a missing permission into one clear sentence."""
    try:
        yield
    except OSError as err:
        raise OutputError(
            f"cannot write {target}: {_REASONS.get(err.errno, err.strerror or str(err))}",
            hint=f"{_WAYS_OUT.get(err.errno, 'name another place')}; nothing was changed",
        ) from err


_REASONS: dict[int | None, str] = {
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.ENAMETOOLONG: "its name is too long, as the hidden folder beside it has a longer one",
    errno.EROFS: "the disk there is read-only",
}
_WAYS_OUT: dict[int | None, str] = {
    errno.ENOSPC: "free some space or name another place",
    errno.EDQUOT: "free some space or name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
}
