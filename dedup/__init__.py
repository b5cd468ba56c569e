"""Find near-copies, boilerplate and redundancy in articles, and explain every finding."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dedup._version import __version__

if TYPE_CHECKING:
    from dedup.api.estimators import NearDuplicates
    from dedup.api.in_memory import score
    from dedup.config import Config
    from dedup.errors import DedupError
    from dedup.filter import FilterReport, filter_articles
    from dedup.pipeline import scan
    from dedup.results import Scan, open_scan

__all__ = [
    "Config",
    "DedupError",
    "FilterReport",
    "NearDuplicates",
    "Scan",
    "__version__",
    "filter_articles",
    "open_scan",
    "scan",
    "score",
]

_HOMES = {
    "Config": "config",
    "DedupError": "errors",
    "FilterReport": "filter",
    "NearDuplicates": "api.estimators",
    "Scan": "results",
    "filter_articles": "filter",
    "open_scan": "results",
    "scan": "pipeline",
    "score": "api.in_memory",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `dedup --help` need not wait."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}")
    return getattr(importlib.import_module(f"dedup.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
