"""`dedup filter`: write the inputs again without the redundant articles."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.options import (
    inputs_argument,
    overwrite_option,
    quiet_option,
    read_share,
    results_argument,
)
from dedup.cli.signals import holding_signals


@click.command("filter")
@results_argument
@inputs_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="Where to write: a file for one input file, a folder for several inputs or a folder.",
)
@click.option(
    "--max-redundancy",
    type=str,
    callback=read_share,
    metavar="SHARE",
    help="Remove articles whose redundancy is above this share of their words, 0 to 1; by"
    " default none.",
)
@click.option(
    "--keep",
    type=click.Choice(["first", "longest", "best", "none"]),
    help="Keep one article of each cluster of near-copies, the first seen, the longest or the"
    " least redundant (best), or none of them; by default all.",
)
@click.option(
    "--removed",
    metavar="FILE",
    help="File for a row about each removed article, .jsonl or .parquet; by default not written.",
)
@click.option(
    "--add-scores",
    is_flag=True,
    help="Add the fields redundancy, internal, copied and formulaic; by default not added.",
)
@click.option(
    "--max-removed",
    type=str,
    callback=read_share,
    default=0.9,
    metavar="SHARE",
    help="Refuse to remove more than this share of a source of 20 articles or more, 0 to 1; by"
    " default 0.9.",
)
@click.option(
    "--sample",
    type=int,
    default=0,
    metavar="N",
    help="Number of removed articles to print with the passages they share; by default 0.",
)
@click.option(
    "--dry-run", is_flag=True, help="Print what would be removed and write nothing; by default off."
)
@overwrite_option
@quiet_option
def command(
    results: str,
    inputs: tuple[str, ...],
    output: str,
    quiet: bool,
    **options: Any,
) -> None:
    """Write the scanned inputs again without the redundant articles.

    INPUT are files, folders, globs or URLs that `dedup scan` read into RESULTS. The output has
    their formats, order and fields, and articles that are kept are copied byte for byte. Give
    --max-redundancy, --keep or both: an article is kept if it passes both.
    """
    with holding_signals():
        from dedup.cli.report import print_report
        from dedup.filter import filter_articles

    report = filter_articles(results, list(inputs), output, progress=not quiet, **options)
    print_report(report, options, quiet=quiet)
