"""A results folder: written as a whole or not at all, opened only if it is whole.

Tables are written into a hidden folder beside the place they are meant for (`workfolder.py`). The
manifest goes in last, and then the folder takes its name in one step; an older result stays until
that moment.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from dedup import _native
from dedup.arguments import path_of
from dedup.errors import NativeError, ResultsError
from dedup.manifest import Manifest, read_manifest
from dedup.outputs import Output, naming_output
from dedup.schemas import TABLES
from dedup.sources.batches import cut_rows
from dedup.sources.strings import measure_strings
from dedup.sources.urls import is_url, show_url
from dedup.typed import MismatchError
from dedup.workfolder import NEW, WorkFolder

MANIFEST = "manifest.json"
FORMAT = "dedup results"  # by which a scan knows an older result, which it may replace
FORMAT_VERSION = 1  # raised when a table's columns change their meaning
MAX_WAITING = 2  # parts of tables that are made and not written yet
PART_BYTES = 64 << 20  # of names that are written out at once
ROW_GROUP = 1 << 18  # rows: large enough to compress well, small enough to filter by


class Scan:
    """The result of a scan: lazy Arrow datasets, one a table, and the manifest.

    `result.articles.to_table()` reads a table; `result.articles.to_table(filter=...)` a part.
    The file of a table is compared with its digest in the manifest when it is first asked for.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        """Raise a ResultsError for a manifest with a field that is missing or wrong."""
        self.path = path
        self.manifest = manifest
        try:
            self.facts: Manifest = read_manifest(manifest)
        except MismatchError as err:
            raise ResultsError(
                f"{path / MANIFEST} is damaged: {err}",
                hint="scan again: dedup scan INPUT... -o RESULTS",
            ) from err
        self._checked: set[str] = set()

    def __repr__(self) -> str:
        return f"Scan({str(self.path)!r}, {self.facts.counts['articles']:,} articles)"

    def dataset(self, table: str) -> ds.Dataset:
        """Return one table by name as an Arrow dataset.

        Raises a `ResultsError` if its file is missing or is not what the scan wrote.
        """
        path = self.path / f"{table}.parquet"
        if table not in TABLES or not path.exists():
            names = ", ".join(TABLES)
            raise ResultsError(f"{self.path} has no table {table!r}", hint=f"tables are: {names}")
        if table not in self._checked:
            self._check(table, path)
            self._checked.add(table)
        return ds.dataset(path, schema=TABLES[table], format="parquet")

    @contextmanager
    def reading(self, table: str) -> Iterator[ds.Dataset]:
        """Give one table by name, and turn what fails while it is read into a ResultsError."""
        dataset = self.dataset(table)
        try:
            yield dataset
        except pa.ArrowMemoryError:
            raise
        except (OSError, pa.ArrowException) as err:
            path = self.path / f"{table}.parquet"
            reason = str(err).splitlines()[0] if str(err) else type(err).__name__
            raise ResultsError(f"cannot read {path}: {reason}", hint="scan again") from err

    def _check(self, table: str, path: Path) -> None:
        meant = self.facts.tables[table]
        try:
            is_same = path.stat().st_size == meant.bytes and _digest(path) == meant.digest
        except OSError as err:
            raise ResultsError(f"cannot read {path}: {err.strerror}", hint="scan again") from err
        except NativeError as err:  # which names the file
            raise ResultsError(str(err), hint="scan again") from err
        if not is_same:
            raise ResultsError(
                f"{path} is not what the scan wrote: its digest differs from the manifest's",
                hint="scan again, or bring the file back from a copy",
            )

    @property
    def articles(self) -> ds.Dataset:
        """One row an article: its redundancy, the parts of it and where its words come from."""
        return self.dataset("articles")

    @property
    def paragraphs(self) -> ds.Dataset:
        """One row a paragraph: what it is and what it was matched with."""
        return self.dataset("paragraphs")

    @property
    def spans(self) -> ds.Dataset:
        """One row a flagged span of text and the place its words stood before."""
        return self.dataset("spans")

    @property
    def clusters(self) -> ds.Dataset:
        """One row a cluster of near-copies."""
        return self.dataset("clusters")

    @property
    def members(self) -> ds.Dataset:
        """One row a member of a cluster."""
        return self.dataset("members")

    @property
    def pairs(self) -> ds.Dataset:
        """One row a verified pair."""
        return self.dataset("pairs")

    @property
    def templates(self) -> ds.Dataset:
        """One row a template: fixed words, its slots and where it stands."""
        return self.dataset("templates")

    @property
    def rejected(self) -> ds.Dataset:
        """One row an input row that could not be read."""
        return self.dataset("rejected")


