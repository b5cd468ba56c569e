"""What can go wrong, as one tree.

    DedupError                what was given, what was needed; `hint` suggests a fix
    ├── ConfigError           an option or combination of options that cannot work
    │   └── ResumeError       an unfinished scan that cannot be resumed
    ├── InputError            an input that is missing, unreadable or has no text field
    │   └── RowError          a row that cannot be read: file, row and reason
    ├── ResultsError          a results folder that is missing, incomplete or of another version
    ├── OutputError           a place that cannot be written: exists, no permission, disk full
    ├── MemoryLimitError      a scan that does not fit in the memory it may use
    └── NativeError           the compiled core refused an argument, or a disk failed

The library raises these and never prints or exits; the command line prints `Error:` and
`hint:` and exits with 2 for a `ConfigError` and 1 for the rest.
"""

from __future__ import annotations

import re

from dedup.util.printable import shorten

MAX_LENGTH = 2000  # characters of a message: about a screen of text
_ERROR_NUMBER = re.compile(r" \(os error \d+\)")  # as Rust ends the text of a system error


class DedupError(Exception):
    """A failure with one clear sentence and, where there is one, a suggested fix in `hint`."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # Both may quote names and values from data: each is one line that is safe to print.
        super().__init__(shorten(message, MAX_LENGTH))
        self.hint = None if hint is None else shorten(hint, MAX_LENGTH)


class ConfigError(DedupError, ValueError):
    """An option, or a combination of options, that cannot work.

    It is a `ValueError` as well, which is what scikit-learn expects of an estimator.
    """


class ResumeError(ConfigError):
    """An unfinished scan cannot be resumed: other inputs, other settings, or a damaged spool."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="scan from the beginning, without --resume")


class InputError(DedupError):
    """An input that is missing, unreadable, of an unknown format or without a text field."""


class RowError(InputError):
    """A row that cannot be read."""

    def __init__(self, input_file: str, input_row: int, reason: str) -> None:
        super().__init__(
            f"{input_file}, row {input_row}: {reason}",
            hint="fix the row, or pass --on-error skip to list such rows in rejected.parquet",
        )
        self.input_file = input_file
        self.input_row = input_row
        self.reason = reason


class ResultsError(DedupError):
    """A results folder that is missing, incomplete or made by another version."""


class OutputError(DedupError):
    """A place that cannot be written."""


class MemoryLimitError(DedupError):
    """A scan that does not fit in the memory it may use."""


class NativeError(DedupError):
    """The compiled core refused an argument, or a temporary file could not be used."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(_ERROR_NUMBER.sub("", message), hint=hint)


class TooManyParagraphsError(NativeError):
    """An article, or all of them together, with more paragraphs than can be numbered."""


def reason_of(err: BaseException) -> str:
    """Say why in words: without the number of a system error, and on one line."""
    if isinstance(err, OSError) and err.strerror:
        return err.strerror[0].lower() + err.strerror[1:]
    if isinstance(err, UnicodeError):
        return "it is not UTF-8 text"
    if isinstance(err, RecursionError):
        return "it is nested too deeply"
    return " ".join(str(err).split()) or type(err).__name__
