"""Entries of folders and globs that are not read, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

HIDDEN = "hidden"
OF_SPARK = "written by Spark for itself"
UNKNOWN = "of an unknown format"
RESULTS = "a results folder of dedup"
OUTSIDE = "linked, but outside the folder"
QUERY = "linked with a query"
MISSING = "linked, but missing"

# Files that Spark, Databricks and Delta Lake write beside their data.
_SPARK = ("_SUCCESS", "_metadata", "_common_metadata", "_temporary", "_delta_log")
_SPARK_PREFIXES = ("_committed", "_started", "_spark_metadata")


class LeftOut(NamedTuple):
    """A file or folder that was found and is not read."""

    path: str  # or the shown form of a URL
    reason: str


def set_apart(name: str) -> str | None:
    """Return why a file or folder of this name is always skipped, or None if it is not."""
    if name.startswith("."):
        return HIDDEN
    if name in _SPARK or name.startswith(_SPARK_PREFIXES):
        return OF_SPARK
    return None


def group_by_reason(entries: Iterable[LeftOut]) -> list[dict[str, str | int]]:
    """Count what was left out by reason, with the first name of each as an example."""
    groups: dict[str, list[str]] = {}
    for path, reason in sorted(set(entries)):
        groups.setdefault(reason, []).append(path)
    return list(_describe(groups))


def _describe(groups: dict[str, list[str]]) -> Iterator[dict[str, str | int]]:
    for reason, paths in sorted(groups.items()):
        yield {"reason": reason, "count": len(paths), "example": paths[0]}
