"""The table of templates, with their slots and where they appear."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from dedup.schemas import SLOT_KINDS, TEMPLATE_KINDS, TEMPLATES
from dedup.tables.findings import Findings


def list_templates(found: Findings) -> pa.Table:
    """List the templates of the corpus, the most informative first: TEMPLATES."""
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
