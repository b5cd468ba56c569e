"""One progress line per minute, for log files."""

from __future__ import annotations

import threading
import time

from dedup.progress.tally import Tally
from dedup.util.layout import duration
from dedup.util.terminal import print_line

REPORT_EVERY_S = 60.0


class Lines:
    """Writes one line per minute, for log files."""

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
