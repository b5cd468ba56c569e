"""Files with a row for each article: JSONL, JSON, CSV, TSV, Parquet and Arrow.

Each reader gives batches with `input_row`, those of article_id, text, date, source and url that
the file has, in the file's own types, and, where single rows can be malformed, `reason`.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import mmap
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.read.dates import is_date_like
from dedup.read.fields import (
    SETTINGS,
    USUAL_NAMES,
    accepted_names,
    find_fields,
    named_field,
)
from dedup.read.formats.arrow_blocks import list_blocks
from dedup.read.formats.json_layout import BOM, cut_documents, is_document
from dedup.read.formats.parquet_pages import PageSizes
from dedup.read.locate import InputFile
from dedup.read.pieces import Records, explain_limit, piece_limit, whole_lines
from dedup.read.streams import (
    DamagedFileError,
    OpenInput,
    open_copy,
    open_seekable,
    read_chunks,
)
from dedup.util.strings import is_text, is_text_or_scalar, measure_strings

DELIMITERS = {"csv": ",", "tsv": "\t"}

PAGE_ROWS = 16384  # of Parquet at a time, or fewer if they hold more than PAGE_BYTES
PAGE_BYTES = 4 << 20
BATCH_SHARE = 4  # of the memory, for one batch of Arrow, which is read as a whole
MAX_BATCH_BYTES = 64 << 20  # of one that is read in spite of being in the file as it is
BUFFER_BYTES = 1 << 20  # of a Parquet column; otherwise the whole column of a row group is read

_REPEATED_TYPES = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
_SHOWN_BYTES = 1 << 20  # of JSON whose names are listed: read by Python, it takes many times that
_FEATHER_1 = b"FEA1"
ARROW_FILE = b"ARROW1"


def read_json(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read an object a line, or a document: a list of objects, or objects that span lines.

    `input_row` is the line, blank ones counted, or the place in the document.
    """
    chunks = read_chunks(file)
    head = next(chunks, b"")
    if not is_document(head):
        yield from _parse_lines(itertools.chain([head], chunks), file, config)
        return
    limit = piece_limit(file, config)
    if not head.removeprefix(BOM).lstrip().startswith(b"["):
        yield from _read_objects(itertools.chain([head], chunks), file, config)
        return
    splitter = _native.JsonSplitter(limit)
    fields = _accepted_fields(config)
    row = 0
    is_checked = False
    problem: str | None = None
    for chunk in itertools.chain([head.removeprefix(BOM)], chunks, [None]):
        if chunk is None:
            elements, problem = splitter.finish()
        else:
            elements = splitter.split(chunk)
        if not elements:
            continue
        rows = _native.parse_elements(elements, fields=fields, first_row=row, max_bytes=limit)
        row += len(elements)
        documents = (element[0] or b"" for element in elements)
        is_checked = is_checked or _check_fields(rows, documents, file, config)
        del elements, documents, chunk
        yield rows
    if problem is not None:
        yield _reject_row(row, problem)


def _read_objects(
    chunks: Iterator[bytes], file: OpenInput, config: SourceConfig
) -> Iterator[pa.RecordBatch]:
    """Read objects that come one after another; together they may not be longer than a piece."""
    limit = piece_limit(file, config)
    document = b""
    for chunk in chunks:
        document += chunk
        if len(document) > limit:
            yield _reject_row(0, f"the document is {explain_limit(limit)}")
            return
    text = document.removeprefix(BOM).decode("utf-8", "surrogateescape")
    parts = [part.encode("utf-8", "surrogateescape") for part in cut_documents(text)]
    elements: list[_native._Element] = [(part, 0, 0, 0) for part in parts]
    rows = _native.parse_elements(
        elements, fields=_accepted_fields(config), first_row=0, max_bytes=limit
    )
    _check_fields(rows, parts, file, config)
    yield rows


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
            yield _reject_row(row, f"line {line + 1}: {problem}")
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


