"""The compiled core. Every function checks its input, releases the GIL and works on a batch."""

from pathlib import Path

import pyarrow as pa

def parse_jsonl(
    block: bytes, *, fields: list[tuple[str, list[str]]], first_line: int
) -> tuple[pa.RecordBatch, int]:
    """Read whole lines of JSONL; return a batch and the number of line ends.

    `fields` pairs each column with the field names it may have, best first. The batch has
    these columns as nullable strings, `input_row` (the line, the first being `first_line`) and
    `reason`, which is not null for a line that could not be read. The column `text` must be a
    JSON string; any other takes a value of another kind as its JSON. Blank lines give no row.
    """

def parse_json(document: bytes, *, fields: list[tuple[str, list[str]]]) -> pa.RecordBatch:
    """Read a JSON document: a list of objects, or one object. Columns as for `parse_jsonl`."""

def parse_csv(
    block: bytes,
    *,
    fields: list[tuple[str, int]],
    width: int,
    delimiter: str,
    first_row: int,
    first_line: int,
    is_last: bool,
) -> tuple[pa.RecordBatch, int, int]:
    """Read the whole rows of a block of CSV, without the header.

    `fields` pairs each column with its place among the `width` fields of a row. Returns the
    columns as for `parse_jsonl`, the bytes that were whole rows, and the lines in them.
    """

def digest_file(path: str | Path) -> str:
    """Return the XXH3-128 hash of a file as 32 hexadecimal digits."""
