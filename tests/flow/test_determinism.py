"""One corpus gives one set of tables, in whatever format and order it is read, by all threads."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup import Scan, scan
from dedup.schemas import TABLES

Article = dict[str, Any]
PLACES = ("input_file", "input_row")  # all that may tell two layouts of one corpus apart
VOCABULARY = 3000  # words, so that chance repeats are rare and planted ones stand out
PIECE = 300  # articles in each of three files


@pytest.fixture(autouse=True, scope="module")
def small_batches() -> Iterator[None]:
    """Cut the corpus into many batches: one would keep all but one thread idle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.read.batches.BATCH_BYTES", 1 << 15)
        yield


@pytest.fixture(scope="module")
def corpus() -> list[Article]:
    """Return 900 articles, about 600 kB, of which four in ten copy or edit part of another."""
    rng = random.Random(20240522)
    words = [f"{rng.choice('bdfgklmnprst')}{rng.choice('aeiou')}{i:x}" for i in range(VOCABULARY)]
    articles: list[Article] = []
    for number in range(3 * PIECE):
        paragraphs = [rng.choices(words, k=rng.randint(3, 60)) for _ in range(rng.randint(1, 6))]
        if articles and rng.random() < 0.4:
            other = rng.choice(articles)["text"].split("\n\n")
            taken = rng.choice(other).split()
            if rng.random() < 0.5:
                taken = [w if rng.random() < 0.9 else rng.choice(words) for w in taken]
            paragraphs.insert(rng.randint(0, len(paragraphs)), taken)
        articles.append(
            {
                "id": f"n-{number}",
                "text": "\n\n".join(" ".join(p) for p in paragraphs),
                "date": f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T08:00:00Z",
                "source": rng.choice(["courier", "echo", "ledger"]),
            }
        )
    return articles


def write_jsonl(path: Path, articles: Sequence[Article]) -> None:
    lines = [json.dumps(article, ensure_ascii=False) for article in articles]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path, articles: Sequence[Article]) -> None:
    pq.write_table(pa.Table.from_pylist(list(articles)), path, row_group_size=70)


def write_csv(path: Path, articles: Sequence[Article]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(articles[0]))
        writer.writeheader()
        writer.writerows(articles)


def tables(result: Scan, without: Sequence[str] = PLACES) -> dict[str, list[dict[str, Any]]]:
    """Return every table, sorted, so that only the order of rows is left out of account."""
    found = {}
    for name in TABLES:
        rows = result.dataset(name).to_table().to_pylist()
        rows = [{k: v for k, v in row.items() if k not in without} for row in rows]
        found[name] = sorted(rows, key=repr)
    return found


