"""Candidates to verified pairs."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.journal import Journal
from dedup.memory import Budget
from dedup.stages.findings import Findings
from dedup.stages.naming import constant, ranges


def verify_candidates(
    corpus: _native.Corpus, candidates: _native.Candidates, config: Config, journal: Journal
) -> _native.Verified:
    """Align every candidate and keep near-copies and shared runs.

    What is kept was compared word by word: the longest common subsequence decides, never the
    sketch. Candidates are taken in turns whose words fit in the memory that is left.

    The first members of a family of near-copies are all compared with each other; those that join
    it later keep the pair with its representative and the few pairs that are most alike. All of
    that is decided in first-seen order, so more articles never take pairs away from earlier ones.
    """
    verifier = make_verifier(config)
    budget = Budget(config.max_memory)
    verified = _native.Verified()
    for turn in journal.of("verified"):
        verified.restore(corpus, turn["places"]["verified"])
    while verified.done < len(candidates):
        memory = budget.working("comparing paragraphs")
        place = verifier.verify(corpus, candidates, verified, memory)
        journal.note("verified", {"verified": place})
    step = "comparing near-copies"
    if not verifier.complete(corpus, candidates, verified, budget.working(step)):
        raise budget.exceeded(step)
    return verified


def make_verifier(config: Config) -> _native.Verifier:
    """Make what says when two texts are near-copies."""
    match = config.match
    return _native.Verifier(
        threshold=match.threshold,
        containment=match.containment,
        min_shared_tokens=match.min_shared_tokens,
        min_run_tokens=match.min_run_tokens,
        min_support=config.formulas.min_support,
        threads=config.threads,
    )


def list_pairs(found: Findings, unit: str) -> Iterator[pa.Table]:
    """List the verified pairs of a unit: PAIRS, in parts.

    Paragraphs with the same words count once, for the article that held them first; articles
    with the same words are each paired with the first of them.
    """
    for start, end in ranges(found.matches.count_pairs(unit), found.names.part_rows):
        rows = found.corpus.pair_rows(found.matches, unit, start, end)
        part = pa.Table.from_batches([rows])
        part = found.names.name(part, ["left_article", "right_article"])
        yield part.append_column("unit", constant(unit, part.num_rows))
