"""Keep the articles worth keeping: scanned files in, the same files without the rest out."""

from dedup.filtering.filter import FilterReport, filter_articles
from dedup.filtering.removals import Removal

__all__ = ["FilterReport", "Removal", "filter_articles"]
