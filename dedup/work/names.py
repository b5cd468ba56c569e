"""Names by number: the core knows articles by number, the tables by name."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dedup.util.columns import in_one_chunk, replace_numbers

PART_ROWS = 1 << 17  # rows that are named, and written, at a time
PART_BYTES = 16 << 20  # of their names: fewer rows where those are long
MAX_STRING_BYTES = 2**31 - 1  # in one array of strings: their offsets have 32 bits


class Names:
    """The names of numbered things, such as the caller's article ids."""

    def __init__(self, ids: pa.ChunkedArray) -> None:
        """Hold strings, as large strings where they have too many bytes for 32-bit offsets."""
        total = sum(pc.sum(pc.binary_length(part)).as_py() or 0 for part in ids.chunks)
        self.ids = in_one_chunk(ids.cast(pa.large_string()) if total > MAX_STRING_BYTES else ids)
        self.part_rows = min(PART_ROWS, max(1, PART_BYTES * len(ids) // max(total, 1)))

    def take(self, rows: pa.Array) -> pa.Array:
        """Return the names of numbers as strings; a null stays null."""
        return self.ids.take(rows).cast(pa.string())

    def __getitem__(self, rows: pa.Array) -> pa.DictionaryArray:
        """Name numbers; a null stays null. Only names that are used enter the dictionary."""
        return replace_numbers(rows, self.take)

    def name(self, table: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Turn the numbers in `columns` into names."""
        for column in columns:
            place = table.schema.get_field_index(column)
            named = self[table[column].combine_chunks()]
            new = "article_id" if column == "article" else column
            table = table.set_column(place, new, named)
        return table
