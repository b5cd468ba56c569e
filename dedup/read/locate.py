"""From the user's arguments to the files to read, in an order that is always the same."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from dedup.errors import InputError
from dedup.read.left_out import (
    OUTSIDE,
    QUERY,
    RESULTS,
    UNKNOWN,
    LeftOut,
    set_apart,
)
from dedup.read.remote import find_files
from dedup.read.urls import (
    hide_secrets,
    is_chain,
    is_url,
    name_in_url,
    protocol_of,
    show_url,
    without_query,
)

STDIN = "-"

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".jl": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".html": "html",
    ".htm": "html",
    ".warc": "warc",
    ".wet": "warc",  # a WARC of extracted texts; Common Crawl ends names with .warc.wet.gz
}
_LOCAL = ("file", "local")  # protocols for paths of this machine
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
# Used for articles, so such files in a folder are an error and not skipped like a README.
_OTHER_COMPRESSIONS = (".zip", ".lz4", ".zstd", ".gzip", ".br", ".7z", ".lzma", ".snappy", ".z")

_KNOWN = f"{', '.join(FORMATS)}, each also {', '.join(COMPRESSIONS)}"


class InputFile(NamedTuple):
    """A file to read."""

    path: str  # or URL, as it may be shown: without secrets
    format: str  # a value of FORMATS
    compression: str | None  # a value of COMPRESSIONS
    size: int  # bytes as it is stored; 0 for standard input
    folder: str = ""  # the folder the user named, if the file was found in one
    version: str | None = None  # of a remote file, if its service tells; else when it was changed
    address: str = ""  # of a remote file: the URL to open it by, which may hold secrets

    def __repr__(self) -> str:
        """Leave out the address, which may hold secrets."""
        return f"InputFile({self.path!r}, {self.format!r}, {self.compression!r}, {self.size})"

    @property
    def is_remote(self) -> bool:
        """Tell whether the path is a URL."""
        return is_url(self.path)

    @property
    def is_local(self) -> bool:
        """Tell whether the path is one of this machine's."""
        return self.path != STDIN and not self.is_remote

    @property
    def name(self) -> str:
        """The last part of the path."""
        return name_in_url(self.path) if self.is_remote else os.path.basename(self.path)

    @property
    def place(self) -> str:
        """The path, without the digest that distinguishes URLs with different queries."""
        return without_query(self.path)

    @property
    def below(self) -> str:
        """The path below the folder that the user named; the name of a file by itself."""
        if not self.folder:
            return self.name
        if self.is_remote:
            return self.place.removeprefix(self.folder).removeprefix("/")
        return PurePath(self.path).relative_to(self.folder).as_posix()


class Located(NamedTuple):
    """The files to read, in order, and what was found in folders and is not read."""

    files: list[InputFile]
    left_out: list[LeftOut]


Name = str | os.PathLike[str]


def locate_inputs(inputs: Name | Sequence[Name]) -> list[InputFile]:
    """Find the files of files, folders, globs, URLs of them and `-` (JSONL on standard input).

    A folder gives every file below it whose suffix is known, except hidden ones, files that Spark
    writes for itself and results of dedup. A file named twice, under whatever name, is read once.
    The result is sorted by path, so the order of the arguments never matters.
    """
    return survey_inputs(inputs).files


def survey_inputs(inputs: Name | Sequence[Name]) -> Located:
    """Find the files as `locate_inputs` does, and what was left out in folders and globs."""
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    if not inputs:
        raise InputError("no input was given", hint="name files, folders or globs, or - for stdin")
    found: dict[str, InputFile] = {}
    left_out: list[LeftOut] = []
    for given in inputs:
        for file in _locate(os.fspath(given), left_out):
            is_local = file.path != STDIN and not file.is_remote
            key = os.path.realpath(file.path) if is_local else file.path
            found[key] = min(found.get(key, file), file)
    read = {file.path for file in found.values()}
    return Located(
        sorted(found.values()), sorted({entry for entry in left_out if entry.path not in read})
    )


def _locate(given: str, left_out: list[LeftOut]) -> Iterator[InputFile]:
    if protocol_of(given) in _LOCAL and not is_chain(given):
        given = given.partition("://")[2]
    if given == STDIN:
        yield InputFile(STDIN, "jsonl", None, 0)
    elif is_url(given) or (is_chain(given) and not os.path.lexists(given)):
        yield from _locate_remote(given, left_out)
    elif os.path.isdir(given):
        if _is_results(given):
            raise InputError(
                f"{_shown(given)} is a results folder of dedup, not an input",
                hint="name the articles that were scanned; dedup info shows what a result contains",
            )
        yield from _locate_in_folder(given, left_out)
    elif os.path.lexists(given):
        yield _describe(given)
    else:
        yield from _locate_by_glob(given, left_out)


def _locate_by_glob(pattern: str, left_out: list[LeftOut]) -> Iterator[InputFile]:
    if not glob.has_magic(pattern):
        raise InputError(
            f"there is no file or folder {_shown(hide_secrets(pattern))}",
            hint="check the name and the folder you are in",
        )
    is_empty = True
    for path in glob.glob(pattern, recursive=True):
        if os.path.isdir(path) and "**" in pattern:  # it matches the files below by itself
            continue
        if reason := _set_apart_below(path, pattern):
            left_out.append(LeftOut(_shown(path), reason))
            continue
        is_empty = False
        if os.path.isdir(path):
            yield from _locate_in_folder(path, left_out)
        else:
            yield _describe(path)
    if is_empty:
        raise InputError(
            f"no file matches {_shown(pattern)}",
            hint="check the pattern and the folder you are in",
        )


