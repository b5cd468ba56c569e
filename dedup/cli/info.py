"""`dedup info`: the manifest in readable form."""

from __future__ import annotations

import json

import click

from dedup.cli.options import results_argument
from dedup.cli.signals import holding_signals
from dedup.util.terminal import print_json


@click.command("info")
@results_argument
@click.option(
    "--json", "as_json", is_flag=True, help="Print the manifest as JSON; by default as text."
)
def command(results: str, as_json: bool) -> None:
    """Show what a results folder holds: inputs, settings, counts, limits and timings."""
    with holding_signals():
        from dedup.results import open_scan

    scan = open_scan(results)
    if as_json:
        print_json(json.dumps(scan.manifest, indent=2, ensure_ascii=False))
        return
    from dedup.cli.manifest import print_manifest

    print_manifest(scan)
