"""The table of verified pairs."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.tables.findings import Findings
from dedup.tables.naming import constant, ranges


def list_pairs(found: Findings, unit: str) -> Iterator[pa.Table]:
    """List the verified pairs of a unit: PAIRS, in parts.

    Paragraphs with the same words count once, for the article that held them first; articles
    with the same words are each paired with the first of them.
    """
    for start, end in ranges(found.matches.count_pairs(unit), found.names.part_rows):
        rows = found.matches.pair_rows(found.corpus, unit, start, end)
        part = pa.Table.from_batches([rows])
        part = found.names.name(part, ["left_article", "right_article"])
        yield part.append_column("unit", constant(unit, part.num_rows))
