"""Findings to tables on disk; tables that another process completed stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.config import Config
from dedup.results_writer import ResultsWriter
from dedup.tables.clusters import list_clusters, list_members
from dedup.tables.findings import Findings
from dedup.tables.pairs import list_pairs
from dedup.tables.scores import judge_articles, score_articles
from dedup.tables.templates import list_templates
from dedup.work.journal import Journal, Saved


def write_judged(
    found: Findings, config: Config, journal: Journal, writer: ResultsWriter
) -> dict[str, int]:
    """Write paragraphs, spans and articles; return their counts."""
    judged = journal.last("judged")
    if judged is not None and writer.keep(judged["tables"]):
        found.scores.restore(found.corpus, judged["places"]["scores"])
        kinds: dict[str, int] = judged["kinds"]
    else:
        kinds = _write_paragraphs(found, config, writer)
        places = {"scores": found.scores.save(found.corpus)}
        _close(writer, ("paragraphs", "spans"), journal, "judged", places, kinds=kinds)
    empty, low = 0, 0
    for scored in score_articles(found, config.score):
        writer.write("articles", scored)
        empty += pc.sum(pc.equal(scored["tokens"], 0)).as_py()
        low += pc.sum(scored["low_evidence"]).as_py()
    return {
        **{f"{kind}_paragraphs": number for kind, number in sorted(kinds.items())},
        "empty_articles": empty,
        "low_evidence_articles": low,
    }


def _write_paragraphs(found: Findings, config: Config, writer: ResultsWriter) -> dict[str, int]:
    """Write paragraphs and spans; return how many paragraphs there are of each kind."""
    kinds: dict[str, int] = {}
    for paragraphs, spans in judge_articles(found, config):
        for row in paragraphs["kind"].value_counts().to_pylist():
            kinds[row["values"]] = kinds.get(row["values"], 0) + row["counts"]
        writer.write("paragraphs", paragraphs)
        writer.write("spans", spans)
    return kinds


def write_lists(found: Findings, config: Config, journal: Journal, writer: ResultsWriter) -> None:
    """Write the tables of clusters, pairs, templates and rejected rows."""
    lists: dict[str, Callable[[Findings, str], Iterator[pa.Table]]] = {
        "members": list_members,
        "clusters": partial(list_clusters, threads=config.threads),
        "pairs": list_pairs,
    }
    for table, rows_of in lists.items():
        done = journal.last(table)
        if done is not None and writer.keep(done["tables"]):
            continue
        for unit in found.units:
            for rows in rows_of(found, unit):
                writer.write(table, rows)
        _close(writer, (table,), journal, table, {})
    writer.write("templates", list_templates(found))
    for rejected in found.catalogue.rejected():
        writer.write("rejected", rejected)


def _close(
    writer: ResultsWriter,
    tables: tuple[str, ...],
    journal: Journal,
    step: str,
    places: Mapping[str, Saved],
    **facts: Any,
) -> None:
    """Close tables, and note their digests as soon as they are complete."""
    writer.close(*tables, then=lambda digests: journal.note(step, places, tables=digests, **facts))
