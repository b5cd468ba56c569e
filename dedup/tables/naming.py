"""Row numbers to names: the core numbers articles, tables name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def ranges(length: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut 0..length into ranges of `size`: pairs of start and end."""
    return ((start, min(start + size, length)) for start in range(0, length, size))


def constant(value: str, length: int) -> pa.DictionaryArray:
    """Return a column with the same value in every row."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(length, dtype=np.int32)), pa.array([value])
    )


def from_codes(codes: pa.ChunkedArray, values: Sequence[str]) -> pa.DictionaryArray:
    """Turn the core's codes into words."""
    return pa.DictionaryArray.from_arrays(
        pc.cast(codes.combine_chunks(), pa.int32()), pa.array(values)
    )
