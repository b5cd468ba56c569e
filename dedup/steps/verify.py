"""Candidates to verified pairs."""

from __future__ import annotations

from dedup import _native
from dedup.config import Config
from dedup.memory import Budget
from dedup.work.journal import Journal


def verify_candidates(
    corpus: _native.Corpus, candidates: _native.Candidates, config: Config, journal: Journal
) -> _native.Verified:
    """Align every candidate and keep near-copies and shared runs.

    What is kept was compared word by word: the longest common subsequence decides, never the
    sketch. Candidates are processed in parts whose words fit in the remaining memory.

    The first members of a family of near-copies are all compared with each other; those that join
    it later keep the pair with its representative and their few most similar pairs. All of this is
    decided in first-seen order, so more articles never take pairs away from earlier ones.
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
    """Make the verifier, which decides when two texts are near-copies."""
    match = config.match
    return _native.Verifier(
        threshold=match.threshold,
        containment=match.containment,
        min_shared_tokens=match.min_shared_tokens,
        min_run_tokens=match.min_run_tokens,
        min_support=config.formulas.min_support,
        threads=config.threads,
    )
