"""A WARC file as its records, byte for byte, and how each is packed by itself."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Callable, Iterator

import pyarrow as pa

from dedup.sources.streams import OpenInput, open_stream

# The pieces in which the scan read the file: with a damage, both get equally far.
READ_BYTES = 64 << 10

_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)

# As crawlers write archives, so that a record can be fetched alone.
PACKERS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": lambda record: gzip.compress(record, mtime=0),
    "zstd": lambda record: pa.compress(record, "zstd", asbytes=True),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def read_records(file: OpenInput) -> Iterator[bytes]:
    """Give each record with the blank lines behind it; raise an EOFError at one that breaks off."""
    with open_stream(file) as stream:
        lines = io.BufferedReader(stream, READ_BYTES)
        while head := _read_head(lines):
            block = _read_block(lines, head)
            end = b""
            while lines.peek(1)[:1] in (b"\r", b"\n"):
                end += lines.readline()
            yield head + block + end


def _read_head(lines: io.BufferedReader) -> bytes:
    head = line = lines.readline()
    if head and not head.startswith(b"WARC/"):
        raise EOFError("a record does not begin with its version")
    while line.strip():
        line = lines.readline()
        head += line
    return head


def _read_block(lines: io.BufferedReader, head: bytes) -> bytes:
    length = _LENGTH.search(head)
    if length is None:
        raise EOFError("a record has no length")
    missing = int(length[1])
    parts = []
    while part := lines.read(min(missing, READ_BYTES)):
        parts.append(part)
        missing -= len(part)
    if missing:
        raise EOFError("the last record breaks off")
    return b"".join(parts)
