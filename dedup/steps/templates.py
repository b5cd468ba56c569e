"""Verified pairs to templates, and to pairs that hold without them.

Both are found in the core (`formulas/`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dedup import _native
from dedup.config import Config
from dedup.memory import Budget
from dedup.packs import Pack
from dedup.steps.verify import make_verifier
from dedup.work.journal import Journal

_PLACES = ("templates", "verified")


def find_templates(
    corpus: _native.Corpus,
    verified: _native.Verified,
    packs: Sequence[Pack],
    config: Config,
    journal: Journal,
) -> _native.Templates:
    """Find templates and those of `packs`, and drop from `verified` the pairs they explain."""
    memory = Budget(config.max_memory).working("finding templates")
    verifier = make_verifier(config)
    templates = verifier.find_templates(corpus, verified, list_patterns(packs), memory)
    places = templates.save(corpus, verified)
    journal.note("templates", dict(zip(_PLACES, places, strict=True)))
    return templates


def restore_templates(
    corpus: _native.Corpus, journal: Journal
) -> tuple[_native.Templates, _native.Verified] | None:
    """Restore templates and pairs that another process saved, if there are any."""
    done = journal.last("templates")
    if done is None:
        return None
    return _native.Templates.restore(corpus, *(done["places"][name] for name in _PLACES))


def list_patterns(packs: Sequence[Pack]) -> list[tuple[str, str, int]]:
    """List all templates of packs: kind, pattern and number of the pack."""
    return [
        (template.kind, template.pattern, number)
        for number, pack in enumerate(packs)
        for template in pack.templates
    ]
