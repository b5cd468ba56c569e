"""A scan from end to end: articles go in, tables come out.

read -> fingerprint -> collapse exact copies -> candidates -> verify -> cluster -> score
     -> write
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup._version import __version__
from dedup.config import Config
from dedup.journal import Journal
from dedup.memory import peak_memory, release_unused
from dedup.packs import Pack, load_packs
from dedup.results import ResultsWriter, Scan
from dedup.sources import (
    InputFile,
    check_unchanged,
    digest_input,
    locate_inputs,
    read_articles,
)
from dedup.stages.candidates import find_candidates
from dedup.stages.clusters import list_clusters, list_members, number_members
from dedup.stages.findings import Findings, list_heads
from dedup.stages.fingerprints import (
    Fingerprints,
    fingerprint_articles,
    restore_fingerprints,
)
from dedup.stages.first_seen import order_articles
from dedup.stages.matches import match_verified
from dedup.stages.naming import PART_ROWS, Names
from dedup.stages.pairs import list_pairs, verify_candidates
from dedup.stages.redundancy import judge_articles, score_articles
from dedup.stages.templates import list_templates
from dedup.unfinished import Unfinished

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
WRITE_ARTICLES = 1 << 14  # articles whose paragraphs are turned into rows at a time


class Progress(Protocol):
    """Who wants to know how far a scan is."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """A step begins: read, match, score or write."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """So many more articles, and bytes of text, were read."""


class Silent:
    """Progress that nobody watches."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """Say nothing."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """Say nothing."""


def scan(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    config: Config | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    **options: Any,
) -> Scan:
    """Find near-copies and repeats in articles, score each one, and write the results folder.

    `inputs` are files, folders, globs, URLs of them or `-` for JSONL on standard input. `options`
    are settings by name, such as `threshold=0.9`; they win over `config`. An older result in
    `output` is replaced when the new one is whole. `resume` goes on with a scan of the same
    inputs and settings that did not end, if there is one.

    Raises a `DedupError` that says what is wrong: see `dedup.errors`.
    """
    began = time.monotonic()
    config = (config or Config()).with_options(**options)
    progress = progress or Silent()
    paths = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    files = locate_inputs(paths)
    packs = load_packs(config.formulas)
    with (
        Unfinished(output, files, packs or (), config, resume=resume) as work,
        ResultsWriter(work.tables, work.target) as writer,
    ):
        progress.start("read", sum(file.size for file in files))
        prints, digests = _read(files, config, work, progress)
        read = time.monotonic()
        found, candidates = find_copies(prints, packs, config, work.journal, progress)
        progress.start("write")
        counts = _write_tables(found, prints, packs or (), config, writer)
        manifest = {
            "dedup_version": __version__,
            "fingerprint_version": _native.FINGERPRINT_VERSION,
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "config": config.to_dict(),
            "inputs": [
                {"path": file.path, "bytes": file.size, "digest": digest}
                for file, digest in zip(files, digests, strict=True)
            ],
            "counts": {**counts, "candidates": len(candidates)},
            "limits": {
                "capped_buckets": candidates.capped_buckets,
                **dict(found.matches.limits),
            },
            "elapsed_s": {
                "read": round(read - began, 3),
                "total": round(time.monotonic() - began, 3),
            },
            "peak_memory_bytes": peak_memory(),
        }
        return writer.finish(manifest)


def _read(
    files: Sequence[InputFile], config: Config, work: Unfinished, progress: Progress
) -> tuple[Fingerprints, list[str | None]]:
    """Fingerprint what is not fingerprinted yet; return it with a digest of each file."""
    prints = Fingerprints(work.spool, [file.path for file in files])
    restore_fingerprints(prints, work.journal, progress.advance)
    done = work.journal.last("read")
    if done is not None:
        return prints, done["digests"]
    batches = read_articles(files, config.source, prints.read_to)
    fingerprint_articles(batches, prints, config, work.journal, progress.advance)
    digests = [digest_input(file) for file in files]
    for file in files:
        check_unchanged(file)
    work.journal.note("read", {}, digests=digests)
    return prints, digests


def find_copies(
    prints: Fingerprints,
    packs: Sequence[Pack] | None,
    config: Config,
    journal: Journal,
    progress: Progress,
) -> tuple[Findings, _native.Candidates]:
    """Run the flow between reading and writing; return what was found, and what was compared.

    Without `packs`, which may be none, no template is looked for.
    """
    corpus, articles = prints.corpus, prints.catalogue.named()
    progress.start("match")
    corpus.set_order(order_articles(articles["date"]), config.threads)
    candidates = find_candidates(corpus, config, journal)
    verified = verify_candidates(corpus, candidates, config, journal)
    matches = match_verified(corpus, verified, articles, packs, config)
    release_unused()
    progress.start("score")
    scores = corpus.score(matches, config.threads)
    release_unused()
    names = Names(articles["article_id"])
    heads = list_heads(corpus, matches, units(config))
    templates = matches.template_rows()["template_id"]
    found = Findings(corpus, matches, scores, articles, names, heads, templates)
    return found, candidates


def _write_tables(
    found: Findings,
    prints: Fingerprints,
    packs: Sequence[Pack],
    config: Config,
    writer: ResultsWriter,
) -> dict[str, int]:
    """Write every table; return what was counted."""
    corpus = found.corpus
    counts = dict.fromkeys(("empty_articles", "low_evidence_articles", "pairs", "clusters"), 0)
    for scored in score_articles(found, prints.catalogue, config.score):
        writer.write("articles", scored)
        counts["empty_articles"] += pc.sum(pc.equal(scored["tokens"], 0)).as_py()
        counts["low_evidence_articles"] += pc.sum(scored["low_evidence"]).as_py()
    kinds: dict[str, int] = {}
    for start, end in _ranges(corpus.articles, WRITE_ARTICLES):
        paragraphs, spans = judge_articles(found, start, end)
        _count_kinds(paragraphs, kinds)
        writer.write("paragraphs", paragraphs)
        writer.write("spans", spans)
    for unit in found.clusters:
        members = number_members(found, unit)
        for start, end in _ranges(members.num_rows, PART_ROWS):
            writer.write("members", list_members(found, unit, members.slice(start, end - start)))
        for clusters in list_clusters(found, unit, members):
            writer.write("clusters", clusters)
        for pairs in list_pairs(found, unit):
            writer.write("pairs", pairs)
            counts["pairs"] += pairs.num_rows
        counts["clusters"] += found.clusters[unit].num_rows
    templates = list_templates(found, packs)
    writer.write("templates", templates)
    for rejected in prints.catalogue.rejected():
        writer.write("rejected", rejected)
    return {
        "articles": corpus.articles,
        "paragraphs": corpus.paragraphs,
        "distinct_paragraphs": corpus.distincts,
        **{f"{kind}_paragraphs": number for kind, number in sorted(kinds.items())},
        "pairs": counts["pairs"],
        "clusters": counts["clusters"],
        "templates": templates.num_rows,
        "rejected_rows": prints.catalogue.rejected_rows,
        "empty_articles": counts["empty_articles"],
        "low_evidence_articles": counts["low_evidence_articles"],
        "duplicate_ids": _native.count_repeated(pa.record_batch({"id": found.names.ids})),
        "unreadable_dates": prints.catalogue.unreadable_dates,
        "text_bytes": prints.text_bytes,
    }


def units(config: Config) -> list[str]:
    """Name the units whose pairs and clusters are wanted."""
    return ["paragraph", "article"] if config.granularity == "both" else [config.granularity]


def _ranges(length: int, size: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + size, length)) for start in range(0, length, size))


def _count_kinds(paragraphs: pa.Table, kinds: dict[str, int]) -> None:
    for row in paragraphs["kind"].value_counts().to_pylist():
        kinds[row["values"]] = kinds.get(row["values"], 0) + row["counts"]
