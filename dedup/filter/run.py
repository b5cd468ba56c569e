"""From a scan and its inputs to the same files without the redundant articles."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.arguments import (
    check_flag,
    check_number,
    check_whole_number,
    input_paths,
    path_of,
)
from dedup.config import need_share
from dedup.errors import ConfigError, InputError, OutputError, ResultsError
from dedup.filter.decide import SCORES, Decisions, Keep, Rule, decide_articles
from dedup.filter.match import (
    Target,
    check_digest,
    choose_target,
    match_inputs,
)
from dedup.filter.removed import (
    Removal,
    check_removed_name,
    sample_removals,
    write_removed,
)
from dedup.filter.rewrite import WITHOUT_FIELDS, Reading, Rows, count_rows, rewrite
from dedup.memory import Budget
from dedup.outputs import naming_output
from dedup.progress import Progress
from dedup.progress.show import reporting
from dedup.read import Resources
from dedup.read.locate import InputFile, locate_inputs
from dedup.results import MANIFEST, Scan, open_scan
from dedup.work.folder import NEW, NewFile, WorkFolder

Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclass(frozen=True, kw_only=True)
class FilterReport:
    """What a filter kept and removed, and why."""

    rows_in: int
    kept: int
    removed: int
    by_reason: dict[str, int]  # the most frequent first
    rejected_rows: int  # of those removed: they were never scored
    articles_in_clusters: int
    heavily_cut_sources: tuple[str, ...]  # only after a dry run: otherwise they stop the filter
    samples: tuple[Removal, ...]
    output: Path | None  # None after a dry run


def filter_articles(  # noqa: PLR0913 - keyword-only options, each of its own
    results: Scan | str | os.PathLike[str],
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    max_redundancy: float | None = None,
    keep: Keep | None = None,
    removed: str | os.PathLike[str] | None = None,
    add_scores: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    sample: int = 0,
    max_removed: float = 0.9,
    progress: Progress | bool | None = None,
) -> FilterReport:
    """Write the scanned inputs again without the articles that are too redundant.

    An article is kept if its redundancy is at most `max_redundancy` and, with `keep`, if it is
    the `first`, `longest` or `best` (least redundant) of its cluster of near-copies; `none` keeps
    no member of a cluster. At least one of the two must be given.

    The output has the input's format, order and fields, those that were never scanned included;
    lines of JSONL and records of CSV are the input's bytes. One input file gives a file, several
    or a folder give a folder with the same names. `add_scores` adds redundancy, internal, copied
    and formulaic. Rows that the scan rejected are removed, and `removed` names a `.jsonl` or
    `.parquet` file to list every removal in, with its reason.

    Existing files are not overwritten. With `overwrite`, older files in `output` and `removed` are
    replaced once the new ones are complete, but never an input, results, or a folder that holds
    anything else.

    Raises an `InputError` for an input that was not scanned or has changed since, and an
    `OutputError` if a source of 20 articles or more would lose more than `max_removed` of them.
    """
    rule = Rule(max_redundancy=max_redundancy, keep=keep)
    check_number("max_removed", max_removed)
    need_share("max_removed", max_removed, least=None)
    check_whole_number("sample", sample)
    check_flag("add_scores", add_scores)
    check_flag("dry_run", dry_run)
    output = path_of("output", output)
    removed_name = path_of("removed", removed) if removed is not None else None
    if removed_name:
        check_removed_name(removed_name)
    paths = input_paths(inputs)
    scan = _open_results(results, paths)
    _check_clusters(scan, rule)
    files = locate_inputs(paths)
    if add_scores and any(file.format in WITHOUT_FIELDS for file in files):
        raise ConfigError(
            "scores cannot be added to text files, pages and web archives",
            hint="leave out --add-scores: see articles.parquet",
        )
    may_replace = overwrite or dry_run  # which replaces nothing
    target = choose_target(files, output, removed_name, scan.path, overwrite=may_replace)
    names = match_inputs(scan, files)
    decisions = decide_articles(scan, names, rule)
    cuts = decisions.heavily_cut_sources(max_removed)
    if cuts and not dry_run:
        raise _brake(cuts, max_removed)
    resources = Resources(Budget(scan.facts.settings.max_memory).reading())
    reading = Reading(scan.facts.settings.source, resources)
    by_name = dict(zip(names, files, strict=True))
    samples = sample_removals(scan, decisions, by_name, sample, resources)
    rows_of = _rows_by_file(decisions, names, add_scores=add_scores)
    digests = {entry.path: entry.digest for entry in scan.facts.inputs}
    with reporting(progress, files) as reports:
        reports.start("filter", sum(file.size for file in files))
        if dry_run:
            for file, rows in zip(files, rows_of, strict=True):
                count_rows(file, rows)
        else:
            with _open_work(target, files) as (new_files, new_removed):
                for name, file, rows, new, packing in zip(
                    names, files, rows_of, new_files, target.compressions, strict=True
                ):
                    with naming_output(target.kept.given):
                        digest = rewrite(file, rows, new, packing, reading)
                    reports.advance(rows.kept + rows.removed, file.size)
                    _check_counts(file, rows)
                    check_digest(file, digest, digests[name])
                if removed_name and new_removed:
                    write_removed(decisions, new_removed, removed_name)
    kept = sum(rows.kept for rows in rows_of)
    gone = sum(rows.removed for rows in rows_of)
    return FilterReport(
        rows_in=decisions.articles.num_rows + decisions.rejected.num_rows,
        kept=kept,
        removed=gone,
        by_reason=decisions.by_reason(),
        rejected_rows=decisions.rejected.num_rows,
        articles_in_clusters=len(decisions.articles)
        - decisions.articles["article_cluster"].null_count,
        heavily_cut_sources=tuple(cuts),
        samples=samples,
        output=None if dry_run else target.kept.given,
    )


def _open_results(results: Scan | str | os.PathLike[str], inputs: Sequence[str]) -> Scan:
    """Open the results; tell if they were given among the inputs."""
    if isinstance(results, Scan):
        return results
    try:
        return open_scan(results)
    except ResultsError as err:
        swapped = [path for path in inputs if os.path.isfile(os.path.join(path, MANIFEST))]
        if not swapped or os.path.isdir(results):
            raise
        raise ConfigError(
            f"{os.fspath(results)} is not a results folder, but {swapped[0]} is",
            hint=f"name the results first: {swapped[0]} {os.fspath(results)}",
        ) from err


def _check_clusters(scan: Scan, rule: Rule) -> None:
    """Refuse to choose from clusters of articles where a scan made none."""
    if rule.keep is not None and scan.facts.settings.granularity == "paragraph":
        raise ConfigError(
            f"{scan.path} has clusters of paragraphs only, so there is no article to keep of each",
            hint="scan with --granularity both, or leave out --keep and give --max-redundancy",
        )


def _brake(cuts: list[str], max_removed: float) -> OutputError:
    more = f" (and {len(cuts) - 1} more sources like it)" if len(cuts) > 1 else ""
    return OutputError(
        f"this would remove {cuts[0]}{more}, which is more than {max_removed:.0%}",
        hint="look with --dry-run --sample 10; if it is intended, allow more with --max-removed 1",
    )


def _rows_by_file(decisions: Decisions, names: Sequence[str], *, add_scores: bool) -> list[Rows]:
    """Arrange the decisions by row of each file, so that reading needs no look-ups."""
    numbers = pa.array(names, pa.string())
    articles, rejected = decisions.articles, decisions.rejected
    places = _group(articles["input_file"], numbers)
    lost = _group(rejected["input_file"], numbers)
    row = articles["input_row"].to_numpy()
    lost_row = rejected["input_row"].to_numpy()
    scores = {name: articles[name].to_numpy() for name in SCORES} if add_scores else {}
    rows_of = []
    for of_articles, of_rejected in zip(places, lost, strict=True):
        own, others = row[of_articles], lost_row[of_rejected]
        length = int(max(own.max(initial=-1), others.max(initial=-1))) + 1
        is_known = np.zeros(length, dtype=bool)
        is_kept = np.zeros(length, dtype=bool)
        is_known[own] = is_known[others] = True
        is_kept[own] = decisions.is_kept[of_articles]
        laid_out = {}
        for name, values in scores.items():
            laid_out[name] = np.full(length, np.nan)
            laid_out[name][own] = values[of_articles]
        rows_of.append(Rows(is_known, is_kept, laid_out))
    return rows_of


def _group(files: pa.ChunkedArray, names: pa.Array) -> list[np.ndarray]:
    """Return the places of each name in a column of names."""
    codes = pc.index_in(files.cast(pa.string()), names).to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names)), side="right")
    return np.split(order, ends)[: len(names)]


def _check_counts(file: InputFile, rows: Rows) -> None:
    """Rows in = rows kept + rows removed, or nothing is written."""
    expected = int(np.count_nonzero(rows.is_known))
    if rows.kept + rows.removed != expected or rows.kept != np.count_nonzero(rows.is_kept):
        raise InputError(
            f"{file.path} does not have the {expected:,} rows that the scan read from it, but"
            f" {rows.kept + rows.removed:,} of them",
            hint="scan the input again",
        )


@contextmanager
def _open_work(
    target: Target, files: Sequence[InputFile]
) -> Iterator[tuple[list[NewFile], NewFile | None]]:
    """Give the files to make; they take their names at the end, all or none."""
    with ExitStack() as stack:
        kept = stack.enter_context(WorkFolder(target.kept, "filter"))
        works = [kept]
        if target.removed is not None:
            works.append(stack.enter_context(WorkFolder(target.removed, "filter")))
        names = [f"{NEW}/{name}" for name in target.names] if target.kept.is_folder else [NEW]
        with naming_output(target.kept.given):
            for folder in sorted({str(PurePath(name).parent) for name in names}):
                kept.make_folder(folder)
        new_files = [
            NewFile(kept, name, _mode_of(file)) for name, file in zip(names, files, strict=True)
        ]
        yield new_files, NewFile(works[1], NEW) if works[1:] else None
        for work in works:
            work.output.check()
        for work in reversed(works):
            work.publish()


def _mode_of(file: InputFile) -> int | None:
    """Return the permissions of an input; None for one that is not on this machine."""
    return stat.S_IMODE(os.stat(file.path).st_mode) & 0o777 if file.is_local else None
