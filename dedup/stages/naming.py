"""Row numbers to names: the core counts articles, tables name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PART_ROWS = 1 << 17  # rows that are named, and written, at a time
PART_BYTES = 16 << 20  # of their names: fewer rows where those are long
MAX_STRING_BYTES = 2**31 - 1  # in one array of strings: their offsets have 32 bits


def ranges(length: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut 0..length into ranges of `size`: pairs of start and end."""
    return ((start, min(start + size, length)) for start in range(0, length, size))


class Names:
    """The names of numbered things, such as the caller's article ids."""

    def __init__(self, ids: pa.ChunkedArray) -> None:
        """Hold strings, as large ones where there are too many bytes for others."""
        total = sum(pc.sum(pc.binary_length(part)).as_py() or 0 for part in ids.chunks)
        self.ids = in_one_chunk(ids.cast(pa.large_string()) if total > MAX_STRING_BYTES else ids)
        self.part_rows = min(PART_ROWS, max(1, PART_BYTES * len(ids) // max(total, 1)))

    def take(self, rows: pa.Array) -> pa.Array:
        """Return the names of numbers as strings; a null stays one."""
        return self.ids.take(rows).cast(pa.string())

    def __getitem__(self, rows: pa.Array) -> pa.DictionaryArray:
        """Name numbers; a null stays one. Only names that are used enter the dictionary."""
        return replace_numbers(rows, self.take)

    def name(self, table: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Turn the numbers in `columns` into names."""
        for column in columns:
            place = table.schema.get_field_index(column)
            named = self[table[column].combine_chunks()]
            new = "article_id" if column == "article" else column
            table = table.set_column(place, new, named)
        return table


def in_one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without a copy if it is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def replace_numbers(rows: pa.Array, name: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """Replace numbers by what `name` makes of each that is used; a null stays one."""
    encoded = rows.dictionary_encode()
    used = encoded.dictionary if len(encoded.dictionary) else pa.array([], pa.uint32())
    return pa.DictionaryArray.from_arrays(encoded.indices, name(used))


def constant(value: str, length: int) -> pa.DictionaryArray:
    """Return a column that says the same in every row."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(length, dtype=np.int32)), pa.array([value])
    )


def from_codes(codes: pa.ChunkedArray, values: Sequence[str]) -> pa.DictionaryArray:
    """Turn the core's small numbers into the words they stand for."""
    return pa.DictionaryArray.from_arrays(
        pc.cast(codes.combine_chunks(), pa.int32()), pa.array(values)
    )
