"""`dedup scan`: fingerprint, match, cluster and score articles."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.options import (
    field_options,
    given_settings,
    inputs_argument,
    quiet_option,
    read_share,
)
from dedup.cli.signals import holding_signals


@click.command("scan")
@inputs_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="RESULTS",
    help="Folder for the tables; an older result is replaced once the new one is complete, but only"
    " if nothing else is in the folder.",
)
@click.option(
    "--threshold",
    type=str,
    callback=read_share,
    metavar="SHARE",
    help="Share of words in the same order that makes two texts near-copies, 0.5 to 1; by"
    " default 0.8.",
)
@click.option(
    "--granularity",
    type=click.Choice(["both", "paragraph", "article"]),
    help="Which near-copies to list in the pairs and clusters: of paragraphs, of articles or of"
    " both; by default both.",
)
@click.option(
    "--exact",
    is_flag=True,
    default=None,
    help="Compare every pair that could reach the threshold, which takes longer; by default MinHash"
    " finds nearly all.",
)
@click.option(
    "--paragraphs",
    type=click.Choice(["auto", "line", "blank"]),
    help="Where paragraphs end: at each line, at blank lines, or as each article has them; by"
    " default auto.",
)
@click.option(
    "--bands",
    type=int,
    metavar="N",
    help="Bands of each fingerprint, 1 to 64; more bands find more near-copies; by default 16.",
)
@click.option(
    "--rows",
    type=int,
    metavar="N",
    help="Hashes in each band; more of them find fewer near-copies, faster; by default 4.",
)
@click.option(
    "--min-support",
    type=int,
    metavar="N",
    help="Articles that must hold a template or a piece of boilerplate, at least 2; by default 5.",
)
@click.option(
    "--templates",
    "packs",
    multiple=True,
    callback=lambda _context, _option, packs: packs or None,
    metavar="PACK",
    help="Template packs to look for, each a file or news, which is bundled, or none; by default"
    " news.",
)
@click.option(
    "--no-templates",
    "templates",
    flag_value=False,
    default=None,
    help="Look for no templates at all; by default templates are mined, and those of packs found.",
)
@field_options
@click.option(
    "--on-error",
    type=click.Choice(["fail", "skip"]),
    help="Stop at a row that cannot be read, or list it in rejected.parquet and continue; by"
    " default fail.",
)
@click.option(
    "--max-article-bytes",
    metavar="SIZE",
    help="Longest text of an article, or page with its markup, such as 1MB; longer ones cannot be"
    " read; by default 16MiB.",
)
@click.option("--threads", type=int, metavar="N", help="Threads to use; by default one per core.")
@click.option(
    "--max-memory",
    metavar="SIZE",
    help="Memory that the scan aims to stay within, such as 4GB; by default three quarters of what"
    " there is.",
)
@click.option(
    "--temp-dir",
    metavar="FOLDER",
    help="Folder for the temporary file, two to four times the size of the text; by default beside"
    " the results.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue an unfinished scan of the same inputs and settings; by default start over.",
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE.toml",
    help="File with settings, which the command line overrides; by default none.",
)
@quiet_option
def command(
    inputs: tuple[str, ...],
    output: str,
    resume: bool,
    config_file: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Find near-copies and repeats in articles, and score each article by them.

    INPUT is any number of files, folders, globs or URLs of them (s3://, gs://, hf://, https://),
    or - for JSONL on standard input: .jsonl (or .ndjson, .jsonlines, .jl), .json, .parquet, .arrow,
    .feather, .csv, .tsv, .txt, .html, .htm, .warc or .wet, each also .gz, .zst, .bz2 or .xz.

    The results are Parquet tables: articles, paragraphs, spans, clusters, members, pairs,
    templates and rejected rows, with a manifest.
    """
    with holding_signals():
        from dedup.config import Config
        from dedup.pipeline import scan

    result = scan(
        list(inputs),
        output,
        config=None if config_file is None else Config.from_toml(config_file),
        progress=not quiet,
        resume=resume,
        **given_settings(options),
    )
    if not quiet:
        from dedup.cli.summary import print_summary

        print_summary(result, inputs)
