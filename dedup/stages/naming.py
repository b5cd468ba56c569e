"""Row numbers to names: the core counts articles, tables name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PART_ROWS = 1 << 17  # rows that are named, and written, at a time


class Names:
    """The names of numbered things: the caller's article ids, or the ids of clusters."""

    def __init__(self, ids: pa.ChunkedArray) -> None:
        self.ids = ids.combine_chunks()

    def __getitem__(self, rows: pa.Array) -> pa.DictionaryArray:
        """Name numbers; a null stays one. Only names that are used enter the dictionary."""
        encoded = rows.dictionary_encode()
        used = encoded.dictionary if len(encoded.dictionary) else pa.array([], pa.int32())
        return pa.DictionaryArray.from_arrays(encoded.indices, self.ids.take(used))

    def name(self, table: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Turn the numbers in `columns` into names."""
        for column in columns:
            place = table.schema.get_field_index(column)
            named = self[table[column].combine_chunks()]
            new = "article_id" if column == "article" else column
            table = table.set_column(place, new, named)
        return table


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
