"""Arrow files (Feather version 2) and Arrow streams."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.read.formats.arrow_blocks import list_blocks
from dedup.read.formats.columns import (
    BATCH_SHARE,
    MAX_BATCH_BYTES,
    PAGE_BYTES,
    find_columns,
    number_rows,
)
from dedup.read.streams import DamagedFileError, OpenInput, open_copy, open_seekable

ARROW_FILE = b"ARROW1"
_FEATHER_1 = b"FEA1"


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
            fields = find_columns(schema, file, config)
            if mapped is None:
                wanted = set(fields.values())
                places = sorted(schema.get_all_field_indices(field)[0] for field in wanted)
                _, batches = open_reader(batched, places)
            else:  # choosing columns would copy the batch
                batches = _release_pages(batches, mapped)
            yield from number_rows(batches, fields)


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
