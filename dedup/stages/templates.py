"""Verified pairs to templates, and to pairs that hold without them.

Templates are mined in the core (`templates.rs`), with the pairs they qualify; here they become a
table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.journal import Journal
from dedup.memory import Budget
from dedup.packs import Pack
from dedup.schemas import SLOT_KINDS, TEMPLATE_KINDS, TEMPLATES
from dedup.stages.findings import Findings
from dedup.stages.pairs import make_verifier

_PLACES = ("templates", "verified")


def find_templates(
    corpus: _native.Corpus,
    verified: _native.Verified,
    packs: Sequence[Pack],
    config: Config,
    journal: Journal,
) -> _native.Templates:
    """Find templates, those of `packs` among them, and drop from `verified` what they explain."""
    memory = Budget(config.max_memory).working("finding templates")
    verifier = make_verifier(config)
    templates = verifier.find_templates(corpus, verified, list_patterns(packs), memory)
    places = templates.save(corpus, verified)
    journal.note("templates", dict(zip(_PLACES, places, strict=True)))
    return templates


def restore_templates(
    corpus: _native.Corpus, journal: Journal
) -> tuple[_native.Templates, _native.Verified] | None:
    """Have templates back, and the pairs, if another process found them."""
    done = journal.last("templates")
    if done is None:
        return None
    return _native.Templates.restore(corpus, *(done["places"][name] for name in _PLACES))


def list_patterns(packs: Sequence[Pack]) -> list[tuple[str, str, int]]:
    """List kind, pattern and number of the pack of all templates of packs."""
    return [
        (template.kind, template.pattern, number)
        for number, pack in enumerate(packs)
        for template in pack.templates
    ]


def list_templates(found: Findings) -> pa.Table:
    """List the templates that stand in the corpus, the most telling first: TEMPLATES."""
    corpus, matches = found.corpus, found.matches
    templates = matches.template_rows().to_pylist()
    slots = _group(matches.slot_rows(), len(templates))
    places = _group(matches.template_places(corpus), len(templates))
    rows = [
        {
            **template,
            "kind": TEMPLATE_KINDS[template["kind"]],
            "pack": None if template["pack"] is None else found.pack_names[template["pack"]],
            "slots": [
                {
                    "kind": SLOT_KINDS[slot["kind"]],
                    "fillers": slot["fillers"],
                    "examples": slot["examples"].split("\n"),
                }
                for slot in slots[number]
            ],
            "examples": [
                {
                    "article_id": found.names.ids[place["article"]].as_py(),
                    "position": place["position"],
                }
                for place in places[number]
            ],
        }
        for number, template in enumerate(templates)
    ]
    return pa.Table.from_pylist(rows, TEMPLATES)


def _group(rows: pa.RecordBatch, templates: int) -> list[list[dict[str, Any]]]:
    """Gather rows by the number of their template."""
    groups: list[list[dict[str, Any]]] = [[] for _ in range(templates)]
    for row in rows.to_pylist():
        groups[row.pop("template")].append(row)
    return groups
