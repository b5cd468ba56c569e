"""A scan from end to end: articles go in, tables come out.

read -> fingerprint -> collapse exact copies -> candidates -> verify -> templates -> cluster
     -> score -> write
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup._version import __version__
from dedup.config import Config
from dedup.journal import Journal
from dedup.memory import from_system, peak_memory, release_unused
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
from dedup.stages.clusters import list_clusters, list_members
from dedup.stages.findings import Findings
from dedup.stages.fingerprints import (
    Fingerprints,
    fingerprint_articles,
    restore_fingerprints,
)
from dedup.stages.first_seen import order_articles
from dedup.stages.matches import match_verified, restore_matches, save_matches
from dedup.stages.naming import Names
from dedup.stages.pairs import list_pairs, verify_candidates
from dedup.stages.redundancy import judge_articles, score_articles, start_scores
from dedup.stages.templates import find_templates, list_templates, restore_templates
from dedup.unfinished import Unfinished

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


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
        from_system(),
        Unfinished(output, files, packs or (), config, resume=resume) as work,
        ResultsWriter(work.tables, work.target) as writer,
    ):
        progress.start("read", sum(file.size for file in files))
        prints, digests = _read(files, config, work, progress)
        read = time.monotonic()
        found = find_copies(prints, packs, config, work.journal, progress)
        counts = _write_tables(found, config, work.journal, writer, progress)
        manifest = {
            "dedup_version": __version__,
            "fingerprint_version": _native.FINGERPRINT_VERSION,
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "config": config.to_dict(),
            "inputs": [
                {"path": file.path, "bytes": file.size, "digest": digest}
                for file, digest in zip(files, digests, strict=True)
            ],
            "counts": {**counts, "text_bytes": prints.text_bytes},
            "limits": dict(found.matches.limits),
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
    with ThreadPoolExecutor(1, thread_name_prefix="digest") as pool:
        waiting = [pool.submit(digest_input, file) for file in files]
        batches = read_articles(files, config.source, prints.read_to)
        try:
            fingerprint_articles(batches, prints, config, work.journal, progress.advance)
            digests = [future.result() for future in waiting]
        finally:
            pool.shutdown(cancel_futures=True)
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
) -> Findings:
    """Run the flow between reading and writing.

    Without `packs`, which may be none, no template is looked for.
    """
    corpus, articles = prints.corpus, prints.catalogue.named()
    progress.start("match")
    corpus.set_order(order_articles(articles["date"]), config.threads)
    matches = restore_matches(corpus, journal)
    if matches is None:
        templates, verified = _verify(corpus, packs, config, journal)
        matches = match_verified(corpus, verified, templates, articles, config)
        save_matches(corpus, matches, journal)
    release_unused()
    return Findings(
        corpus,
        matches,
        start_scores(corpus, articles, config.score),
        articles,
        prints.catalogue,
        Names(articles["article_id"]),
        _units(config),
        matches.template_rows()["template_id"],
        [pack.name for pack in packs or ()],
    )


def _verify(
    corpus: _native.Corpus, packs: Sequence[Pack] | None, config: Config, journal: Journal
) -> tuple[_native.Templates, _native.Verified]:
    """Compare what may be alike; set aside what templates say, if they are wanted."""
    done = restore_templates(corpus, journal)
    if done is not None:
        return done
    candidates = find_candidates(corpus, config, journal)
    verified = verify_candidates(corpus, candidates, config, journal)
    if packs is None:
        return _native.Templates(), verified
    return find_templates(corpus, verified, packs, config, journal), verified


def _write_tables(
    found: Findings,
    config: Config,
    journal: Journal,
    writer: ResultsWriter,
    progress: Progress,
) -> dict[str, int]:
    """Write every table; return what was counted."""
    corpus, catalogue, scores = found.corpus, found.catalogue, found.scores
    progress.start("score")
    judged = journal.last("judged")
    if judged is not None and writer.keep(judged["tables"]):
        scores.restore(corpus, judged["places"]["scores"])
        kinds = judged["kinds"]
    else:
        kinds = _write_judged(found, config, writer)
        place = scores.save(corpus)

        def note_judged(tables: dict[str, str]) -> None:
            journal.note("judged", {"scores": place}, tables=tables, kinds=kinds)

        writer.close("paragraphs", "spans", then=note_judged)
    progress.start("write")
    counts = dict.fromkeys(("empty_articles", "low_evidence_articles"), 0)
    for scored in score_articles(found, config.score):
        writer.write("articles", scored)
        counts["empty_articles"] += pc.sum(pc.equal(scored["tokens"], 0)).as_py()
        counts["low_evidence_articles"] += pc.sum(scored["low_evidence"]).as_py()
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
        writer.close(table, then=partial(_note_table, journal, table))
    templates = list_templates(found)
    writer.write("templates", templates)
    for rejected in catalogue.rejected():
        writer.write("rejected", rejected)
    return {
        "articles": corpus.articles,
        "paragraphs": corpus.paragraphs,
        "distinct_paragraphs": corpus.distincts,
        **{f"{kind}_paragraphs": number for kind, number in sorted(kinds.items())},
        "pairs": sum(map(found.matches.count_pairs, found.units)),
        "clusters": sum(map(found.matches.count_clusters, found.units)),
        "templates": templates.num_rows,
        "rejected_rows": catalogue.rejected_rows,
        **counts,
        "duplicate_ids": _native.count_repeated(pa.record_batch({"id": found.names.ids})),
        "unreadable_dates": catalogue.unreadable_dates,
        "candidates": found.matches.candidates,
    }


def _note_table(journal: Journal, table: str, digests: dict[str, str]) -> None:
    journal.note(table, {}, tables=digests)


def _write_judged(found: Findings, config: Config, writer: ResultsWriter) -> dict[str, int]:
    """Write paragraphs and spans; return how many paragraphs there are of each kind."""
    kinds: dict[str, int] = {}
    for paragraphs, spans in judge_articles(found, config):
        for row in paragraphs["kind"].value_counts().to_pylist():
            kinds[row["values"]] = kinds.get(row["values"], 0) + row["counts"]
        writer.write("paragraphs", paragraphs)
        writer.write("spans", spans)
    return kinds


def _units(config: Config) -> list[str]:
    return ["paragraph", "article"] if config.granularity == "both" else [config.granularity]