def read_parquet(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read the needed columns of a Parquet file, a few megabytes of text at a time."""
    with open_seekable(file) as source:
        parquet = ParquetGroups(source, file)
        fields = _find_columns(parquet.schema, file, config)
        columns = sorted(set(fields.values()))
        limit = piece_limit(file, config)
        row = 0
        # One row group after the other, so that a damaged one takes nothing with it.
        for group, metadata in enumerate(parquet.groups):
            size = metadata.total_byte_size // max(metadata.num_rows, 1)
            reason = None
            if size > limit:
                reason = f"its row group has {size:,} bytes a row, {explain_limit(limit)}"
            elif (page := parquet.largest_page(group, columns)) > parquet.most:
                reason = (
                    f"a page of its row group takes {page:,} bytes, but --max-memory leaves"
                    f" {parquet.most:,} for one"
                )
            if reason is None:
                yield from _number_rows(parquet.batches(group, columns), fields, row)
            else:
                for number in range(row, row + metadata.num_rows):
                    yield _reject_row(number, reason)
            row += metadata.num_rows


class ParquetGroups:
    """The row groups of a Parquet file, each a few megabytes of text at a time."""

    def __init__(self, source: pa.NativeFile, file: OpenInput) -> None:
        """Read the footer."""
        self._source = source
        options = {"buffer_size": BUFFER_BYTES, "pre_buffer": False}
        self._parquet = pq.ParquetFile(source, **options)
        metadata = self._parquet.metadata
        self.schema: pa.Schema = self._parquet.schema_arrow
        self.groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
        self.most = file.resources.memory // BATCH_SHARE  # bytes of a page that is read
        self._rows = page_rows(metadata)
        self._batch_bytes = min(self.most, MAX_BATCH_BYTES)
        self._pages = PageSizes(self._read, source.size())
        kinds = zip(self.schema.names, self.schema.types, strict=True)
        self._strings = [name for name, kind in kinds if kind in _REPEATED_TYPES]
        # The same file, of which dictionaries are read as they are.
        self._encoded = pq.ParquetFile(
            source, metadata=metadata, read_dictionary=self._strings, **options
        )

    def largest_page(self, group: int, columns: Collection[str]) -> int:
        """Return the bytes of the largest page of some columns, packed and unpacked."""
        return self._pages.largest(group, columns)

    def batches(self, group: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read some columns of a row group, or all of them."""
        strings = [name for name in self._strings if columns is None or name in columns]
        longest = self._longest_repeated(group, strings) if strings else 0
        rows = min(self._rows, max(1, self._batch_bytes // max(longest, 1)))
        yield from self._parquet.iter_batches(rows, row_groups=[group], columns=columns)

    def _longest_repeated(self, group: int, columns: list[str]) -> int:
        """Return the bytes that a row takes at most of what stands in dictionaries.

        A long text there may be that of every row, of which the size of the row group says nothing.
        """
        batches = self._encoded.iter_batches(1, row_groups=[group], columns=columns)
        first = next(batches, None)
        if first is None:
            return 0
        longest = (measure_strings(c.dictionary).max(initial=0) for c in first.columns)
        return int(sum(longest))

    def _read(self, at: int, size: int) -> bytes:
        self._source.seek(at)
        return bytes(self._source.read(size))


def read_arrow(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read an Arrow file (Feather version 2) or an Arrow stream."""
    with open_seekable(file) as source:
        magic = source.read(len(ARROW_FILE))
        if magic.startswith(_FEATHER_1):
            raise InputError(
                f"{file.path} is in Feather version 1",
                hint="write it again with pyarrow.feather.write_feather(table, path, version=2)",
            )
        open_reader = _open_arrow_file if magic == ARROW_FILE else _open_arrow_stream
        with open_batches(source, file) as (batched, mapped):
            schema, batches = open_reader(batched, None)
            fields = _find_columns(schema, file, config)
            if mapped is None:
                wanted = set(fields.values())
                places = sorted(schema.get_all_field_indices(field)[0] for field in wanted)
                _, batches = open_reader(batched, places)
            else:  # choosing columns would copy the batch
                batches = _release_pages(batches, mapped)
            yield from _number_rows(batches, fields)


def _release_pages(
    batches: Iterable[pa.RecordBatch], mapped: mmap.mmap
) -> Iterator[pa.RecordBatch]:
    """Give parts of about 4 MiB, after each of which the process holds no page of the file."""
    for batch in batches:
        batch.validate()
        rows = max(1, PAGE_BYTES * batch.num_rows // max(batch.nbytes, 1))
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)
            mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def open_batches(
    source: pa.NativeFile, file: OpenInput
) -> Iterator[tuple[pa.NativeFile, mmap.mmap | None]]:
    """Give an Arrow file whose batches fit in the memory there is, however large they are.

    With it comes the copy that is mapped instead of it, if it has larger batches than are read.
    """
    most = min(file.resources.memory // BATCH_SHARE, MAX_BATCH_BYTES)
    source.seek(0)
    is_file = source.read(len(ARROW_FILE)) == ARROW_FILE

    def read(at: int, size: int) -> bytes:
        source.seek(at)
        return bytes(source.read(size))

    large = [block for block in list_blocks(read, is_file=is_file) if block.size > most]
    source.seek(0)
    packed = max((block.size for block in large if block.is_packed), default=0)
    if packed > file.resources.memory // BATCH_SHARE:
        raise DamagedFileError(
            file.path, f"a record batch unpacks to {packed:,} bytes, more than --max-memory allows"
        )
    if any(not block.is_packed for block in large):
        with open_copy(source, file) as copy:
            yield pa.BufferReader(pa.py_buffer(copy)), copy
    else:
        yield source, None


def _parse_lines(
    chunks: Iterable[bytes], file: OpenInput, config: SourceConfig
) -> Iterator[pa.RecordBatch]:
    fields = _accepted_fields(config)
    limit = piece_limit(file, config)
    line = 0
    is_checked = False
    for block in whole_lines(chunks, limit):
        if block is None:
            yield _reject_row(line, f"line {line + 1}: the line is {explain_limit(limit)}")
            line += 1
            continue
        rows, lines = _native.parse_jsonl(block, fields=fields, first_line=line)
        is_checked = is_checked or _check_fields(rows, block.splitlines(), file, config)
        line += lines
        del block
        yield rows


def _reject_row(row: int, reason: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"input_row": [row], "reason": [reason]})


def _accepted_fields(config: SourceConfig) -> list[tuple[str, list[str]]]:
    return [(column, list(names)) for column, names in accepted_names(config).items()]


def _check_fields(
    rows: pa.RecordBatch, documents: Iterable[bytes], file: InputFile, config: SourceConfig
) -> bool:
    """Raise if a field that must be there is in none of the rows; tell whether there were any.

    A field may be missing from some objects, so only columns without a single value are looked
    at, and then the names are read from the JSON again.
    """
    good = rows.filter(rows["reason"].is_null())
    for column in USUAL_NAMES:
        must_be_there = column == "text" or named_field(column, config)
        if must_be_there and good.num_rows and good[column].null_count == good.num_rows:
            find_fields(_names_in(documents), config, file.path)
    return bool(good.num_rows)


def _names_in(documents: Iterable[bytes]) -> list[str]:
    names: dict[str, None] = {}
    for document in documents:
        if len(document) > _SHOWN_BYTES:
            continue
        try:
            value = json.loads(document.removeprefix(BOM))
        except (ValueError, RecursionError):
            continue
        for article in value if isinstance(value, list) else [value]:
            if isinstance(article, dict):
                names.update(dict.fromkeys(article))
    return list(names)


def _read_header(
    chunks: Iterator[bytes], file: InputFile, limit: int
) -> tuple[list[str], bytes, int]:
    """Return the names in the first line that is not blank, what was read behind it, and its line.

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


def _find_columns(schema: pa.Schema, file: InputFile, config: SourceConfig) -> dict[str, str]:
    """Find the fields in a typed schema; refuse one that cannot hold what it was named for."""
    kinds = dict(reversed(list(zip(schema.names, schema.types, strict=True))))  # the first counts
    checks = {"text": is_text, "date": is_date_like}

    def usable(column: str, field: str) -> bool:
        return checks.get(column, is_text_or_scalar)(kinds[field])

    fields = find_fields(schema.names, config, file.path, usable)
    for column, field in fields.items():
        if not usable(column, field):
            setting = SETTINGS[column].replace("_", "-")
            raise InputError(
                f"the field {field!r} of {file.path} is {kinds[field]}, not {_KINDS[column]}",
                hint=f"name another one with --{setting}",
            )
    return fields


_KINDS = {
    "article_id": "text or a number",
    "text": "text",
    "date": "a date",
    "source": "text",
    "url": "text",
}


def page_rows(metadata: pq.FileMetaData) -> int:
    """Choose how many rows have about 4 MiB in all columns; small pages are joined later.

    The sizes of single columns are left alone: pyarrow 26 aborts where they are damaged.
    """
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    return int(max(1, min(PAGE_BYTES * metadata.num_rows // max(size, 1), PAGE_ROWS)))


def _open_arrow_file(
    source: pa.NativeFile, places: list[int] | None
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    options = pa.ipc.IpcReadOptions(included_fields=places)
    reader = pa.ipc.open_file(source, options=options)
    return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))


def _open_arrow_stream(
    source: pa.NativeFile, places: list[int] | None
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    source.seek(0)
    reader = pa.ipc.open_stream(source, options=pa.ipc.IpcReadOptions(included_fields=places))
    return reader.schema, iter(reader)


def _number_rows(
    batches: Iterable[pa.RecordBatch], fields: dict[str, str], row: int = 0
) -> Iterator[pa.RecordBatch]:
    """Rename fields to columns and add `input_row`, from `row` on."""
    for batch in batches:
        batch.validate()
        names = batch.schema.names
        columns = {name: batch.column(names.index(field)) for name, field in fields.items()}
        end = row + batch.num_rows
        yield pa.RecordBatch.from_pydict({**columns, "input_row": np.arange(row, end)})
        row = end
