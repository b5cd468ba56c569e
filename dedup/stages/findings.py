"""What the flow found, before it is written down: from here on every step makes a table."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from dedup import _native
from dedup.stages.naming import Names


class Findings(NamedTuple):
    """The corpus with its matches and scores, which stay in the core, and its articles' names."""

    corpus: _native.Corpus
    matches: _native.Matches
    scores: _native.Scores
    articles: pa.Table  # ARTICLE_INPUT without the text, in input order
    names: Names
    clusters: dict[str, pa.Table]  # by unit: the representative of each cluster, by its number


def list_heads(corpus: _native.Corpus, matches: _native.Matches) -> dict[str, pa.Table]:
    """List the representatives of paragraph and article clusters, by the cluster's number."""
    return {
        unit: pa.Table.from_batches([corpus.cluster_heads(matches, unit)])
        for unit in ("paragraph", "article")
    }
