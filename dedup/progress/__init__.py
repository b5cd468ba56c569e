"""Progress reports of a scan or a filter."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress reports."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """A step begins: read, match, score, write or filter."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """This many more articles, and bytes of text, were read."""


class Silent:
    """A progress sink that discards everything."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """Say nothing."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """Say nothing."""
