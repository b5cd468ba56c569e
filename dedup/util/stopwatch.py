"""The time that each step of a scan took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by step, of the clock and of all CPUs; steps do not overlap."""

    def __init__(self) -> None:
        self.elapsed_s: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}
        self._began = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time until the block ends under a name; a name may come again."""
        elapsed, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            passed = time.monotonic() - elapsed, time.process_time() - cpu
            for times, seconds in zip((self.elapsed_s, self.cpu_s), passed, strict=True):
                times[name] = round(times.get(name, 0.0) + seconds, 3)

    def total(self) -> float:
        """Return the seconds since the watch was made."""
        return round(time.monotonic() - self._began, 3)
