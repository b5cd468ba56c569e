"""Reports of how far a scan or a filter is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from dedup.errors import ConfigError

if TYPE_CHECKING:
    from dedup.sources import InputFile


class Progress(Protocol):
    """Receives progress reports."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """A step begins: read, match, score, write or filter."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """So many more articles, and bytes of text, were read."""


class Silent:
    """A progress sink that discards everything."""

    def start(self, step: str, total_bytes: int | None = None) -> None:
        """Say nothing."""

    def advance(self, articles: int, text_bytes: int) -> None:
        """Say nothing."""


@contextmanager
def reporting(progress: Progress | bool | None, files: Sequence[InputFile]) -> Iterator[Progress]:
    """Give what to report to: on True stderr, as the command line does, on None or False nothing.

    Anything else must have the methods of `Progress`.
    """
    if progress is None or progress is False:
        yield Silent()
    elif progress is True:
        from dedup.cli.progress import follow, hides_text_size  # noqa: PLC0415 - only if asked for

        with follow(quiet=False, is_packed=any(map(hides_text_size, files))) as shown:
            yield shown
    elif callable(getattr(progress, "start", None)) and callable(
        getattr(progress, "advance", None)
    ):
        yield progress
    else:
        raise ConfigError(
            f"progress is {progress!r}, but it must be True, False, or an object with the methods"
            " start(step, total_bytes) and advance(articles, text_bytes)",
            hint="pass progress=True to see progress on stderr",
        )
