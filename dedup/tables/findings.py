"""What a scan found, before it is written: every later step makes a table."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from dedup import _native
from dedup.schemas import NAME
from dedup.util.columns import replace_numbers
from dedup.work.catalogue import Catalogue
from dedup.work.names import Names


class Findings(NamedTuple):
    """The corpus with its matches and scores, which stay in the core, and its articles' names."""

    corpus: _native.Corpus
    matches: _native.Matches
    scores: _native.Scores  # of the articles judged so far
    articles: pa.Table  # article_id, date and source, in input order
    catalogue: Catalogue
    names: Names
    units: list[str]  # whose pairs and clusters are listed
    template_ids: pa.Array  # by the template's number
    pack_names: list[str]  # by the pack's number


def name_clusters(found: Findings, unit: str, numbers: pa.Array) -> pa.Array:
    """Give cluster numbers their ids; none where clusters of this unit were not asked for."""
    if unit not in found.units:
        return pa.nulls(len(numbers), NAME)

    def name(used: pa.Array) -> pa.Array:
        return found.matches.cluster_ids(unit, pa.record_batch({"number": used}))["cluster_id"]

    return replace_numbers(numbers, name)
