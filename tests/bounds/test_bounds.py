"""No article, line or page takes more memory than it may, however small the file that holds it."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from article_files import read, read_texts, to_arrow_table, write_lines
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import _native
from dedup.config import Config, SourceConfig
from dedup.errors import ConfigError, InputError, RowError
from dedup.filter import rewrite as rewriting
from dedup.memory import Budget
from dedup.read import InputFile, Resources, locate_inputs, read_articles
from dedup.read.formats.parquet import ParquetGroups, read_parquet
from dedup.read.formats.parquet_pages import PageSizes
from dedup.read.formats.warc_records import Record, read_records
from dedup.read.streams import OpenInput, open_input
from dedup.results_writer import _write_out
from dedup.work import catalogue
from dedup.work.catalogue import Catalogue
from dedup.work.names import PART_ROWS, Names

SHORT = SourceConfig(on_error="skip", max_article_bytes="1000")
LONG_TEXT = "x" * 1001
MIB = 1 << 20


def rejected(path: Path, config: SourceConfig = SHORT) -> list[tuple[int, str]]:
    batches = read_articles(locate_inputs(path), config)
    rows = [row for batch in batches for row in batch.rejected.to_pylist()]
    return [(row["input_row"], row["reason"]) for row in rows]


def to_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


# One limit for every format

TABLES: dict[str, Callable[[list[str]], bytes]] = {
    "a.jsonl": lambda texts: b"".join(json.dumps({"text": t}).encode() + b"\n" for t in texts),
    "a.json": lambda texts: json.dumps([{"text": t} for t in texts]).encode(),
    "a.csv": lambda texts: ("text,id\n" + "".join(f"{t},\n" for t in texts)).encode(),
    "a.parquet": lambda texts: to_parquet(pa.table({"text": texts})),
    "a.arrow": lambda texts: to_arrow_table(pa.table({"text": texts})),
    "dictionary.arrow": lambda texts: to_arrow_table(
        pa.table({"text": pa.array(texts).dictionary_encode()})
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_an_article_longer_than_the_limit_is_rejected_and_its_neighbours_are_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(TABLES[name](["a", LONG_TEXT, "x" * 1000]))
    assert read_texts(path, config=SHORT) == ["a", "x" * 1000]
    assert rejected(path) == [(1, "the text has 1,001 bytes, but --max-article-bytes is 1000")]
    with pytest.raises(RowError, match="row 1: the text has 1,001 bytes, but --max-article-bytes"):
        read(path, config=SourceConfig(max_article_bytes="1000"))


@pytest.mark.parametrize("name", ["a.txt", "a.html"])
def test_a_file_of_one_article_is_not_read_beyond_the_limit(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(LONG_TEXT + " more")
    (tmp_path / f"b{name}").write_text("short")
    assert read_texts(tmp_path, config=SHORT) == ["short"]
    [(row, reason)] = rejected(tmp_path)
    assert (row, "--max-article-bytes allows" in reason) == (0, True)


def test_the_limit_of_a_record_of_a_web_archive_is_that_of_an_article(tmp_path: Path) -> None:
    def record(text: str) -> bytes:
        head = f"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {len(text)}\r\n\r\n"
        return f"{head}{text}\r\n\r\n".encode()

    (tmp_path / "a.wet").write_bytes(record(LONG_TEXT) + record("short"))
    assert read_texts(tmp_path / "a.wet", config=SHORT) == ["short"]
    reason = "the text is longer than the 1,000 bytes of --max-article-bytes"
    assert rejected(tmp_path / "a.wet") == [(0, reason)]


def test_any_other_field_may_not_be_longer_either(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", json.dumps({"id": LONG_TEXT, "text": "a"}))
    reason = "the id has 1,001 bytes, but --max-article-bytes is 1000"
    assert read_rejected_rows(path) == [(0, None, reason)]


def read_rejected_rows(path: Path) -> list[tuple[int, str | None, str]]:
    batches = read_articles(locate_inputs(path), SHORT)
    rows = [row for batch in batches for row in batch.rejected.to_pylist()]
    return [(row["input_row"], row["article_id"], row["reason"]) for row in rows]


def test_a_dictionary_is_not_spread_out_before_it_is_measured(tmp_path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 4000, pa.int32()), ["x" * MIB, "y"])
    path = tmp_path / "a.arrow"
    path.write_bytes(to_arrow_table(pa.table({"text": text})))
    assert len(read_texts(path, config=SHORT)) == 4000  # it would be 4 GB


# Pieces that are passed over as they are read

SKIPPED = [
    ("a.jsonl", '{"text": "', '"}\n{"text": "next"}\n'),
    ("a.json", '[{"text": "', '"}, {"text": "next"}]'),
    ("a.csv", 'text\n"', '"\nnext\n'),
    ("quotes.csv", 'text\n"""",""', '"\nnext\n'),
]


