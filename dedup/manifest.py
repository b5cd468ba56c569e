"""The manifest of a results folder: what was scanned, how, and the digests of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dedup.config import Config
from dedup.errors import ConfigError
from dedup.schemas import TABLES
from dedup.util.typed import MismatchError, read_typed

Setting = str | int | float | bool | tuple[str, ...] | None
Settings = Mapping[str, Setting | Mapping[str, Setting]]

TOTAL = "total"
COUNTED = ("articles", "paragraphs", "distinct_paragraphs", "templates", "text_bytes")


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file that was scanned."""

    path: str
    bytes: int
    digest: str | None  # None if the file could not be read a second time


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Files of folders and globs that were not read, by reason."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """What identifies the file of a table."""

    bytes: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The fields of a manifest, named as in its file."""

    format_version: int
    dedup_version: str
    fingerprint_version: int
    finished: str
    config: Settings
    inputs: tuple[Input, ...]
    tables: Mapping[str, TableFile]  # one for each name in TABLES
    counts: Mapping[str, int]  # those in COUNTED, and others
    limits: Mapping[str, int]
    elapsed_s: Mapping[str, float]  # by step, and in TOTAL
    cpu_s: Mapping[str, float]  # by step
    work: Mapping[str, int]
    peak_memory_bytes: int
    left_out: tuple[LeftOut, ...] = ()
    resumed: bool = False

    @property
    def settings(self) -> Config:
        """The settings of the scan."""
        return Config.from_dict(self.config)


def read_manifest(document: Any) -> Manifest:
    """Check the JSON of a manifest; raise a MismatchError that names the first field that is wrong.

    Fields that a later version added are ignored.
    """
    manifest = read_typed(Manifest, document)
    for name, needed in (("tables", TABLES), ("counts", COUNTED), ("elapsed_s", (TOTAL, "read"))):
        for key in needed:
            if key not in document[name]:
                raise MismatchError(f"{name} has no {key}")
    try:
        datetime.fromisoformat(manifest.finished)
        Config.from_dict(manifest.config)
    except (ValueError, ConfigError) as err:
        raise MismatchError(str(err)) from err
    return manifest
