"""Progress of a command: a live line on a terminal, a line a minute elsewhere, none if quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dedup.errors import ConfigError
from dedup.progress import Progress, Silent
from dedup.progress.lines import Lines

if TYPE_CHECKING:
    from dedup.read import InputFile

# Columns are compressed, and pages are mostly markup.
_OTHER_THAN_TEXT = ("parquet", "arrow", "html", "warc")


@contextmanager
def follow(*, quiet: bool, is_packed: bool = False) -> Iterator[Progress]:
    """Give the object that receives the library's progress reports.

    `is_packed` says that the input's size tells nothing about its text, so that no remaining time
    is shown.
    """
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        from dedup.progress.bars import show_bars  # noqa: PLC0415 - rich takes long to import

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


@contextmanager
def reporting(progress: Progress | bool | None, files: Sequence[InputFile]) -> Iterator[Progress]:
    """Give the object to report to: for True one that prints to stderr, as the command line does,
    for None or False one that discards the reports; any other must have the methods of `Progress`.
    """
    if progress is None or progress is False:
        yield Silent()
    elif progress is True:
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
