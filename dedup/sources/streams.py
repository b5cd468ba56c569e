"""The bytes of a file, decompressed, with every failure named."""

from __future__ import annotations

import errno
import io
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
from dedup.sources.packing import HEAD_BYTES, GzipReader, find_packing, name_other
from dedup.sources.remote import can_seek, open_url

CHUNK_BYTES = 4 << 20
# What a damaged stream held since the last read is lost, so it is read in small bits.
_READ_BYTES = 64 << 10

_TAR_BYTES = 512  # the head of a tar archive

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
def open_stream(file: InputFile, *, is_resumable: bool = False) -> Iterator[Any]:
    """Open a file for reading its decompressed bytes in order.

    The first bytes tell how it is packed, whatever its name says. If it `is_resumable`, a
    damaged gzip member can be passed over: see GzipReader.
    """
    with _open_packed(file) as opened:
        head = opened.read(HEAD_BYTES)
        packing = _check_packing(head, file)
        packed = io.BufferedReader(_Again(head, opened))
        if packing is None:
            yield packed
        else:
            with _unpack(packed, packing, is_resumable=is_resumable) as stream:
                yield stream


def packing_of(file: InputFile) -> str | None:
    """Tell by the first bytes of a file how it is packed; by its name if it can be read once."""
    if file.path == STDIN or not (file.is_remote or file.version):
        return file.compression
    with naming_failures(file), _open_packed(file) as packed:
        return _check_packing(packed.read(HEAD_BYTES), file)


def _check_packing(head: bytes, file: InputFile) -> str | None:
    """Tell how a file is packed that begins so; refuse an archive, and one packed twice."""
    packing = find_packing(head, file.compression)
    inside = _look_inside(head, packing) if packing else head
    other = name_other(head) or name_other(inside)
    if packing and find_packing(inside, None):
        other = "packed twice"
    if other:
        raise InputError(
            f"{file.path} is {other}, whatever its name says",
            hint="unpack it, and scan what is in it",
        )
    return packing


def _look_inside(head: bytes, packing: str) -> bytes:
    try:
        with _unpack(io.BytesIO(head), packing) as stream:
            return bytes(stream.read(_TAR_BYTES))
    except FAILURES:  # a part of a file, or a damaged one
        return b""


@contextmanager
def _unpack(packed: Any, packing: str, *, is_resumable: bool = False) -> Iterator[Any]:
    if packing == "gzip":
        yield GzipReader(packed, is_resumable=is_resumable)
    elif packing == "xz":
        with lzma.open(packed, "rb") as stream:
            yield stream
    else:
        with pa.CompressedInputStream(packed, packing) as stream:
            yield stream


class _Again(io.RawIOBase):
    """A stream of which the first bytes were read, from the beginning."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return int(self._rest.readinto1(buffer))
        size = min(len(buffer), len(self._head))
        buffer[:size] = self._head[:size]
        self._head = self._head[size:]
        return size


@contextmanager
def _open_packed(file: InputFile) -> Iterator[Any]:
    """Open the bytes of a file as they are stored."""
    if file.path == STDIN:
        yield sys.stdin.buffer
    elif file.is_remote:
        with open_url(file.address, file.size) as stream:
            yield io.BufferedReader(stream, CHUNK_BYTES)
    else:
        with open(file.path, "rb") as stream:
            yield stream


@contextmanager
def open_seekable(file: InputFile) -> Iterator[Any]:
    """Open a file for reading anywhere.

    One that is compressed, or of the web, is brought into a temporary file first.
    """
    if packing_of(file) or (file.is_remote and not can_seek(file.address)):
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


def digest_input(file: InputFile, spool: _native.Spool | None = None) -> str | None:
    """Return what will differ if the file does; None if there is nothing to tell it by.

    It ends early with a KeyboardInterrupt where the work on `spool` does.
    """
    if file.path == STDIN:
        return None
    return file.version if file.is_remote else f"xxh3-128:{_native.digest_file(file.path, spool)}"


def read_chunks(file: InputFile) -> Iterator[bytes]:
    """Read a file about 4 MiB at a time. What was read before a failure comes before it."""
    parts: list[bytes] = []
    held = 0
    try:
        with open_stream(file) as stream:
            while part := stream.read(_READ_BYTES):
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
