"""Verified pairs to what follows from them: clusters, boilerplate, articles that match."""

from __future__ import annotations

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.memory import Budget
from dedup.steps.verify import make_verifier
from dedup.util.columns import in_one_chunk
from dedup.work.journal import Journal


def match_verified(
    corpus: _native.Corpus,
    verified: _native.Verified,
    templates: _native.Templates,
    articles: pa.Table,
    config: Config,
) -> _native.Matches:
    """Derive clusters, boilerplate and matching articles from pairs.

    Copies in many of `articles` (article_id, date and source) that share nothing else are
    boilerplate. `verified` and `templates` can be used only once.
    """
    memory = Budget(config.max_memory).working("comparing articles")
    sources = pa.record_batch({"source": in_one_chunk(articles["source"]).indices})
    return make_verifier(config).match_verified(corpus, verified, templates, sources, memory)


def save_matches(corpus: _native.Corpus, matches: _native.Matches, journal: Journal) -> None:
    """Save matches for a process that continues from here."""
    journal.note("matches", {"matches": matches.save(corpus)})


def restore_matches(corpus: _native.Corpus, journal: Journal) -> _native.Matches | None:
    """Restore matches that another process saved, if there are any."""
    done = journal.last("matches")
    return None if done is None else _native.Matches.restore(corpus, done["places"]["matches"])
