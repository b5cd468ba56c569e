"""Paragraphs for `peers.py` to compare tools on, and what the answers of the tools are worth.

A pair is right if the slow definition says so, and must be found if its words are similar enough:
every such pair there is, or of large corpora the planted ones. Only texts with different words
are judged, for every tool finds equal ones, and only those of 8 words or more.
"""

import string
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from definition import number_words, split_words
from quality import (
    SAMPLE,
    Collection,
    Numbers,
    as_rows,
    find_every_pair,
    is_near,
    prepare_collection,
    scan_pairs,
)

import dedup

ROW_GROUP = 100_000  # paragraphs: enough groups for the threads of every tool
MIN_WORDS = 8  # dedup leaves shorter paragraphs to exact matching
GAPS = dict.fromkeys(map(ord, string.punctuation + "«»“”„…—\u2013\u2018\u2019"), " ")


class Marks(NamedTuple):
    """What a run is worth; nothing where that cannot be known."""

    recall: float | None
    precision: float | None
    own_recall: float | None  # of those pairs that are alike by the tool's own similarity


def prepare_paragraphs(source: Path, folder: Path) -> int:
    """Write the paragraphs of a collection (id, text) as dedup cuts them; return their bytes."""
    path = folder / "paragraphs.parquet"
    if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        collection = prepare_collection(source, None, folder)
        scan = dedup.scan(collection.path, folder / "places")
        table = scan.paragraphs.to_table(columns=["article_id", "position", "start", "end"])
        articles = as_rows(table["article_id"]).tolist()
        bounds = zip(table["start"].to_pylist(), table["end"].to_pylist(), strict=True)
        parts = zip(articles, bounds, strict=True)
        texts = [" ".join(collection.texts[at][start:end].split()) for at, (start, end) in parts]
        places = zip(articles, table["position"].to_pylist(), strict=True)
        if (source.parent / "truth.parquet").exists():
            rows = {place: row for row, place in enumerate(places)}
            pq.write_table(locate_planted(source, rows), folder / "planted.parquet")
        paragraphs = pa.table({"id": [str(row) for row in range(len(texts))], "text": texts})
        pq.write_table(paragraphs, path, compression="zstd", row_group_size=ROW_GROUP)
    texts = pq.read_table(path, columns=["text"])["text"]
    size: int = pc.sum(pc.binary_length(texts)).as_py()
    return size


def locate_planted(source: Path, rows: dict[tuple[int, int], int]) -> pa.Table:
    """List the planted copies of paragraphs by the rows of copy and origin."""
    names = pq.read_table(source, columns=["id"])["id"].to_pylist()
    numbers = {name: number for number, name in enumerate(names)}
    truth = pq.read_table(source.parent / "truth.parquet", filters=[("unit", "=", "paragraph")])
    columns: dict[str, object] = {"similarity": truth["similarity"]}
    for side, name in (("left", "origin"), ("right", "copy")):
        articles = truth[f"{name}_article"].to_pylist()
        positions = truth[f"{name}_position"].to_pylist()
        places = zip(articles, positions, strict=True)
        columns[side] = [rows[numbers[article], position] for article, position in places]
    return pa.table(columns)


