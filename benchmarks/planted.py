"""Which of the copies that corpora.py has planted a scan finds.

What must be found is decided by the definition, not by the edits: articles and paragraphs whose
words, boilerplate included, are still similar enough, and every run and repeat. A paragraph is
found if it is paired or clustered with its origin or is called a copy (of another copy, maybe);
a run or repeat if flagged spans, of one source or several, cover it.
"""

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from definition import count_shared, number_words, split_words
from report import Cell, format_table

import dedup

Row = dict[str, Any]
Place = tuple[str, int]  # article, position

NEAR = 0.8  # the default threshold: less similar copies need not be found, but runs must be
MIN_TOKENS = 8  # shorter paragraphs match exactly only
COVERED = 0.9  # of a run's words must lie in flagged spans


class Findings:
    """What a scan says of paragraphs, by article and position."""

    def __init__(self, scan: dedup.Scan, texts: dict[str, str]) -> None:
        self.texts = texts
        self.paragraphs: dict[Place, Row] = {}
        self.spans: dict[str, list[Row]] = defaultdict(list)
        self.clusters: dict[str, str] = {}
        self.pairs: set[frozenset[tuple[str, int | None]]] = set()
        wanted = ["article_id", "position", "start", "end", "tokens", "kind"]
        wanted += ["cluster_id", "copies"]
        for batch in scan.paragraphs.to_batches(columns=wanted):
            for row in batch.to_pylist():
                self.paragraphs[row["article_id"], row["position"]] = row
        for row in scan.spans.to_table(columns=["article_id", "start", "end", "kind"]).to_pylist():
            self.spans[row["article_id"]].append(row)
        for row in scan.articles.to_table(columns=["article_id", "article_cluster"]).to_pylist():
            self.clusters[row["article_id"]] = row["article_cluster"]
        sides = [f"{side}_{part}" for side in ("left", "right") for part in ("article", "position")]
        for row in scan.pairs.to_table(columns=sides).to_pylist():
            left, left_position, right, right_position = (row[name] for name in sides)
            self.pairs.add(frozenset([(left, left_position), (right, right_position)]))

    def find(self, truth: Row) -> bool:
        """Whether a planted relation was found, whatever it is."""
        copy = truth["copy_article"], truth["copy_position"]
        origin = truth["origin_article"], truth["origin_position"]
        if frozenset([copy, origin]) in self.pairs:
            return True
        if truth["unit"] == "article":
            cluster = self.clusters[copy[0]]
            return bool(cluster and cluster == self.clusters[origin[0]])
        paragraph = self.paragraphs[copy]
        if truth["unit"] == "repeat":
            inside = self.covered_words(paragraph, ("internal_repeat",))
            return inside >= COVERED * int(truth["shared_words"])
        if truth["unit"] == "run":
            inside = self.covered_words(paragraph, ("shared_run", "near_copy", "exact_copy"))
            return inside >= COVERED * int(truth["shared_words"])
        cluster = paragraph["cluster_id"]
        together = bool(cluster and cluster == self.paragraphs[origin]["cluster_id"])
        if truth["kind"] == "exact":  # of a short one the kind says only that
            return together or paragraph["copies"] > 1
        return together or paragraph["kind"] in ("exact_copy", "near_copy")

    def covered_words(self, paragraph: Row, kinds: tuple[str, ...]) -> int:
        """Words of a paragraph that lie in flagged spans."""
        article, start, end = (paragraph[name] for name in ("article_id", "start", "end"))
        text = self.texts[article]
        lengths = [
            len(split_words(text[max(start, span["start"]) : min(end, span["end"])]))
            for span in self.spans[article]
            if span["kind"] in kinds and start < span["end"] and span["start"] < end
        ]
        return sum(lengths)

    def measure(self, truth: Row) -> float:
        """Similarity of the whole texts of a copy and its origin."""
        numbers: dict[str, int] = {}
        names = (truth["copy_article"], truth["origin_article"])
        texts = [number_words(split_words(self.texts[name]), numbers) for name in names]
        return 2 * count_shared(*texts) / sum(map(len, texts))

    def must_find(self, truth: Row) -> bool:
        """Whether a planted relation is one by the definition."""
        if truth["unit"] in ("run", "repeat") or truth["kind"] == "exact":
            return True
        if truth["unit"] == "article":
            return self.measure(truth) >= NEAR
        copy = truth["copy_article"], truth["copy_position"]
        origin = truth["origin_article"], truth["origin_position"]
        tokens = min(self.paragraphs[place]["tokens"] for place in (copy, origin))
        return bool(tokens >= MIN_TOKENS and truth["similarity"] >= NEAR)


def choose_row(truth: Row) -> tuple[str, str, float]:
    """The row of the table that a relation counts in; rates of whole articles are rounded."""
    unit, kind, rate = truth["unit"], truth["kind"], truth["edit_rate"]
    if kind not in ("edit", "edit_clumped", "truncate"):
        return unit, kind, 0.0
    return unit, kind, round(rate, 1) if kind == "truncate" else rate


def measure_planted(folder: Path) -> str:
    """Scan a corpus and tabulate the recall of its planted copies by kind and edit rate."""
    table = pq.read_table(folder / "articles.parquet", columns=["id", "text"])
    texts = dict(zip(*table.to_pydict().values(), strict=True))
    with tempfile.TemporaryDirectory() as temporary:
        scan = dedup.scan(folder / "articles.parquet", Path(temporary) / "results")
        findings = Findings(scan, texts)
    counts: dict[tuple[str, str, float], list[int]] = defaultdict(lambda: [0, 0])
    for truth in pq.read_table(folder / "truth.parquet").to_pylist():
        if truth["unit"] == "boilerplate" or not findings.must_find(truth):
            continue  # boilerplate has no origin to be found with
        row = choose_row(truth)
        counts[row][0] += 1
        counts[row][1] += findings.find(truth)
    rows: list[list[Cell]] = [
        [unit, kind, f"{rate:.2f}" if rate else "-", planted, found / planted]
        for (unit, kind, rate), (planted, found) in sorted(counts.items())
    ]
    return format_table(["unit", "kind", "edit rate", "planted", "recall"], rows)
