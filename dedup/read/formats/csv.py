"""CSV and TSV with a header line."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

import pyarrow as pa

from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.read.fields import find_fields
from dedup.read.formats.columns import reject_row
from dedup.read.formats.json_layout import BOM
from dedup.read.locate import InputFile
from dedup.read.pieces import Records, explain_limit, piece_limit
from dedup.read.streams import OpenInput, read_chunks

DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_csv(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read CSV or TSV with a header line; `input_row` counts rows, the header not among them."""
    limit = piece_limit(file, config)
    chunks = read_chunks(file)
    header, rest, line = _read_header(chunks, file, limit)
    if not header:
        return  # an empty file has no articles
    fields = find_fields(header, config, file.path)
    places = [(column, header.index(field)) for column, field in fields.items()]
    row = 0
    records = Records(DELIMITERS[file.format], limit)
    for block in records.blocks(itertools.chain([rest], chunks)):
        if block is None:
            problem = f"the row is {explain_limit(limit)}: perhaps a quote is never closed"
            yield reject_row(row, f"line {line + 1}: {problem}")
            row += 1
            line += records.lines
            continue
        rows, records.consumed, lines = _native.parse_csv(
            block[0],
            fields=places,
            width=len(header),
            delimiter=DELIMITERS[file.format],
            first_row=row,
            first_line=line,
            is_last=block[1],
        )
        row += rows.num_rows
        line += lines
        del block
        yield rows


def _read_header(
    chunks: Iterator[bytes], file: InputFile, limit: int
) -> tuple[list[str], bytes, int]:
    """Return the names in the first line that is not blank, what was read after it, and its line.

    It may be longer than a chunk.
    """
    head = b""
    for chunk in itertools.chain(chunks, [None]):
        if chunk is not None:
            head = head + chunk if head else chunk.removeprefix(BOM)
        lines = io.BytesIO(head)
        reader = csv.reader((line.decode() for line in lines), delimiter=DELIMITERS[file.format])
        try:
            header = next((row for row in reader if any(map(str.strip, row))), [])
        except (UnicodeDecodeError, csv.Error) as err:
            if chunk is not None and lines.tell() == len(head) <= limit and _is_cut(err):
                continue
            raise InputError(
                f"the header of {file.path} cannot be read: {err}",
                hint="it must be UTF-8, and its lines must end with \\n or \\r\\n",
            ) from err
        if lines.tell() < len(head) or chunk is None:
            break
        if len(head) > limit:
            raise InputError(f"the header of {file.path} is longer than {limit:,} bytes")
    return [name.strip() for name in header], head[lines.tell() :], reader.line_num


def _is_cut(err: Exception) -> bool:
    """Tell whether what is wrong may be that a character is cut in two."""
    return isinstance(err, UnicodeDecodeError) and err.end == len(err.object)
