"""Copy the rows that are kept, in the input's own bytes or batches, and count both kinds."""

from __future__ import annotations

import itertools
import json
import lzma
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import ConfigError, InputError
from dedup.filter.csv_records import is_blank, split_records
from dedup.filter.decide import Mask
from dedup.filter.warc_records import PACKERS
from dedup.read.formats.arrow import ARROW_FILE, open_batches
from dedup.read.formats.csv import DELIMITERS
from dedup.read.formats.json_layout import BOM, cut_documents, is_document
from dedup.read.formats.parquet import ParquetGroups
from dedup.read.formats.warc_records import read_records
from dedup.read.locate import InputFile
from dedup.read.pieces import piece_limit, whole_lines
from dedup.read.streams import (
    DamagedFileError,
    OpenInput,
    Resources,
    naming_failures,
    open_input,
    open_seekable,
    read_chunks,
)
from dedup.work.folder import NewFile

WHOLE_FILES = ("txt", "html")  # formats of one article a file
WITHOUT_FIELDS = (*WHOLE_FILES, "warc")
WRITE_BYTES = 64 << 20  # of columns make a row group: few groups, and not much memory

_WHITE = b" \t\r\n"

Item = TypeVar("Item")


@dataclass
class Rows:
    """What to do with each row of one file; counts them as they go by."""

    is_known: Mask  # by row: the scan read it, or rejected it
    is_kept: Mask
    scores: dict[str, Any]  # by name, a value a row; empty if none are to be added
    kept: int = 0
    removed: int = 0
    seen: int = 0  # rows that went by, unknown ones included

    def take(self, count: int) -> tuple[Mask, Mask, int]:
        """Return whether each of the next rows is known and kept, and the first one's number."""
        first, end = self.seen, self.seen + count
        known, kept = self.is_known[first:end], self.is_kept[first:end]
        if len(known) < count:
            padding = np.zeros(count - len(known), dtype=bool)
            known, kept = np.concatenate([known, padding]), np.concatenate([kept, padding])
        self.seen = end
        self.kept += int(np.count_nonzero(kept))
        self.removed += int(np.count_nonzero(known & ~kept))
        return known, kept, first

    def take_known(self, count: int, file: InputFile) -> tuple[Mask, int]:
        """Return whether to keep each of the next rows, all of which the scan must know."""
        known, kept, first = self.take(count)
        if not known.all():
            raise _no_such_row(file, first + int(np.argmin(known)))
        return kept, first

    def give_up(self, damage: DamagedFileError) -> None:
        """Pass over the rows after the damage, unless one of them is to be kept."""
        if self.is_kept[self.seen :].any():
            damage.hint = "get the file again and scan it: the damaged part holds rows to keep"
            raise damage
        self.take(len(self.is_known) - self.seen)

    def score_rows(self, first: int, kept: Mask) -> Iterator[dict[str, float]]:
        """Give the scores to add to each kept row."""
        places = np.flatnonzero(kept) + first
        columns = [values[places].tolist() for values in self.scores.values()]
        return (dict(zip(self.scores, row, strict=True)) for row in zip(*columns, strict=True))


class Reading(NamedTuple):
    """How inputs are read, which is how they were scanned."""

    config: SourceConfig
    resources: Resources


def rewrite(
    file: InputFile, rows: Rows, new: NewFile, compression: str | None, reading: Reading
) -> str | None:
    """Write the kept rows of a file to a new file of the same format; return the file's digest.

    What is not a row, such as a header, a blank line or a request in a web archive, is kept too. A
    file that is cut off, which the scan was told to skip, is copied as far as it was scanned. A
    text file or page that is not kept is not made, and neither is the copy of a file that is
    damaged at its beginning.
    """
    with open_input(file, reading.resources) as opened:
        try:
            _rewrite(opened, rows, new, compression, reading.config)
        except DamagedFileError as damage:
            opened.check()
            rows.give_up(damage)
            new.discard()
        return opened.finish()


