"""Recall and precision of the pairs of paragraphs, against every pair there is.

    python benchmarks/quality.py FILE ... [--thresholds 0.8 0.7] [--limit N] [--sweep bands]
    python benchmarks/quality.py --planted DIR [--update]

Each collection is scanned with `exact=True`, which compares all pairs that can reach the lowest
threshold, and with the defaults. Recall is the share of the exact pairs that the defaults find.
The exact answer takes long, so its numbers (no text) are kept in benchmarks/out/ for the next
run; one that was made from other paragraphs is made again. Precision is the share of the reported
pairs that the slow definition in `definition.py` confirms, to the word: all of them, or a sample
of 20,000. `--planted` measures copies that `corpora.py` has planted instead; see `planted.py`.

`--sweep` scans with other values of a setting, which is how the defaults were chosen.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from definition import count_shared, number_words, split_words
from planted import measure_planted
from report import OUT, Cell, describe_machine, format_table, show

import dedup
from dedup.config import MatchConfig, SourceConfig
from dedup.read import locate_inputs, read_articles

Numbers = npt.NDArray[Any]

LENGTHS = (8, 10, 13, 17, 25, 41)  # tokens of the shorter paragraph: where each class begins
LIKENESSES = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95)
SWEEPS = {"bands": (8, 12, 16, 24, 32), "rows": (3, 4, 5), "max_leaders": (1, 2, 4, 8, 16, 64)}
SAMPLE = 20_000  # pairs that are checked by the definition; it takes about a minute
ROUNDING = 1e-6  # similarities are stored as 32-bit numbers: 0.7 is a little less there


@dataclass(frozen=True)
class Pairs:
    """The pairs of paragraphs of one scan; paragraphs are numbered through the collection."""

    table: pa.Table  # left, right, tokens (of the shorter), similarity, shared_tokens
    paragraphs: int
    tokens: int
    candidates: int
    cpu_s: float

    def select(self, threshold: float) -> pa.Table:
        return self.table.filter(pc.greater_equal(self.table["similarity"], threshold - ROUNDING))


@dataclass(frozen=True)
class Collection:
    name: str
    path: Path  # the articles, their row numbers as ids
    texts: list[str]

    @property
    def megabytes(self) -> float:
        return sum(len(text.encode()) for text in self.texts) / 1e6


def prepare_collection(file: Path, limit: int | None, folder: Path) -> Collection:
    """Copy the first articles of a collection, with row numbers as ids, for all ids differ then."""
    batches = read_articles(locate_inputs(file), SourceConfig())
    table = pa.Table.from_batches([batch.articles for batch in batches]).slice(0, limit)
    rows = pa.array(map(str, range(table.num_rows)))
    table = table.select(["text", "date", "source"]).append_column("id", rows)
    name = file.name.partition(".")[0] + (f"-{limit}" if limit else "")
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    return Collection(name, path, table["text"].to_pylist())


def scan_pairs(collection: Collection, **options: Any) -> tuple[dedup.Scan, Pairs]:
    """Scan a collection and number the paragraphs of its pairs."""
    began = time.process_time()  # of all threads
    scan = dedup.scan(collection.path, collection.path.with_suffix(".results"), **options)
    cpu_s = time.process_time() - began
    paragraphs = scan.paragraphs.to_table(columns=["article_id", "position", "tokens"])
    tokens = paragraphs["tokens"].to_numpy()
    starts = np.flatnonzero(paragraphs["position"].to_numpy() == 0)
    first = np.zeros(len(collection.texts), np.int64)
    first[as_rows(paragraphs["article_id"])[starts]] = starts
    pairs = scan.pairs.to_table(filter=pc.field("unit").cast(pa.string()) == "paragraph")
    left, right = (
        first[as_rows(pairs[f"{side}_article"])] + pairs[f"{side}_position"].to_numpy()
        for side in ("left", "right")
    )
    columns = {"left": left, "right": right, "tokens": np.minimum(tokens[left], tokens[right])}
    table = pa.table({**columns, **{n: pairs[n] for n in ("similarity", "shared_tokens")}})
    candidates = scan.manifest["counts"]["candidates"]
    return scan, Pairs(table, len(tokens), int(tokens.sum()), candidates, cpu_s)


def as_rows(ids: pa.ChunkedArray) -> Numbers:
    rows: Numbers = ids.cast(pa.string()).cast(pa.int64()).to_numpy()
    return rows


def find_every_pair(collection: Collection, threshold: float, like: Pairs) -> Pairs:
    """Return the exact answer for the same paragraphs as those of `like`, new or kept."""
    path = OUT / f"exact-{collection.name}-{threshold}.parquet"
    if path.exists():
        table = pq.read_table(path)
        kept = {name.decode(): float(value) for name, value in table.schema.metadata.items()}
        if (kept["paragraphs"], kept["tokens"]) == (like.paragraphs, like.tokens):
            candidates = int(kept["candidates"])
            return Pairs(table, like.paragraphs, like.tokens, candidates, kept["cpu_s"])
    print(f"joining {collection.name} exactly; this takes a while", file=sys.stderr)
    _, pairs = scan_pairs(collection, exact=True, threshold=threshold)
    keep_answer(pairs, path)
    return pairs


def keep_answer(pairs: Pairs, path: Path) -> None:
    figures = {
        name: getattr(pairs, name) for name in ("paragraphs", "tokens", "candidates", "cpu_s")
    }
    metadata = {name: str(value) for name, value in figures.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pairs.table.replace_schema_metadata(metadata), path)


def pair_keys(pairs: pa.Table) -> Numbers:
    keys: Numbers = (pairs["left"].to_numpy() << 32) | pairs["right"].to_numpy()
    return keys


def share_found(found: Numbers, classes: Numbers, number: int) -> list[Cell]:
    """Recall in each class; nothing where no pair is of that class."""
    return [
        float(found[classes == nth].mean()) if (classes == nth).any() else None
        for nth in range(number)
    ]


def class_of(values: Numbers, starts: Sequence[float]) -> Numbers:
    return np.searchsorted(np.asarray(starts), values + ROUNDING, "right") - 1


def measure_recall(exact: pa.Table, reported: pa.Table) -> tuple[list[Cell], list[Cell]]:
    """Return the recall of all pairs and by length, and the recall by similarity."""
    found = np.isin(pair_keys(exact), pair_keys(reported))
    lengths = class_of(exact["tokens"].to_numpy(), LENGTHS)
    likenesses = class_of(exact["similarity"].to_numpy(), LIKENESSES)
    overall: Cell = float(found.mean()) if len(found) else None
    by_length = share_found(found, lengths, len(LENGTHS))
    return [overall, *by_length], share_found(found, likenesses, len(LIKENESSES))


def check_pairs(collection: Collection, scan: dedup.Scan, pairs: Pairs) -> tuple[int, int]:
    """Count the pairs that were checked, and those that the definition confirms."""
    table = pairs.table
    if len(table) > SAMPLE:
        rows = np.random.default_rng(1).choice(len(table), SAMPLE, replace=False)
        table = table.take(np.sort(rows))
    places = scan.paragraphs.to_table(columns=["article_id", "start", "end"])
    articles, starts, ends = as_rows(places["article_id"]), places["start"], places["end"]
    starts, ends = starts.to_numpy(), ends.to_numpy()
    numbers: dict[str, int] = {}
    words: dict[int, npt.NDArray[np.int64]] = {}
    for number in {*table["left"].to_pylist(), *table["right"].to_pylist()}:
        text = collection.texts[articles[number]][starts[number] : ends[number]]
        words[number] = number_words(split_words(text), numbers)
    threshold = scan.manifest["config"]["match"]["threshold"]
    rows = table.select(["left", "right", "similarity", "shared_tokens"]).to_pydict().values()
    confirmed = sum(
        is_right(words[left], words[right], (similarity, shared), threshold)
        for left, right, similarity, shared in zip(*rows, strict=True)
    )
    return len(table), confirmed


def is_right(left: Numbers, right: Numbers, said: tuple[float, int], threshold: float) -> bool:
    """Whether two paragraphs are near-copies and share as many words as was said."""
    shared = count_shared(left, right)
    similarity = 2 * shared / (len(left) + len(right))
    as_said = shared == said[1] and abs(similarity - said[0]) < ROUNDING
    return as_said and is_near(left, right, threshold, shared)


def is_near(left: Numbers, right: Numbers, threshold: float, shared: int | None = None) -> bool:
    """Whether two paragraphs are near-copies: alike, or the shorter is in the longer."""
    shared = count_shared(left, right) if shared is None else shared
    rule = MatchConfig()
    contained = shared / min(len(left), len(right)) >= rule.containment
    similarity = 2 * shared / (len(left) + len(right))
    return similarity >= threshold or (shared >= rule.min_shared_tokens and contained)


def measure_collection(
    collection: Collection, thresholds: list[float]
) -> tuple[list[list[Cell]], list[list[Cell]], list[list[Cell]]]:
    """Return the rows of the three tables: recall by length, by similarity, precision and cost."""
    by_length, by_likeness, checks = [], [], []
    for threshold in sorted(thresholds, reverse=True):
        scan, pairs = scan_pairs(collection, threshold=threshold)
        every = find_every_pair(collection, min(thresholds), pairs)
        exact, reported = every.select(threshold), pairs.select(threshold)
        lengths, likenesses = measure_recall(exact, reported)
        by_length.append([collection.name, f"{threshold:g}", len(exact), *lengths])
        by_likeness.append([collection.name, f"{threshold:g}", *likenesses])
        unknown = int((~np.isin(pair_keys(reported), pair_keys(exact))).sum())
        checked, confirmed = check_pairs(collection, scan, pairs)
        precision = confirmed / checked if checked else None
        count = f"{checked:,} of {len(pairs.table):,}"
        speed = collection.megabytes / pairs.cpu_s
        costs: list[Cell] = [
            pairs.candidates,
            f"{pairs.cpu_s:.1f}",
            f"{speed:.1f}",
            f"{every.cpu_s:.1f}",
        ]
        checks.append([collection.name, f"{threshold:g}", count, precision, unknown, *costs])
    return by_length, by_likeness, checks


def sweep_setting(collection: Collection, thresholds: list[float], setting: str) -> str:
    rows: list[list[Cell]] = []
    for threshold in sorted(thresholds, reverse=True):
        for value in SWEEPS[setting]:
            _, pairs = scan_pairs(collection, threshold=threshold, **{setting: value})
            every = find_every_pair(collection, min(thresholds), pairs)
            lengths, _ = measure_recall(every.select(threshold), pairs.select(threshold))
            cost: list[Cell] = [pairs.candidates, f"{pairs.cpu_s:.1f}"]
            rows.append([collection.name, f"{threshold:g}", value, *lengths, *cost])
    columns = ["collection", "threshold", setting, "recall", *name_lengths()]
    return format_table([*columns, "candidates", "CPU s"], rows)


def name_lengths() -> list[str]:
    ends = [start - 1 for start in LENGTHS[1:]]
    return [*(f"{a}-{b}" for a, b in zip(LENGTHS, ends, strict=False)), f"{LENGTHS[-1]}+"]


def measure_files(collections: list[Collection], thresholds: list[float], *, update: bool) -> None:
    """Show the three tables of all collections."""
    tables: list[list[list[Cell]]] = [[], [], []]
    for collection in collections:
        parts = measure_collection(collection, thresholds)
        for table, rows in zip(tables, parts, strict=True):
            table.extend(rows)
    who = ["collection", "threshold"]
    lengths = [*who, "exact pairs", "recall", *name_lengths()]
    likenesses = [*who, *(f"{start:.2f}+" for start in LIKENESSES)]
    checks = [*who, "checked pairs", "precision", "not in exact", "candidates"]
    checks += ["CPU s", "MB per core-s", "exact CPU s"]
    put = partial(show, update=update)
    put("recall by length", format_table(lengths, tables[0]))
    put("recall by similarity", format_table(likenesses, tables[1]))
    put("precision and cost", format_table(checks, tables[2]))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the recall and precision of pairs.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--thresholds", nargs="+", type=float, default=[0.8, 0.7])
    parser.add_argument("--limit", type=int, help="how many articles of each file; default: all")
    parser.add_argument("--sweep", choices=SWEEPS, help="try other values of a setting instead")
    parser.add_argument("--planted", type=Path, metavar="DIR", help="made by corpora.py")
    parser.add_argument("--update", action="store_true", help="put the tables into README.md")
    wish = parser.parse_args()
    if bool(wish.files) == bool(wish.planted):
        parser.error("name collections, or a folder of corpora.py with --planted")
    return wish


def main() -> None:
    wish = parse_arguments()
    print(describe_machine())
    if wish.planted:
        return show("planted copies", measure_planted(wish.planted), update=wish.update)
    with tempfile.TemporaryDirectory() as folder:
        prepared = [prepare_collection(file, wish.limit, Path(folder)) for file in wish.files]
        if not wish.sweep:
            return measure_files(prepared, wish.thresholds, update=wish.update)
        tables = [sweep_setting(each, wish.thresholds, wish.sweep) for each in prepared]
        return show(f"sweep of {wish.sweep}", "\n\n".join(tables), update=wish.update)


if __name__ == "__main__":
    main()
