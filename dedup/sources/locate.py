"""From what the user named to the files to read, in an order that is always the same."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from dedup.errors import InputError
from dedup.sources.remote import HIDDEN, find_files, is_url, name_in_url

STDIN = "-"

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
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
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
# Seen on articles, and not to be passed over in a folder as if they were a README.
_OTHER_COMPRESSIONS = (".zip", ".lz4", ".zstd", ".gzip", ".br", ".7z", ".lzma", ".snappy", ".z")

_KNOWN = f"{', '.join(FORMATS)}, each also {', '.join(COMPRESSIONS)}"


class InputFile(NamedTuple):
    """A file to read."""

    path: str  # or URL
    format: str  # a value of FORMATS
    compression: str | None  # a value of COMPRESSIONS
    size: int  # bytes as it is stored; 0 for standard input
    folder: str = ""  # the folder the user named, if the file was found in one
    version: str | None = None  # of a remote file, if its service tells; else when it was changed

    @property
    def is_remote(self) -> bool:
        """Tell whether the path is a URL."""
        return is_url(self.path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return name_in_url(self.path) if self.is_remote else os.path.basename(self.path)


Name = str | os.PathLike[str]


def locate_inputs(inputs: Name | Sequence[Name]) -> list[InputFile]:
    """Find the files behind files, folders, globs, URLs of them and `-` (JSONL on standard input).

    A folder gives every file below it whose suffix is known; names that begin with `.` or `_`
    are left out there and in globs. A file named twice, under whatever name, is read once. The
    result is sorted by path, so the order of the arguments never matters.
    """
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    if not inputs:
        raise InputError("no input was given", hint="name files, folders or globs, or - for stdin")
    found: dict[str, InputFile] = {}
    for given in inputs:
        for file in _locate(os.fspath(given)):
            is_local = file.path != STDIN and not file.is_remote
            key = os.path.realpath(file.path) if is_local else file.path
            found[key] = min(found.get(key, file), file)
    return sorted(found.values())


def _locate(given: str) -> Iterator[InputFile]:
    if given == STDIN:
        yield InputFile(STDIN, "jsonl", None, 0)
    elif is_url(given):
        yield from _locate_remote(given)
    elif os.path.isdir(given):
        yield from _locate_in_folder(given)
    elif os.path.lexists(given):
        yield _describe(given)
    else:
        yield from _locate_by_glob(given)


def _locate_by_glob(pattern: str) -> Iterator[InputFile]:
    if not glob.has_magic(pattern):
        raise InputError(
            f"there is no file or folder {_shown(pattern)}",
            hint="check the name and the folder you are in",
        )
    paths = glob.glob(pattern, recursive=True)
    if not paths:
        raise InputError(f"no file matches {_shown(pattern)}")
    for path in paths:
        if _is_hidden(os.path.basename(path)):
            continue
        if not os.path.isdir(path):
            yield _describe(path)
        elif "**" not in pattern:  # `**` matches the files below by itself
            yield from _locate_in_folder(path)


def _locate_in_folder(folder: str) -> Iterator[InputFile]:
    def refuse(err: OSError) -> None:
        raise InputError(f"cannot list {_shown(err.filename)}: {err.strerror}") from err

    is_empty = True
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in names:
            if not _is_hidden(name) and (_format_of(name) or _is_packed_otherwise(name)):
                is_empty = False
                yield _describe(os.path.join(parent, name), folder)
    if is_empty:
        raise _nothing_in(folder)


def _locate_remote(url: str) -> Iterator[InputFile]:
    files, folder = find_files(url)
    if folder:
        files = [f for f in files if _format_of(f.url) or _is_packed_otherwise(f.url)]
    if not files:
        raise _nothing_in(folder) if folder else InputError(f"no file matches {url}")
    for file in files:
        yield InputFile(file.url, *_known_format(file.url), file.size, folder, file.version)


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
    """Return the size of a file and when it was changed; of a pipe nobody knows."""
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
    """Make the error for a file that something wrote to while it was read."""
    return InputError(
        f"{file.path} changed while it was read",
        hint="read it when nothing writes to it any more, or read a copy",
    )


def _known_format(path: str) -> tuple[str, str | None]:
    known = _format_of(path)
    if known is None and ".wat" in _suffixes(path):
        raise InputError(
            f"{path} is a WAT file, which has metadata of pages and not their text",
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


def _is_hidden(name: str) -> bool:
    return name.startswith(HIDDEN)


def _shown(path: str | bytes | None) -> str:
    """Make a name printable that may hold bytes no encoding knows."""
    return os.fsencode(path or "").decode("utf-8", "backslashreplace")