def _rewrite(
    file: OpenInput, rows: Rows, new: NewFile, compression: str | None, config: SourceConfig
) -> None:
    if file.format in WHOLE_FILES and not rows.is_kept.any():
        rows.take_known(1, file)
        return
    if file.format == "warc":
        with open_sink(new, None) as sink:
            _copy_records(file, rows, sink, PACKERS[compression])
        return
    with open_sink(new, compression) as sink:
        _WRITERS[file.format](file, rows, sink, config)


def count_rows(file: InputFile, rows: Rows) -> None:
    """Count what would be kept and removed without reading the file."""
    rows.take(len(rows.is_known))


@contextmanager
def open_sink(new: NewFile, compression: str | None) -> Iterator[Any]:
    """Make a file for writing, compressed if asked."""
    with new.open() as file:
        if compression is None:
            yield file
        elif compression == "xz":
            with lzma.open(file, "wb") as sink:
                yield sink
        else:
            with pa.CompressedOutputStream(file, compression) as sink:
                yield sink


def _until_damage(items: Iterator[Item], file: InputFile, rows: Rows) -> Iterator[Item]:
    """Pass on what can be read; what cannot must not hold a row to keep."""
    try:
        with naming_failures(file):
            yield from items
    except DamagedFileError as damage:
        rows.give_up(damage)


def _write_lines(
    chunks: Iterator[bytes], file: OpenInput, rows: Rows, sink: Any, config: SourceConfig
) -> None:
    blocks = whole_lines(chunks, piece_limit(file, config))
    for block in _until_damage(blocks, file, rows):
        lines = [b""] if block is None else _split_lines(block)
        known, kept, first = rows.take(len(lines))
        if block is None and (kept[0] or not known[0]):
            raise _no_such_row(file, first)
        for place in np.flatnonzero(~known).tolist():
            if lines[place].removeprefix(BOM).strip():
                raise _no_such_row(file, first + place)
        if rows.scores:
            scores = rows.score_rows(first, kept)
            for place in np.flatnonzero(kept).tolist():
                lines[place] = _add_scores(lines[place], next(scores), file)
        sink.write(b"".join(itertools.compress(lines, kept | ~known)))


def _split_lines(block: bytes) -> list[bytes]:
    """Cut at line feeds, which stay with their lines."""
    if not block.endswith(b"\n"):  # the last line of a file
        return [block]
    return [line + b"\n" for line in block[:-1].split(b"\n")]


def _rewrite_json(file: OpenInput, rows: Rows, sink: Any, config: SourceConfig) -> None:
    chunks = read_chunks(file)
    with naming_failures(file):
        head = next(chunks, b"")
    if not is_document(head):
        _write_lines(itertools.chain([head], chunks), file, rows, sink, config)
        return
    document = itertools.chain([head.removeprefix(BOM)], chunks)
    is_in_list = head.removeprefix(BOM).lstrip().startswith(b"[")
    limit = piece_limit(file, config)
    elements = _split_document(document, limit) if is_in_list else _cut_objects(document, limit)
    is_list = is_in_list or file.format == "json"
    before = b"[\n" if is_list else b""
    for element in _until_damage(elements, file, rows):
        known, kept, first = rows.take(1)
        if not known[0] or (kept[0] and element is None):
            raise _no_such_row(file, first)
        if kept[0] and element is not None:
            scores = next(rows.score_rows(first, kept)) if rows.scores else None
            sink.write(before)
            sink.write(_add_scores(element, scores, file) if scores else element)
            before = b",\n" if is_list else b"\n"
    if rows.is_kept[rows.seen :].any():
        raise InputError(f"{file.path} is not the list of articles that was scanned")
    rows.take(len(rows.is_known) - rows.seen)  # what follows a list that is cut off
    if is_list:
        sink.write(b"[\n]\n" if before == b"[\n" else b"\n]\n")
    elif before:
        sink.write(b"\n")


def _split_document(chunks: Iterator[bytes], limit: int) -> Iterator[bytes | None]:
    """Give each article of a JSON document as it is written; None for one that is too long."""
    splitter = _native.JsonSplitter(limit)
    for chunk in chunks:
        yield from (_strip(element[0]) for element in splitter.split(chunk))
    yield from (_strip(element[0]) for element in splitter.finish()[0])


def _cut_objects(chunks: Iterator[bytes], limit: int) -> Iterator[bytes | None]:
    """Give each of the objects that come one after another; None if they are too long together."""
    document = b""
    for chunk in chunks:
        document += chunk
        if len(document) > limit:
            yield None
            return
    text = document.decode("utf-8", "surrogateescape")
    yield from (part.encode("utf-8", "surrogateescape") for part in cut_documents(text))


def _strip(element: bytes | None) -> bytes | None:
    return element and element.strip(_WHITE)


def _add_scores(article: bytes, scores: dict[str, float], file: InputFile) -> bytes:
    """Put the scores after the last field of an object; all other bytes stay."""
    if any(b'"%s"' % name.encode() in article for name in scores):
        taken = scores.keys() & json.loads(article.removeprefix(BOM)).keys()
        if taken:
            raise _taken_name(file, min(taken))
    end = article.rindex(b"}")
    is_empty = article[:end].rstrip().endswith(b"{")
    added = json.dumps(scores).encode()[1:-1]
    return article[:end] + (b"" if is_empty else b", ") + added + article[end:]


def _rewrite_csv(file: OpenInput, rows: Rows, sink: Any, config: SourceConfig) -> None:
    delimiter = DELIMITERS[file.format].encode()
    chunks = _without_mark(read_chunks(file), sink)
    records_in_parts = split_records(chunks, delimiter, piece_limit(file, config))
    has_header = False
    for part in _until_damage(records_in_parts, file, rows):
        if part is None:
            known, kept, first = rows.take(1)
            if kept[0] or not known[0]:
                raise _no_such_row(file, first)
            continue
        records = part
        if not has_header:
            before = list(itertools.takewhile(lambda r: _says_nothing(r, delimiter), records))
            sink.write(b"".join(before))
            if len(before) == len(records):
                continue
            header, *records = records[len(before) :]
            sink.write(_score_header(header, file, rows, delimiter))
            has_header = True
        is_row = np.array([not is_blank(record, delimiter) for record in records], dtype=bool)
        is_written = ~is_row
        is_written[is_row], first = rows.take_known(int(np.count_nonzero(is_row)), file)
        if rows.scores:
            scores = rows.score_rows(first, is_written[is_row])
            for place in np.flatnonzero(is_written & is_row).tolist():
                values = map(repr, next(scores).values())
                records[place] = _extend(records[place], values, delimiter)
        sink.write(b"".join(itertools.compress(records, is_written)))


def _without_mark(chunks: Iterator[bytes], sink: Any) -> Iterator[bytes]:
    """Pass a byte order mark on to the output at once."""
    head = next(chunks, b"")
    if head.startswith(BOM):
        sink.write(BOM)
    yield head.removeprefix(BOM)
    yield from chunks


def _says_nothing(record: bytes, delimiter: bytes) -> bool:
    return not record.strip(b' \t\r\n\f"' + delimiter)


def _score_header(header: bytes, file: InputFile, rows: Rows, delimiter: bytes) -> bytes:
    if not rows.scores:
        return header
    for name in rows.scores:
        if name.encode() in [cell.strip(b' "\r\n') for cell in header.split(delimiter)]:
            raise _taken_name(file, name)
    return _extend(header, rows.scores, delimiter)


def _extend(record: bytes, values: Iterable[str], delimiter: bytes) -> bytes:
    body = record.rstrip(b"\r\n")
    return delimiter.join([body, *(value.encode() for value in values)]) + record[len(body) :]


def _rewrite_parquet(file: OpenInput, rows: Rows, sink: Any, config: SourceConfig) -> None:
    with _open_table(file) as source:
        with naming_failures(file):
            parquet = ParquetGroups(source, file)
            schema = _score_schema(parquet.schema, file, rows)
        pages = _pages(parquet, file, rows)
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for group in _gather(_filter_batches(pages, schema, file, rows)):
                writer.write_table(group)


def _pages(parquet: ParquetGroups, file: InputFile, rows: Rows) -> Iterator[pa.RecordBatch]:
    """Read the row groups with a row to keep; others may be too large to read."""
    for group, metadata in enumerate(parquet.groups):
        if rows.is_kept[rows.seen : rows.seen + metadata.num_rows].any():
            yield from parquet.batches(group)
        else:
            rows.take_known(metadata.num_rows, file)


def _rewrite_arrow(file: OpenInput, rows: Rows, sink: Any, config: SourceConfig) -> None:
    with _open_table(file) as whole, open_batches(whole, file) as (source, _):
        with naming_failures(file):
            is_file = source.read(len(ARROW_FILE)) == ARROW_FILE
            source.seek(0)
            reader = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source)
            schema = _score_schema(reader.schema, file, rows)
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
        # As they are written by default: Feather by pandas and R, Arrow by pyarrow.
        packing = "lz4" if ".feather" in file.path.lower() else None
        options = pa.ipc.IpcWriteOptions(compression=packing)
        open_writer = pa.ipc.new_file if is_file else pa.ipc.new_stream
        with open_writer(sink, schema, options=options) as writer:
            for batch in _filter_batches(iter(batches), schema, file, rows):
                writer.write_batch(batch)


@contextmanager
def _open_table(file: OpenInput) -> Iterator[Any]:
    """Open a file for reading anywhere; only what goes wrong in opening it is its own fault."""
    with ExitStack() as stack:
        with naming_failures(file):
            source = stack.enter_context(open_seekable(file))
        yield source


def _score_schema(schema: pa.Schema, file: InputFile, rows: Rows) -> pa.Schema:
    for name in rows.scores:
        if name in schema.names:
            raise _taken_name(file, name)
        schema = schema.append(pa.field(name, pa.float64()))
    return schema


def _filter_batches(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, file: InputFile, rows: Rows
) -> Iterator[pa.RecordBatch]:
    for batch in _until_damage(map(_validate, batches), file, rows):
        kept, first = rows.take_known(batch.num_rows, file)
        end = first + batch.num_rows
        added = [pa.array(values[first:end], pa.float64()) for values in rows.scores.values()]
        whole = pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)
        if kept.any():
            yield whole if kept.all() else whole.filter(pa.array(kept))


def _validate(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Meet damage where reading met it: the columns that a scan needs are validated there."""
    batch.validate()
    return batch


def _gather(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join batches to row groups."""
    held: list[pa.RecordBatch] = []
    held_bytes = 0
    for batch in batches:
        held.append(batch)
        held_bytes += batch.nbytes
        if held_bytes >= WRITE_BYTES:
            yield pa.Table.from_batches(held)
            held, held_bytes = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _copy_text(file: OpenInput, rows: Rows, sink: Any, config: SourceConfig) -> None:
    rows.take_known(1, file)
    for chunk in read_chunks(file):
        sink.write(chunk)


def _copy_records(file: OpenInput, rows: Rows, sink: Any, pack: Callable[[bytes], bytes]) -> None:
    def wanted_bytes(_: object) -> int | None:
        """Hold no block that is not written: it may be far longer than an article."""
        number = rows.seen
        is_gone = number < len(rows.is_known) and rows.is_known[number] and not rows.is_kept[number]
        return 0 if is_gone else None

    for record in _until_damage(read_records(file, wanted_bytes), file, rows):
        known, kept, first = rows.take(1)
        if record.reason and (kept[0] or not known[0]):
            raise InputError(
                f"{file.path}, row {first}: {record.reason}", hint="scan the input again"
            )
        if kept[0] or not known[0]:
            sink.write(pack(record.raw))


def _no_such_row(file: InputFile, row: int) -> InputError:
    return InputError(
        f"{file.path}, row {row}: the scan has no such row", hint="scan the input again"
    )


def _taken_name(file: InputFile, name: str) -> ConfigError:
    return ConfigError(
        f"the articles of {file.path} already have a field {name!r}",
        hint="leave out --add-scores, or rename the field",
    )


_WRITERS: dict[str, Callable[[OpenInput, Rows, Any, SourceConfig], None]] = {
    "jsonl": _rewrite_json,
    "json": _rewrite_json,
    "csv": _rewrite_csv,
    "tsv": _rewrite_csv,
    "parquet": _rewrite_parquet,
    "arrow": _rewrite_arrow,
    "txt": _copy_text,
    "html": _copy_text,
}
