"""Candidates to verified pairs."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.stages.findings import Findings
from dedup.stages.naming import PART_ROWS, constant
from dedup.stages.templates import template_options


def match_candidates(
    corpus: _native.Corpus, candidates: _native.Candidates, config: Config, memory: int
) -> _native.Matches:
    """Align every candidate, keep near-copies, and find what they say of whole articles.

    What is kept was compared word by word: the longest common subsequence decides, never the
    sketch. `memory` is how many bytes of tokens to hold at once; more are taken in turns.
    """
    match = config.match
    return corpus.verify(
        candidates,
        threshold=match.threshold,
        containment=match.containment,
        min_shared_tokens=match.min_shared_tokens,
        min_run_tokens=match.min_run_tokens,
        threads=config.threads,
        memory=memory,
        **template_options(config.formulas),
    )


def list_pairs(found: Findings, unit: str) -> Iterator[pa.Table]:
    """List the verified pairs of a unit: PAIRS, in parts.

    Paragraphs with the same words count once, for the article that held them first; articles
    with the same words are each paired with the first of them.
    """
    rows = {"paragraph": found.corpus.paragraph_pairs, "article": found.corpus.article_pairs}
    pairs = pa.Table.from_batches([rows[unit](found.matches)])
    for start in range(0, pairs.num_rows, PART_ROWS):
        part = found.names.name(pairs.slice(start, PART_ROWS), ["left_article", "right_article"])
        yield part.append_column("unit", constant(unit, part.num_rows))
