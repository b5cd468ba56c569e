"""What a scan has done so far, so that another can go on from there.

A journal is a file of JSON lines. The first says what was asked for; each of the others names a
step and the places in the spool where its outcome stands. A line is written when the outcome is,
so whenever a scan dies, all that its journal tells is there; half a line at the end is no line.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dedup.errors import OutputError, ResumeError

Place = tuple[int, int, int]  # in a spool: position, bytes and hash
Entry = dict[str, Any]


class Journal:
    """A journal that is kept nowhere, for scans in memory."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier process noted anything."""
        return bool(self._entries)

    @property
    def spool_end(self) -> int:
        """The bytes of the spool that the journal tells of."""
        places = [place for entry in self._entries for place in entry["places"].values()]
        return max((at + length for at, length, _ in places), default=0)

    def of(self, step: str) -> Iterator[Entry]:
        """Give what an earlier process noted of a step, in its order."""
        return (entry for entry in self._entries if entry["step"] == step)

    def last(self, step: str) -> Entry | None:
        """Return the last that an earlier process noted of a step."""
        return next((entry for entry in reversed(self._entries) if entry["step"] == step), None)

    def note(self, step: str, places: Mapping[str, Place], **facts: Any) -> None:
        """Say that a step is done, where in the spool its outcome is, and what else is known."""


class JournalFile(Journal):
    """A journal on disk, which one process at a time can have open."""

    def __init__(self, path: Path, asked: Mapping[str, Any], *, resume: bool) -> None:
        """Begin a journal, or with `resume` go on with the one that is there.

        `asked` is all that the outcome depends on. Raises a ResumeError that names the
        difference if the journal was begun for something else, and an OutputError if another
        process is writing it.
        """
        super().__init__()
        self._file = io.FileIO(
            path, "a+", opener=_open_own
        )  # without a buffer: what is noted is there
        try:
            self._lock(path)
            asked = json.loads(json.dumps(asked))
            self._entries = self._read() if resume else []
            if not self._entries:
                self._file.truncate(0)
                self._write(asked)
            elif self._entries[0] != asked:
                raise ResumeError(
                    "the unfinished scan cannot be resumed, since it was asked for something"
                    f" else: {find_difference(self._entries[0], asked)}"
                )
        except BaseException:
            self._file.close()
            raise
        self._entries = self._entries[1:]
        self.is_empty = not self._entries

    def note(self, step: str, places: Mapping[str, Place], **facts: Any) -> None:
        """Say that a step is done, where in the spool its outcome is, and what else is known."""
        self._write({"step": step, "places": places, **facts})
        self.is_empty = False

    def forget(self) -> None:
        """Say that nothing is done; others still have to wait."""
        self._file.truncate(0)

    def close(self) -> None:
        """Let others have it."""
        self._file.close()

    def _lock(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise OutputError(
                f"another scan is at work in {path.parent}",
                hint="wait until it ends, or name another folder with -o",
            ) from err

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")

    def _read(self) -> list[Entry]:
        self._file.seek(0)
        *lines, half_a_line = self._file.read().split(b"\n")
        self._file.truncate(self._file.tell() - len(half_a_line))
        entries = [json.loads(line) for line in lines]
        for entry in entries[1:]:
            entry["places"] = {name: tuple(place) for name, place in entry["places"].items()}
        return entries


def _open_own(path: str, flags: int) -> int:
    """Open a file for this user only, and never through a link."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def find_difference(before: Any, now: Any, name: str = "") -> str:
    """Say in a few words where two values of JSON differ first."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in before | now if before.get(key) != now.get(key)]
        return find_difference(before.get(keys[0]), now.get(keys[0]), keys[0])
    if isinstance(before, list) and isinstance(now, list):
        gone = [entry for entry in before if entry not in now]
        new = [entry for entry in now if entry not in before]
        entry = (gone or new)[0]
        changed = any(other["path"] == entry["path"] for other in new) if gone else False
        what = "has changed" if changed else "is missing" if gone else "is new"
        return f"the input {entry['path']} {what}"
    return f"{name} was {before!r} and is {now!r}"
