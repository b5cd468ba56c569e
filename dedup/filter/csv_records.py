"""Where the records of CSV begin and end, by the rules of `native/core/src/read/csv.rs`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from dedup.read.pieces import Records

# A quote counts only where a field begins with it. What follows a closing quote and is neither a
# delimiter nor a line end belongs to the record up to its line end.
_RECORD = rb"""
    (?: (?: (?=(?P<cell>{quoted})) (?P=cell) | {plain} ) {delimiter} )*
    (?: (?=(?P<last>{quoted})) (?P=last) (?!{delimiter}) [^\n]* \n | {plain} \n )
"""
# Found by looking ahead and then repeated, so that it is never tried again with fewer characters.
_QUOTED = rb'"[^"]*(?:""[^"]*)*"(?!")'
_PLAIN = rb'(?:[^"{delimiter}\n][^{delimiter}\n]*|)'


def split_records(
    chunks: Iterable[bytes], delimiter: bytes, limit: int
) -> Iterator[list[bytes] | None]:
    """Cut a file, without its byte order mark, into records that keep their line ends.

    Blank lines are records here. The last record has no line end if the file does not end in one.
    A record longer than `limit` is given as None.
    """
    cut = Records(delimiter.decode(), limit)
    for part in cut.blocks(chunks):
        if part is None:
            yield None
            continue
        block, is_last = part
        records, cut.consumed = _whole_records(block, delimiter)
        if is_last and cut.consumed < len(block):
            records.append(block[cut.consumed :])
        del block, part
        if records:
            yield records


def is_blank(record: bytes, delimiter: bytes) -> bool:
    """Tell whether a record is a blank line, which is not a row."""
    return not record.strip(b" \t\r\n\f") and delimiter not in record


def _whole_records(block: bytes, delimiter: bytes) -> tuple[list[bytes], int]:
    """Return the complete records, and where the rest begins."""
    if b'"' not in block:
        end = block.rfind(b"\n") + 1
        return _lines(block[:end]), end
    records = []
    end = 0
    match = _pattern(delimiter).match
    while found := match(block, end):
        records.append(found.group())
        end = found.end()
    return records, end


def _lines(block: bytes) -> list[bytes]:
    return [line + b"\n" for line in block.split(b"\n")[:-1]]


@functools.cache
def _pattern(delimiter: bytes) -> re.Pattern[bytes]:
    mark = re.escape(delimiter)
    plain = _PLAIN.replace(b"{delimiter}", mark)
    pattern = _RECORD.replace(b"{quoted}", _QUOTED).replace(b"{plain}", plain)
    return re.compile(pattern.replace(b"{delimiter}", mark), re.VERBOSE)
