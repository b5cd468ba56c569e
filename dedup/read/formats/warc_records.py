"""A WARC file as its records, for the scan and for the filter alike.

A record ends where its Content-Length says, if that is followed by the blank lines that end a
record, by another record or by the end of the file. Otherwise it is bad, and the reading continues
where the next record begins, which may be in the middle of a line that broke off, or at the next
gzip member. Bytes that belong to no record count as a bad one.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

from dedup.read.packing import GzipError
from dedup.read.streams import OpenInput, open_stream

READ_BYTES = 64 << 10
MAX_HEAD_BYTES = 1 << 20
_USUAL_HEAD_BYTES = 1 << 10

_BEGINS = b"WARC/"
_START = re.compile(
    rb"WARC/\d{1,2}\.\d{1,2}[ \t]{0,8}\r?\n(?:WARC|Content)-[A-Za-z]", re.IGNORECASE
)
_START_BYTES = 128  # more than the longest match of the above
_HEAD_END = re.compile(rb"\n\r?\n")
_HEAD_END_OR_FOLD = re.compile(rb"\n(?:\r?\n|[ \t])")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)  # no disk has more bytes
_BLANK = b"\r\n\0 \t"
_SEPARATORS = (b"\r\n\r\n", b"\n\n")
_NEXT = _SEPARATORS[0] + _BEGINS
_SHORT_BYTES = 1 << 20  # a record that may be looked at as a whole
_MEMORY_BYTES = 64 << 20  # read ahead; more of it goes to a temporary file

_CUT = "the record is cut off"
_WRONG_LENGTH = "the record's Content-Length is wrong: it does not lead to the record's end"


class Record(NamedTuple):
    """A record, or the bytes in the place of one; `raw` has all of it in the file's own bytes."""

    head: bytes
    headers: Mapping[str, str]  # names in lower case
    block: bytes  # as much of it as was wanted
    length: int  # of the whole block
    end: bytes  # the blank lines after it
    place: int  # in the unpacked file
    reason: str | None = None  # why it is bad, and nothing but its headers can be relied on

    @property
    def raw(self) -> bytes:
        """The record as it is in the file, if all of its block was wanted."""
        return self.head + self.block + self.end


def read_records(
    file: OpenInput, wanted: Callable[[Mapping[str, str]], int | None]
) -> Iterator[Record]:
    """Give every record; `wanted` says how many bytes of its block to keep, None for all."""
    with open_stream(file, is_resumable=True) as stream:
        window = _Window(stream, file.resources.temp_dir)
        window.take_blank()
        while record := _take_good(window, wanted) or _read_record(window, wanted):
            yield record


def _take_good(window: _Window, wanted: Callable[[Mapping[str, str]], int | None]) -> Record | None:
    """Take a record that is short and is followed by another at once, as nearly all are.

    None is one of which `_read_record` must tell what it is.
    """
    ahead, at = window.look(_USUAL_HEAD_BYTES)
    found = _HEAD_END_OR_FOLD.search(ahead, at, at + _USUAL_HEAD_BYTES)
    if found is None or not ahead.startswith(_BEGINS, at):
        return None
    head = ahead[at : found.end()]
    if not head.endswith(b"\n") or head.find(_BEGINS, 1) >= 0:
        return None
    headers = _parse_lines(head.decode("utf-8", "replace"))
    length = headers.get("content-length", "")
    if not _LENGTH.fullmatch(length) or (size := int(length)) > _SHORT_BYTES:
        return None
    ahead, at = window.look(len(head) + size + len(_NEXT))
    begin = at + len(head)
    end = begin + size
    if not ahead.startswith(_NEXT, end):
        return None
    most = wanted(headers)
    block = ahead[begin : end if most is None else min(end, begin + most)]
    place = window.place
    window.pass_over(len(head) + size + len(_SEPARATORS[0]))
    return Record(head, headers, block, size, _SEPARATORS[0], place)


