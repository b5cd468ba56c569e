"""How far a command is: a live line on a terminal, a line a minute elsewhere, nothing if quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dedup.cli.layout import duration, size
from dedup.cli.terminal import print_line

if TYPE_CHECKING:
    from dedup.progress import Progress
    from dedup.sources import InputFile

REPORT_EVERY_S = 60.0

_STEPS = {
    "read": "Reading",
    "match": "Matching",
    "score": "Scoring",
    "write": "Writing",
    "filter": "Filtering",
}

# Columns are packed, and pages are mostly markup.
_OTHER_THAN_TEXT = ("parquet", "arrow", "html", "warc")


@contextmanager
def follow(*, quiet: bool, is_packed: bool = False) -> Iterator[Progress]:
    """Give what the library reports its progress to.

    `is_packed` says that the input's size tells nothing about its text, so that no time left
    is promised.
    """
    from dedup.progress import Silent

    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        from dedup.cli.live import show_bars

        with show_bars(is_packed=is_packed) as live:
            yield live
    else:
        lines = Lines()
        try:
            yield lines
        finally:
            lines.stop()


def hides_text_size(file: InputFile) -> bool:
    """Tell whether a file's size says little about the text in it."""
    return file.compression is not None or file.format in _OTHER_THAN_TEXT


class Tally:
    """What was read so far in a step, and how fast."""

    def __init__(self, step: str) -> None:
        self.label = _STEPS.get(step, step.capitalize())
        self.began = time.monotonic()
        self.articles = 0
        self.text_bytes = 0

    def __str__(self) -> str:
        if not self.articles:
            return ""
        elapsed = max(time.monotonic() - self.began, 1e-3)
        speed = self.text_bytes / 1e6 / elapsed
        return f"{self.articles:,} articles, {size(self.text_bytes)}, {speed:,.1f} MB/s"


class Lines:
    """Writes a line a minute, for log files."""

    def __init__(self, every_s: float = REPORT_EVERY_S) -> None:
        self._began = time.monotonic()
        self._tally = Tally("start")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._report, args=(every_s,), daemon=True)
        self._thread.start()

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """Begin a step."""
        self._tally = Tally(step)

    def advance(self, articles: int, text_bytes: int) -> None:
        """Count what was read."""
        self._tally.articles += articles
        self._tally.text_bytes += text_bytes

    def stop(self) -> None:
        """Write no more."""
        self._stopped.set()
        self._thread.join()

    def _report(self, every_s: float) -> None:
        while not self._stopped.wait(every_s):
            passed = duration(time.monotonic() - self._began)
            tally = self._tally
            numbers = f": {tally}" if tally.articles else ""
            print_line(f"{passed}  {tally.label}{numbers}", err=True)
