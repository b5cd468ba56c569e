"""JSON from a file as the intended types, or an error that names what does not fit.

Types are dataclasses, and types made of `str`, `int`, `float`, `bool`, `None`, `tuple`,
`Mapping` and unions of them. Numbers are counts, sizes and times: finite, not negative, and below
2**64.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import reprlib
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")

MAX_DEPTH = 6  # of nested lists and objects; json itself stops only at the recursion limit


class MismatchError(ValueError):
    """A value that does not have the intended type."""


def read_typed(kind: type[Kind], value: Any, name: str = "") -> Kind:
    """Return `value` as `kind`; raise a MismatchError if it does not fit. `name` may be empty.

    Lists become tuples, and objects dataclasses; fields that a dataclass does not have are left
    out, and those that have a default may be missing.
    """
    _check_plain(value, name, MAX_DEPTH)
    typed: Kind = _read(kind, value, name)
    return typed


def _read(kind: Any, value: Any, name: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, value, name)
    if origin in (Union, types.UnionType):
        return _read_union(inner, value, name)
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) == len(value):
            parts = zip(kinds, value, strict=True)
            return tuple(_read(kind, part, f"{name}[{i}]") for i, (kind, part) in enumerate(parts))
    if origin is Mapping and isinstance(value, dict):
        return {
            _read(inner[0], key, f"a name in {name}"): _read(inner[1], part, _join(name, key))
            for key, part in value.items()
        }
    if origin is None and _is_scalar(kind, value):
        return value
    raise _mismatch(value, name, _describe(kind))


def _read_fields(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, name, "an object")
    kinds = get_type_hints(kind)
    fields = {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            place = _join(name, field.name)
            fields[field.name] = _read(kinds[field.name], value[field.name], place)
        elif field.default is dataclasses.MISSING:
            raise MismatchError(f"{name or 'it'} has no {field.name}")
    return kind(**fields)


def _read_union(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    for kind in kinds:
        with contextlib.suppress(MismatchError):
            return _read(kind, value, name)
    raise _mismatch(value, name, " or ".join(dict.fromkeys(map(_describe, kinds))))


def _is_scalar(kind: Any, value: Any) -> bool:
    if kind in (str, bool, types.NoneType):
        return isinstance(value, kind)
    numbers = (int,) if kind is int else (int, float)
    is_number = isinstance(value, numbers) and not isinstance(value, bool)
    return is_number and 0 <= value < 2**64  # NaN is not in this range either


def _check_plain(value: Any, name: str, depth: int) -> None:
    """Refuse what would fail long after it was read: invalid Unicode, endless nesting."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as err:
            raise MismatchError(f"{name or 'it'} holds text that is not valid Unicode") from err
    elif isinstance(value, dict | list):
        if not depth:
            raise MismatchError(f"{name or 'it'} has objects more than {MAX_DEPTH} deep")
        for part in itertools.chain(value, value.values() if isinstance(value, dict) else ()):
            _check_plain(part, name, depth - 1)


def _describe(kind: Any) -> str:
    names = {
        str: "text",
        int: "a whole number from 0",
        float: "a number from 0",
        bool: "true or false",
        types.NoneType: "null",
        tuple: "a list",
        Mapping: "an object",
    }
    return names.get(get_origin(kind) or kind, str(kind))


def _mismatch(value: Any, name: str, needed: str) -> MismatchError:
    return MismatchError(f"{name or 'it'} is {reprlib.repr(value)}, but must be {needed}")


def _join(name: str, key: str) -> str:
    key = key if key.isidentifier() else reprlib.repr(key)
    return f"{name}.{key}" if name else key
