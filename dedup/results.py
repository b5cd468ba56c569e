"""A results folder: written as a whole or not at all, opened only if it is whole.

Tables are written into a hidden folder beside the place they are meant for (`unfinished.py`). The
manifest goes in last, and then the folder takes its name in one step; an older result stays until
that moment.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from dedup import _native
from dedup.arguments import path_of
from dedup.errors import OutputError, ResultsError
from dedup.schemas import TABLES
from dedup.sources.remote import is_url

MANIFEST = "manifest.json"
FORMAT_VERSION = 1  # raised when a table's columns change their meaning
MAX_WAITING = 2  # parts of tables that are made and not written yet
ROW_GROUP = 1 << 18  # rows: large enough to compress well, small enough to filter by


class Scan:
    """The result of a scan: lazy Arrow datasets, one a table, and the manifest.

    `result.articles.to_table()` reads a table; `result.articles.to_table(filter=...)` a part.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    def __repr__(self) -> str:
        counts = self.manifest["counts"]
        return f"Scan({str(self.path)!r}, {counts['articles']:,} articles)"

    def dataset(self, table: str) -> ds.Dataset:
        """Return one table by name as an Arrow dataset."""
        path = self.path / f"{table}.parquet"
        if table not in TABLES or not path.exists():
            names = ", ".join(TABLES)
            raise ResultsError(f"{self.path} has no table {table!r}", hint=f"tables are: {names}")
        return ds.dataset(path, schema=TABLES[table], format="parquet")

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

    Raises a `ResultsError` if there is none, if it is not whole, or if another version of the
    format wrote it.
    """
    folder = Path(path_of("path", path))
    if not folder.is_dir():
        raise ResultsError(
            f"{folder} is not a results folder", hint="make one: dedup scan INPUT... -o RESULTS"
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ResultsError(
            f"{folder} has no readable {MANIFEST}, so it is no finished scan",
            hint="scan again: dedup scan INPUT... -o RESULTS",
        ) from err
    if version != FORMAT_VERSION:
        raise ResultsError(
            f"{folder} has format version {version}, but this dedup reads {FORMAT_VERSION}",
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

    def __init__(self, folder: Path, target: Path) -> None:
        """Write into `folder`, which takes the place of `target` at the end."""
        self.folder = folder
        self.target = target
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._whole: set[str] = set()
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
            then({table: _native.digest_file(self._path(table)) for table in tables})

    def keep(self, digests: Mapping[str, str]) -> bool:
        """Keep tables that another process made whole, if they have these digests."""
        paths = {table: self._path(table) for table in digests}
        if not all(path.is_file() for path in paths.values()):
            return False
        found = {table: _native.digest_file(path) for table, path in paths.items()}
        if found != digests:
            return False
        self._whole.update(digests)
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
                self._writers[table] = _open_table(self._path(table), schema)
            if rows.num_rows:
                rows = rows.select(schema.names).cast(schema)
                self._writers[table].write_table(rows, row_group_size=ROW_GROUP)

    def finish(self, manifest: Mapping[str, Any]) -> Scan:
        """Close the tables, add the manifest and put the folder in its place."""
        rest = (table for table in TABLES if table not in self._whole)
        self.close(*rest, then=lambda _: None)
        self._wait(0)
        with naming_output(self.target):
            document = {"format_version": FORMAT_VERSION, **manifest}
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            (self.folder / MANIFEST).write_text(text, encoding="utf-8")
            _native.put_in_place(self.folder, self.target)
        return Scan(self.target, document)


def _open_table(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a table: dictionaries for names, differences for counts, which rarely repeat."""
    counts = [field.name for field in schema if pa.types.is_integer(field.type)]
    names = [
        field.name
        for field in schema
        if pa.types.is_dictionary(field.type) or pa.types.is_string(field.type)
    ]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=names,
        column_encoding=dict.fromkeys(counts, "DELTA_BINARY_PACKED"),
    )


def refuse_url(target: str | os.PathLike[str]) -> None:
    """Refuse a place on another machine, where nothing takes its name in one step."""
    if is_url(os.fspath(target)):
        raise OutputError(
            f"{os.fspath(target)} is a URL, and output can only be written to this machine",
            hint="write to a local folder and copy it when it is whole",
        )


def check_target(target: Path) -> None:
    """Refuse to write over anything that is not an older result."""
    if not target.exists() and not target.is_symlink():
        return
    if target.is_dir() and ((target / MANIFEST).is_file() or not any(target.iterdir())):
        return
    raise OutputError(
        f"{target} exists and is not a results folder, so it will not be written over",
        hint="name another folder with -o, or remove it",
    )


@contextmanager
def naming_output(target: Path) -> Iterator[None]:
    """Turn a failing disk or a missing permission into one clear sentence."""
    try:
        yield
    except OSError as err:
        reason = err.strerror or str(err)
        raise OutputError(
            f"cannot write {target}: {reason}",
            hint="free some space or name another place with -o; nothing was changed",
        ) from err
