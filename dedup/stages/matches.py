"""Verified pairs to all that they say: templates, clusters, boilerplate, articles that match."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.memory import Budget
from dedup.packs import Pack
from dedup.stages.pairs import make_verifier
from dedup.stages.templates import list_patterns


def match_verified(
    corpus: _native.Corpus,
    verified: _native.Verified,
    articles: pa.Table,
    packs: Sequence[Pack] | None,
    config: Config,
) -> _native.Matches:
    """Find out what pairs share besides templates, and what they say of clusters and articles.

    Copies in many of `articles` (article_id, date and source) that share nothing else are
    boilerplate. Without `packs` no template is looked for. `verified` can be used only once.
    """
    memory = Budget(config.max_memory).working("comparing articles")
    sources = pa.record_batch({"source": articles["source"].combine_chunks().indices})
    patterns = None if packs is None else list_patterns(packs)
    return make_verifier(config).gather(corpus, verified, sources, patterns, memory)
