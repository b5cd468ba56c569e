"""The report at the end of a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dedup.util.layout import percent, plural
from dedup.util.terminal import print_line, print_rows

if TYPE_CHECKING:
    from dedup.filter import FilterReport, Removal


def print_report(report: FilterReport, options: dict[str, Any], *, quiet: bool) -> None:
    """Print the samples, if there are any, on stdout and the counts on stderr."""
    for removal in report.samples:
        print_line(removal.article_id, bold=True)
        print_rows(_describe(removal))
        print_line()
    if quiet:
        return
    print_rows(_count(report), err=True)
    print_line(err=True)
    if report.output is None:
        for cut in report.heavily_cut_sources:
            share = f"{options['max_removed']:.0%}"
            print_line(f"Without --dry-run this is refused: {cut}, more than {share}.", err=True)
        print_line("Nothing was written: leave out --dry-run to write.", err=True)
    else:
        removed = f"; the removed are listed in {options['removed']}" if options["removed"] else ""
        print_line(f"Kept articles are in {report.output}{removed}.", err=True)


def _count(report: FilterReport) -> list[tuple[str, str]]:
    rows = [
        ("rows in", f"{report.rows_in:,} = {report.kept:,} kept + {report.removed:,} removed"),
        ("kept", f"{plural(report.kept, 'article')} ({percent(report.kept, report.rows_in)})"),
        ("removed", f"{plural(report.removed, 'row')} ({percent(report.removed, report.rows_in)})"),
    ]
    width = max((len(f"{number:,}") for number in report.by_reason.values()), default=0)
    reasons = report.by_reason.items()
    return rows + [("", f"{number:>{width},}  {reason}") for reason, number in reasons]


def _describe(removal: Removal) -> list[tuple[str, str]]:
    rows = [
        ("reason", removal.reason),
        ("redundancy", f"{removal.redundancy:.2f}"),
        ("mostly from", removal.match or "no one article"),
    ]
    if removal.snippet:
        rows.append(("for example", f'"{removal.snippet}"'))
    return rows
