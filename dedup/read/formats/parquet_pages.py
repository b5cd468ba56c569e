"""How large the pages of a Parquet file are, from its footer and their headers alone.

Pyarrow unpacks a page as a whole, and tells nothing of one before it did. The layout is that of the
specification of Parquet: `FileMetaData` and `PageHeader`, in the compact protocol of Thrift.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from typing import Any

Read = Callable[[int, int], bytes]  # bytes at a place

_MAGIC = b"PAR1"
_MAX_FOOTER_BYTES = 64 << 20  # more is damage
_HEADER_BYTES = 256  # of a page, usually; its statistics may be longer
_MAX_HEADER_BYTES = 16 << 20
_MAX_DEPTH = 32

_ROW_GROUPS = 4  # of FileMetaData
_COLUMNS = 1  # of RowGroup
_COLUMN = 3  # of ColumnChunk
_PATH, _PACKED_BYTES, _DATA_AT, _DICTIONARY_AT = 3, 7, 9, 11  # of ColumnMetaData
_UNPACKED_PAGE, _PACKED_PAGE = 2, 3  # of PageHeader


class PageSizes:
    """The sizes of pages, as far as the file is not damaged; pyarrow says what is wrong then."""

    def __init__(self, read: Read, size: int) -> None:
        """Take what reads a file of `size` bytes."""
        self._read = read
        self._groups: list[Any] = []
        try:
            length, magic = struct.unpack("<I4s", read(size - 8, 8))
            if magic == _MAGIC and length <= min(size - 8, _MAX_FOOTER_BYTES):
                footer = _Compact(read(size - 8 - length, length)).structure()
                self._groups = footer.get(_ROW_GROUPS, [])
        except _DAMAGE:
            return

    def largest(self, group: int, columns: Collection[str]) -> int:
        """Return the bytes that the largest page of some columns takes, packed and unpacked."""
        largest = 0
        try:
            for chunk in self._groups[group][_COLUMNS]:
                column = chunk[_COLUMN]
                if column[_PATH][0].decode() in columns:
                    for packed, unpacked in self._pages(column):
                        largest = max(largest, packed + unpacked)
        except _DAMAGE:
            pass
        return largest

    def _pages(self, column: dict[int, Any]) -> Iterator[tuple[int, int]]:
        at = column.get(_DICTIONARY_AT) or column[_DATA_AT]
        at = min(at, column[_DATA_AT])
        end = at + column[_PACKED_BYTES]
        while at < end:
            header, length = self._header(at)
            packed = header[_PACKED_PAGE]
            if packed < 0:
                return
            yield packed, header[_UNPACKED_PAGE]
            at += length + packed

    def _header(self, at: int) -> tuple[dict[int, Any], int]:
        size = _HEADER_BYTES
        while True:
            compact = _Compact(self._read(at, size))
            try:
                return compact.structure(), compact.at
            except IndexError:  # it is longer
                if size >= _MAX_HEADER_BYTES or compact.length < size:
                    raise
                size *= 16


class _Compact:
    """Values in the compact protocol of Thrift; a structure is a dictionary by field number."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)
        self.at = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > _MAX_DEPTH:
            raise ValueError("a structure too deep")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2, 3):  # booleans in a list, and bytes
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            return [self._value(head & 15, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.structure(depth + 1)
        raise ValueError(f"no kind {kind} in Parquet")

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _bytes(self, size: int) -> bytes:
        self.at += size
        if self.at > self.length:
            raise IndexError
        return self._data[self.at - size : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number too long")

    def _whole(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)


_DAMAGE = (struct.error, OSError, ValueError, LookupError, TypeError, AttributeError)
