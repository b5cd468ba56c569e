"""Fingerprints to candidates: the pairs of paragraphs worth comparing."""

from __future__ import annotations

from dedup import _native
from dedup.config import Config
from dedup.work.journal import Journal


def find_candidates(corpus: _native.Corpus, config: Config, journal: Journal) -> _native.Candidates:
    """Pair paragraphs that share a band key or an anchor, or with `exact` enough of their words.

    A pair of Jaccard similarity s over word pairs becomes a candidate with probability
    1 - (1 - s**rows)**bands (Leskovec et al., Mining of Massive Datasets, 3.4.2); paragraphs that
    share 12 words in a row always do. Candidates are guesses: `verify_candidates` decides.
    """
    known = journal.last("candidates")
    if known:
        return _native.Candidates.restore(corpus, known["places"]["candidates"])
    match = config.match
    if match.exact:
        candidates = _native.Candidates.join(
            corpus,
            match.threshold,
            config.fingerprint.min_tokens,
            match.max_leaders,
            config.threads,
        )
    else:
        candidates = _native.Candidates.find(corpus, match.max_leaders, config.threads)
    journal.note("candidates", {"candidates": candidates.save(corpus)})
    return candidates
