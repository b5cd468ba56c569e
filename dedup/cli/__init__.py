"""The command line: `dedup scan`, `dedup filter`, `dedup info`."""

from dedup.cli.main import main

__all__ = ["main"]
