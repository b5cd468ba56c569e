"""Numbers and two-column tables as people read them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

import click

MAX_WIDTH = 100


def lay_out(rows: Sequence[tuple[str, str]], *, indent: int = 2) -> str:
    """Put labels and values in two columns; a long value goes on under its beginning."""
    start = indent + max((len(label) for label, _ in rows), default=0) + 2
    width = max(min(shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH) - start, 30)
    lines = []
    for label, value in rows:
        parts = textwrap.wrap(value, width, break_long_words=False, break_on_hyphens=False)
        head = " " * indent + click.style(label.ljust(start - indent), dim=True)
        lines.append(head + (parts[0] if parts else ""))
        lines.extend(" " * start + part for part in parts[1:])
    return "\n".join(lines)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: float, whole: float) -> str:
    """Write a share in per cent; a small one does not look like none, nor a large one like all."""
    if not whole or not part:
        return "0%"
    share = 100 * part / whole
    if share < 1:
        return "<1%"
    if 99 < share < 100:
        return ">99%"
    return f"{share:.0f}%"


def size(count: float) -> str:
    """Write a number of bytes, in powers of 1000."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    unit = 0
    while count >= 999.5 and unit < len(units) - 1:
        count /= 1000
        unit += 1
    return (
        f"{count:.0f} {units[unit]}" if unit == 0 or count >= 9.95 else f"{count:.1f} {units[unit]}"
    )


def duration(seconds: float) -> str:
    """Write a time as one or two units."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