def open_scan(path: str | os.PathLike[str]) -> Scan:
    """Open a results folder.

    Raises a `ResultsError` if there is none, if it is not whole, if its manifest is damaged, or if
    another version of the format wrote it.
    """
    if isinstance(path, str) and is_url(path):
        raise ResultsError(
            f"{show_url(path)} is a URL, and results are read from this machine",
            hint="copy the results folder to this machine",
        )
    folder = Path(path_of("path", path))
    if not folder.is_dir():
        raise ResultsError(
            f"{folder} is not a results folder", hint="make one: dedup scan INPUT... -o RESULTS"
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise ResultsError(
            f"{folder} has no readable {MANIFEST}, so it is no finished scan",
            hint="scan again: dedup scan INPUT... -o RESULTS",
        ) from err
    if version != FORMAT_VERSION:
        raise ResultsError(
            f"{folder} has format version {reprlib.repr(version)}, but this dedup reads"
            f" {FORMAT_VERSION}",
            hint="scan again, or open it with the version of dedup that its manifest names",
        )
    missing = [name for name in TABLES if not (folder / f"{name}.parquet").exists()]
    if missing:
        raise ResultsError(f"{folder} lacks {missing[0]}.parquet", hint="scan again")
    return Scan(folder, manifest)


class ResultsWriter:
    """Writes the tables of one scan, and shows them to the world together at the end.

    Use it as a context manager; leaving it without `finish` leaves no table that looks whole.
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
            writer.is_open = False  # a footer would make half a table look whole
        for file in self._open_files.values():
            with suppress(OSError):  # of a disk that is full, which was said
                file.close()

    def write(self, table: str, rows: pa.Table) -> None:
        """Append rows; columns are brought into the table's schema.

        They are written in a thread of its own, while the caller makes the next ones; what goes
        wrong there is raised here, or by `finish`.
        """
        self._waiting.append(self._pool.submit(self._write, table, rows))
        self._wait(MAX_WAITING)

    def close(self, *tables: str, then: Callable[[dict[str, str]], None]) -> None:
        """Make tables whole, behind all that waits to be written; `then` is told their digests."""
        for table in tables:
            self.write(table, TABLES[table].empty_table())
        self._whole.update(tables)
        self._waiting.append(self._pool.submit(self._close, tables, then))

    def _close(self, tables: Sequence[str], then: Callable[[dict[str, str]], None]) -> None:
        with naming_output(self.target):
            for table in tables:
                self._writers.pop(table).close()
                self._open_files.pop(table).close()
            digests = {table: _digest(self._path(table)) for table in tables}
            self._digests.update(digests)
            then(digests)

    def keep(self, digests: Mapping[str, str]) -> bool:
        """Keep tables that another process made whole, if they have these digests."""
        paths = {table: self._path(table) for table in digests}
        if not all(path.is_file() for path in paths.values()):
            return False
        if {table: _digest(path) for table, path in paths.items()} != digests:
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
    """Bring rows into a schema, in parts: one long name may stand in every row of a column."""
    sizes = np.zeros(rows.num_rows, np.int64)
    for field, column in zip(schema, rows.columns, strict=True):
        if pa.types.is_string(field.type) and pa.types.is_dictionary(column.type):
            sizes += np.concatenate([measure_strings(chunk) for chunk in column.chunks])
    for start, count in cut_rows(sizes, PART_BYTES):
        yield rows.slice(start, count).cast(schema)


def _digest(path: Path) -> str:
    return f"xxh3-128:{_native.digest_file(path)}"


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
        write_page_checksum=True,  # for readers that know no manifest; 0.1 % of a table
    )


def describe_results(target: str | os.PathLike[str], inputs: Sequence[str] = ()) -> Output:
    """Describe a results folder to write; an older one with nothing else in it may be replaced."""
    files = [MANIFEST, *(f"{table}.parquet" for table in TABLES)]
    return Output(target, files=files, recognise=_is_results, inputs=inputs)


def _is_results(folder: Path) -> bool:
    """Whether a folder has the manifest of a scan, of whatever version of the format."""
    try:
        file = os.open(folder / MANIFEST, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(file, encoding="utf-8") as text:
            manifest = json.load(text)
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(manifest, dict)
        and manifest.get("format") == FORMAT
        and isinstance(manifest.get("format_version"), int)
    )
