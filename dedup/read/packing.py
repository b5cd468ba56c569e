"""The compression of a file, detected from its first bytes, and gzip member by member.

A name may say something else: crawlers compress files that are called `.warc`, and downloads
decompress files that are still called `.gz`. The bytes decide.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

HEAD_BYTES = 4096  # enough packed bytes for the first 512 of a tar archive, which says so at 257

_READ_BYTES = 64 << 10
_KEPT_BYTES = 64 << 20  # of a damaged gzip member, to look for the next one in
_GZIP = b"\x1f\x8b\x08"
_GZIP_WBITS = 31
_TRIAL_BYTES = 4096  # of a gzip member, more than its tables take

_PACKINGS = {
    "gzip": re.compile(rb"\x1f\x8b\x08"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "bz2": re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
}
# Bytes that text never has, and the beginnings of uncompressed files that do have them: Parquet,
# Arrow and UTF-16.
_MAGIC_BYTES = 16
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UNPACKED = (b"PAR1", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff", b"\xff\xfe", b"\xfe\xff")
_OTHERS = {
    "a zip archive": re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
    "a 7z archive": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "a rar archive": re.compile(rb"Rar!\x1a\x07"),
    "a tar archive": re.compile(rb"[^\0]{1,100}\0.{156,255}(?<=\0)ustar[\0 ]", re.DOTALL),
    "compressed with lz4": re.compile(rb"\x04\x22\x4d\x18"),
    "compressed with compress": re.compile(rb"\x1f\x9d"),
    "compressed with snappy": re.compile(rb"\xff\x06\x00\x00sNaPpY"),
}


def find_packing(head: bytes, named: str | None) -> str | None:
    """Tell by the first bytes how a file is compressed; `named` is what its name says.

    The name counts only if the bytes are neither text nor a known format, as in a damaged file.
    """
    for packing, magic in _PACKINGS.items():
        if magic.match(head):
            return packing
    is_plain = head.startswith(_UNPACKED) or not _NOT_TEXT.search(head, 0, _MAGIC_BYTES)
    return None if head and is_plain else named


def name_other(head: bytes) -> str | None:
    """Name an archive or a compression that is not supported; None for anything else."""
    return next((name for name, magic in _OTHERS.items() if magic.match(head)), None)


class GzipError(OSError):
    """Bytes that are not gzip data, or are truncated."""

    def __init__(self, reason: str, *, is_between: bool = False) -> None:
        super().__init__(reason)
        self.is_between = is_between  # after a complete member, before any byte of the next


class GzipReader:
    """The decompressed bytes of gzip members one after another; zeros after a member are padding.

    After a GzipError, `skip_damage` continues at the next member, which needs `is_resumable`.
    """

    def __init__(self, packed: Any, *, is_resumable: bool = False) -> None:
        self._packed = packed
        self._pending = b""
        self._member: Any = None  # a decompressor of zlib
        self._is_untouched = True  # nothing of the member was given yet
        self._is_resumable = is_resumable
        self._kept: list[bytes] = []  # since the member began
        self._kept_bytes = 0

    def read(self, size: int) -> bytes:
        """Return what the next bytes that were packed give, at most so much; nothing at the end."""
        while self._member is not None or self._begin_member():
            try:
                data: bytes = self._member.decompress(self._pending, size)
            except zlib.error as err:
                raise GzipError(str(err), is_between=self._is_untouched) from err
            self._pending = self._member.unconsumed_tail
            if self._member.eof:
                self._pending = self._member.unused_data
                self._member = None
            elif not data and not self._pending and not self._read_on():
                raise GzipError(
                    "Compressed file ended before the end-of-stream marker was reached",
                    is_between=self._is_untouched,
                )
            if data:
                self._is_untouched = False
                return data
        return b""

    def skip_damage(self, begins: bytes) -> bool:
        """Move to the next member whose content begins with `begins`; tell if there is one."""
        self._member = None
        data = b"".join(self._kept)[1:]
        at = data.find(_GZIP)
        while True:
            if at < 0 or len(data) - at < _TRIAL_BYTES:
                more = self._packed.read(_READ_BYTES)
                if more:
                    data = data[at if at >= 0 else max(len(data) - len(_GZIP), 0) :] + more
                    at = data.find(_GZIP)
                    continue
                if at < 0:
                    self._pending = b""
                    return False
            if _begins_member(data[at : at + _TRIAL_BYTES], begins):
                self._pending = data[at:]
                return True
            at = data.find(_GZIP, at + 1)

    def _begin_member(self) -> bool:
        self._pending = self._pending.lstrip(b"\0")
        while len(self._pending) < len(_GZIP):
            more = self._packed.read(_READ_BYTES)
            if not more:
                break
            self._pending = (self._pending + more).lstrip(b"\0")
        if not self._pending:
            return False
        self._is_untouched = True
        self._kept, self._kept_bytes = [], 0
        self._keep(self._pending)
        if not self._pending.startswith(_GZIP[: len(self._pending)]):
            raise GzipError("what comes after a gzip member is not gzip data", is_between=True)
        self._member = zlib.decompressobj(_GZIP_WBITS)
        return True

    def _read_on(self) -> bool:
        self._pending = self._packed.read(_READ_BYTES)
        self._keep(self._pending)
        return bool(self._pending)

    def _keep(self, data: bytes) -> None:
        if not self._is_resumable:
            return
        self._kept.append(data)
        self._kept_bytes += len(data)
        if self._kept_bytes > _KEPT_BYTES:
            del self._kept[: len(self._kept) // 2]
            self._kept_bytes = sum(map(len, self._kept))


def _begins_member(data: bytes, begins: bytes) -> bool:
    if len(data) < 4 or data[3] & 0xE0:  # flags that are reserved
        return False
    try:
        return zlib.decompressobj(_GZIP_WBITS).decompress(data, len(begins)) == begins
    except zlib.error:
        return False
