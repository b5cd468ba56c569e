"""Articles to the order in which they were first seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def order_articles(dates: pa.ChunkedArray) -> pa.RecordBatch:
    """Put articles in the order (date, input file, row); those without a date come last.

    Takes dates in input order, returns one column: row numbers, earliest first. The input order
    is that of file and row already, so it settles equal dates.
    """
    table = pa.table({"date": dates, "row": pa.array(np.arange(len(dates)))})
    keys = [("date", "ascending"), ("row", "ascending")]
    order = pc.sort_indices(table, sort_keys=keys)
    return pa.record_batch({"article": order.cast(pa.int64())})
