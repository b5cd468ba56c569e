"""Arrow columns."""

from __future__ import annotations

import pyarrow as pa


def in_one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without a copy if it is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
