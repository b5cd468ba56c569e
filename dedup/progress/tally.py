"""The amount read so far, as text."""

from __future__ import annotations

import time

from dedup.util.layout import size

_STEPS = {
    "read": "Reading",
    "match": "Matching",
    "score": "Scoring",
    "write": "Writing",
    "filter": "Filtering",
}


class Tally:
    """The amount read so far in a step, and the speed."""

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
