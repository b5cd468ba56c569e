"""The bytes of a file, read once through one descriptor, with every failure named.

A file of this machine is hashed as it is read, so that its digest is that of the very bytes the
articles came from. It is never mapped into memory: a mapped file that is cut kills its reader.
"""

from __future__ import annotations

import errno
import io
import lzma
import mmap
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa

from dedup import _native
from dedup.errors import InputError, ResumeError
from dedup.read.locate import STDIN, InputFile, changed, check_unchanged
from dedup.read.packing import HEAD_BYTES, GzipReader, find_packing, name_other
from dedup.read.remote import can_seek, open_url

CHUNK_BYTES = 4 << 20
# What a packed stream held since the last read is lost if it is damaged: it is read in small bits.
_READ_BYTES = 64 << 10
_TAR_BYTES = 512  # the head of a tar archive
# xz can ask for any amount; its own tools never write files that need more than 65 MiB to read.
_XZ_MEMORY = 128 << 20
# A table is packed by itself: no compression of the whole makes it as small as this.
_MAX_UNPACKED_RATIO = 200
_MIN_UNPACKED_BYTES = 64 << 20

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


class Resources(NamedTuple):
    """What reading may take of the machine."""

    memory: int = 1 << 62  # bytes for one article, from its text to its fingerprint
    temp_dir: str | None = None


class Passed(NamedTuple):
    """How much of a file was read, and the hash of so much of it."""

    number: int  # of the file among all
    size: int
    digest: str


