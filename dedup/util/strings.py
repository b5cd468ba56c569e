"""Columns of any string-like type as `string`, checked to be UTF-8."""

from __future__ import annotations

import uuid

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds text; the type null does, being all null."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return kind in _TEXT_TYPES


def is_text_or_scalar(kind: pa.DataType) -> bool:
    """Tell whether every value of this type can be written as a string."""
    if pa.types.is_dictionary(kind):
        return is_text_or_scalar(kind.value_type)
    return is_text(kind) or _is_uuid(kind) or any(check(kind) for check in _SCALAR_CHECKS)


def lay_out(values: pa.Array) -> pa.Array:
    """Give a text column 32- or 64-bit offsets, so that its lengths are known."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return lay_out(values.dictionary_decode())
    if pa.types.is_null(kind) or kind == pa.string_view():
        return values.cast(pa.large_string())
    if kind == pa.binary_view():
        return values.cast(pa.large_binary())
    return values


def read_strings(values: pa.Array) -> pa.Array:
    """Cast to `string`; a value that is not valid UTF-8 becomes null."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return read_strings(values.dictionary_decode())
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.string())
    if _is_uuid(kind):
        storage = values.storage if isinstance(values, pa.ExtensionArray) else values
        texts = [value and str(uuid.UUID(bytes=value)) for value in storage.to_pylist()]
        return pa.array(texts, pa.string())
    parts = _cast_valid(values)
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _cast_valid(values: pa.Array) -> list[pa.Array]:
    """Cast in halves, to find the values that are not valid UTF-8."""
    try:
        strings = values.cast(pa.string())
        strings.validate(full=True)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return [pa.nulls(1, pa.string())]
        middle = len(values) // 2
        return _cast_valid(values[:middle]) + _cast_valid(values[middle:])
    return [strings]


def _is_uuid(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return bool(kind.extension_name == "arrow.uuid")
    return bool(kind == pa.binary(16))


_TEXT_TYPES = (
    pa.null(),
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
)
_SCALAR_CHECKS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_decimal,
    pa.types.is_temporal,
)


def measure_strings(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the bytes of every string; 0 for nulls, and for what is no string."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        if not len(values.dictionary):
            return np.zeros(len(values), np.int64)
        sizes = measure_strings(values.dictionary)
        places = values.indices
        found = sizes[pc.fill_null(places, 0).to_numpy(zero_copy_only=False)]
        return np.where(places.is_valid().to_numpy(zero_copy_only=False), found, 0)
    if not is_text(kind) or pa.types.is_null(kind):
        return np.zeros(len(values), np.int64)
    sizes = pc.binary_length(lay_out(values))
    return np.asarray(pc.fill_null(sizes, 0) if sizes.null_count else sizes, np.int64)
