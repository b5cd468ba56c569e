"""Keep the articles worth keeping: scanned files in, the same files without the rest out."""

from dedup.filter.removed import Removal
from dedup.filter.run import FilterReport, filter_articles

__all__ = ["FilterReport", "Removal", "filter_articles"]
