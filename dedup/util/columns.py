"""Arrow columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def in_one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without a copy if it is one."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0 and pa.types.is_dictionary(column.type):
        # pyarrow 18 makes no empty array of such a type.
        none = pa.array([], column.type.index_type), pa.array([], column.type.value_type)
        return pa.DictionaryArray.from_arrays(*none)
    return column.combine_chunks()


def replace_numbers(rows: pa.Array, name: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """Replace each distinct number by its value from `name`; a null stays null."""
    encoded = rows.dictionary_encode()
    used = encoded.dictionary if len(encoded.dictionary) else pa.array([], pa.uint32())
    named = name(used)
    # Each value once: of a value that is there twice, Parquet's writer counts the bytes twice and
    # fills the rest of the page with whatever the memory held.
    distinct = named.dictionary_encode()
    if len(distinct.dictionary) == len(named):
        return pa.DictionaryArray.from_arrays(encoded.indices, named)
    indices = distinct.indices.take(encoded.indices)
    return pa.DictionaryArray.from_arrays(indices, distinct.dictionary)


def cut_rows(sizes: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Give (first row, number of rows) of parts of at most so many bytes, or one longer row."""
    ends = np.cumsum(sizes, dtype=np.int64)
    first, done = 0, 0
    while first < len(sizes):
        stop = max(int(np.searchsorted(ends, done + most, side="right")), first + 1)
        yield first, stop - first
        first, done = stop, int(ends[stop - 1])