class Judge:
    def __init__(self, folder: Path, threshold: float, *, exact: bool) -> None:
        path = folder / "paragraphs.parquet"
        self.threshold, self.exact = threshold, exact
        self.texts: list[str] = pq.read_table(path, columns=["text"])["text"].to_pylist()
        firsts: dict[str, int] = {}
        words = (" ".join(text.translate(GAPS).casefold().split()) for text in self.texts)
        self.first = np.array([firsts.setdefault(w, row) for row, w in enumerate(words)])
        self.numbers: dict[str, int] = {}
        self.known: dict[int, Numbers] = {}
        self.verdicts: dict[int, bool] = {}
        pairs = self.list_every_pair(folder.name, path) if exact else self.list_planted(folder)
        self.partners = np.unique(self.split(self.key(pairs["left"], pairs["right"])))
        alike = pairs.filter(pc.greater_equal(pairs["similarity"], threshold - 1e-6))
        keys = self.key(alike["left"], alike["right"])
        self.truth = keys[[self.is_long(key) for key in keys.tolist()]]

    def list_every_pair(self, name: str, path: Path) -> pa.Table:
        collection = Collection(name, path, self.texts)
        _, found = scan_pairs(collection, threshold=self.threshold)
        if found.paragraphs != len(self.texts):
            raise SystemExit(f"{path}: dedup cut {len(self.texts)} rows to {found.paragraphs}")
        return find_every_pair(collection, self.threshold, found).table

    def list_planted(self, folder: Path) -> pa.Table:
        return pq.read_table(folder / "planted.parquet")

    def key(self, left: Numbers, right: Numbers) -> Numbers:
        """Number the pairs of different words, each once; equal texts count as the first one."""
        sides = [self.first[np.asarray(side, np.int64)] for side in (left, right)]
        low, high = np.minimum(*sides), np.maximum(*sides)
        return np.unique((low << 32 | high)[low < high])

    def split(self, keys: Numbers) -> tuple[Numbers, Numbers]:
        return keys >> 32, keys & 0xFFFFFFFF

    def words(self, row: int) -> Numbers:
        if row not in self.known:
            self.known[row] = number_words(split_words(self.texts[row]), self.numbers)
        return self.known[row]

    def is_long(self, key: int) -> bool:
        return min(len(self.words(key >> 32)), len(self.words(key & 0xFFFFFFFF))) >= MIN_WORDS

    def is_right(self, key: int) -> bool:
        if key not in self.verdicts:
            sides = self.words(key >> 32), self.words(key & 0xFFFFFFFF)
            self.verdicts[key] = is_near(*sides, self.threshold)
        return self.verdicts[key]

    def share_right(self, keys: Numbers) -> float | None:
        """Share of right pairs, in a sample of those that are judged."""
        if len(keys) > SAMPLE:
            keys = np.random.default_rng(1).choice(keys, SAMPLE, replace=False)
        return share(self.is_right(key) for key in keys.tolist() if self.is_long(key))

    def is_alike_in_shingles(self, size: int) -> Numbers:
        """Which pairs that must be found have a high Jaccard similarity of shingles too."""
        return np.array([self.jaccard(key, size) >= self.threshold for key in self.truth.tolist()])

    def jaccard(self, key: int, size: int) -> float:
        sides = self.words(key >> 32).tolist(), self.words(key & 0xFFFFFFFF).tolist()
        left, right = (
            {tuple(words[at : at + size]) for at in range(len(words) - size + 1)} for words in sides
        )
        return len(left & right) / len(left | right)

    def judge(self, out: Path, shingle_words: int | None) -> Marks:
        """Judge what a run has written, by its pairs, clusters or flags."""
        if (out / "clusters.parquet").exists():
            found, precision = self.judge_clusters(pq.read_table(out / "clusters.parquet"))
        elif (out / "flags.parquet").exists():
            return self.judge_flags(pq.read_table(out / "flags.parquet")["row"].to_numpy())
        else:
            pairs = read_pairs(out)
            keys = self.key(pairs["left"], pairs["right"])
            found, precision = np.isin(self.truth, keys), self.share_right(keys)
        own = found[self.is_alike_in_shingles(shingle_words)] if shingle_words else ()
        return Marks(share(found), precision, share(own))

    def judge_clusters(self, table: pa.Table) -> tuple[Numbers, float | None]:
        """A cluster claims all pairs of its members; a sample of those is checked."""
        clusters = -1 - np.arange(len(self.texts))  # every text alone
        clusters[table["row"].to_numpy()] = table["cluster"].to_numpy()
        low, high = self.split(self.truth)
        found = clusters[low] == clusters[high]
        rows = np.unique(self.first)
        order = rows[np.argsort(clusters[rows], kind="stable")]
        starts = np.flatnonzero(np.diff(clusters[order], prepend=-len(clusters) - 1))
        sizes = np.diff(starts, append=len(order))
        claimed = sizes * (sizes - 1) / 2
        if not claimed.any():
            return found, None
        rng = np.random.default_rng(1)
        drawn = rng.choice(len(sizes), SAMPLE, p=claimed / claimed.sum())
        one = rng.integers(sizes[drawn])
        other = (one + 1 + rng.integers(sizes[drawn] - 1)) % sizes[drawn]
        pairs = (order[starts[drawn] + member] for member in (one, other))
        return found, self.share_right(self.key(*pairs))

    def judge_flags(self, rows: Numbers) -> Marks:
        """A flag claims that a text has a partner; which texts have one, exact pairs say alone.

        A text in several rows has one anyway, so it is left out.
        """
        flagged = np.zeros(len(self.texts), bool)
        flagged[self.first[rows]] = True
        needed = np.unique(self.split(self.truth))
        known = np.zeros(len(self.texts), bool)
        known[self.partners] = True
        single = np.bincount(self.first, minlength=len(self.texts)) == 1
        told = np.flatnonzero(flagged & single).tolist()
        told = [row for row in told if len(self.words(row)) >= MIN_WORDS]
        precision = share(known[told]) if self.exact else None
        return Marks(share(flagged[needed]), precision, None)


def read_pairs(out: Path) -> pa.Table:
    if (out / "pairs.parquet").exists():
        return pq.read_table(out / "pairs.parquet")
    pairs = dedup.open_scan(out / "results").pairs.to_table(
        columns=["left_article", "right_article"],
        filter=pc.field("unit").cast(pa.string()) == "paragraph",
    )
    return pa.table([as_rows(column) for column in pairs.columns], ["left", "right"])


def share(marks: Iterable[bool]) -> float | None:
    listed = list(marks)
    return sum(map(bool, listed)) / len(listed) if listed else None


def judge_runs(
    folder: Path, threshold: float, exact: bool, runs: list[tuple[Path, int | None]]
) -> tuple[str, list[Marks]]:
    """Judge all runs on the paragraphs of a folder; also say what they are held against."""
    judge = Judge(folder, threshold, exact=exact)
    confirmed = judge.share_right(judge.truth)
    kind = "all existing ones" if exact else "planted"
    truth = f"{len(judge.truth):,} pairs ({kind}; the definition confirms {confirmed:.4f} of them)"
    return truth, [judge.judge(out, words) for out, words in runs]
