"""Parquet files, a few megabytes of text at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.config import SourceConfig
from dedup.read.formats.columns import (
    BATCH_SHARE,
    MAX_BATCH_BYTES,
    PAGE_BYTES,
    find_columns,
    number_rows,
    reject_row,
)
from dedup.read.formats.parquet_pages import PageSizes
from dedup.read.pieces import explain_limit, piece_limit
from dedup.read.streams import OpenInput, open_seekable
from dedup.util.strings import measure_strings

PAGE_ROWS = 16384  # at a time, or fewer if they hold more than PAGE_BYTES
BUFFER_BYTES = 1 << 20  # of a column; otherwise the whole column of a row group is read

_REPEATED_TYPES = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def read_parquet(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read the needed columns of a Parquet file, a few megabytes of text at a time."""
    with open_seekable(file) as source:
        parquet = ParquetGroups(source, file)
        fields = find_columns(parquet.schema, file, config)
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
                yield from number_rows(parquet.batches(group, columns), fields, row)
            else:
                for number in range(row, row + metadata.num_rows):
                    yield reject_row(number, reason)
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
        """Return the most bytes that a row can take from values in dictionaries.

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


def page_rows(metadata: pq.FileMetaData) -> int:
    """Choose how many rows have about 4 MiB in all columns; small pages are joined later.

    The sizes of single columns are left alone: pyarrow 26 aborts where they are damaged.
    """
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    return int(max(1, min(PAGE_BYTES * metadata.num_rows // max(size, 1), PAGE_ROWS)))
