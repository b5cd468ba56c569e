"""Arrow columns."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa


def in_one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without a copy if it is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def replace_numbers(rows: pa.Array, name: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """Replace each distinct number by its value from `name`; a null stays null."""
    encoded = rows.dictionary_encode()
    used = encoded.dictionary if len(encoded.dictionary) else pa.array([], pa.uint32())
    return pa.DictionaryArray.from_arrays(encoded.indices, name(used))
