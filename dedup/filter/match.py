"""Which input of the scan each given file is, and where its filtered copy goes."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import NamedTuple

from dedup.errors import ConfigError, InputError, OutputError
from dedup.manifest import Input
from dedup.outputs import Output
from dedup.read import digest_input
from dedup.read.locate import COMPRESSIONS, FORMATS, STDIN, InputFile
from dedup.read.streams import packing_of
from dedup.read.urls import without_query
from dedup.results import Scan

# Of URLs: what some system takes as a separator, and what would forge lines where it is printed.
_NOT_IN_NAMES = re.compile(r"[\\\x00-\x1f\x7f]")


class Target(NamedTuple):
    """Where the output goes: a file, or a folder with a file for each input."""

    kept: Output
    removed: Output | None
    names: list[str]  # of the files, relative to the folder, or the file's own
    compressions: list[str | None]


def match_inputs(scan: Scan, files: Sequence[InputFile]) -> list[str]:
    """Return the name of each file in the scan's tables; refuse one that has changed.

    A file is recognised by its path or, if it was moved or is named from another folder, by its
    bytes.
    """
    inputs = _Inputs(scan.facts.inputs)
    names: dict[str, str] = {}
    for file in files:
        name = _match(file, inputs)
        if name in names:
            raise InputError(
                f"{names[name]} and {file.path} are both the input that the scan names {name}",
                hint="name the file once",
            )
        names[name] = file.path
    return list(names)


def check_digest(file: InputFile, digest: str | None, scanned: str | None) -> None:
    """Refuse a file whose bytes differ from those that the scan read."""
    if digest != scanned:
        raise _not_as_scanned(file)


def _not_as_scanned(file: InputFile) -> InputError:
    return InputError(
        f"{file.path} has changed since it was scanned",
        hint="scan again: the scores describe its older content",
    )


class _Inputs:
    """The files that the scan read, by path, by place and by size."""

    def __init__(self, entries: Sequence[Input]) -> None:
        self.by_path = {entry.path: entry for entry in entries}
        self.by_place: dict[str, list[Input]] = {}
        self.by_size: dict[int, list[Input]] = {}
        for entry in entries:
            self.by_place.setdefault(without_query(entry.path), []).append(entry)
            if entry.digest:
                self.by_size.setdefault(entry.bytes, []).append(entry)

    def hint(self) -> str:
        names = list(self.by_path)
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        return f"the scan read {', '.join(names[:3])}{more}"


def _match(file: InputFile, inputs: _Inputs) -> str:
    known = inputs.by_path.get(file.path)
    if file.path == STDIN:
        if known is None:
            raise InputError("the scan did not read standard input", hint=inputs.hint())
        return STDIN
    if known is not None and file.version is None and not file.is_remote:
        return file.path  # a pipe can be read once: `check_digest` follows
    same = inputs.by_size.get(file.size, [])
    if known is not None or same:
        digest = digest_input(file)
        same = [entry for entry in same if entry.digest == digest]
    if known is not None:
        if (known.bytes, known.digest) != (file.size, digest):
            raise _not_as_scanned(file)
        return file.path
    if file.is_remote and (known := _match_place(file, inputs)) is not None:
        return known.path
    if len(same) > 1:
        same = [entry for entry in same if os.path.basename(entry.path) == file.name]
    if len(same) != 1:
        raise InputError(
            f"{file.path} was not part of the scan, or has changed since", hint=inputs.hint()
        )
    return same[0].path


def _match_place(file: InputFile, inputs: _Inputs) -> Input | None:
    """Find the file with the same URL except for the query, as after a renewed signature."""
    there = inputs.by_place.get(file.place, [])
    same = [entry for entry in there if (entry.bytes, entry.digest) == (file.size, file.version)]
    if there and not same:
        raise InputError(
            f"{file.path} has changed since it was scanned",
            hint="scan again: the scores describe its older content",
        )
    if len(same) > 1:
        raise InputError(
            f"{file.path} cannot be distinguished from {len(same)} inputs of the scan with the same"
            " address, size and version",
            hint="give the URLs with the queries that they had in the scan",
        )
    return same[0] if same else None


def choose_target(
    files: Sequence[InputFile],
    output: str | os.PathLike[str],
    removed: str | None,
    results: Path,
    *,
    overwrite: bool,
) -> Target:
    """Decide where each file's copy goes; refuse a place where that would destroy something.

    One file gives a file, or one of the same name in a folder that exists or ends with a slash.
    Several files, or a folder, give a folder with the same names below.
    """
    inputs = [file.path for file in files if file.is_local]
    describe = partial(Output, overwrite=overwrite, inputs=inputs, results=results)
    given = os.fspath(output)
    if len(files) > 1 or files[0].folder:
        _refuse_file_name(given, len(files))
        names = _relative_names(files)
        kept = describe(given, files=names)
        compressions = list(map(packing_of, files))
    else:
        if given.endswith(("/", os.sep)) or (given and os.path.isdir(given)):
            given = os.path.join(given, _name(files[0]))
        kept = describe(given)
        names = [kept.given.name]
        compressions = [_compression(kept.given, files[0])]
    target = Target(kept, describe(removed) if removed else None, names, compressions)
    _refuse_odd_names(files, names)
    kept.check()
    if target.removed is not None:
        target.removed.check()
        if target.removed.path.is_relative_to(kept.path):
            raise OutputError(
                f"{removed} is in the place of the kept articles, {kept.given}",
                hint="name another file with --removed",
            )
    return target


def _refuse_file_name(given: str, number: int) -> None:
    """Refuse a folder that is named as a file, unless it exists or the name ends with a slash."""
    suffixes = PurePath(given).suffixes
    is_named_as_file = bool(suffixes) and suffixes[-1].lower() in {*FORMATS, *COMPRESSIONS}
    if is_named_as_file and not given.endswith(("/", os.sep)) and not os.path.isdir(given):
        folder = given[: -len("".join(suffixes))]
        raise ConfigError(
            f"{given} is the name of a file, but {number} inputs are written into a folder"
            if number > 1
            else f"{given} is the name of a file, but the files of a folder are written into one",
            hint=f"name a folder, such as {folder}; any name that ends with a slash will do",
        )


def _refuse_odd_names(files: Sequence[InputFile], names: Sequence[str]) -> None:
    """Refuse names that a service allows and that could lead out of the output folder."""
    folders: set[str] = set()
    for name in names:
        parents = list(itertools.accumulate(name.split("/")[:-1], "{}/{}".format))
        folders.update(parents)
    for file, name in zip(files, names, strict=True):
        parts = name.split("/")
        if file.is_remote and (
            any(part in ("", ".", "..") for part in parts) or _NOT_IN_NAMES.search(name)
        ):
            raise OutputError(
                f"the input {file.path!r} has a name that no output file may have",
                hint="copy it to this machine under another name, and scan and filter the copy",
            )
        if name in folders:
            raise OutputError(
                f"the input {file.path!r} is a file and a folder, which no output can be",
                hint="filter the two into different folders",
            )


def _name(file: InputFile) -> str:
    return "stdin.jsonl" if file.path == STDIN else file.name


def _relative_names(files: Sequence[InputFile]) -> list[str]:
    folders = {file.folder for file in files}
    if len(folders) == 1 and "" not in folders:
        names = [file.below for file in files]
    else:
        names = _below_common_folder(files)
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:  # a file that has the name given to standard input, or another query
        raise ConfigError(
            f"two inputs would be written to {twice!r}", hint="filter each into a folder of its own"
        )
    return names


def _below_common_folder(files: Sequence[InputFile]) -> list[str]:
    """Name files by the parts of their paths that differ; URLs stay as they are written."""
    urls = [file.place for file in files if file.is_remote]
    paths = {file.path: os.path.abspath(file.path) for file in files if file.is_local}
    parents = [os.path.dirname(path) for path in paths.values()]
    base = os.path.commonpath(parents) if parents else ""
    folders = [url.split("/")[:-1] for url in urls]
    shared = list(
        itertools.takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))
    )
    if urls and (paths or not shared):
        raise ConfigError(
            "the inputs are on this machine and elsewhere, or on several services, and so have no"
            " folder in common",
            hint="filter those of each place into a folder of their own",
        )
    names = []
    for file in files:
        if file.path == STDIN:
            names.append(_name(file))
        elif file.is_remote:
            names.append("/".join(file.place.split("/")[len(shared) :]))
        else:
            names.append(os.path.relpath(paths[file.path], base))
    return names


def _compression(path: Path, file: InputFile) -> str | None:
    """Tell from its name how to compress the output.

    Under the input's name, or one without a known suffix, it is compressed as the input is.
    """
    if path.name == _name(file):
        return packing_of(file)
    suffixes = [suffix.lower() for suffix in PurePath(path).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        return compression or packing_of(file)
    if kind != file.format:
        raise ConfigError(
            f"{path} is to be {kind}, but the input {file.path} is {file.format}",
            hint=f"the output has the input's format: end its name with .{file.format}",
        )
    return compression
