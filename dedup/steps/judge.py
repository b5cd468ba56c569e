"""Matches to scores: the counts of each article, which the core fills in."""

from __future__ import annotations

import pyarrow as pa

from dedup import _native
from dedup.config import ScoreConfig
from dedup.util.columns import in_one_chunk

HOUR_US = 3_600_000_000


def start_scores(corpus: _native.Corpus, articles: pa.Table, config: ScoreConfig) -> _native.Scores:
    """Make room for the counts of `articles` (article_id, date and source)."""
    dates = in_one_chunk(articles["date"]).cast(pa.int64())
    ambiguous_us = round(config.ambiguous_hours * HOUR_US)
    return _native.Scores(corpus, pa.record_batch({"date": dates}), ambiguous_us)