@pytest.mark.parametrize(("name", "before", "behind"), SKIPPED)
def test_a_line_that_is_far_too_long_is_passed_over_and_the_next_one_read(
    tmp_path: Path, name: str, before: str, behind: str
) -> None:
    path = tmp_path / name
    path.write_text(before + "long " * (13 * MIB // 5) + behind)
    assert read_texts(path, config=SHORT) == ["next"]
    [(row, reason)] = rejected(path)
    assert (row, "longer than" in reason) == (0, True)


@pytest.mark.parametrize(("name", "before", "behind"), SKIPPED)
def test_what_was_passed_over_is_passed_over_by_the_filter(
    tmp_path: Path, name: str, before: str, behind: str
) -> None:
    (tmp_path / name).write_text(before + "long " * (13 * MIB // 5) + behind)
    options = {"max_article_bytes": "1000", "on_error": "skip"}
    result = dedup.scan(tmp_path / name, tmp_path / "results", **options)
    report = dedup.filter_articles(result, tmp_path / name, tmp_path / "clean", max_redundancy=0.5)
    assert (report.kept, report.removed) == (1, 1)
    assert read_texts((tmp_path / "clean").rename(tmp_path / f"clean-{name}")) == ["next"]


def test_a_file_that_ends_in_a_line_that_is_too_long_has_it_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n' + "x" * (9 * MIB))
    assert read_texts(path, config=SHORT) == ["a"]
    assert [row for row, _ in rejected(path)] == [1]


def test_a_document_is_read_element_by_element(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": i, "text": "word " * 1000} for i in range(3000)], indent=1))
    config = SourceConfig(max_article_bytes="5000")
    assert len(read(path, config=config)) == 3000
    assert len(list(read_articles(locate_inputs(path), config))) > 2


def test_a_header_of_csv_may_be_longer_than_a_chunk(tmp_path: Path) -> None:
    names = ",".join(f"column_{i}" for i in range(400_000))
    path = tmp_path / "a.csv"
    path.write_text(f"\n{names},text\n" + "," * 400_000 + "here\n")
    assert path.stat().st_size > 5 * MIB
    assert read_texts(path) == ["here"]


# What the memory allows


def test_a_text_that_takes_more_memory_than_there_is_is_rejected(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", json.dumps({"text": "a " * (3 * MIB)}))
    resources = Resources(memory=100 * MIB)
    [batch] = read_articles(locate_inputs(path), SourceConfig(on_error="skip"), resources=resources)
    [row] = batch.rejected.to_pylist()
    assert row["reason"].startswith("the text needs ")
    assert row["reason"].endswith("MiB of memory, of which --max-memory leaves 100 MiB")


def test_a_page_of_more_tags_than_the_memory_holds_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("a<br>" * 500_000)
    resources = Resources(memory=100 * MIB)
    [batch] = read_articles(locate_inputs(path), SourceConfig(on_error="skip"), resources=resources)
    [row] = batch.rejected.to_pylist()
    assert "MiB of memory, of which --max-memory leaves 100 MiB" in row["reason"]


def test_what_unpacks_to_far_more_than_a_table_can_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(bytes(70 * MIB)))
    with pytest.raises(InputError, match="unpack to more than"):
        read(path)


_LARGE_WINDOW = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 200 * MIB}]


def test_an_xz_file_may_not_ask_for_any_amount_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress(b'{"text": "a"}\n', filters=_LARGE_WINDOW))
    with pytest.raises(InputError, match="Memory usage limit"):
        read(path)


def test_xz_streams_in_a_row_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.xz"
    parts = [lzma.compress(b'{"text": "a"}\n'), bytes(4), lzma.compress(b'{"text": "b"}\n')]
    path.write_bytes(b"".join(parts))
    assert read_texts(path) == ["a", "b"]


def to_arrow_file(texts: list[str], compression: str | None = None) -> bytes:
    """Write one batch."""
    table = pa.table({"text": pa.chunked_array([texts])})
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


# Linux counts what the parent took as a child's `ru_maxrss`.
_PEAK = """
import pathlib, re, resource, sys
import dedup
dedup.scan(sys.argv[1], sys.argv[2], on_error="skip", max_memory="512MB", threads=2)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if sys.platform == "linux":
    status = pathlib.Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) * 1024
print(peak)
"""
_BOMB_BYTES = 300_000_000


def pack_bomb(word: bytes, pack: Callable[[bytes], bytes]) -> bytes:
    """Pack so many bytes of a word; streams of a file may follow each other."""
    return pack(word * (10_000_000 // len(word))) * (_BOMB_BYTES // 10_000_000)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a.txt.gz": lambda: pack_bomb(b"word ", gzip.compress),
    "a.jsonl.zst": lambda: pack_bomb(b"word ", lambda b: pa.compress(b, "zstd", asbytes=True)),
    "a.csv.bz2": lambda: bz2.compress(b"text\n") + pack_bomb(b"word ", bz2.compress),
    "a.json.xz": lambda: lzma.compress(b'[{"text": "') + pack_bomb(b"word ", lzma.compress),
    "a.html.gz": lambda: pack_bomb(b"a<br>", gzip.compress),
    "a.parquet": lambda: to_parquet(pa.table({"text": ["word " * (_BOMB_BYTES // 5)]})),
    "packed.arrow": lambda: to_arrow_file(["word " * (_BOMB_BYTES // 5)], compression="zstd"),
    "one batch.arrow": lambda: to_arrow_file([f"{i} word " * 3000 for i in range(20_000)]),
    "a.jsonl": lambda: json.dumps({"text": "word " * (16 * MIB // 5)}).encode(),
    "a.html": lambda: b"a<br>" * (16 * MIB // 5),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_memory_than_was_allowed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    command = [sys.executable, "-c", _PEAK, path, tmp_path / "results"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 1.1 * 512_000_000


# What is held after a text was read


def test_what_a_scan_keeps_of_articles_does_not_keep_their_texts(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", json.dumps({"id": "a", "text": "word " * MIB}))
    kept = Catalogue(_native.Spool.temporary(tmp_path), [str(path)])
    batch = next(read_articles(locate_inputs(path), SourceConfig()))
    kept.add(batch)
    given = batch.articles["article_id"].buffers()
    held = kept.named()["article_id"].chunk(0).buffers()
    assert {b.address for b in given if b}.isdisjoint(b.address for b in held if b)


def test_a_long_id_that_stands_in_every_row_is_written_a_part_at_a_time() -> None:
    schema = pa.schema([("top_source", pa.string())])
    numbers = pa.array([0] * 200, pa.int32())
    rows = pa.table({"top_source": pa.DictionaryArray.from_arrays(numbers, ["x" * MIB])})
    parts = [part.num_rows for part in _write_out(rows, schema)]
    assert parts == [64, 64, 64, 8]


@given(sizes=st.lists(st.integers(0, 30), max_size=30), cuts=st.lists(st.integers(0, 30)))
def test_articles_are_read_back_in_the_same_pieces_wherever_batches_were_cut(
    sizes: list[int], cuts: list[int]
) -> None:
    ids = ["x" * size for size in sizes]
    nothing = pa.nulls(len(ids), pa.string())
    whole = pa.record_batch({"article_id": ids, "source": nothing, "url": nothing})
    whole = whole.cast(pa.schema([(name, pa.string()) for name in whole.schema.names]))
    ends = sorted({0, len(ids), *(cut for cut in cuts if cut < len(ids))})
    batches = [whole.slice(a, b - a) for a, b in itertools.pairwise(ends)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "PIECE_BYTES", 40)
        at_once, in_batches = (
            [piece["article_id"].to_pylist() for piece in catalogue._in_pieces(parts, 5)]
            for parts in ([whole] if ids else [], batches)
        )
    assert at_once == in_batches
    assert [name for piece in at_once for name in piece] == ids
    assert all(len(piece) <= 5 for piece in at_once)
    assert all(len(piece) == 1 or sum(map(len, piece)) <= 40 for piece in at_once)


def test_fewer_rows_are_named_at_once_where_ids_are_long() -> None:
    assert Names(pa.chunked_array([["a", "b"]])).part_rows == PART_ROWS
    assert Names(pa.chunked_array([["a" * MIB, "b" * MIB]])).part_rows == 16


# Parquet


def to_parquet_file(path: Path, texts: list[str], **options: Any) -> Path:
    pq.write_table(pa.table({"text": texts}), path, **options)
    return path


def test_a_long_text_in_a_dictionary_is_not_read_for_many_rows_at_once(tmp_path: Path) -> None:
    path = to_parquet_file(tmp_path / "a.parquet", ["word " * (MIB // 5)] * 64)
    assert path.stat().st_size < MIB  # of which nothing says that it is 64 MiB
    with open_input(locate_inputs(path)[0], Resources(memory=32 * MIB)) as file:
        batches = [batch.num_rows for batch in read_parquet(file, SourceConfig())]
    assert max(batches) <= 8
    assert sum(batches) == 64


def test_a_row_group_with_a_page_larger_than_the_memory_is_rejected(tmp_path: Path) -> None:
    texts = [f"{i} " * (MIB // 4) for i in range(40)]
    path = to_parquet_file(tmp_path / "a.parquet", texts, use_dictionary=False)
    resources = Resources(memory=64 * MIB)
    [batch] = read_articles(locate_inputs(path), SourceConfig(on_error="skip"), resources=resources)
    reasons = set(batch.rejected["reason"].to_pylist())
    assert batch.rejected.num_rows == 40
    [reason] = reasons
    assert reason.startswith("a page of its row group takes ")
    assert reason.endswith(f"but --max-memory leaves {16 * MIB:,} for one")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("use_dictionary", [False, True])
def test_the_largest_page_of_each_row_group_is_found(
    tmp_path: Path, version: str, compression: str, use_dictionary: bool
) -> None:
    texts = ["a"] * 10 + ["b" * 50_000] + ["c"] * 10 + ["d" * 5000] * 3
    table = pa.table({"text": texts, "other": ["e" * 200_000] * len(texts)})
    path = tmp_path / "a.parquet"
    pq.write_table(
        table,
        path,
        row_group_size=12,
        data_page_version=version,
        compression=compression,
        use_dictionary=use_dictionary,
    )
    data = path.read_bytes()
    pages = PageSizes(lambda at, size: data[at : at + size], len(data))
    first, second = (pages.largest(group, ["text"]) for group in range(2))
    factor = 2 if compression == "none" else 1  # what is packed counts beside what is not
    assert 50_000 * factor < first < 55_000 * factor
    assert 5000 * factor < second < 20_000 * factor
    assert pages.largest(1, ["text", "other"]) > 200_000


@given(data=st.data())
def test_no_damage_to_a_parquet_file_stops_the_look_at_its_pages(data: st.DataObject) -> None:
    whole = to_parquet(pa.table({"text": ["some text", "and some more"] * 50}))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at:] = data.draw(st.binary(min_size=1, max_size=40)) + damaged[at + 1 :]
    pages = PageSizes(lambda at, size: bytes(damaged[max(at, 0) :][:size]), len(damaged))
    assert pages.largest(0, ["text"]) >= 0


# The filter


@pytest.fixture
def two_groups(tmp_path: Path) -> Path:
    """A file with a row group of two rows to keep, and one that is too large to read."""
    path = tmp_path / "a.parquet"
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
        writer.write_table(pa.table({"text": ["one", "two"]}))
        writer.write_table(pa.table({"text": ["x" * (9 * MIB)]}))
    return path


def test_a_row_group_without_a_row_to_keep_is_not_read_by_the_filter(
    tmp_path: Path, two_groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"max_article_bytes": "1000", "on_error": "skip"}
    result = dedup.scan(two_groups, tmp_path / "results", **options)
    read_groups: list[int] = []
    batches = ParquetGroups.batches

    def note(groups: ParquetGroups, group: int) -> Iterator[pa.RecordBatch]:
        read_groups.append(group)
        return batches(groups, group)

    monkeypatch.setattr(ParquetGroups, "batches", note)
    report = dedup.filter_articles(
        result, two_groups, tmp_path / "clean.parquet", max_redundancy=0.5
    )
    assert (report.kept, report.removed) == (2, 1)
    assert read_groups == [0]


def test_the_filter_keeps_to_the_memory_of_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lines(tmp_path / "a.jsonl", json.dumps({"text": "a"}))
    result = dedup.scan(path, tmp_path / "results", max_memory="512MB")
    given_to: list[Resources] = []

    def note(file: InputFile, resources: Resources) -> AbstractContextManager[OpenInput]:
        given_to.append(resources)
        return open_input(file, resources)

    monkeypatch.setattr(rewriting, "open_input", note)
    dedup.filter_articles(result, path, tmp_path / "clean.jsonl", max_redundancy=0.5)
    assert [resources.memory for resources in given_to] == [Budget("512MB").reading()]


def test_the_filter_holds_no_record_of_an_archive_that_it_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(text: str) -> bytes:
        head = f"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {len(text)}\r\n\r\n"
        return f"{head}{text}\r\n\r\n".encode()

    path = tmp_path / "a.wet"
    path.write_bytes(record(LONG_TEXT) + record("short"))
    options = {"max_article_bytes": "1000", "on_error": "skip"}
    result = dedup.scan(path, tmp_path / "results", **options)
    held: list[int] = []

    def note(file: OpenInput, wanted: Callable[[Any], int | None]) -> Iterator[Record]:
        for found in read_records(file, wanted):
            held.append(len(found.block))
            yield found

    monkeypatch.setattr(rewriting, "read_records", note)
    dedup.filter_articles(result, path, tmp_path / "clean.wet", max_redundancy=0.5)
    assert held == [0, len("short")]
    assert (tmp_path / "clean.wet").read_bytes() == record("short")


# Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_memory", "19999999999999999999999999GB"),
        ("max_memory", "1" + 400 * "0"),
        ("max_article_bytes", "2GB"),
        ("max_article_bytes", "0"),
        ("threads", 1 << 20),
        ("min_support", 1 << 40),
        ("min_tokens", 1 << 62),
        ("min_repeat_tokens", 1 << 31),
        ("min_run_tokens", 1 << 31),
        ("min_shared_tokens", 1 << 33),
        ("low_evidence_tokens", 1 << 63),
        ("max_leaders", 1 << 62),
        ("rows", 1 << 62),
        ("ambiguous_hours", float("inf")),
        ("ambiguous_hours", float("nan")),
        ("threshold", float("nan")),
        ("containment", float("inf")),
    ],
)
def test_a_setting_beyond_what_can_be_counted_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name}|a size"):
        Config.from_options(**{name: value})
