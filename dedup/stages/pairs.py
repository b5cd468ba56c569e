"""Candidates to verified pairs."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.stages.naming import Names


def match_candidates(
    corpus: _native.Corpus, candidates: _native.Candidates, config: Config
) -> _native.Matches:
    """Align every candidate, keep near-copies, and find what they say of whole articles.

    What is kept was compared word by word: the longest common subsequence decides, never the
    sketch.
    """
    match = config.match
    return corpus.verify(
        candidates,
        threshold=match.threshold,
        containment=match.containment,
        min_shared_tokens=match.min_shared_tokens,
        min_run_tokens=match.min_run_tokens,
        threads=config.threads,
    )


def list_pairs(
    corpus: _native.Corpus, matches: _native.Matches, names: Names, units: Sequence[str]
) -> pa.Table:
    """List the verified pairs of each unit: PAIRS.

    Paragraphs with the same words count once, for the article that held them first; articles
    with the same words are each paired with the first of them.
    """
    rows = {"paragraph": corpus.paragraph_pairs, "article": corpus.article_pairs}
    columns = ["left_article", "right_article"]
    return pa.concat_tables(
        [names.name(rows[unit](matches), columns, unit=unit) for unit in units]
    ).unify_dictionaries()
