"""A results folder, written as a whole or not at all.

Tables are written into a hidden folder beside their final place (`work/folder.py`). The manifest is
written last, and then the folder takes its name in one step; an older result stays until that
moment.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.outputs import naming_output
from dedup.results import FORMAT, FORMAT_VERSION, MANIFEST, Scan, digest_table
from dedup.schemas import TABLES
from dedup.util.columns import cut_rows
from dedup.util.strings import measure_strings
from dedup.work.folder import NEW, WorkFolder

MAX_WAITING = 2  # parts of tables that are made and not written yet
PART_BYTES = 64 << 20  # of names that are written out at once
ROW_GROUP = 1 << 18  # rows: large enough to compress well, small enough to filter by


class ResultsWriter:
    """Writes the tables of one scan, and publishes them together at the end.

    Use it as a context manager; leaving it without `finish` leaves no table that looks complete.
    """

    def __init__(self, work: WorkFolder) -> None:
        """Write into a work folder, whose output takes its place at the end."""
        self.folder = work.path / NEW
        self.target = work.output.given
        self._work = work
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._open_files: dict[str, BinaryIO] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._whole: set[str] = set()
        self._digests: dict[str, str] = {}
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> ResultsWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for writer in self._writers.values():
            writer.is_open = False  # a footer would make half a table look complete
        for file in self._open_files.values():
            with suppress(OSError):  # of a full disk, which was reported already
                file.close()

    def write(self, table: str, rows: pa.Table) -> None:
        """Append rows; columns are brought into the table's schema.

        They are written in a separate thread, while the caller makes the next ones; errors of that
        thread are raised here, or by `finish`.
        """
        self._waiting.append(self._pool.submit(self._write, table, rows))
        self._wait(MAX_WAITING)

    def close(self, *tables: str, then: Callable[[dict[str, str]], None]) -> None:
        """Complete tables, after all rows waiting to be written; `then` receives their digests."""
        for table in tables:
            self.write(table, TABLES[table].empty_table())
        self._whole.update(tables)
        self._waiting.append(self._pool.submit(self._close, tables, then))

    def _close(self, tables: Sequence[str], then: Callable[[dict[str, str]], None]) -> None:
        with naming_output(self.target):
            for table in tables:
                self._writers.pop(table).close()
                self._open_files.pop(table).close()
            digests = {table: digest_table(self._path(table)) for table in tables}
            self._digests.update(digests)
            then(digests)

    def keep(self, digests: Mapping[str, str]) -> bool:
        """Keep tables that another process completed, if they have these digests."""
        paths = {table: self._path(table) for table in digests}
        if not all(path.is_file() for path in paths.values()):
            return False
        if {table: digest_table(path) for table, path in paths.items()} != digests:
            return False
        self._whole.update(digests)
        self._digests.update(digests)
        return True

    def _path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"

    def _wait(self, at_most: int) -> None:
        while len(self._waiting) > at_most:
            self._waiting.popleft().result()

    def _write(self, table: str, rows: pa.Table) -> None:
        schema = TABLES[table]
        with naming_output(self.target):
            if table not in self._writers:
                file = self._work.open_new(f"{NEW}/{table}.parquet")
                self._open_files[table] = file
                self._writers[table] = _open_table(file, schema)
            for part in _write_out(rows.select(schema.names), schema) if rows.num_rows else ():
                self._writers[table].write_table(part, row_group_size=ROW_GROUP)

    def finish(self, manifest: Mapping[str, Any]) -> Scan:
        """Close the tables, add the manifest and put the folder in its place."""
        rest = (table for table in TABLES if table not in self._whole)
        self.close(*rest, then=lambda _: None)
        self._wait(0)
        with naming_output(self.target):
            tables = {
                table: {"bytes": self._path(table).stat().st_size, "digest": self._digests[table]}
                for table in TABLES
            }
            document = {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                **manifest,
                "tables": tables,
            }
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            with self._work.open_new(f"{NEW}/{MANIFEST}") as file:
                file.write(text.encode())
            self._work.publish()
        return Scan(self.target, document)


def _write_out(rows: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """Bring rows into a schema, in parts: one long name may be in every row of a column."""
    sizes = np.zeros(rows.num_rows, np.int64)
    for field, column in zip(schema, rows.columns, strict=True):
        if pa.types.is_string(field.type) and pa.types.is_dictionary(column.type):
            sizes += np.concatenate([measure_strings(chunk) for chunk in column.chunks])
    for start, count in cut_rows(sizes, PART_BYTES):
        yield rows.slice(start, count).cast(schema)


def _open_table(file: BinaryIO, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a table: dictionaries for names, differences for counts, which rarely repeat."""
    counts = [field.name for field in schema if pa.types.is_integer(field.type)]
    names = [
        field.name
        for field in schema
        if pa.types.is_dictionary(field.type) or pa.types.is_string(field.type)
    ]
    return pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        use_dictionary=names,
        column_encoding=dict.fromkeys(counts, "DELTA_BINARY_PACKED"),
        write_page_checksum=True,  # for readers without the manifest; 0.1 % of a table
    )
