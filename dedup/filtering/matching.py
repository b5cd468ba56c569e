"""Which input of the scan each given file is, and where its filtered copy goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from dedup.config import SourceConfig
from dedup.errors import ConfigError, InputError, OutputError
from dedup.results import Scan, refuse_url
from dedup.sources import digest_input
from dedup.sources.locate import COMPRESSIONS, FORMATS, STDIN, InputFile


class Target(NamedTuple):
    """Where the output goes: a file, or a folder with a file for each input."""

    path: Path
    is_folder: bool
    names: list[str]  # of the files, relative to the folder, or the file's own
    compressions: list[str | None]


def match_inputs(scan: Scan, files: Sequence[InputFile]) -> list[str]:
    """Return the name each file has in the scan's tables; refuse one that is not as it was.

    A file is known by its path or, if it was moved or is named from another folder, by its bytes.
    """
    inputs = _Inputs(scan.manifest["inputs"])
    names: dict[str, str] = {}
    for file in files:
        name = _match(file, inputs)
        if name in names:
            raise InputError(
                f"{names[name]} and {file.path} are both the file that the scan knows as {name}",
                hint="name the file once",
            )
        names[name] = file.path
    return list(names)


def check_digest(file: InputFile, digest: str | None, scanned: str | None) -> None:
    """Refuse a file of which other bytes were read than the scan read."""
    if digest != scanned:
        raise _not_as_scanned(file)


def source_config(scan: Scan) -> SourceConfig:
    """Return the settings that the inputs of a scan were read with."""
    return SourceConfig(**scan.manifest["config"]["source"])


def _not_as_scanned(file: InputFile) -> InputError:
    return InputError(
        f"{file.path} is not what it was when it was scanned",
        hint="scan again: the scores are those of its older content",
    )


class _Inputs:
    """The files that the scan read, by path and by size."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.by_path = {entry["path"]: entry for entry in entries}
        self.by_size: dict[int, list[dict[str, Any]]] = {}
        for entry in entries:
            if entry["digest"]:
                self.by_size.setdefault(entry["bytes"], []).append(entry)

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
        same = [entry for entry in same if entry["digest"] == digest]
    if known is not None:
        if (known["bytes"], known["digest"]) != (file.size, digest):
            raise _not_as_scanned(file)
        return file.path
    if len(same) > 1:
        same = [entry for entry in same if os.path.basename(entry["path"]) == file.name]
    if len(same) != 1:
        raise InputError(
            f"{file.path} was not part of the scan, or was changed since", hint=inputs.hint()
        )
    return str(same[0]["path"])


def choose_target(
    files: Sequence[InputFile],
    output: str | os.PathLike[str],
    removed: str | None,
    results: Path,
) -> Target:
    """Decide where each file's copy goes; refuse a place that would destroy something.

    One file gives a file, or one of the same name in a folder that exists or ends with a slash.
    Several files, or a folder, give a folder with the same names below.
    """
    for place in (output, removed or ""):
        refuse_url(place)
    given = os.fspath(output)
    path = Path(given)
    if len(files) > 1 or files[0].folder:
        target = Target(path, True, _relative_names(files), [file.compression for file in files])
        _refuse_strangers(target)
    else:
        if given.endswith(("/", os.sep)) or path.is_dir():
            path = path / _name(files[0])
        target = Target(path, False, [path.name], [_compression(path, files[0])])
    _refuse_to_destroy(files, target, removed, results)
    return target


def _refuse_to_destroy(
    files: Sequence[InputFile], target: Target, removed: str | None, results: Path
) -> None:
    folder = target.path if target.is_folder else target.path.parent
    inputs = {os.path.realpath(file.path): file.path for file in files if _is_local(file)}
    outputs = [os.path.realpath(folder / name) for name in target.names]
    others = [os.path.realpath(removed)] if removed else []
    for place in [*outputs, *others]:
        if place in inputs:
            raise OutputError(
                f"the output would be written over the input {inputs[place]}",
                hint="name another place with -o or --removed",
            )
        if Path(place).is_relative_to(os.path.realpath(results)):
            raise OutputError(
                f"the output would be written into the results folder {results}",
                hint="name another place: a later scan replaces that folder",
            )
    taken = os.path.realpath(target.path)
    if any(Path(place).is_relative_to(taken) for place in others):
        raise OutputError(
            f"{removed} is in the place of the kept articles, {target.path}",
            hint="name another file with --removed",
        )


def _is_local(file: InputFile) -> bool:
    return file.path != STDIN and not file.is_remote


def _name(file: InputFile) -> str:
    return "stdin.jsonl" if file.path == STDIN else file.name


def _relative_names(files: Sequence[InputFile]) -> list[str]:
    folders = {file.folder for file in files}
    paths = [os.path.abspath(file.path) for file in files if file.path != STDIN]
    if len(folders) == 1 and "" not in folders:
        base = os.path.abspath(files[0].folder)
    else:
        base = os.path.commonpath([os.path.dirname(path) for path in paths])
    names = [
        _name(file) if file.path == STDIN else os.path.relpath(file.path, base) for file in files
    ]
    if len(set(names)) < len(names):  # a file that has the name given to standard input
        raise ConfigError(f"two inputs would be written to {_name(files[0])}")
    return names


def _refuse_strangers(target: Target) -> None:
    """Refuse a folder with anything in it that this filter would not write itself."""
    if not target.path.exists():
        return
    if not target.path.is_dir():
        raise OutputError(
            f"{target.path} is a file, but several inputs, or a folder, need a folder",
            hint="name a new folder with -o",
        )
    own = set(target.names)
    for parent, _, names in os.walk(target.path):
        for name in names:
            if os.path.relpath(os.path.join(parent, name), target.path) not in own:
                raise OutputError(
                    f"{target.path} holds {name}, which is none of the files to write there",
                    hint="name a new folder with -o, or empty that one",
                )


def _compression(path: Path, file: InputFile) -> str | None:
    """Tell from its name how to compress the output; without a known suffix, as the input."""
    suffixes = [suffix.lower() for suffix in PurePath(path).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        return compression or file.compression
    if kind != file.format:
        raise ConfigError(
            f"{path} is to be {kind}, but the input {file.path} is {file.format}",
            hint=f"the output has the input's format: end its name with .{file.format}",
        )
    return compression
