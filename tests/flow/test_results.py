"""A results folder is read as it was written, or refused with one clear sentence."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from article_files import write_articles
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.cli import main
from dedup.errors import ResultsError
from dedup.schemas import TABLES


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with articles, one of them a copy and one not readable, and a scan of them."""
    folder = tmp_path_factory.mktemp("whole")
    draw = random.Random(5)
    words = [f"{draw.choice('bdfgk')}{draw.choice('aeiou')}{n:x}" for n in range(200)]
    texts = [" ".join(draw.choices(words, k=30)) for _ in range(20)]
    texts += [f"Shares of {word} rose {n} percent on Monday." for n, word in enumerate(words[:20])]
    write_articles(
        folder / "a.jsonl", *({"text": text} for text in [*texts, texts[0]]), {"text": 1}
    )
    dedup.scan(folder / "a.jsonl", folder / "results", on_error="skip")
    return folder


def commands(folder: Path) -> list[list[str]]:
    results, out = str(folder / "results"), str(folder / "out.jsonl")
    kept = ["--max-redundancy", "0.5", "--sample", "3", "--removed", str(folder / "gone.jsonl")]
    return [
        ["info", results],
        ["info", results, "--json"],
        ["templates", "list", results],
        ["templates", "learn", results, "-o", str(folder / "pack.toml"), "--overwrite"],
        ["filter", results, str(folder / "a.jsonl"), "-o", out, "--quiet", "--overwrite", *kept],
    ]


