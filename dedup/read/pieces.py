"""The pieces of a file that hold an article each, none of them longer than an article may be.

What is longer is passed over as it is read, and is None. Scanning and filtering cut alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dedup import _native
from dedup.config import SourceConfig
from dedup.read.streams import CHUNK_BYTES, OpenInput

# JSON may write a character of text in six bytes, and there are other fields beside the text.
_PIECE_FACTOR = 4
_MEMORY_SHARE = 8  # a piece is held whole, in parts, and as columns


def piece_limit(file: OpenInput, config: SourceConfig) -> int:
    """Return the bytes that a line, a record of CSV or an element of JSON may have.

    It is more than a chunk, so that whatever is longer lies in more than one.
    """
    most = min(_PIECE_FACTOR * config.article_limit, file.resources.memory // _MEMORY_SHARE)
    return max(most, 2 * CHUNK_BYTES)


def explain_limit(limit: int) -> str:
    """Say why a piece was passed over."""
    return f"longer than the {limit:,} bytes that --max-article-bytes and --max-memory allow"


def whole_lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """Cut chunks at line ends into blocks of whole lines; None is one line that is too long.

    Part of a line at the end of a file that is cut off is not given.
    """
    held: list[bytes] = []
    size = 0
    is_long = False
    for chunk in chunks:
        rest = chunk
        first = chunk.find(b"\n") + 1
        if is_long or size + first > limit:
            held, size, is_long = [], 0, True
            if not first:
                continue
            yield None
            is_long = False
            rest = chunk[first:]
        end = rest.rfind(b"\n") + 1
        if end:
            block = b"".join([*held, memoryview(rest)[:end]])
            held, size = [], 0
            yield block
            del block
        if end < len(rest):
            held.append(rest[end:])
            size += len(rest) - end
        if size > limit:
            held, size, is_long = [], 0, True
    if is_long:
        yield None
    elif held:
        yield b"".join(held)


class Records:
    """The records of CSV, as a function that cuts a block finds them."""

    def __init__(self, delimiter: str, limit: int) -> None:
        self._delimiter = delimiter
        self._limit = limit

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool] | None]:
        """Give blocks that begin with a record, each with whether it is the last.

        The taker must say with `consumed` how much of a block was whole records. None is one record
        that is too long, of which `lines` is the number of lines.
        """
        held: list[bytes] = []
        size = needed = 0  # a record longer than a chunk is not scanned again for every chunk
        skipper: _native.CsvSkipper | None = None
        for chunk in chunks:
            rest = chunk
            if skipper is not None:
                end = skipper.skip(chunk)
                self.lines += chunk.count(b"\n", 0, len(chunk) if end is None else end)
                if end is None:
                    continue
                skipper = None
                yield None
                rest = chunk[end:]
            held.append(rest)
            size += len(rest)
            if size < needed:
                continue
            block = b"".join(held)
            held = []
            yield block, False
            rest = block[self.consumed :]
            needed = 0 if self.consumed else min(2 * len(block), self._limit + 1)
            if not self.consumed and len(block) > self._limit:
                skipper = _native.CsvSkipper(self._delimiter)
                skipper.skip(block)
                self.lines = block.count(b"\n")
                rest, needed = b"", 0
            held, size = [rest], len(rest)
            del block, rest
        if skipper is not None:
            yield None
        else:
            yield b"".join(held), True

    consumed = 0
    lines = 0
