"""Checks of the arguments of public functions: a wrong type is named before work begins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from dedup.config import Config
from dedup.errors import ConfigError, InputError

_FOR_MEMORY = (
    "for texts in memory use dedup.score(texts); or write a file and scan it, such as"
    ' table.to_parquet("articles.parquet")'
)


def read_config(config: Any, options: Mapping[str, Any]) -> Config:
    """Return the config, or the default one, with the named settings replaced."""
    if config is not None and not isinstance(config, Config):
        raise ConfigError(
            f"config is {_describe(config)}, but it must be a dedup.Config",
            hint="pass settings by name, such as threshold=0.9, or read a file with"
            " dedup.Config.from_toml",
        )
    settled = (config or Config()).with_options(**options)
    if settled.temp_dir is not None and not os.path.isdir(settled.temp_dir):
        raise ConfigError(
            f"temp_dir is {settled.temp_dir!r}, and there is no such folder",
            hint="create it, or name another one",
        )
    return settled


def input_paths(inputs: Any) -> list[str]:
    """Return the paths, globs and URLs of the inputs; refuse anything else."""
    if isinstance(inputs, str | os.PathLike):
        return [_input_path("inputs", inputs)]
    is_table = isinstance(inputs, Mapping) or hasattr(inputs, "__arrow_c_stream__")
    if is_table or hasattr(inputs, "columns") or not isinstance(inputs, Iterable):
        raise _no_path("inputs", inputs)
    if isinstance(inputs, bytes | bytearray):
        raise _no_path("inputs", inputs)
    paths = [_input_path(f"inputs[{place}]", given) for place, given in enumerate(inputs)]
    if not paths:
        raise InputError("no input was given", hint="name files, folders or globs, or - for stdin")
    return paths


def path_of(name: str, given: Any) -> str:
    """Return the path of an argument; refuse anything else."""
    path = _path(given)
    if path is None:
        raise ConfigError(
            f"{name} is {_describe(given)}, but it must be a path",
            hint="pass a str or a pathlib.Path",
        )
    if not path or "\0" in path:
        raise ConfigError(
            f"{name} is {path!r}, which is not a path", hint="name a file or a folder"
        )
    return path


def check_flag(name: str, given: Any) -> None:
    """Refuse anything but True and False."""
    if not isinstance(given, bool):
        raise ConfigError(f"{name} is {_describe(given)}, but it must be True or False")


def check_number(name: str, given: Any) -> None:
    """Refuse anything but a number."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise ConfigError(f"{name} is {_describe(given)}, but it must be a number")


def check_whole_number(name: str, given: Any) -> None:
    """Refuse anything but a whole number from 0."""
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 0:
        raise ConfigError(f"{name} is {_describe(given)}, but it must be a whole number from 0")


def _input_path(name: str, given: Any) -> str:
    path = _path(given)
    if path is None:
        raise _no_path(name, given)
    if not path or "\0" in path:
        raise InputError(
            f"{name} is {path!r}, which is not a path", hint="name files, folders or globs"
        )
    return path


def _path(given: Any) -> str | None:
    if not isinstance(given, str | os.PathLike):
        return None
    path = os.fspath(given)
    return path if isinstance(path, str) else None


def _no_path(name: str, given: Any) -> InputError:
    if given is None or isinstance(given, int | float):
        hint = "name files, folders, globs or URLs, or - for JSONL on standard input"
    elif isinstance(given, bytes | bytearray | os.PathLike):
        hint = "decode it with os.fsdecode(path)"
    else:
        hint = _FOR_MEMORY
    return InputError(f"{name} is {_describe(given)}, but inputs are files", hint=hint)


def _describe(given: Any) -> str:
    """Name a value that may be of any size."""
    if given is None or isinstance(given, bool | int | float):
        return str(given)
    kind = type(given).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