class _State(NamedTuple):
    """What tells whether a file was changed; links and rights change the last one only."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class OpenInput(InputFile):
    """An input that is open, as readers take it."""

    resources: Resources
    _stream: Any
    _hashed: _Hashed | None
    _state: _State | None

    @classmethod
    def open(cls, file: InputFile, resources: Resources, expected: Passed | None) -> OpenInput:
        """Open a file; refuse one that is not what was located. Remote files open when read."""
        opened = cls(*file)
        opened.resources = resources
        opened._stream = opened._hashed = opened._state = None
        if file.is_remote:
            return opened
        if file.path == STDIN:
            raw: Any = sys.stdin.buffer
        else:
            raw = open(file.path, "rb", buffering=0)  # noqa: SIM115 - `close` closes it
        opened._stream = opened._hashed = _Hashed(raw, file.path, expected)
        if file.version is not None:
            opened._state = _state_of(raw)
            if (file.size, file.version) != (
                opened._state.size,
                f"modified:{opened._state.modified_ns}",
            ):
                raw.close()
                raise changed(file)
        return opened

    def close(self) -> None:
        """Close the file, but for standard input, which is not ours."""
        if self._stream is not None and self.path != STDIN:
            self._stream.raw.close()

    def passed(self, number: int) -> Passed | None:
        """Return what was read so far, if the file can be read again."""
        if self._hashed is None or self._state is None:
            return None
        return Passed(number, self._hashed.size, self._hashed.digest())

    def finish(self) -> str | None:
        """Read what readers left of the file; return the digest of all, if it did not change.

        A remote file has the version that its service tells, and standard input none.
        """
        if self._hashed is None:
            return self.version
        with naming_failures(self):
            self._hashed.read_rest()
        self.check()
        return None if self.path == STDIN else f"xxh3-128:{self._hashed.digest()}"

    def check(self) -> None:
        """Refuse a file that is not what it was when it was opened."""
        if self._state is None or self._hashed is None:
            return
        check_unchanged(self)
        now = _state_of(self._stream.raw)
        try:
            named = os.stat(self.path)
        except OSError as err:
            raise changed(self) from err
        if now[:4] != self._state[:4] or (named.st_dev, named.st_ino) != now[:2]:
            raise changed(self)
        # Its size and time are as they were, which anybody can arrange.
        if now != self._state and self._hashed.is_not_what_is_there():
            raise changed(self)


class _Hashed:
    """A file whose bytes are hashed as they pass."""

    def __init__(self, raw: Any, path: str, expected: Passed | None) -> None:
        self.raw = raw
        self.size = 0
        self._path = path
        self._expected = expected
        self._hasher = _native.Hasher()
        self._is_whole = False

    def read(self, size: int) -> bytes:
        data: bytes = self.raw.read(size)
        self.pass_on(data)
        self._is_whole = not data
        return data

    def pass_on(self, data: bytes) -> None:
        """Hash the next bytes of the file, and see that those an earlier process read are there."""
        expected = self._expected
        if expected and self.size + len(data) >= expected.size:
            self._expected = None
            left = expected.size - self.size
            self._hasher.update(data[:left])
            if self._hasher.digest() != expected.digest:
                raise ResumeError(
                    "the unfinished scan cannot be resumed, since"
                    f" {self._path} differs from what the scan read before"
                )
            data, self.size = data[left:], expected.size
        self._hasher.update(data)
        self.size += len(data)

    def digest(self) -> str:
        return self._hasher.digest()

    def read_rest(self) -> None:
        """Hash what readers left of the file."""
        while not self._is_whole and self.read(CHUNK_BYTES):
            pass

    def hash_whole(self) -> None:
        """Hash all of a file that is then read anywhere."""
        for block in _blocks_of(self.raw):
            self.pass_on(block)
        self._is_whole = True

    def is_not_what_is_there(self) -> bool:
        """Tell whether what passed is not what the file begins with now."""
        hasher = _native.Hasher()
        for block in _blocks_of(self.raw, self.size):
            hasher.update(block)
        return hasher.digest() != self.digest()


def _state_of(raw: Any) -> _State:
    state = os.fstat(raw.fileno())
    return _State(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def _blocks_of(raw: Any, size: int = sys.maxsize) -> Iterator[bytes]:
    """Read the first bytes of a file, whatever the position of its descriptor."""
    at = 0
    while block := os.pread(raw.fileno(), min(CHUNK_BYTES, size - at), at):
        yield block
        at += len(block)


@contextmanager
def open_input(
    file: InputFile, resources: Resources | None = None, expected: Passed | None = None
) -> Iterator[OpenInput]:
    """Open a file for the readers. What goes wrong with a file that changed is its change.

    `expected` is what an earlier process read of the file, which must still be there.
    """
    with naming_failures(file):
        opened = OpenInput.open(file, resources or Resources(), expected)
    try:
        yield opened
    except InputError:
        opened.check()
        raise
    finally:
        opened.close()


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
def open_stream(file: OpenInput, *, is_resumable: bool = False) -> Iterator[Any]:
    """Read the decompressed bytes of a file in order.

    The first bytes tell how it is packed, whatever its name says. If it `is_resumable`, a
    damaged gzip member can be passed over: see GzipReader.
    """
    with _open_packed(file) as opened:
        packed = _Begun(opened)
        packing = _check_packing(packed.head, file)
        if packing is None:
            yield packed
        else:
            with _unpack(packed, packing, is_resumable=is_resumable) as stream:
                yield stream


def packing_of(file: InputFile) -> str | None:
    """Tell by the first bytes of a file how it is packed; by its name if it can be read once."""
    if file.path == STDIN or not (file.is_remote or file.version):
        return file.compression
    with open_input(file) as opened, naming_failures(file):
        return _packing_of(opened)


def _packing_of(file: OpenInput) -> str | None:
    """Tell how a file is packed without reading on in it."""
    if file.is_remote:
        with _open_packed(file) as packed:
            return _check_packing(packed.read(HEAD_BYTES), file)
    if file._state is None:  # a pipe
        return file.compression
    return _check_packing(os.pread(file._stream.raw.fileno(), HEAD_BYTES, 0), file)


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
            hint="decompress it, and scan what it holds",
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
        yield _XzStream(packed)
    else:
        # Not closed: it would close the file below it, whose rest is still to be hashed.
        yield pa.CompressedInputStream(_Unclosed(packed), packing)


class _Begun:
    """A stream of which the first bytes were read to tell what it is, from the beginning."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.head: bytes = stream.read(_READ_BYTES)
        self._is_over = False
        while len(self.head) < HEAD_BYTES and not self._is_over:  # a pipe gives little at a time
            more = stream.read(_READ_BYTES)
            self.head += more
            self._is_over = not more

    def read(self, size: int) -> bytes:
        """Read as much as the stream gives at once; nothing at its end."""
        data, self.head = self.head[:size], self.head[size:]
        if len(data) < size and not self._is_over:
            data += self._stream.read(size - len(data))
        return data


@contextmanager
def _open_packed(file: OpenInput) -> Iterator[Any]:
    """Open the bytes of a file as they are stored."""
    if file.is_remote:
        with open_url(file.address, file.size) as stream:
            yield io.BufferedReader(stream, CHUNK_BYTES)
    else:
        yield file._stream


