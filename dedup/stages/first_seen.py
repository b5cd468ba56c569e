"""Articles to the order in which they were first seen, and whom that order may wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HOUR_US = 3_600_000_000


def order_articles(dates: pa.ChunkedArray) -> pa.RecordBatch:
    """Put articles in the order (date, input file, row); those without a date come last.

    Takes dates in input order, returns one column: row numbers, earliest first. The input order
    is that of file and row already, so it settles equal dates.
    """
    table = pa.table({"date": dates, "row": pa.array(np.arange(len(dates)))})
    keys = [("date", "ascending"), ("row", "ascending")]
    order = pc.sort_indices(table, sort_keys=keys)
    return pa.record_batch({"article": order.cast(pa.int64())})


def flag_ambiguous(dates: pa.ChunkedArray, copies: pa.RecordBatch, hours: float) -> pa.Array:
    """Flag articles that copy from, or are copied by, one whose date cannot settle who was first.

    Takes the dates in input order and COPIES (source, article: row numbers). Both ends of a copy
    are flagged if either date is missing or the two are less than `hours` apart.
    """
    flags = np.zeros(len(dates), dtype=bool)
    if copies.num_rows:
        source, article = (column.to_numpy() for column in copies.columns)
        missing = dates.is_null().to_numpy()
        micros = dates.cast(pa.int64()).fill_null(0).to_numpy()
        near = np.abs(micros[source] - micros[article]) < hours * HOUR_US
        unsure = near | missing[source] | missing[article]
        flags[source[unsure]] = True
        flags[article[unsure]] = True
    return pa.array(flags)
