"""A scan from end to end: articles go in, tables come out.

read -> fingerprint -> collapse exact copies -> candidates -> verify -> templates -> cluster
     -> score -> write
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pyarrow as pa

from dedup import _native
from dedup._version import __version__
from dedup.arguments import check_flag, input_paths, path_of, read_config
from dedup.config import Config
from dedup.memory import Budget, frugal, peak_memory, release_unused
from dedup.packs import Pack, load_packs
from dedup.progress import Progress
from dedup.progress.show import reporting
from dedup.read import (
    InputFile,
    Resources,
    check_unchanged,
    group_by_reason,
    read_articles,
    survey_inputs,
)
from dedup.results import Scan
from dedup.results_writer import ResultsWriter
from dedup.steps.fingerprint import (
    Fingerprints,
    fingerprint_articles,
    restore_fingerprints,
)
from dedup.steps.judge import start_scores
from dedup.steps.order import order_articles
from dedup.steps.propose import find_candidates
from dedup.steps.relate import match_verified, restore_matches, save_matches
from dedup.steps.templates import find_templates, restore_templates
from dedup.steps.verify import verify_candidates
from dedup.tables.findings import Findings
from dedup.tables.write import write_judged, write_lists
from dedup.util.stopwatch import Stopwatch
from dedup.work.journal import Journal
from dedup.work.names import Names
from dedup.work.unfinished import Unfinished

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Run(NamedTuple):
    """What a run of the flow keeps, and reports to."""

    journal: Journal
    progress: Progress
    watch: Stopwatch


def scan(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    config: Config | None = None,
    progress: Progress | bool | None = None,
    resume: bool = False,
    **options: Any,
) -> Scan:
    """Find near-copies and repeats in articles, score each one, and write the results folder.

    `inputs` are files, folders, globs, URLs of them or `-` for JSONL on standard input. `options`
    are settings by name, such as `threshold=0.9`; they override `config`. An older result in
    `output` is replaced once the new one is complete; a folder that holds anything else is refused.
    `resume` continues an unfinished scan of the same inputs and settings, if there is one.
    `progress=True` shows on stderr how far the scan is, as the command line does; an object with
    the methods of `dedup.progress.Progress` receives the reports instead.

    Raises a `DedupError` that says what is wrong: see `dedup.errors`.
    """
    watch = Stopwatch()
    config = read_config(config, options)
    output = path_of("output", output)
    check_flag("resume", resume)
    files, left_out = survey_inputs(input_paths(inputs))
    packs = load_packs(config.formulas)
    with (
        reporting(progress, files) as reports,
        frugal(is_bounded=config.max_memory is not None),
        Unfinished(output, files, packs or (), config, resume=resume) as work,
        ResultsWriter(work.work) as writer,
    ):
        reports.start("read", sum(file.size for file in files))
        with watch.step("read"):
            prints, digests = _read(files, config, work, reports)
        release_unused()
        found = find_copies(prints, packs, config, Run(work.journal, reports, watch))
        reports.start("score")
        with watch.step("judge"):
            counts = write_judged(found, config, work.journal, writer)
        reports.start("write")
        with watch.step("write"):
            write_lists(found, config, work.journal, writer)
        manifest = {
            "dedup_version": __version__,
            "fingerprint_version": _native.FINGERPRINT_VERSION,
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "config": config.to_dict(),
            "inputs": [
                {"path": file.path, "bytes": file.size, "digest": digest}
                for file, digest in zip(files, digests, strict=True)
            ],
            "left_out": group_by_reason(left_out),
            "counts": {
                **_count_paragraphs(found),
                **counts,
                **_count_found(found),
                "text_bytes": prints.text_bytes,
            },
            "limits": dict(found.matches.limits),
            "resumed": work.journal.is_resumed,
            "work": _count_work(found, work.spool, files, prints.text_bytes),
            "elapsed_s": {**watch.elapsed_s, "total": watch.total()},
            "cpu_s": watch.cpu_s,
            "peak_memory_bytes": peak_memory(),
        }
        return writer.finish(manifest)


def _read(
    files: Sequence[InputFile], config: Config, work: Unfinished, progress: Progress
) -> tuple[Fingerprints, list[str | None]]:
    """Fingerprint what is not fingerprinted yet; return all of it with a digest of each file."""
    prints = Fingerprints(work.spool, [file.path for file in files])
    restore_fingerprints(prints, work.journal, progress.advance)
    done = work.journal.last("read")
    if done is not None:
        return prints, list(done["digests"])
    resources = Resources(Budget(config.max_memory).reading(), config.temp_dir)
    batches = read_articles(
        files, config.source, prints.read_to, passed=prints.passed, resources=resources
    )
    try:
        fingerprint_articles(batches, prints, config, work.journal, progress.advance)
    except BaseException:
        work.spool.stop()
        raise
    digests = [prints.digests[number] for number in range(len(files))]
    for file in files:
        check_unchanged(file)
    work.journal.note("read", {}, digests=digests)
    return prints, digests


def find_copies(
    prints: Fingerprints,
    packs: Sequence[Pack] | None,
    config: Config,
    run: Run,
) -> Findings:
    """Run the steps between reading and writing.

    If `packs` is None, templates are not looked for; it may be empty.
    """
    corpus, articles = prints.corpus, prints.catalogue.named()
    run.progress.start("match")
    with run.watch.step("order"):
        corpus.set_order(order_articles(articles["date"]), config.threads)
    release_unused()
    matches = restore_matches(corpus, run.journal)
    if matches is None:
        templates, verified = _verify(corpus, packs, config, run)
        with run.watch.step("relate"):
            matches = match_verified(corpus, verified, templates, articles, config)
            save_matches(corpus, matches, run.journal)
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
    corpus: _native.Corpus,
    packs: Sequence[Pack] | None,
    config: Config,
    run: Run,
) -> tuple[_native.Templates, _native.Verified]:
    """Verify the candidates; judge pairs without the words of templates, if those are wanted."""
    journal, watch = run.journal, run.watch
    done = restore_templates(corpus, journal)
    if done is not None:
        return done
    with watch.step("propose"):
        candidates = find_candidates(corpus, config, journal)
    with watch.step("verify"):
        verified = verify_candidates(corpus, candidates, config, journal)
    if packs is None:
        return _native.Templates(), verified
    with watch.step("templates"):
        return find_templates(corpus, verified, packs, config, journal), verified


def _count_paragraphs(found: Findings) -> dict[str, int]:
    corpus = found.corpus
    return {
        "articles": corpus.articles,
        "paragraphs": corpus.paragraphs,
        "distinct_paragraphs": corpus.distincts,
    }


def _count_found(found: Findings) -> dict[str, int]:
    matches, catalogue = found.matches, found.catalogue
    return {
        "pairs": sum(map(matches.count_pairs, found.units)),
        "clusters": sum(map(matches.count_clusters, found.units)),
        "templates": len(found.template_ids),
        "rejected_rows": catalogue.rejected_rows,
        "duplicate_ids": _native.count_repeated(pa.record_batch({"id": found.names.ids})),
        "unreadable_dates": catalogue.unreadable_dates,
        "candidates": matches.candidates,
    }


def _count_work(
    found: Findings, spool: _native.Spool, files: Sequence[InputFile], text_bytes: int
) -> dict[str, int]:
    """Count what this process did; a scan that was resumed did more before."""
    written, read, again = spool.traffic()
    return {
        "input_bytes": sum(file.size for file in files),
        "tokenised_bytes": text_bytes + again,
        "work_file_bytes_written": written,
        "work_file_bytes_read": read,
        "candidates": found.matches.candidates,
        **dict(found.matches.comparisons),
    }


def _units(config: Config) -> list[str]:
    return ["paragraph", "article"] if config.granularity == "both" else [config.granularity]
