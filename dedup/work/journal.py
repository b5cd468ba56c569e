"""What a scan has done so far, so that a later process can resume it.

A journal is a file of JSON lines. The first says what was asked for; each of the others names a
step and the places in the spool where its outcome is. A line is written once its outcome is on the
disk, so whenever a scan dies, everything its journal names exists. A bad line at the end was left
half written by a crash, and the journal ends before it; a bad line anywhere else is damage.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dedup.errors import OutputError, ResumeError
from dedup.outputs import naming_output
from dedup.util.typed import MismatchError, read_typed

Saved = tuple[int, int, int]  # in a spool: position, bytes and hash
Entry = dict[str, Any]

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class Journal:
    """A journal that is not stored, for scans in memory."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier process noted anything."""
        return bool(self._entries)

    @property
    def spool_end(self) -> int:
        """The bytes of the spool that the journal covers."""
        places = [place for entry in self._entries for place in entry["places"].values()]
        return max((at + length for at, length, _ in places), default=0)

    def of(self, step: str) -> Iterator[Entry]:
        """Give the entries of a step that an earlier process noted, in order."""
        return (entry for entry in self._entries if entry["step"] == step)

    def last(self, step: str) -> Entry | None:
        """Return the last entry of a step that an earlier process noted."""
        return next((entry for entry in reversed(self._entries) if entry["step"] == step), None)

    def note(self, step: str, places: Mapping[str, Saved], **facts: Any) -> None:
        """Note that a step is done, where in the spool its outcome is, and other facts about it."""


