"""Tables of figures: printed, and put into README.md in place of the older ones."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE / "out"  # git-ignored: corpora and exact answers, kept for the next run
README = HERE / "README.md"
Cell = str | int | float | None


def format_cell(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.4f}" if abs(cell) <= 1 else f"{cell:,.2f}" if cell < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def format_table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Lay out rows as a Markdown table, the first column to the left and others to the right."""
    cells = [[*headings], *([format_cell(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    first, *others = (
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |"
        for line in cells
    )
    return "\n".join([first, "| " + " | ".join(rule) + " |", *others])


def show(name: str, text: str, *, update: bool) -> None:
    """Print a part of the report; with `update` it also takes its place in README.md.

    The place is between `<!-- name -->` and `<!-- /name -->`.
    """
    print(f"\n{name}\n\n{text}", flush=True)
    if not update:
        return
    page = README.read_text(encoding="utf-8")
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    place = re.compile(re.escape(opening) + ".*?" + re.escape(closing), re.DOTALL)
    if not place.search(page):
        sys.exit(f"{README} has no place for {name}: add {opening.strip()} {closing.strip()}")
    page = place.sub(lambda _: f"{opening}{text}\n{closing}", page)
    README.write_text(page, encoding="utf-8")


def describe_machine() -> str:
    """Say where the figures come from, and how busy the machine is."""
    model = platform.processor()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    cores = f"{os.cpu_count()} cores of {model}; load before the run {load}"
    return f"{cores}; {platform.system()}, Python {platform.python_version()}"


def ensure_corpus(name: str, *options: str) -> Path:
    """Make a corpus with corpora.py, unless there is one from an earlier run."""
    folder = OUT / name
    if not (folder / "stats.json").exists():  # written last
        print(f"making {folder}", file=sys.stderr)
        command = [sys.executable, str(HERE / "corpora.py"), str(folder), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder
