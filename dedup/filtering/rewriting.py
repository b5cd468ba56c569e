"""Copy the rows that are kept, in the input's own bytes or batches, and count both kinds."""

from __future__ import annotations

import itertools
import json
import lzma
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import ConfigError, InputError
from dedup.filtering.csv_records import is_blank, split_records
from dedup.filtering.decisions import Mask
from dedup.filtering.warc_records import PACKERS
from dedup.sources.documents import BOM, cut_documents, is_document, is_list
from dedup.sources.locate import InputFile
from dedup.sources.records import read_records
from dedup.sources.streams import (
    DamagedFileError,
    naming_failures,
    open_seekable,
    read_chunks,
)
from dedup.sources.tabular import ARROW_FILE, BUFFER_BYTES, DELIMITERS, page_rows
from dedup.workfolder import NewFile

WHOLE_FILES = ("txt", "html")  # formats of one article a file
WITHOUT_FIELDS = (*WHOLE_FILES, "warc")
WRITE_BYTES = 64 << 20  # of columns make a row group: few groups, and not much memory

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
        """Pass over the rows behind a damage, unless one of them is to be kept."""
        if self.is_kept[self.seen :].any():
            damage.hint = (
                "get the file again and scan it: there are rows to keep in what is damaged"
            )
            raise damage
        self.take(len(self.is_known) - self.seen)

    def score_rows(self, first: int, kept: Mask) -> Iterator[dict[str, float]]:
        """Give the scores to add to each kept row."""
        places = np.flatnonzero(kept) + first
        columns = [values[places].tolist() for values in self.scores.values()]
        return (dict(zip(self.scores, row, strict=True)) for row in zip(*columns, strict=True))


def rewrite(file: InputFile, rows: Rows, new: NewFile, compression: str | None) -> None:
    """Write the kept rows of a file to a new file of the same format.

    What is no row, such as a header, a blank line or a request in a web archive, is kept too. A
    file that breaks off, which the scan was told to skip, is copied as far as it was scanned. A
    text file or page that is not kept is not made, and neither is the copy of a file that is
    damaged at its beginning.
    """
    try:
        _rewrite(file, rows, new, compression)
    except DamagedFileError as damage:
        rows.give_up(damage)
        new.discard()


def _rewrite(file: InputFile, rows: Rows, new: NewFile, compression: str | None) -> None:
    if file.format in WHOLE_FILES and not rows.is_kept.any():
        rows.take_known(1, file)
        return
    if file.format == "warc":
        with open_sink(new, None) as sink:
            _copy_records(file, rows, sink, PACKERS[compression])
        return
    with open_sink(new, compression) as sink:
        _WRITERS[file.format](file, rows, sink)


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


def _write_lines(chunks: Iterator[bytes], file: InputFile, rows: Rows, sink: Any) -> None:
    for lines in _until_damage(_whole_lines(chunks), file, rows):
        known, kept, first = rows.take(len(lines))
        for place in np.flatnonzero(~known).tolist():
            if lines[place].removeprefix(BOM).strip():
                raise _no_such_row(file, first + place)
        if rows.scores:
            scores = rows.score_rows(first, kept)
            for place in np.flatnonzero(kept).tolist():
                lines[place] = _add_scores(lines[place], next(scores), file)
        sink.write(b"".join(itertools.compress(lines, kept | ~known)))


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Cut at line feeds, which stay with their lines."""
    held: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            block = b"".join([*held, memoryview(chunk)[: end - 1]])
            yield [line + b"\n" for line in block.split(b"\n")]
            held = []
        held.append(chunk[end:])
    if any(held):
        yield [b"".join(held)]


def _rewrite_json(file: InputFile, rows: Rows, sink: Any) -> None:
    chunks = read_chunks(file)
    with naming_failures(file):
        head = next(chunks, b"")
    if not is_document(head):
        _write_lines(itertools.chain([head], chunks), file, rows, sink)
        return
    whole = _until_damage(itertools.chain([head], chunks), file, rows)
    text = b"".join(whole).removeprefix(BOM).decode("utf-8", "surrogateescape")
    kept, _ = rows.take_known(len(rows.is_known) - rows.seen, file)
    scores = rows.score_rows(0, kept) if rows.scores else None
    articles = []
    for article, is_kept in zip(cut_documents(text), kept.tolist(), strict=False):
        if is_kept:
            raw = article.encode("utf-8", "surrogateescape")
            articles.append(_add_scores(raw, next(scores), file) if scores else raw)
    if len(articles) < int(np.count_nonzero(kept)):
        raise InputError(f"{file.path} is not the list of articles that was scanned")
    if is_list(text) or file.format == "json":
        sink.write(b"[\n" + b",\n".join(articles) + (b"\n]\n" if articles else b"]\n"))
    else:
        sink.write(b"".join(article + b"\n" for article in articles))


def _add_scores(article: bytes, scores: dict[str, float], file: InputFile) -> bytes:
    """Put the scores behind the last field of an object; all other bytes stay."""
    if any(b'"%s"' % name.encode() in article for name in scores):
        taken = scores.keys() & json.loads(article.removeprefix(BOM)).keys()
        if taken:
            raise _taken_name(file, min(taken))
    end = article.rindex(b"}")
    is_empty = article[:end].rstrip().endswith(b"{")
    added = json.dumps(scores).encode()[1:-1]
    return article[:end] + (b"" if is_empty else b", ") + added + article[end:]


def _rewrite_csv(file: InputFile, rows: Rows, sink: Any) -> None:
    delimiter = DELIMITERS[file.format].encode()
    records_in_parts = split_records(_without_mark(read_chunks(file), sink), delimiter)
    has_header = False
    for part in _until_damage(records_in_parts, file, rows):
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


def _rewrite_parquet(file: InputFile, rows: Rows, sink: Any) -> None:
    with _open_table(file) as source:
        with naming_failures(file):
            parquet = pq.ParquetFile(source, buffer_size=BUFFER_BYTES)
            schema = _score_schema(parquet.schema_arrow, file, rows)
        pages = _pages(parquet)
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for group in _gather(_filter_batches(pages, schema, file, rows)):
                writer.write_table(group)


def _pages(parquet: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    rows = page_rows(parquet.metadata)
    for group in range(parquet.num_row_groups):
        yield from parquet.iter_batches(rows, row_groups=[group])


def _rewrite_arrow(file: InputFile, rows: Rows, sink: Any) -> None:
    with _open_table(file) as source:
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
def _open_table(file: InputFile) -> Iterator[Any]:
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
    """Meet a damage where reading met it: the columns that a scan needs are validated there."""
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


def _copy_text(file: InputFile, rows: Rows, sink: Any) -> None:
    rows.take_known(1, file)
    for chunk in read_chunks(file):
        sink.write(chunk)


def _copy_records(file: InputFile, rows: Rows, sink: Any, pack: Callable[[bytes], bytes]) -> None:
    for record in _until_damage(read_records(file, lambda _: None), file, rows):
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


_WRITERS: dict[str, Callable[[InputFile, Rows, Any], None]] = {
    "jsonl": _rewrite_json,
    "json": _rewrite_json,
    "csv": _rewrite_csv,
    "tsv": _rewrite_csv,
    "parquet": _rewrite_parquet,
    "arrow": _rewrite_arrow,
    "txt": _copy_text,
    "html": _copy_text,
}
