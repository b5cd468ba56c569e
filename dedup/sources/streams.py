"""The bytes of a file, decompressed, with every failure named."""

from __future__ import annotations

import errno
import lzma
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from dedup import _native
from dedup.errors import InputError
from dedup.sources.locate import STDIN, InputFile
from dedup.sources.remote import can_seek, open_url

CHUNK_BYTES = 4 << 20
# What a damaged stream held since the last read is lost, so a compressed one is read in small bits.
_COMPRESSED_READ_BYTES = 64 << 10

MAX_PIECE_BYTES = 2_000_000_000  # a column of strings has 32-bit offsets

# What Python and pyarrow raise on files; a UnicodeDecodeError on names inside a damaged file.
FAILURES = (OSError, EOFError, lzma.LZMAError, pa.ArrowException, UnicodeDecodeError)


class DamagedFileError(InputError):
    """A file whose rest cannot be read; what came before it could be."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read to its end: {reason}",
            hint="get the file again, or pass --on-error skip to keep what comes before the damage",
        )
        self.reason = reason


@contextmanager
def naming_failures(file: InputFile) -> Iterator[None]:
    """Turn what reading a file can raise into an InputError that names the file."""
    try:
        yield
    except FAILURES as err:
        # Decompressors raise an OSError without a number.
        if isinstance(err, OSError) and err.errno not in (None, errno.EIO):
            raise InputError(f"cannot read {file.path}: {err.strerror or err}") from err
        lines = str(err).splitlines()
        raise DamagedFileError(file.path, lines[0] if lines else type(err).__name__) from err


@contextmanager
def open_stream(file: InputFile) -> Iterator[Any]:
    """Open a file for reading its decompressed bytes in order."""
    if file.path == STDIN:
        yield sys.stdin.buffer
        return
    with open_url(file.address, file.size) if file.is_remote else open(file.path, "rb") as packed:
        if file.compression is None:
            yield packed
        elif file.compression == "xz":
            with lzma.open(packed, "rb") as stream:
                yield stream
        else:
            with pa.CompressedInputStream(packed, file.compression) as stream:
                yield stream


@contextmanager
def open_seekable(file: InputFile) -> Iterator[Any]:
    """Open a file for reading anywhere.

    One that is compressed, or of the web, is brought into a temporary file first.
    """
    if file.compression or (file.is_remote and not can_seek(file.address)):
        with tempfile.TemporaryFile() as unpacked, open_stream(file) as stream:
            shutil.copyfileobj(stream, unpacked, CHUNK_BYTES)
            unpacked.seek(0)
            yield pa.PythonFile(unpacked, "r")
    elif file.is_remote:
        with open_url(file.address, file.size) as stream:
            yield pa.PythonFile(stream, "r")
    elif file.format == "arrow" and file.size:  # a batch may be larger than the memory
        with pa.memory_map(file.path) as source:
            yield source
    else:
        with pa.OSFile(file.path) as source:
            yield source


def digest_input(file: InputFile) -> str | None:
    """Return what will differ if the file does; None if there is nothing to tell it by."""
    if file.path == STDIN:
        return None
    return file.version if file.is_remote else f"xxh3-128:{_native.digest_file(file.path)}"


def read_chunks(file: InputFile) -> Iterator[bytes]:
    """Read a file about 4 MiB at a time. What was read before a failure comes before it."""
    read_bytes = _COMPRESSED_READ_BYTES if file.compression else CHUNK_BYTES
    parts: list[bytes] = []
    held = 0
    try:
        with open_stream(file) as stream:
            while part := stream.read(read_bytes):
                parts.append(part)
                held += len(part)
                if held >= CHUNK_BYTES:
                    yield b"".join(parts)
                    parts, held = [], 0
    except FAILURES:
        if parts:
            yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)


def limited(parts: Iterable[bytes], file: InputFile, name: str) -> Iterator[bytes]:
    """Pass on the parts of one piece, if it is not too long for a column."""
    total = 0
    for part in parts:
        total += len(part)
        if total > MAX_PIECE_BYTES:
            raise DamagedFileError(file.path, f"{name} is longer than {MAX_PIECE_BYTES} bytes")
        yield part
