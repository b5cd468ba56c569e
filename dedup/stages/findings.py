"""What the flow found, before it is written down: from here on every step makes a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from dedup import _native
from dedup.schemas import NAME
from dedup.stages.naming import Names


class Findings(NamedTuple):
    """The corpus with its matches and scores, which stay in the core, and its articles' names."""

    corpus: _native.Corpus
    matches: _native.Matches
    scores: _native.Scores
    articles: pa.Table  # article_id, date and source, in input order
    names: Names
    clusters: dict[str, pa.Table]  # by unit: the representative of each cluster, by its number
    template_ids: pa.Array  # by the template's number


def list_heads(
    corpus: _native.Corpus, matches: _native.Matches, units: Sequence[str]
) -> dict[str, pa.Table]:
    """List the representatives of the clusters of each unit, by the cluster's number."""
    return {unit: pa.Table.from_batches([corpus.cluster_heads(matches, unit)]) for unit in units}


def name_clusters(found: Findings, unit: str, numbers: pa.Array) -> pa.Array:
    """Give cluster numbers their ids; none where clusters of this unit were not asked for."""
    if unit not in found.clusters:
        return pa.nulls(len(numbers), NAME)
    return Names(found.clusters[unit]["cluster_id"])[numbers]