def _read_record(
    window: _Window, wanted: Callable[[Mapping[str, str]], int | None]
) -> Record | None:
    place = window.place
    if not window.peek(1):
        reason = window.damage
        if reason is None:
            return None
        window.resume()
        return Record(b"", {}, b"", 0, b"", place, reason)
    head, reason = _read_head(window)
    if reason:
        return _give_up(window, place, {}, reason)
    headers = _parse_headers(head)
    length = headers.get("content-length", "")
    if not _LENGTH.fullmatch(length):
        return _give_up(window, place, headers, "the record has no valid Content-Length")
    window.take(len(head))
    block, reason = _read_block(window, int(length), wanted(headers))
    if reason:
        return _give_up(window, place, headers, reason)
    return Record(head, headers, block, int(length), window.take_blank(), place)


def _give_up(window: _Window, place: int, headers: Mapping[str, str], reason: str) -> Record:
    """Go to the next record, past the damage if there is any."""
    if window.place == place:
        window.take(1)
    window.skip_to_start()
    if not window.peek(1) and window.damage:
        reason = window.damage
        window.resume()
    return Record(b"", headers, b"", 0, b"", place, reason)


def _read_head(window: _Window) -> tuple[bytes, str | None]:
    size = _USUAL_HEAD_BYTES
    while True:
        ahead = window.peek(size)
        if not ahead.startswith(_BEGINS):
            return b"", "these bytes are not a WARC record"
        if found := _HEAD_END.search(ahead):
            head = ahead[: found.end()]
            return head, _CUT if _find_start(head, 1) >= 0 else None
        if len(ahead) < size:
            return b"", _CUT
        if size >= MAX_HEAD_BYTES:
            return b"", f"the record's header is longer than {MAX_HEAD_BYTES >> 20} MiB"
        size *= 4


def _parse_headers(head: bytes) -> dict[str, str]:
    text = head.decode("utf-8", "replace")
    if "\n " in text or "\n\t" in text:  # folded lines
        text = _FOLD.sub(" ", text)
    return _parse_lines(text)


def _parse_lines(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.rstrip(" \t").lower(), value.strip())  # the first counts
    return headers


def _read_block(window: _Window, length: int, wanted: int | None) -> tuple[bytes, str | None]:
    """Read a block up to its end, or to the next record if its length turns out to be wrong."""
    block = bytearray()
    wanted = length if wanted is None else min(wanted, length)
    left = length
    start = -1
    is_last = False
    while left and start < 0 and not is_last:
        asked = min(left + _START_BYTES, READ_BYTES)
        ahead = window.peek(asked)
        is_last = len(ahead) < asked
        size = min(left, len(ahead) if is_last else len(ahead) - _START_BYTES)
        start = _find_start(ahead, 0)
        start = start if start < size else -1
        part = window.take(size if start < 0 else start)
        block += part[: wanted - len(block)]
        left -= len(part)
    reason = _check_end(window, left)
    while left and not reason:
        part = window.take(min(left, READ_BYTES))
        block += part[: wanted - len(block)]
        left -= len(part)
    return bytes(block), reason


def _check_end(window: _Window, length: int) -> str | None:
    """Tell what is wrong if a block ends this many bytes ahead."""
    after = window.peek_at(length, _START_BYTES)
    if after is None:
        return window.damage or _CUT
    rest = after.lstrip(_BLANK)
    if rest.startswith(_BEGINS) or after.startswith(_SEPARATORS):
        is_in_member = bool(window.damage) and not window.is_damage_between
        return window.damage if is_in_member and not rest else None
    return _WRONG_LENGTH if rest else None


def _find_start(data: bytes, begin: int) -> int:
    """Find where a record begins; -1 if none does."""
    at = data.find(_BEGINS, begin)
    while at >= 0 and not _START.match(data, at):
        at = data.find(_BEGINS, at + 1)
    return at