def run(command: list[str]) -> tuple[int, str]:
    """Run a command, with terminals that take UTF-8; what is no DedupError is raised."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
        err.seek(0)
        return code, err.read()


def test_every_command_works_on_what_was_written(whole: Path) -> None:
    assert [run(command)[0] for command in commands(whole)] == [0] * 5


def test_the_manifest_counts_the_work(whole: Path) -> None:
    manifest = dedup.open_scan(whole / "results").manifest
    work, counts = manifest["work"], manifest["counts"]
    assert work["input_bytes"] == (whole / "a.jsonl").stat().st_size
    assert work["tokenised_bytes"] >= counts["text_bytes"]
    assert work["work_file_bytes_written"] >= counts["text_bytes"]
    assert work["near_copies"] <= work["aligned"]
    assert work["aligned"] + work["refuted_by_words"] > 0
    assert work["candidates"] == counts["candidates"]


def test_the_manifest_times_every_step(whole: Path) -> None:
    manifest = dedup.open_scan(whole / "results").manifest
    steps = ["read", "order", "propose", "verify", "templates", "relate", "judge", "write"]
    assert list(manifest["cpu_s"]) == steps
    assert list(manifest["elapsed_s"]) == [*steps, "total"]
    assert sum(manifest["elapsed_s"][step] for step in steps) <= manifest["elapsed_s"]["total"]


@pytest.mark.parametrize("table", TABLES)
def test_the_manifest_has_size_and_digest_of_each_table(whole: Path, table: str) -> None:
    known = dedup.open_scan(whole / "results").manifest["tables"][table]
    assert known["bytes"] == (whole / "results" / f"{table}.parquet").stat().st_size
    assert known["digest"].startswith("xxh3-128:")


def flip(data: bytes, at: int) -> bytes:
    at %= 8 * len(data)
    changed = data[at // 8] ^ 1 << at % 8
    return data[: at // 8] + bytes([changed]) + data[at // 8 + 1 :]


def truncate(data: bytes, at: int) -> bytes:
    return data[: at % len(data)]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", [flip, truncate])
def test_a_damaged_table_is_refused_by_name(
    whole: Path, tmp_path: Path, table: str, damage: Callable[[bytes, int], bytes]
) -> None:
    shutil.copytree(whole / "results", tmp_path / "results")
    path = tmp_path / "results" / f"{table}.parquet"
    path.write_bytes(damage(path.read_bytes(), random.Random(table).randrange(10_000)))
    scan = dedup.open_scan(tmp_path / "results")
    with pytest.raises(ResultsError, match=rf"{table}\.parquet is not what the scan wrote"):
        scan.dataset(table)
    for other in TABLES.keys() - {table}:
        scan.dataset(other).count_rows()


def test_other_readers_of_parquet_notice_a_damaged_page(whole: Path, tmp_path: Path) -> None:
    path = whole / "results" / "articles.parquet"
    place = pq.read_metadata(path).row_group(0).column(8)
    last = place.data_page_offset + place.total_compressed_size - 1
    (tmp_path / "a.parquet").write_bytes(flip(path.read_bytes(), 8 * last))
    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(tmp_path / "a.parquet", page_checksum_verification=True)


@given(st.sampled_from(["articles", "rejected", "spans"]), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_a_filter_does_not_decide_by_a_damaged_table(whole: Path, table: str, at: int) -> None:
    path = whole / "results" / f"{table}.parquet"
    data = path.read_bytes()
    path.write_bytes(flip(data, at))
    try:
        code, errors = run(commands(whole)[-1])
    finally:
        path.write_bytes(data)
    assert (code, errors.startswith(f"Error: {path} is not what the scan wrote")) == (1, True)


@pytest.mark.parametrize("command", ["list", "learn"])
def test_a_damaged_table_gives_no_templates(whole: Path, tmp_path: Path, command: str) -> None:
    shutil.copytree(whole / "results", tmp_path / "results")
    path = tmp_path / "results" / "templates.parquet"
    path.write_bytes(flip(path.read_bytes(), 999))
    output = ["-o", str(tmp_path / "pack.toml")] if command == "learn" else []
    code, errors = run(["templates", command, str(tmp_path / "results"), *output])
    assert code == 1
    assert errors.startswith(f"Error: {path} is not what the scan wrote")
    assert not (tmp_path / "pack.toml").exists()


def test_a_table_that_another_scan_replaced_is_refused(tmp_path: Path) -> None:
    scans = []
    for name in ("first", "second"):
        write_articles(tmp_path / "a.jsonl", {"id": name, "text": "some words"})
        scans.append(dedup.scan(tmp_path / "a.jsonl", tmp_path / "results"))
    with pytest.raises(ResultsError, match="is not what the scan wrote"):
        scans[0].dataset("articles")
    assert scans[1].articles.count_rows() == 1


def test_what_fails_in_reading_a_table_is_a_results_error(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "results", tmp_path / "results")
    scan = dedup.open_scan(tmp_path / "results")
    with pytest.raises(ResultsError, match=r"cannot read \S*spans\.parquet: "):
        read_while_it_breaks(scan, "spans")


def read_while_it_breaks(scan: dedup.Scan, table: str) -> None:
    with scan.reading(table) as rows:
        (scan.path / f"{table}.parquet").write_bytes(b"PAR1")
        rows.to_table()


ODD = [None, -1, 1.5, "x", [], {}, True, 10**30, float("nan"), [1], {"a": 1}, "\ud800", "", 0]


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[Any], None]:
    """Draw a change of a value somewhere in a document of JSON, or a removal."""
    path = draw(st.lists(st.integers(0, 50), min_size=1, max_size=4))
    value = draw(st.sampled_from([..., *ODD]))

    def mutate(document: Any) -> None:
        for number in path:
            keys = list(document) if isinstance(document, dict) else range(len(document))
            key = keys[number % len(keys)]
            if (
                number == path[-1]
                or not document[key]
                or not isinstance(document[key], dict | list)
            ):
                break
            document = document[key]
        if value is ...:
            del document[key]
        else:
            document[key] = copy.deepcopy(value)

    return mutate


@given(st.lists(mutations(), min_size=1, max_size=2), st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_a_changed_manifest_is_read_or_refused(
    whole: Path, changes: list[Callable[[Any], None]], command: int
) -> None:
    path = whole / "results" / "manifest.json"
    text = path.read_text()
    document = json.loads(text)
    for change in changes:
        change(document)
    path.write_text(json.dumps(document))
    try:
        code, errors = run(commands(whole)[command])
    finally:
        path.write_text(text)
    assert code in {0, 1, 2}
    assert errors.startswith("Error: ") == (code > 0)


@given(st.integers(0, 2**31), st.sampled_from([flip, truncate]), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_a_damaged_manifest_is_read_or_refused(
    whole: Path, at: int, damage: Callable[[bytes, int], bytes], command: int
) -> None:
    path = whole / "results" / "manifest.json"
    data = path.read_bytes()
    path.write_bytes(damage(data, at))
    try:
        code, errors = run(commands(whole)[command])
    finally:
        path.write_bytes(data)
    assert errors.startswith("Error: ") == (code > 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"counts": {"articles": -1}}, "counts.articles is -1, but must be a whole number from 0"),
        ({"inputs": [{"path": "a"}]}, "inputs[0] has no bytes"),
        ({"inputs": {}}, "inputs is {}, but must be a list"),
        ({"peak_memory_bytes": True}, "peak_memory_bytes is True, but must be a whole number"),
        ({"finished": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"tables": {}}, "tables has no articles"),
        ({"dedup_version": "\ud800"}, "it holds text that is not valid Unicode"),
        ({"more": [[[[[[[[]]]]]]]]}, "it has objects more than 6 deep"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    whole: Path, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    shutil.copytree(whole / "results", tmp_path / "results")
    path = tmp_path / "results" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ResultsError) as caught:
        dedup.open_scan(tmp_path / "results")
    assert str(caught.value).startswith(f"{path} is damaged: {problem}")


def test_a_field_that_a_later_version_added_is_left_alone(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "results", tmp_path / "results")
    path = tmp_path / "results" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": "good"}))
    assert dedup.open_scan(tmp_path / "results").manifest["mood"] == "good"
