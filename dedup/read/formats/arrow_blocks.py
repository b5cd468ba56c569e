"""How large the record batches of an Arrow file are, from its metadata alone.

Pyarrow reads and decompresses a batch as a whole, and does not say beforehand how large it is. The
layout follows the specification of the IPC format: encapsulated messages, whose metadata are
FlatBuffers with the tables `Message`, `RecordBatch` and `DictionaryBatch`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

Read = Callable[[int, int], bytes]  # bytes at a place

_CONTINUES = b"\xff\xff\xff\xff"
_ALIGNED_MAGIC = 8  # bytes before the first message of a file; a stream has none
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3  # of the union MessageHeader
_MAX_METADATA = 64 << 20  # of one message: more is damage


class Block(NamedTuple):
    """One batch."""

    size: int  # bytes, unpacked
    is_packed: bool


def list_blocks(read: Read, *, is_file: bool) -> Iterator[Block]:
    """Give the batches in order, up to the end or to the first damaged one."""
    at = _ALIGNED_MAGIC if is_file else 0
    try:
        while (head := read(at, 8)) and len(head) == 8:
            is_old = not head.startswith(_CONTINUES)  # before version 0.15 of the format
            [length] = struct.unpack_from("<i", head, 0 if is_old else 4)
            if not 0 < length <= _MAX_METADATA:
                return
            at += 4 if is_old else 8
            message = _Table(read(at, length))
            at += length
            kind, body_size = message.integer(1, "B"), message.integer(3, "q")
            if body_size < 0:
                return
            batch = message.table(2)
            if kind == _DICTIONARY_BATCH and batch:
                batch = batch.table(1)
            if batch and kind in (_DICTIONARY_BATCH, _RECORD_BATCH):
                is_packed = batch.table(3) is not None
                size = _unpacked_size(batch, read, at) if is_packed else body_size
                yield Block(size, is_packed)
            at += body_size
    except (struct.error, ValueError):
        return  # pyarrow says what is wrong


def _unpacked_size(batch: _Table, read: Read, body: int) -> int:
    """Add up the sizes in the buffers' headers: decompressed bytes, or -1 if not compressed."""
    total = 0
    for offset, length in batch.pairs(2):
        if length >= 8:
            [size] = struct.unpack("<q", read(body + offset, 8))
            total += length if size < 0 else size
    return total


class _Table:
    """A table of a FlatBuffer, by default its root."""

    def __init__(self, data: bytes, at: int | None = None) -> None:
        self._data = data
        self._at = self._number("<I", 0) if at is None else at

    def _number(self, form: str, at: int) -> int:
        if at < 0:
            raise ValueError("a place before the data")
        number: int = struct.unpack_from(form, self._data, at)[0]
        return number

    def _place(self, field: int) -> int | None:
        table = self._at - self._number("<i", self._at)
        if 4 + 2 * field >= self._number("<H", table):
            return None
        offset = self._number("<H", table + 4 + 2 * field)
        return self._at + offset if offset else None

    def integer(self, field: int, form: str) -> int:
        place = self._place(field)
        return 0 if place is None else self._number(f"<{form}", place)

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        return None if place is None else _Table(self._data, place + self._number("<I", place))

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """Give the structs of a vector, each of two numbers of 64 bits."""
        place = self._place(field)
        if place is None:
            return
        start = place + self._number("<I", place)
        for i in range(self._number("<I", start)):
            yield struct.unpack_from("<qq", self._data, start + 4 + 16 * i)
