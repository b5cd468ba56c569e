"""A results folder, opened only if it is complete."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from dedup import _native
from dedup.arguments import path_of
from dedup.errors import NativeError, ResultsError
from dedup.manifest import Manifest, read_manifest
from dedup.outputs import Output
from dedup.read.urls import is_url, show_url
from dedup.schemas import TABLES
from dedup.util.typed import MismatchError

MANIFEST = "manifest.json"
FORMAT = "dedup results"  # by which a scan knows an older result, which it may replace
FORMAT_VERSION = 1  # raised when a table's columns change their meaning


class Scan:
    """The result of a scan: lazy Arrow datasets, one per table, and the manifest.

    `result.articles.to_table()` reads a table; `result.articles.to_table(filter=...)` a part.
    The file of a table is compared with its digest in the manifest when it is first used.
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
        """Give one table by name, and turn errors while it is read into a ResultsError."""
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
            is_same = path.stat().st_size == meant.bytes and digest_table(path) == meant.digest
        except OSError as err:
            raise ResultsError(f"cannot read {path}: {err.strerror}", hint="scan again") from err
        except NativeError as err:  # which names the file
            raise ResultsError(str(err), hint="scan again") from err
        if not is_same:
            raise ResultsError(
                f"{path} is not what the scan wrote: its digest differs from the manifest's",
                hint="scan again, or restore the file from a copy",
            )

    @property
    def articles(self) -> ds.Dataset:
        """One row per article: its redundancy, the parts of it and where its words come from."""
        return self.dataset("articles")

    @property
    def paragraphs(self) -> ds.Dataset:
        """One row per paragraph: what it is and what it was matched with."""
        return self.dataset("paragraphs")

    @property
    def spans(self) -> ds.Dataset:
        """One row per flagged span of text: why, and where its words appeared before."""
        return self.dataset("spans")

    @property
    def clusters(self) -> ds.Dataset:
        """One row per cluster of near-copies."""
        return self.dataset("clusters")

    @property
    def members(self) -> ds.Dataset:
        """One row per member of a cluster."""
        return self.dataset("members")

    @property
    def pairs(self) -> ds.Dataset:
        """One row per verified pair."""
        return self.dataset("pairs")

    @property
    def templates(self) -> ds.Dataset:
        """One row per template: its fixed words, its slots and where it appears."""
        return self.dataset("templates")

    @property
    def rejected(self) -> ds.Dataset:
        """One row per input row that could not be read."""
        return self.dataset("rejected")


def open_scan(path: str | os.PathLike[str]) -> Scan:
    """Open a results folder.

    Raises a `ResultsError` if there is none, if it is incomplete, if its manifest is damaged, or if
    another version of the format wrote it.
    """
    if isinstance(path, str) and is_url(path):
        raise ResultsError(
            f"{show_url(path)} is a URL, but results are read from this machine only",
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
            f"{folder} has no readable {MANIFEST}, so it is not a finished scan",
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


def digest_table(path: Path) -> str:
    """Return the digest of a table's file, as the manifest has it."""
    return f"xxh3-128:{_native.digest_file(path)}"


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
