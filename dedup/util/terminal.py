"""All that the commands print, made safe: text from data cannot move the cursor or hide."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

import click

from dedup.util.printable import printable, printable_json

MAX_WIDTH = 100


def print_line(text: str = "", *, err: bool = False, bold: bool = False) -> None:
    """Print one line; anything but letters, marks, symbols and spaces becomes an escape."""
    shown = printable(text)
    click.echo(click.style(shown, bold=True) if bold else shown, err=err)


def print_rows(rows: Sequence[tuple[str, str]], *, err: bool = False) -> None:
    """Print labels and values in two columns; a long value continues under its beginning."""
    indent = 2
    cells = [(printable(label), printable(value)) for label, value in rows]
    start = indent + max((len(label) for label, _ in cells), default=0) + 2
    width = max(min(shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH) - start, 30)
    for label, value in cells:
        parts = textwrap.wrap(value, width, break_long_words=False, break_on_hyphens=False)
        shown = label.ljust(start - indent) if parts else label
        click.echo(" " * indent + click.style(shown, dim=True) + "".join(parts[:1]), err=err)
        for part in parts[1:]:
            click.echo(" " * start + part, err=err)


def print_json(document: str) -> None:
    """Print a JSON document, which keeps its content."""
    click.echo(printable_json(document))