@pytest.fixture(scope="module")
def one_file(corpus: list[Article], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "all.jsonl"
    write_jsonl(path, corpus)
    return path


@pytest.fixture(scope="module")
def expected(one_file: Path) -> dict[str, list[dict[str, Any]]]:
    return tables(scan(one_file, one_file.parent / "results", threads=1))


def test_the_corpus_shows_something_in_every_table(
    expected: dict[str, list[dict[str, Any]]],
) -> None:
    kinds = {row["kind"] for row in expected["paragraphs"]}
    assert kinds >= {"original", "exact_copy", "near_copy", "too_short"}
    assert all(expected[name] for name in ("spans", "clusters", "members", "pairs"))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_show_in_the_bytes(one_file: Path, tmp_path: Path, threads: int) -> None:
    first = scan(one_file, tmp_path / "one", threads=1)
    other = scan(one_file, tmp_path / "other", threads=threads)
    for name in TABLES:
        written = [(result.path / f"{name}.parquet").read_bytes() for result in (first, other)]
        assert written[0] == written[1], name


def test_exact_matching_does_not_depend_on_threads_either(one_file: Path, tmp_path: Path) -> None:
    results = [scan(one_file, tmp_path / str(n), threads=n, exact=True) for n in (1, 5)]
    assert tables(results[0]) == tables(results[1])


def test_the_order_of_the_arguments_does_not_matter(corpus: list[Article], tmp_path: Path) -> None:
    files = [tmp_path / f"part-{n}.jsonl" for n in range(3)]
    for n, file in enumerate(files):
        write_jsonl(file, corpus[n * PIECE : (n + 1) * PIECE])
    forwards = scan(files, tmp_path / "forwards")
    backwards = scan(files[::-1], tmp_path / "backwards")
    for name in TABLES:
        written = [(r.path / f"{name}.parquet").read_bytes() for r in (forwards, backwards)]
        assert written[0] == written[1], name


def test_one_file_and_the_same_rows_in_three_give_equal_tables(
    corpus: list[Article], tmp_path: Path, expected: dict[str, list[dict[str, Any]]]
) -> None:
    for n in range(3):
        write_jsonl(tmp_path / f"part-{n}.jsonl", corpus[n * PIECE : (n + 1) * PIECE])
    assert tables(scan(tmp_path / "*.jsonl", tmp_path / "results")) == expected


@pytest.mark.parametrize(
    ("suffix", "write"), [("parquet", write_parquet), ("csv", write_csv), ("jsonl", write_jsonl)]
)
def test_the_input_format_does_not_matter(
    corpus: list[Article],
    tmp_path: Path,
    expected: dict[str, list[dict[str, Any]]],
    suffix: str,
    write: Callable[[Path, Sequence[Article]], None],
) -> None:
    path = tmp_path / f"all.{suffix}"
    write(path, corpus)
    assert tables(scan(path, tmp_path / "results")) == expected


def test_shuffled_rows_with_different_dates_give_equal_tables(
    corpus: list[Article], tmp_path: Path
) -> None:
    dated = [
        {**article, "date": f"2024-01-01T00:{n // 60 % 60:02}:{n % 60:02}.{n:06}Z"}
        for n, article in enumerate(corpus)
    ]
    write_jsonl(tmp_path / "in-order.jsonl", dated)
    random.Random(7).shuffle(dated)
    write_jsonl(tmp_path / "shuffled.jsonl", dated)
    results = [
        tables(scan(tmp_path / f"{name}.jsonl", tmp_path / name))
        for name in ("in-order", "shuffled")
    ]
    assert results[0] == results[1]


def test_the_size_of_batches_does_not_matter(
    one_file: Path,
    tmp_path: Path,
    expected: dict[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dedup.read.batches.BATCH_BYTES", 1 << 22)
    assert tables(scan(one_file, tmp_path / "results")) == expected


def test_names_of_many_bytes_are_held_otherwise_and_written_the_same(
    one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = scan(one_file, tmp_path / "few")
    monkeypatch.setattr("dedup.work.names.MAX_STRING_BYTES", 1000)
    many = scan(one_file, tmp_path / "many")
    assert many.manifest["counts"] == few.manifest["counts"]
    for name in TABLES:
        written = [(result.path / f"{name}.parquet").read_bytes() for result in (few, many)]
        assert written[0] == written[1], name


def test_two_runs_write_the_same_bytes(one_file: Path, tmp_path: Path) -> None:
    first, second = (scan(one_file, tmp_path / name) for name in ("first", "second"))
    for name in TABLES:
        written = [(result.path / f"{name}.parquet").read_bytes() for result in (first, second)]
        assert written[0] == written[1], name


def test_articles_that_no_one_copies_do_not_change_the_others(
    corpus: list[Article], tmp_path: Path, expected: dict[str, list[dict[str, Any]]]
) -> None:
    strangers = [
        {
            "id": f"stranger-{n}",
            "text": " ".join(f"qx{n}q{i}" for i in range(30)),
            "date": "2023-01-01T00:00:00Z",
            "source": "nowhere",
        }
        for n in range(50)
    ]
    write_jsonl(tmp_path / "all.jsonl", strangers + corpus)
    found = tables(scan(tmp_path / "all.jsonl", tmp_path / "results"))
    for name in ("articles", "paragraphs"):
        found[name] = [r for r in found[name] if not r["article_id"].startswith("stranger-")]
    assert found == expected