class _Unclosed(io.RawIOBase):
    """A stream that pyarrow may close when it is done with it, and that stays open."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        return data


class _XzStream:
    """The bytes of an xz file; `lzma.open` does not bound the memory that one may ask for."""

    def __init__(self, packed: Any) -> None:
        self._packed = packed
        self._decoder: lzma.LZMADecompressor | None = None
        self._rest = b""

    def read(self, size: int) -> bytes:
        while True:
            if self._decoder is None:
                self._rest = (self._rest or self._packed.read(_READ_BYTES)).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_XZ_MEMORY)
            elif not self._rest and self._decoder.needs_input:
                self._rest = self._packed.read(_READ_BYTES)
                if not self._rest:
                    raise EOFError(
                        "Compressed file ended before the end-of-stream marker was reached"
                    )
            data = self._decoder.decompress(self._rest, size)
            self._rest = b""
            if self._decoder.eof:
                self._rest = self._decoder.unused_data
                self._decoder = None
            if data:
                return data


@contextmanager
def open_seekable(file: OpenInput) -> Iterator[pa.NativeFile]:
    """Open a file for reading anywhere.

    One that is compressed, or of the web, is brought into a temporary file first.
    """
    if _packing_of(file) or (file.is_remote and not can_seek(file.address)):
        with tempfile.TemporaryFile(dir=file.resources.temp_dir) as unpacked:
            with open_stream(file) as stream:
                _copy(stream, unpacked, file)
            unpacked.seek(0)
            yield pa.PythonFile(unpacked, "r")
    elif file.is_remote:
        with open_url(file.address, file.size) as stream:
            yield pa.PythonFile(stream, "r")
    elif file._state is None:  # a pipe
        with tempfile.TemporaryFile(dir=file.resources.temp_dir) as unpacked:
            _copy(file._stream, unpacked, file)
            unpacked.seek(0)
            yield pa.PythonFile(unpacked, "r")
    else:
        file._stream.hash_whole()
        yield pa.PythonFile(file._stream.raw, "r")


@contextmanager
def open_copy(source: pa.NativeFile, file: OpenInput) -> Iterator[mmap.mmap]:
    """Map a copy of a file. It has no name, so that nobody can cut it while it is mapped."""
    with tempfile.TemporaryFile(dir=file.resources.temp_dir) as copy:
        source.seek(0)
        while part := source.read(CHUNK_BYTES):
            copy.write(part)
        copy.flush()
        # Not closed: it is given back with the last batch that is part of it.
        yield mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ)


def _copy(stream: Any, target: Any, file: InputFile) -> None:
    """Copy what is unpacked, unless it is so much that it was made to fill the disk."""
    most = max(_MIN_UNPACKED_BYTES, _MAX_UNPACKED_RATIO * file.size)
    copied = 0
    while part := stream.read(CHUNK_BYTES):
        copied += len(part)
        if file.compression and file.size and copied > most:
            raise DamagedFileError(
                file.path, f"its {file.size:,} bytes unpack to more than {most:,}"
            )
        target.write(part)


def read_chunks(file: OpenInput) -> Iterator[bytes]:
    """Read a file about 4 MiB at a time. What was read before a failure comes before it."""
    parts: list[bytes] = []
    held = 0
    try:
        with open_stream(file) as stream:
            is_stored = isinstance(stream, _Begun) and not file.is_remote
            size = CHUNK_BYTES if is_stored else _READ_BYTES
            while part := stream.read(size):
                parts.append(part)
                held += len(part)
                if held >= CHUNK_BYTES:
                    chunk, parts, held = b"".join(parts), [], 0
                    yield chunk
    except FAILURES:
        if parts:
            yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)


def read_whole(file: OpenInput, limit: int) -> bytes | None:
    """Read a file that is one article; None if it is longer than `limit`."""
    parts = []
    total = 0
    for chunk in read_chunks(file):
        total += len(chunk)
        if total > limit:
            return None
        parts.append(chunk)
    return b"".join(parts)


def digest_input(file: InputFile) -> str | None:
    """Return what will differ if the file does; None if there is nothing to tell it by."""
    if file.version is None:
        return None
    with open_input(file) as opened:
        return opened.finish()
