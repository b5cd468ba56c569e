"""The hidden folder in which an output is made, and from which it takes its place in one step.

`.<name>.unfinished` is beside the output, on the same disk. Only its user can open it, a lock
says that a process works in it, and a mark says that dedup made it and which files it may hold.
One that was left behind is taken over only if all of this holds; anything else that has its name
is refused and stays as it is.

Files are opened relative to the open folder, without following links. `new` is what is being
made; `old` is what it replaces, on file systems that cannot exchange two names.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePath
from types import TracebackType
from typing import BinaryIO, NamedTuple

from dedup import _native
from dedup.errors import OutputError
from dedup.outputs import Output, folders_of, naming_output

NEW = "new"
OLD = "old"
MARK = "dedup-work.json"

_FORMAT = "dedup work folder"
_SPOOL_NAME = re.compile(r"dedup-[0-9a-f]{32}\.spool")  # all that a mark can make dedup remove
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OURS = os.O_NOFOLLOW | os.O_CLOEXEC
_BUFFER_BYTES = 1 << 20  # fewer calls for the many small writes of a table
_TRIES = 10  # an attempt fails only if another process began or ended at that moment
_NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def choose_spool(folder: Path) -> Path:
    """Return a place that nobody can foresee in a folder of temporary files, which may be anyone's.

    By its name a later process knows that the file is dedup's.
    """
    return folder / f"dedup-{secrets.token_hex(16)}.spool"


class NewFile(NamedTuple):
    """A file of an output that may or may not be made."""

    work: WorkFolder
    name: str
    mode: int | None = None  # None is the usual one

    def open(self) -> BinaryIO:
        """Make it and open it for writing."""
        return self.work.open_new(self.name, self.mode)

    def discard(self) -> None:
        """Remove it, if it was made."""
        self.work.remove_new(self.name)


class WorkFolder:
    """A folder in which a process makes one output. Use it as a context manager.

    It is removed at the end, with everything in it that was not published; `close` leaves it for a
    later process, which finds its content if it asks to `keep` it.
    """

    def __init__(
        self,
        output: Output,
        kind: str,
        *,
        files: Collection[str] = (),
        spool: Path | None = None,
        keep: bool = False,
    ) -> None:
        """Describe the folder; it is made when the context is entered.

        `kind` is the command at work, `files` are the folder's files beside the output, and `spool`
        is one more file that is elsewhere.
        """
        self.output = output
        self.kind = kind
        self.spool = spool
        self._keep = keep
        self._is_new = self._is_marked = self._has_begun = False
        self._beside = self._inside = self._lock = -1
        self._given = output.given
        suffix = "" if kind == "scan" else f"-{kind}"  # a filter does not touch unfinished scans
        self._name = f".{output.path.name}.unfinished{suffix}"
        self.path = output.path.parent / self._name
        parts = [NEW] if output.files is None else [f"{NEW}/{file}" for file in output.files]
        self._files = {*files, *parts, *(f"{OLD}{part[len(NEW) :]}" for part in parts)}
        with naming_output(self._given), suppress(FileNotFoundError):
            self.path.lstat()  # such as a name that is too long: before the work begins

    def __enter__(self) -> WorkFolder:
        with naming_output(self._given):
            self.output.path.parent.mkdir(parents=True, exist_ok=True)
            self._beside = os.open(self.output.path.parent, _FOLDER)
            try:
                if not any(self._claim() for _ in range(_TRIES)):
                    raise self._at_work()
                self._put_back()
                self.output.check()
                if not (self._keep and self._is_marked):
                    self._begin()
            except BaseException:
                if self._has_begun:
                    self.remove()
                else:
                    self._undo()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    # What belongs to dedup

    def _claim(self) -> bool:
        """Make or take over the folder and lock it; False if another process came between."""
        self._close_inside()
        self._is_new = True  # before it is: a signal may come as soon as the folder is there
        try:
            os.mkdir(self._name, 0o700, dir_fd=self._beside)
        except FileExistsError:
            self._is_new = False
        try:
            self._inside = os.open(self._name, _FOLDER | _OURS, dir_fd=self._beside)
        except FileNotFoundError:
            return False
        except OSError as err:
            if err.errno in (errno.ELOOP, errno.ENOTDIR):
                raise self._not_ours("is not a folder") from err
            raise
        state = os.fstat(self._inside)
        if state.st_uid != os.geteuid():
            raise self._not_ours("belongs to another user")
        names = os.listdir(self._inside)
        if MARK not in names and (names or not (self._is_new or _is_private(state))):
            raise self._not_ours("was not made by dedup")
        try:
            self._lock = _open_own(MARK, self._inside, is_new=MARK not in names)
        except (FileNotFoundError, FileExistsError):
            return False
        except _NotOwnError as err:
            raise self._not_ours(f"holds {MARK}, which dedup did not make") from err
        return self._take_lock() and self._read_mark(is_fresh=self._is_new or _is_private(state))

    def _take_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise self._at_work() from err
        with suppress(FileNotFoundError):
            here = os.stat(MARK, dir_fd=self._inside, follow_symlinks=False)
            return os.path.samestat(here, os.fstat(self._lock))
        return False

    def _at_work(self) -> OutputError:
        return OutputError(
            f"another {self.kind} is at work in {self.path}",
            hint="wait until it ends, or choose another place",
        )

    def _read_mark(self, *, is_fresh: bool) -> bool:
        """Check that the folder holds only what its mark lists; without a mark it must be empty.

        `is_fresh` says that an empty folder is as it was made.
        """
        text = os.pread(self._lock, os.fstat(self._lock).st_size, 0)
        self._is_marked = bool(text)
        if is_fresh and not text and os.listdir(self._inside) == [MARK]:
            return True
        try:
            mark = json.loads(text)
            is_ours = mark["format"] == _FORMAT
            files = {*map(str, mark["files"])}
            spool = Path(mark["spool"]) if mark["spool"] else None
            is_ours &= spool is None or _SPOOL_NAME.fullmatch(spool.name) is not None
        except (ValueError, KeyError, TypeError, RecursionError) as err:
            raise self._not_ours(f"holds a {MARK} that dedup did not write") from err
        if not is_ours:
            raise self._not_ours(f"holds a {MARK} that dedup did not write")
        self._refuse_strangers(files)
        self._files |= files
        if self._keep:
            self.spool = spool
        elif spool:
            _remove_own(spool)
        return True

    def _refuse_strangers(self, files: set[str]) -> None:
        known_folders = folders_of(files)
        for parent, folders, names, folder in os.fwalk(".", dir_fd=self._inside):
            for name in [*folders, *names]:
                path = os.path.normpath(os.path.join(parent, name))
                state = os.stat(name, dir_fd=folder, follow_symlinks=False)
                is_ours = (path in files or path == MARK) and _is_own(state)
                if not is_ours and not (path in known_folders and stat.S_ISDIR(state.st_mode)):
                    raise self._not_ours(f"holds {path}, which dedup did not make")

    def _not_ours(self, problem: str) -> OutputError:
        return OutputError(
            f"{self.path} is needed as the work folder, but it {problem}",
            hint="move it away or remove it, or choose another place for the output",
        )

    def _begin(self) -> None:
        """Remove what an older process left, and say what this one may make."""
        self._has_begun = True  # half a mark would be taken for somebody else's
        self._clear()
        self._write_mark()

    def _undo(self) -> None:
        """Remove the folder if it was made just now, with nothing but an empty mark in it."""
        try:
            with suppress(OSError, OutputError):
                if self._is_new:
                    self._remove_new_folder()
        finally:
            self.close()

    def _remove_new_folder(self) -> None:
        if self._inside < 0:
            self._inside = os.open(self._name, _FOLDER | _OURS, dir_fd=self._beside)
        if MARK in os.listdir(self._inside):
            if self._lock < 0:
                self._lock = _open_own(MARK, self._inside, is_new=False)
            if self._take_lock() and not os.fstat(self._lock).st_size:
                os.unlink(MARK, dir_fd=self._inside)
        os.rmdir(self._name, dir_fd=self._beside)

    def _write_mark(self) -> None:
        spool = str(self.spool) if self.spool else None
        mark = {"format": _FORMAT, "version": 1, "files": sorted(self._files), "spool": spool}
        os.ftruncate(self._lock, 0)
        text = json.dumps(mark).encode()
        at = 0
        while at < len(text):
            at += os.pwrite(self._lock, text[at:], at)
        self._is_marked = True

    # Files in the folder

    def open_new(self, name: str, mode: int | None = None) -> BinaryIO:
        """Make a file of the output and open it for writing; None is the usual mode."""
        self.make_folder(str(PurePath(name).parent))
        self.remove_new(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OURS
        file = os.open(name, flags, 0o666, dir_fd=self._inside)
        if mode is not None:
            os.fchmod(file, mode)
        return os.fdopen(file, "wb", _BUFFER_BYTES)

    def remove_new(self, name: str) -> None:
        """Remove a file of the output, if it was made."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._inside)

    def make_folder(self, name: str) -> None:
        """Make a folder in this one, and those above it, unless they are there."""
        for folder in [*reversed(PurePath(name).parents), PurePath(name)]:
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=self._inside)

    def open_spool(self, name: str) -> int:
        """Open a file for temporary data, or make it, and return its descriptor."""
        path, folder = (str(self.spool), None) if self.spool else (name, self._inside)
        for is_new in (True, False):
            with suppress(FileExistsError):
                return _open_own(path, folder, is_new=is_new)
        raise FileExistsError(errno.EEXIST, "File exists")

    # The end

    def publish(self) -> None:
        """Give the output its name; what it replaces is then in this folder, or removed."""
        with naming_output(self._given):
            self.output.check()
            if self.output.is_folder:
                self._publish_folder()
            else:
                self._publish_file()

    def _publish_file(self) -> None:
        name, is_made = self.output.path.name, _exists(NEW, self._inside)
        if self.output.path.exists():  # and may be replaced
            if is_made:
                self._move_in(NEW)
            else:
                os.unlink(name, dir_fd=self._beside)
        elif is_made:
            self._name_new()

    def _name_new(self) -> None:
        """Give a file its name, unless something has it by now."""
        name = self.output.path.name
        try:
            _native.rename_new(self._inside, NEW, self._beside, name)
        except OSError as err:
            if err.errno not in _NOT_SUPPORTED:
                raise
            try:
                os.link(NEW, name, src_dir_fd=self._inside, dst_dir_fd=self._beside)
                os.unlink(NEW, dir_fd=self._inside)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links either
                self._move_in(NEW)

    def _publish_folder(self) -> None:
        path = self.output.path
        is_there = path.exists()
        if is_there:
            os.chmod(NEW, stat.S_IMODE(path.stat().st_mode), dir_fd=self._inside)
        if not is_there or not any(path.iterdir()):
            self._move_in(NEW)  # which fails if there is a file now, or anything in the folder
            return
        try:
            self._exchange()
        except OSError as err:
            if err.errno not in _NOT_SUPPORTED:
                raise
            self._replace_in_steps()
            return
        try:
            self.output.check_content(self.path / NEW)  # something added at the last moment
        except BaseException:
            self._exchange()
            raise

    def _exchange(self) -> None:
        _native.exchange_names(self._inside, NEW, self._beside, self.output.path.name)

    def _move_in(self, name: str) -> None:
        os.rename(name, self.output.path.name, src_dir_fd=self._inside, dst_dir_fd=self._beside)

    def _replace_in_steps(self) -> None:
        """Move the old folder aside and the new one in; if that fails, move the old one back."""
        name = self.output.path.name
        os.rename(name, OLD, src_dir_fd=self._beside, dst_dir_fd=self._inside)
        try:
            self.output.check_content(self.path / OLD)
            self._move_in(NEW)
        finally:
            self._put_back()

    def _put_back(self) -> None:
        """Give an old output its name back if nothing else has it."""
        if self._keeps_old():
            self._move_in(OLD)

    def remove(self) -> None:
        """Remove the folder and the spool, and release the name."""
        try:
            with suppress(OSError):
                self._clear()
                if not self._keeps_old():
                    os.unlink(MARK, dir_fd=self._inside)
                    os.rmdir(self._name, dir_fd=self._beside)
        finally:
            self.close()

    def _keeps_old(self) -> bool:
        """Whether the only copy of an old output is here."""
        return _exists(OLD, self._inside) and not _exists(self.output.path.name, self._beside)

    def _clear(self) -> None:
        """Remove what dedup made in the folder, but never the only copy of an old output."""
        if self.spool is not None:
            _remove_own(self.spool)
        known_folders, keeps_old = folders_of(self._files), self._keeps_old()
        for parent, folders, names, folder in os.fwalk(".", topdown=False, dir_fd=self._inside):
            for name in [*names, *folders]:
                path = os.path.normpath(os.path.join(parent, name))
                if keeps_old and PurePath(path).parts[0] == OLD:
                    continue
                if path in self._files:
                    os.unlink(name, dir_fd=folder)
                elif path in known_folders:
                    with suppress(OSError):  # something else is in it
                        os.rmdir(name, dir_fd=folder)

    def close(self) -> None:
        """Release the folder as it is."""
        self._close_inside()
        if self._beside >= 0:
            os.close(self._beside)
        self._beside = -1

    def _close_inside(self) -> None:
        for descriptor in (self._lock, self._inside):
            if descriptor >= 0:
                os.close(descriptor)
        self._lock = self._inside = -1


class _NotOwnError(OSError):
    """A file that is a link, has other names or belongs to another user."""

    def __init__(self) -> None:
        super().__init__(errno.EPERM, "a file there is a link, or not of this user alone")


def _open_own(path: str, folder: int | None, *, is_new: bool) -> int:
    """Open a file for reading and writing that only this user can open."""
    flags = os.O_RDWR | _OURS | (os.O_CREAT | os.O_EXCL if is_new else 0)
    try:
        file = os.open(path, flags, 0o600, dir_fd=folder)
    except OSError as err:
        if err.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _NotOwnError from err
        raise
    if not _is_own(os.fstat(file)):
        os.close(file)
        raise _NotOwnError
    return file


def _is_own(state: os.stat_result) -> bool:
    """Whether a file can be changed without changing anything under another name."""
    return stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and state.st_nlink == 1


def _is_private(state: os.stat_result) -> bool:
    return not state.st_mode & 0o077


def _remove_own(path: Path) -> None:
    with suppress(OSError):
        if _is_own(path.lstat()):
            path.unlink()


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