class _Window:
    """A stream that can be looked at ahead of the place up to which it was taken.

    What is read far ahead goes to a temporary file and is not read from the stream again, so that
    archives full of wrong lengths are read in one pass.
    """

    def __init__(self, stream: Any, temp_dir: str | None) -> None:
        self._stream = stream
        self._temp_dir = temp_dir
        self._near = b""
        self._at = 0  # of `_near`, taken already
        self._far: IO[bytes] | None = None
        self._far_place = self._far_end = 0
        self.place = 0
        self.is_over = False  # the stream has no more, or is damaged
        self.damage: str | None = None
        self.is_damage_between = False

    def look(self, size: int) -> tuple[bytes, int]:
        """Return what was read, and where in it one is, followed by this many bytes or the end.

        Nothing is copied, unlike with `peek`.
        """
        if len(self._near) - self._at < size:
            parts = [self._near[self._at :]]
            held = len(parts[0])
            while held < size and (more := self._read_on(size - held)):
                parts.append(more)
                held += len(more)
            self._near = b"".join(parts)
            self._at = 0
        return self._near, self._at

    def pass_over(self, size: int) -> None:
        """Skip bytes that were looked at."""
        self._at += size
        self.place += size

    def peek(self, size: int) -> bytes:
        """Return this many bytes, or fewer at the end."""
        ahead, at = self.look(size)
        return ahead[at : at + size]

    def take(self, size: int) -> bytes:
        """Return this many bytes that were looked at, and skip them."""
        taken = self.peek(size)
        self.pass_over(len(taken))
        return taken

    def take_blank(self) -> bytes:
        """Take blank lines, and zeros that pad a file."""
        taken = []
        while ahead := self.peek(_START_BYTES):
            size = len(ahead) - len(ahead.lstrip(_BLANK))
            taken.append(self.take(size))
            if size < len(ahead):
                break
        return b"".join(taken)

    def peek_at(self, offset: int, size: int) -> bytes | None:
        """Return bytes from `offset` on, fewer at the end; None if the end comes before it."""
        ahead = self.peek(min(offset + size, READ_BYTES))
        if offset + size <= len(ahead):
            return ahead[offset : offset + size]
        near_bytes = len(self._near) - self._at
        self._fill_far(offset + size - near_bytes)
        if offset > near_bytes + self._far_end - self._far_place:
            return None
        near = self._near[self._at + offset : self._at + offset + size]
        if self._far is None:
            return near
        self._far.seek(self._far_place + max(offset - near_bytes, 0))
        return near + self._far.read(size - len(near))

    def skip_to_start(self) -> None:
        """Go to where the next record begins, or to the end."""
        while True:
            ahead = self.peek(READ_BYTES)
            start = _find_start(ahead, 0)
            if start >= 0:
                self.take(start)
                return
            if len(ahead) < READ_BYTES:
                self.take(len(ahead))
                return
            self.take(len(ahead) - _START_BYTES)

    def resume(self) -> None:
        """Continue past the damage, if the stream can."""
        self._near = b""
        self._at = 0
        if self._stream.skip_damage(_BEGINS):
            self.is_over = False
        self.damage = None

    def _read_on(self, size: int) -> bytes:
        if self._far:
            self._far.seek(self._far_place)
            data = self._far.read(max(size, READ_BYTES))
            self._far_place += len(data)
            if self._far_place >= self._far_end:
                self._far.close()
                self._far = None
                self._far_place = self._far_end = 0
            return data
        return self._pull()

    def _fill_far(self, size: int) -> None:
        while self._far_end - self._far_place < size and (data := self._pull()):
            if self._far is None:
                self._far = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - kept
                    _MEMORY_BYTES, dir=self._temp_dir
                )
            self._far.seek(self._far_end)
            self._far.write(data)
            self._far_end += len(data)

    def _pull(self) -> bytes:
        if self.is_over:
            return b""
        try:
            data: bytes = self._stream.read(READ_BYTES) or b""
        except GzipError as err:
            self.damage, self.is_damage_between = str(err), err.is_between
            data = b""
        self.is_over = not data
        return data