def _set_apart_below(path: str, pattern: str) -> str | None:
    """Tell why a match of a glob is skipped. A hidden name that the glob spells out is read."""
    parent = os.path.dirname(re.split(r"[*?[]", pattern)[0]) or os.curdir
    for name in os.path.relpath(path, parent).split(os.sep):
        parent = os.path.join(parent, name)
        if reason := set_apart(name.lstrip(".")):
            return reason
        if _is_results(parent):
            return RESULTS
    return None


def _locate_in_folder(folder: str, left_out: list[LeftOut]) -> Iterator[InputFile]:
    def refuse(err: OSError) -> None:
        raise InputError(f"cannot list {_shown(err.filename)}: {err.strerror}") from err

    is_empty = True
    seen: set[str] = set()  # links may lead to a folder above them
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        place = os.path.realpath(parent)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        for name in sorted(folders):
            path = os.path.join(parent, name)
            if reason := set_apart(name) or (RESULTS if _is_results(path) else None):
                left_out.append(LeftOut(_shown(path), reason))
                folders.remove(name)
        folders.sort()
        for name in names:
            path = os.path.join(parent, name)
            if reason := set_apart(name) or _unknown(name):
                left_out.append(LeftOut(_shown(path), reason))
            else:
                is_empty = False
                yield _describe(path, folder)
    if is_empty:
        raise _nothing_in(folder)


def _unknown(name: str) -> str | None:
    is_known = _format_of(name) or _is_packed_otherwise(name)
    return None if is_known else UNKNOWN


def _is_results(folder: str) -> bool:
    """Tell whether a folder has the tables and the manifest of a scan."""
    names = ("manifest.json", "articles.parquet", "rejected.parquet")
    if not all(os.path.isfile(os.path.join(folder, name)) for name in names):
        return False
    try:
        with open(os.path.join(folder, names[0]), "rb") as manifest:
            return b'"dedup_version"' in manifest.read(4096)  # one of its first entries
    except OSError:
        return False


def _locate_remote(url: str, left_out: list[LeftOut]) -> Iterator[InputFile]:
    files, folder, others = find_files(url)
    # An index page links to its parent and to itself sorted differently: no missed files.
    left_out += [
        entry
        for entry in others
        if entry.reason not in (OUTSIDE, QUERY) or not _unknown(entry.path)
    ]
    if folder:
        unknown = {file.url for file in files if _unknown(file.url)}
        left_out += [LeftOut(show_url(url), UNKNOWN) for url in unknown if name_in_url(url)]
        files = [file for file in files if file.url not in unknown]
    shown_folder = show_url(folder) if folder else ""
    if not files:
        shown = show_url(url)
        raise _nothing_in(shown_folder) if folder else InputError(f"no file matches {shown}")
    for file in files:
        shown = show_url(file.url)
        known = _known_format(shown)
        yield InputFile(shown, *known, file.size, shown_folder, file.version, file.url)


def _nothing_in(folder: str) -> InputError:
    return InputError(
        f"the folder {_shown(folder)} has no file that can be read",
        hint=f"files are known by their suffix: {_KNOWN}",
    )


def _describe(path: str, folder: str = "") -> InputFile:
    path = str(PurePath(path))  # ./a and a//b are a and a/b
    try:
        path.encode()
    except UnicodeEncodeError as err:
        raise InputError(
            f"the file name {_shown(path)} is not valid UTF-8", hint="rename the file"
        ) from err
    known = _known_format(path)
    size, version = _state_of(path)
    return InputFile(path, *known, size, str(PurePath(folder)) if folder else "", version)


def _state_of(path: str) -> tuple[int, str | None]:
    """Return the size of a file and when it was changed; of a pipe neither is known."""
    try:
        state = os.stat(path)
    except OSError as err:
        raise InputError(f"cannot read {path}: {err.strerror}") from err
    is_file = stat.S_ISREG(state.st_mode)
    return state.st_size, f"modified:{state.st_mtime_ns}" if is_file else None


def check_unchanged(file: InputFile) -> None:
    """Refuse a file of this machine that changed after it was located."""
    if file.version is None or file.is_remote:
        return
    if _state_of(file.path) != (file.size, file.version):
        raise changed(file)


def changed(file: InputFile) -> InputError:
    """Make the error for a file that was written to while it was read."""
    return InputError(
        f"{file.path} changed while it was read",
        hint="scan it when nothing writes to it any more, or scan a copy",
    )


def _known_format(path: str) -> tuple[str, str | None]:
    known = _format_of(path)
    if known is None and ".wat" in _suffixes(path):
        raise InputError(
            f"{path} is a WAT file, which holds the metadata of pages and not their text",
            hint="scan the WET or the WARC file of the same crawl",
        )
    if known is None:
        raise InputError(
            f"the format of {path} is not known: its name has "
            + (f"the suffix {suffixes[-1]}" if (suffixes := _suffixes(path)) else "no suffix"),
            hint=f"give it one of: {_KNOWN}; or pipe JSONL in with -",
        )
    return known


def _format_of(name: str) -> tuple[str, str | None] | None:
    """Tell format and compression by suffix, in any case."""
    suffixes = _suffixes(name)
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    return (kind, compression) if kind else None


def _suffixes(name: str) -> list[str]:
    path = PurePath(name_in_url(name) if is_url(name) else name)
    return [suffix.lower() for suffix in path.suffixes[-2:]]


def _is_packed_otherwise(name: str) -> bool:
    stem, suffix = os.path.splitext(name)
    return suffix.lower() in _OTHER_COMPRESSIONS and _format_of(stem) is not None


def _shown(path: str | bytes | None) -> str:
    """Make a name printable that may hold bytes no encoding knows."""
    return os.fsencode(path or "").decode("utf-8", "backslashreplace")
