"""`dedup templates`: list the templates of a scan, and save them as a pack for other scans."""

from __future__ import annotations

from pathlib import Path

import click

from dedup.cli.options import Group, overwrite_option, results_argument
from dedup.cli.signals import holding_signals
from dedup.util.terminal import print_line


@click.group("templates", cls=Group)
def command() -> None:
    """List a scan's templates, or save them as a pack for other scans."""


@command.command("list")
@results_argument
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    metavar="N",
    help="Number of templates to print, the most informative first; by default 50.",
)
def list_command(results: str, limit: int) -> None:
    """Print the templates of RESULTS: articles, kind, pattern."""
    with holding_signals():
        from dedup.results import open_scan

    with open_scan(results).reading("templates") as templates:
        rows = templates.head(limit, columns=["articles", "kind", "pattern"]).to_pylist()
    print_line(f"{'articles':>8}  {'kind':9}  pattern", err=True)
    for row in rows:
        print_line(f"{row['articles']:8,}  {row['kind']:9}  {row['pattern']}")


@command.command("learn")
@results_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="PACK.toml",
    help="File for the pack.",
)
@overwrite_option
def learn_command(results: str, output: str, overwrite: bool) -> None:
    """Save the templates of RESULTS as a pack, for dedup scan --templates PACK.toml.

    Only mined templates are saved: not those of packs, nor openers that a single article repeats.
    """
    with holding_signals():
        from dedup.packs import learn_pack, write_pack
        from dedup.results import open_scan

    scan = open_scan(results)
    pack = learn_pack(scan, Path(output).stem)
    write_pack(pack, output, overwrite=overwrite, results=scan.path)
    print_line(f"Wrote {len(pack.templates):,} templates to {output}", err=True)
