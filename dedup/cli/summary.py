"""The table at the end of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from dedup.read.locate import STDIN
from dedup.read.urls import is_url, show_url
from dedup.util.layout import duration, percent, plural, size
from dedup.util.printable import shell_word
from dedup.util.terminal import print_line, print_rows

if TYPE_CHECKING:
    from dedup.results import Scan

TOP_SOURCES = 5
EXAMPLE_REDUNDANCY = 0.5  # more redundant than not

_LIMITS = {
    "capped_buckets": (
        "bucket too full to compare every member",
        "buckets too full to compare every member",
    ),
    "too_long_to_align": (
        "pair too long to align from end to end",
        "pairs too long to align from end to end",
    ),
    "costly_pairs": (
        "pair not compared, to bound the time one text may take",
        "pairs not compared, to bound the time one text may take",
    ),
    "large_families": (
        "family too large to compare every member",
        "families too large to compare every member",
    ),
}
_LOSSES = {
    "rejected_rows": (
        "row rejected (see rejected.parquet)",
        "rows rejected (see rejected.parquet)",
    ),
    "empty_articles": ("empty article", "empty articles"),
    "low_evidence_articles": ("article too short to judge", "articles too short to judge"),
    "duplicate_ids": ("duplicate id", "duplicate ids"),
    "unreadable_dates": ("unreadable date", "unreadable dates"),
}


def print_summary(scan: Scan, inputs: Sequence[str]) -> None:
    """Print on stderr what was found, what was lost and what to do next."""
    print_rows(summarize(scan), err=True)
    print_line(err=True)
    purpose, command = suggest_command(scan, inputs)
    print_line(f"Results are in {scan.path}. {purpose}:", err=True)
    print_line(f"  {command}", err=True, bold=True)


def summarize(scan: Scan) -> list[tuple[str, str]]:
    """Return the table: about ten rows of a label and a sentence."""
    counts, elapsed = scan.facts.counts, scan.facts.elapsed_s["total"]
    columns = ["article_id", "source", "tokens", "redundancy", "top_source", "top_source_share"]
    with scan.reading("articles") as table:
        articles = table.to_table(columns=columns)
    total = counts["paragraphs"]

    def paragraphs(kind: str) -> str:
        number = counts.get(f"{kind}_paragraphs", 0)
        return f"{plural(number, 'paragraph')} ({percent(number, total)})"

    speed = f", {counts['text_bytes'] / 1e6 / max(elapsed, 1e-3):,.1f} MB/s of text"
    if scan.facts.resumed:
        speed = " since it was resumed"
    return [
        ("articles", f"{counts['articles']:,}{_of_files(scan)}"),
        ("paragraphs", f"{total:,}, of which {counts['distinct_paragraphs']:,} are distinct"),
        ("exact copies", paragraphs("exact_copy")),
        ("near-copies", paragraphs("near_copy")),
        ("internal repeats", paragraphs("internal_repeat")),
        ("boilerplate", paragraphs("boilerplate")),
        ("templated", f"{paragraphs('templated')}, of {plural(counts['templates'], 'template')}"),
        ("redundancy", _spread(articles)),
        ("most copied", _most_copied(articles)),
        ("lost or limited", list_losses(scan) or "nothing"),
        *([("left out", left_out)] if (left_out := _list_left_out(scan)) else []),
        (
            "time",
            f"{duration(elapsed)}{speed}; at most {size(scan.facts.peak_memory_bytes)} of memory",
        ),
    ]


def list_losses(scan: Scan) -> str:
    """Name everything that was lost or cut short; an empty string if nothing was."""
    counts, limits = scan.facts.counts, scan.facts.limits
    hit = ["everything: no input has an article"] if not counts["articles"] else []
    hit += [plural(counts[name], *nouns) for name, nouns in _LOSSES.items() if counts.get(name)]
    for name, number in limits.items():
        if number:
            words = name.replace("_", " ")
            hit.append(plural(number, *_LIMITS.get(name, (words, words))))
    return ", ".join(hit)


def _list_left_out(scan: Scan) -> str:
    """Say which entries of folders and globs were not read, and why, with an example of each."""
    groups = scan.facts.left_out
    listed = [f"{group.count:,} {group.reason} ({group.example})" for group in groups]
    return ", ".join(listed)


def suggest_command(scan: Scan, inputs: Sequence[str]) -> tuple[str, str]:
    """Return what to do next, and the command that does it."""
    results = _argument(str(scan.path))
    if STDIN in inputs:  # it cannot be read a second time
        return "To see what they contain", f"dedup info {results}"
    given = " ".join(_argument(show_url(name) if is_url(name) else name) for name in inputs)
    is_file = len(inputs) == 1 and Path(inputs[0]).is_file()
    suffixes = "".join(Path(inputs[0]).suffixes[-2:]) if is_file else ""
    return "To see what a filter would remove", (
        f"dedup filter {results} {given} -o clean{suffixes}"
        f" --max-redundancy {EXAMPLE_REDUNDANCY} --dry-run --sample 5"
    )


def _argument(path: str) -> str:
    """Write a path so that neither a shell nor the command mistakes it for anything else."""
    return shell_word(f"./{path}" if path.startswith("-") else path)


def _of_files(scan: Scan) -> str:
    files = scan.facts.inputs
    return f" in {plural(len(files), 'file')} of {size(sum(file.bytes for file in files))}"


def _spread(articles: pa.Table) -> str:
    if not articles.num_rows:
        return "no articles"
    low, middle, high = pc.quantile(articles["redundancy"], [0.25, 0.5, 0.75]).to_pylist()
    above = pc.sum(pc.greater(articles["redundancy"], EXAMPLE_REDUNDANCY)).as_py() or 0
    return (
        f"quartiles {low:.2f}, {middle:.2f}, {high:.2f};"
        f" above {EXAMPLE_REDUNDANCY} in {plural(above, 'article')}"
        f" ({percent(above, articles.num_rows)})"
    )


def _most_copied(articles: pa.Table) -> str:
    """Name the sources, or else the articles, that most words were copied from."""
    copiers = articles.filter(pc.is_valid(articles["top_source"]))
    words = pc.multiply(copiers["tokens"], copiers["top_source_share"])
    origins = pc.index_in(copiers["top_source"], articles["article_id"])
    holders = pc.coalesce(articles["source"].take(origins), copiers["top_source"])
    ranking = (
        pa.table({"holder": holders, "words": words})
        .group_by("holder")
        .aggregate([("words", "sum")])
        .sort_by([("words_sum", "descending"), ("holder", "ascending")])
        .slice(0, TOP_SOURCES)
    )
    if not ranking.num_rows:
        return "none: no article copies another"
    names = [f"{row['holder']} {row['words_sum']:,.0f}" for row in ranking.to_pylist()]
    names[0] += " words"
    return ", ".join(names)
