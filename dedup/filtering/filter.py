"""From a scan and its inputs to the same files without what is redundant."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.errors import ConfigError, InputError, OutputError
from dedup.filtering.decisions import SCORES, Decisions, Keep, Rule, decide_articles
from dedup.filtering.matching import (
    Target,
    check_digest,
    choose_target,
    match_inputs,
    source_config,
)
from dedup.filtering.removals import (
    Removal,
    check_removed_name,
    sample_removals,
    write_removed,
)
from dedup.filtering.rewriting import WITHOUT_FIELDS, Rows, count_rows, rewrite
from dedup.pipeline import Progress, Silent
from dedup.results import Scan, naming_output, open_scan
from dedup.sources.locate import InputFile, locate_inputs

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
    dry_run: bool = False,
    sample: int = 0,
    max_removed: float = 0.9,
    progress: Progress | None = None,
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

    Raises an `InputError` for an input that was not scanned or was changed since, and an
    `OutputError` if a source of 20 articles or more would lose more than `max_removed` of them.
    """
    rule = Rule(max_redundancy=max_redundancy, keep=keep)
    if not 0 < max_removed <= 1:
        raise ConfigError(
            f"max_removed is {max_removed}, but it is a share and must be above 0 and at most 1"
        )
    if sample < 0:
        raise ConfigError(f"sample is {sample}, but it is a number of articles")
    removed_name = os.fspath(removed) if removed is not None else None
    if removed_name:
        check_removed_name(removed_name)
    scan = results if isinstance(results, Scan) else open_scan(results)
    paths = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    files = locate_inputs(paths)
    if add_scores and any(file.format in WITHOUT_FIELDS for file in files):
        raise ConfigError(
            "scores cannot be added to text files, pages and web archives",
            hint="leave out --add-scores: see articles.parquet",
        )
    target = choose_target(files, output, removed_name, scan.path)
    names = match_inputs(scan, files)
    decisions = decide_articles(scan, names, rule)
    cuts = decisions.heavily_cut_sources(max_removed)
    if cuts and not dry_run:
        raise _brake(cuts, max_removed)
    samples = sample_removals(scan, decisions, dict(zip(names, files, strict=True)), sample)
    progress = progress or Silent()
    progress.start("filter", sum(file.size for file in files))
    rows_of = _rows_by_file(decisions, names, add_scores=add_scores)
    if dry_run:
        for file, rows in zip(files, rows_of, strict=True):
            count_rows(file, rows)
    else:
        source = source_config(scan)
        digests = {entry["path"]: entry["digest"] for entry in scan.manifest["inputs"]}
        with _unfinished(target, removed_name) as (places, removed_place):
            for name, file, rows, place, packing in zip(
                names, files, rows_of, places, target.compressions, strict=True
            ):
                with naming_output(target.path):
                    digest = rewrite(file, rows, place, packing, source)
                progress.advance(rows.kept + rows.removed, file.size)
                _check_counts(file, rows)
                check_digest(file, digest, digests[name])
            if removed_name and removed_place:
                write_removed(decisions, removed_place, removed_name)
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
        output=None if dry_run else target.path,
    )


def _brake(cuts: list[str], max_removed: float) -> OutputError:
    more = f" (and {len(cuts) - 1} more sources like it)" if len(cuts) > 1 else ""
    return OutputError(
        f"this would remove {cuts[0]}{more}, which is more than {max_removed:.0%}",
        hint="look with --dry-run --sample 10; if it is meant, allow more with --max-removed 1",
    )


def _rows_by_file(decisions: Decisions, names: Sequence[str], *, add_scores: bool) -> list[Rows]:
    """Lay the decisions out by row of each file, so that reading need look nothing up."""
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
def _unfinished(target: Target, removed: str | None) -> Iterator[tuple[list[Path], Path | None]]:
    """Give places to write to; what is there takes its name at the end, all or nothing."""
    with naming_output(target.path):
        parent = target.path.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.path.name}.unfinished-", dir=parent))
        folder.chmod(0o755)
    aside = None
    try:
        places = [folder / name for name in target.names]
        for place in {place.parent for place in places}:
            place.mkdir(parents=True, exist_ok=True)
        if removed:
            with naming_output(Path(removed)):
                Path(removed).absolute().parent.mkdir(parents=True, exist_ok=True)
                # On the disk where it goes, so that it can be renamed.
                aside = Path(f"{removed}.unfinished-{os.getpid()}").absolute()
        yield places, aside
        if removed and aside:
            with naming_output(Path(removed)):
                os.replace(aside, removed)
        with naming_output(target.path):
            if target.is_folder:
                _native.put_in_place(folder, target.path)
            elif places[0].exists():
                os.replace(places[0], target.path)
            else:  # a text file that was not kept
                target.path.unlink(missing_ok=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if aside:
            aside.unlink(missing_ok=True)
