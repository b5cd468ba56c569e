"""Which rows are removed, and why: decided from the scan's tables before a file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.arguments import check_number
from dedup.config import need_choice, need_share
from dedup.errors import ConfigError
from dedup.read.batches import REJECTED
from dedup.results import Scan

Keep = Literal["first", "longest", "best", "none"]
Mask = npt.NDArray[np.bool_]

SCORES = ("redundancy", "internal", "copied", "formulaic")
MIN_SOURCE_ARTICLES = 20  # of fewer, a large share is easily reached by chance

_COLUMNS = [
    *("article_id", "source", "input_file", "input_row", "tokens"),
    *SCORES,
    *("top_source", "article_cluster", "is_representative"),
]
_LEFT = {
    "first": "not the first of its cluster",
    "longest": "not the longest of its cluster",
    "best": "not the least redundant of its cluster",
    "none": "member of a cluster",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an article must satisfy to be kept."""

    max_redundancy: float | None = None
    keep: Keep | None = None

    def __post_init__(self) -> None:
        if self.max_redundancy is None and self.keep is None:
            raise ConfigError(
                "no rule says which articles to keep",
                hint="give --max-redundancy, such as 0.5, or --keep, such as first",
            )
        if self.max_redundancy is not None:
            check_number("max_redundancy", self.max_redundancy)
            need_share("max_redundancy", self.max_redundancy, least=0)
        if self.keep is not None:
            need_choice("keep", self.keep, Keep)


@dataclass(frozen=True)
class Decisions:
    """The articles of the chosen inputs, which of them are removed and why, and rejected rows."""

    articles: pa.Table  # in the order of the scan
    is_kept: Mask
    reasons: pa.Array  # null for an article that is kept
    rejected: pa.Table

    def by_reason(self) -> dict[str, int]:
        """Count the removed rows by reason, the most frequent first."""
        counts = {
            str(entry["values"]): int(entry["counts"])
            for entry in self.reasons.drop_null().value_counts().to_pylist()
        }
        if self.rejected.num_rows:
            counts["rejected by the scan"] = self.rejected.num_rows
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def heavily_cut_sources(self, max_removed: float) -> list[str]:
        """Name, with numbers, each larger source that would lose more than this share."""
        groups = (
            pa.table({"source": self.articles["source"], "removed": ~self.is_kept})
            .group_by("source")
            .aggregate([("removed", "sum"), ("removed", "count")])
            .to_pylist()
        )
        cuts = []
        for group in groups:
            removed, total = group["removed_sum"], group["removed_count"]
            if total >= MIN_SOURCE_ARTICLES and removed / total > max_removed:
                name = repr(group["source"]) if group["source"] else "no named source"
                cuts.append((-removed / total, f"{removed:,} of {total:,} articles of {name}"))
        return [sentence for _, sentence in sorted(cuts)]


def decide_articles(scan: Scan, paths: Sequence[str], rule: Rule) -> Decisions:
    """Decide on every article and rejected row of some inputs, named as the scan names them.

    An article is kept if its redundancy is at most `rule.max_redundancy` and, with `rule.keep`, if
    it is the one chosen of its cluster or in no cluster. Of equals, the first in the table is
    chosen.
    """
    is_wanted = pc.field("input_file").isin(list(paths))
    # Chosen among all: the first of a cluster may be in a file that is not given.
    with scan.reading("articles") as table:
        everything = table.to_table(columns=_COLUMNS)
    with scan.reading("rejected") as table:
        rejected = table.to_table(filter=is_wanted).cast(REJECTED)
    is_over = np.zeros(everything.num_rows, dtype=bool)
    if rule.max_redundancy is not None:
        is_over = everything["redundancy"].to_numpy() > rule.max_redundancy
    is_left = np.zeros(everything.num_rows, dtype=bool)
    if rule.keep is not None:
        is_left = ~_is_chosen(everything, rule.keep)
    everything = everything.append_column("over", pa.array(is_over))
    everything = everything.append_column("left", pa.array(is_left))
    articles = everything.filter(is_wanted)
    is_over, is_left = (articles[name].to_numpy() for name in ("over", "left"))
    return Decisions(
        articles.drop_columns(["over", "left"]),
        ~(is_over | is_left),
        _reasons(is_over, is_left, rule),
        rejected,
    )


def _is_chosen(articles: pa.Table, keep: Keep) -> Mask:
    """Tell which articles are the ones to keep of their clusters; one in no cluster always is."""
    is_alone: Mask = np.array(articles["article_cluster"].is_null())
    if keep == "none":
        return is_alone
    if keep == "first":
        is_first: Mask = np.array(articles["is_representative"].fill_null(False))
        return is_alone | is_first
    members = np.flatnonzero(~is_alone)
    clusters = articles["article_cluster"].combine_chunks().dictionary_encode().indices
    codes = clusters.take(pa.array(members)).to_numpy()
    column = "tokens" if keep == "longest" else "redundancy"
    worth = articles[column].to_numpy()[members]
    order = np.lexsort((members, -worth if keep == "longest" else worth, codes))
    is_best = np.ones(len(order), dtype=bool)
    is_best[1:] = codes[order][1:] != codes[order][:-1]
    is_alone[members[order[is_best]]] = True
    return is_alone


def _reasons(is_over: Mask, is_left: Mask, rule: Rule) -> pa.Array:
    over = f"redundancy above {rule.max_redundancy}"
    left = _LEFT[rule.keep or "none"]
    names = pa.array([over, left, f"{over}; {left}"])
    which = pa.array(is_over + 2 * is_left.astype(np.int8) - 1, mask=~(is_over | is_left))
    return names.take(which)