class JournalFile(Journal):
    """A journal on disk, which one process at a time can have open.

    Each line is a check and an entry. The check is a hash of the entry and of the check before
    it, so that a line that was changed, moved, added or removed is noticed.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any], *, resume: bool) -> None:
        """Begin a journal, or with `resume` continue the existing one.

        `asked` is everything the outcome depends on. Raises a ResumeError that names the
        difference if the journal was begun for something else, one if it is damaged, and an
        OutputError if another process is writing it.
        """
        super().__init__()
        self._path = path
        self._file = _open(path)
        self._check = ""  # of the last line
        self._noted: deque[Entry] = deque()  # and not written yet
        self._failure: BaseException | None = None
        self._sync_spool: Callable[[], None] = lambda: None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            self._lock(path)
            asked = json.loads(json.dumps(asked))
            entries = self._read() if resume else []
            if not entries:
                self._file.truncate(0)
                self._write([asked])
            elif entries[0] != asked:
                raise ResumeError(
                    "the unfinished scan cannot be resumed, because it was asked for something"
                    f" else: {find_difference(entries[0], asked)}"
                )
            self._entries = [self._check_entry(entry) for entry in entries[1:]]
        except BaseException:
            self.close()
            raise
        self.is_empty = not self._entries

    def start(self, sync_spool: Callable[[], None]) -> None:
        """Set the function that brings the spool to the disk before an entry is written."""
        self._sync_spool = sync_spool

    def note(self, step: str, places: Mapping[str, Saved], **facts: Any) -> None:
        """Note that a step is done, where in the spool its outcome is, and other facts about it.

        The entry is written in a thread, once the spool is on the disk; errors of that thread are
        raised by a later note.
        """
        if self._failure is not None:
            raise self._failure
        self._noted.append({"step": step, "places": places, **facts})
        self._pool.submit(self._commit)
        self.is_empty = False

    def forget(self) -> None:
        """Forget all entries; other processes still have to wait."""
        self._pool.shutdown()
        self._file.truncate(0)

    def close(self) -> None:
        """Release the journal, once everything noted is written."""
        self._pool.shutdown()
        self._file.close()

    def _lock(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise OutputError(
                f"another scan is at work in {path.parent}",
                hint="wait until it ends, or name another folder with -o",
            ) from err

    def _commit(self) -> None:
        """Bring the spool to the disk, and then all entries that refer to it."""
        entries = [self._noted.popleft() for _ in range(len(self._noted))]
        if not entries or self._failure is not None:
            return
        try:
            self._sync_spool()
            with naming_output(self._path):
                self._write(entries)
                _sync(self._file.fileno())
        except BaseException as err:  # no entry may follow one that was lost
            self._failure = err

    def _write(self, entries: Sequence[Mapping[str, Any]]) -> None:
        lines = b""
        for entry in entries:
            self._check = _chain(entry, self._check)
            lines += json.dumps([self._check, entry]).encode() + b"\n"
        left = memoryview(lines)
        while left:
            left = left[self._file.write(left) :]

    def _read(self) -> list[Entry]:
        """Read all entries, and cut off one that a crash left unfinished at the end."""
        self._file.seek(0)
        *lines, half_a_line = self._file.read().split(b"\n")
        entries: list[Entry] = []
        end = 0
        for number, line in enumerate(lines, 1):
            entry = _parse(line, self._check)
            if entry is None:
                if number < len(lines) or half_a_line:
                    raise self._damaged(f"line {number} is not what was written")
                break
            entries.append(entry)
            self._check = _chain(entry, self._check)
            end += len(line) + 1
        self._file.truncate(end)
        return entries

    def _check_entry(self, entry: Entry) -> Entry:
        """Give an entry the types that its step must have."""
        kind, needed = _STEPS.get(str(entry.get("step")), (None, ()))
        try:
            if kind is None:
                raise MismatchError(f"there is no step {entry.get('step')!r}")
            typed: _Noted = read_typed(kind, entry)
            for name in needed:
                if name not in typed.places:
                    raise MismatchError(f"places has no {name}")
            if any(at + length >= 2**64 for at, length, _ in typed.places.values()):
                raise MismatchError("a place ends after all files")
        except MismatchError as err:
            raise self._damaged(f"in an entry {err}") from err
        return vars(typed)

    def _damaged(self, reason: str) -> ResumeError:
        return ResumeError(
            f"the unfinished scan cannot be resumed, because {self._path} is damaged: {reason}"
        )


@dataclass(frozen=True, kw_only=True)
class _Noted:
    """The fields of an entry of any step."""

    step: str
    places: Mapping[str, Saved]


@dataclass(frozen=True, kw_only=True)
class _Batch(_Noted):
    numbers: tuple[int, int, int, int, int, int]
    read_to: tuple[int, int]
    passed: tuple[int, int, str] | None
    ended: tuple[tuple[int, str | None], ...]
    unreadable_dates: int


@dataclass(frozen=True, kw_only=True)
class _Read(_Noted):
    digests: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class _Tables(_Noted):
    tables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Judged(_Tables):
    kinds: Mapping[str, int]


# By step: the fields of its entry, and the places that it must name.
_STEPS: dict[str, tuple[type[_Noted], tuple[str, ...]]] = {
    "batch": (_Batch, ("batch", "articles")),
    "read": (_Read, ()),
    "candidates": (_Noted, ("candidates",)),
    "verified": (_Noted, ("verified",)),
    "templates": (_Noted, ("templates", "verified")),
    "matches": (_Noted, ("matches",)),
    "judged": (_Judged, ("scores",)),
    "members": (_Tables, ()),
    "clusters": (_Tables, ()),
    "pairs": (_Tables, ()),
}


def _open(path: Path) -> io.FileIO:
    """Open the file for this user only, without a buffer, and never through a link."""

    def open_own(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    return io.FileIO(path, "a+", opener=open_own)


def _chain(entry: Mapping[str, Any], before: str) -> str:
    """Return the check of an entry that follows the one with the check `before`."""
    text = json.dumps(entry).encode()
    return hashlib.blake2b(text, key=before.encode(), digest_size=16).hexdigest()


def _parse(line: bytes, before: str) -> Entry | None:
    """Return the entry of a line, or None if it does not follow the check `before`."""
    try:
        check, entry = json.loads(line)
        is_good = isinstance(entry, dict) and check == _chain(entry, before)
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if is_good else None


def find_difference(before: Any, now: Any, name: str = "") -> str:
    """Describe in a few words the first difference of two JSON values."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in before | now if before.get(key) != now.get(key)]
        return find_difference(before.get(keys[0]), now.get(keys[0]), keys[0])
    if name == "inputs":
        gone = [entry for entry in before if entry not in now]
        new = [entry for entry in now if entry not in before]
        entry = (gone or new)[0]
        changed = any(other["path"] == entry["path"] for other in new) if gone else False
        what = "has changed" if changed else "is missing" if gone else "is new"
        return f"the input {entry['path']} {what}"
    return f"{name} was {before!r} and is {now!r}"
