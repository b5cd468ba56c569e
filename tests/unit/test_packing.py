"""What a file holds decides how it is read, whatever its name says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from article_files import (
    ARTICLES,
    COMPRESSIONS,
    FORMATS,
    SKIP,
    read,
    read_rejected,
    read_texts,
    to_jsonl,
)

import dedup
from dedup.errors import InputError
from dedup.read import locate_inputs, read_articles
from dedup.read.packing import HEAD_BYTES
from dedup.read.streams import _Begun

ROWS = [{"id": str(n), "text": f"The ferry sails on day {n}."} for n in range(4)]
TEXTS = [row["text"] for row in ROWS]


def archive(kind: str, content: bytes) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("a.jsonl", content)
    else:
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo("a.jsonl")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


# Packing


@pytest.mark.parametrize("named", COMPRESSIONS)
@pytest.mark.parametrize("packed", COMPRESSIONS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.arrow", "stream.arrow"])
def test_a_file_is_unpacked_as_its_bytes_say(
    tmp_path: Path, name: str, named: str, packed: str
) -> None:
    path = tmp_path / (name + named)
    path.write_bytes(COMPRESSIONS[packed](FORMATS[name](ARTICLES)))
    assert [row["article_id"] for row in read(path)] == ["a1", "a2"]


@pytest.mark.parametrize("packed", COMPRESSIONS)
@pytest.mark.parametrize("name", ["a.txt", "a.html.gz"])
def test_a_text_is_unpacked_as_its_bytes_say(tmp_path: Path, name: str, packed: str) -> None:
    path = tmp_path / name
    path.write_bytes(COMPRESSIONS[packed](b"The ferry sails."))
    assert read_texts(path) == ["The ferry sails."]


def test_standard_input_may_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.TextIOWrapper(io.BytesIO(gzip.compress(to_jsonl(ROWS))))
    monkeypatch.setattr(sys, "stdin", packed)
    [batch] = read_articles(locate_inputs("-"), SKIP)
    assert batch.articles["text"].to_pylist() == TEXTS


def test_a_pipe_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    os.mkfifo(path)
    if (child := os.fork()) == 0:
        path.write_bytes(gzip.compress(to_jsonl(ROWS)))
        os._exit(0)
    assert read_texts(path) == TEXTS
    os.waitpid(child, 0)


@pytest.mark.parametrize("packed", COMPRESSIONS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv.gz", "a.parquet", "a.warc.gz"])
def test_a_filtered_file_is_packed_as_the_input_was(tmp_path: Path, name: str, packed: str) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    record = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 11\r\n\r\nHello there\r\n\r\n"
    plain = {**FORMATS, "a.warc": lambda _: record}[name.removesuffix(".gz")](ROWS)
    path.write_bytes(COMPRESSIONS[packed](plain))
    result = dedup.scan(path, tmp_path / "results")
    dedup.filter_articles(result, tmp_path / "in", tmp_path / "out", max_redundancy=1)
    dedup.filter_articles(result, path, tmp_path / "one" / name, max_redundancy=1)
    start = path.read_bytes()[:4]
    assert (tmp_path / "out" / name).read_bytes().startswith(start)
    assert (tmp_path / "one" / name).read_bytes().startswith(start)


class Trickle:
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes) -> None:
        self.rest = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self.rest.read(min(size, 7))


@pytest.mark.parametrize("size", [0, 5, HEAD_BYTES, 3 * HEAD_BYTES])
def test_a_stream_that_gives_little_at_a_time_is_known_by_its_first_bytes(size: int) -> None:
    content = random.Random(size).randbytes(size)
    stream = _Begun(Trickle(content))
    assert content.startswith(stream.head)
    assert len(stream.head) >= min(size, HEAD_BYTES)
    assert b"".join(iter(lambda: stream.read(100), b"")) == content


@pytest.mark.parametrize("padding", [1, 700, 100_000])
def test_zeros_behind_gzip_data_are_padding(tmp_path: Path, padding: int) -> None:
    path = tmp_path / "a.jsonl.gz"
    parts = [gzip.compress(json.dumps(row).encode() + b"\n") for row in ROWS]
    path.write_bytes(bytes(padding).join(parts) + bytes(padding))
    assert read_texts(path) == TEXTS


def test_what_comes_before_garbage_behind_gzip_data_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(to_jsonl(ROWS)) + b"garbage")
    assert read_texts(path, config=SKIP) == TEXTS
    [(_, row, _, reason)] = read_rejected(path)
    assert (row, reason) == (4, "what comes after a gzip member is not gzip data")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.txt", "a.html", "a.warc"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (archive("zip", b"x"), "a zip archive"),
        (archive("tar", b"x"), "a tar archive"),
        (gzip.compress(archive("tar", b"x")), "a tar archive"),
        (lzma.compress(archive("tar", b"x")), "a tar archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
        (b"\x04\x22\x4d\x18\x64\x40", "compressed with lz4"),
        (gzip.compress(gzip.compress(to_jsonl(ROWS))), "packed twice"),
    ],
)
def test_an_archive_is_refused_by_its_kind(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path, config=SKIP)
    assert str(caught.value) == f"{path} is {kind}, whatever its name says"
    assert caught.value.hint == "decompress it, and scan what it holds"


@pytest.mark.parametrize("text", ["BZh is a word", "PK", "7z", "ustar " * 60, "x" * 300])
def test_a_text_is_no_archive(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    assert read_texts(path) == [text]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_an_empty_file_has_no_articles_packed_or_not(tmp_path: Path, pack: Any) -> None:
    for content in (pack(b""), b""):
        path = tmp_path / "a.jsonl"
        path.write_bytes(content)
        assert read(path) == []


# JSON in another layout than the name says

LAYOUTS = {
    "a list": json.dumps(ROWS),
    "an indented list": json.dumps(ROWS, indent=1),
    "a list with an object a line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "indented objects": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "objects that begin in the first line": "\n".join(
        json.dumps(row).replace(", ", ",\n ") for row in ROWS
    ),
    "an object a line": "\n".join(map(json.dumps, ROWS)),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.ndjson.gz"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n "])
def test_json_is_read_in_any_layout(tmp_path: Path, name: str, layout: str, before: str) -> None:
    path = tmp_path / name
    path.write_bytes(COMPRESSIONS[".gz" if name.endswith("gz") else ""]((before + layout).encode()))
    assert read_texts(path) == TEXTS


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_json_in_any_layout_is_filtered_into_what_can_be_read(
    tmp_path: Path, name: str, layout: str
) -> None:
    path = tmp_path / name
    path.write_text(layout.replace("day 2", "day 1"))
    result = dedup.scan(path, tmp_path / "results")
    out = tmp_path / "out" / name
    dedup.filter_articles(result, path, out, max_redundancy=0.9)
    assert read_texts(out) == [TEXTS[0], TEXTS[1], TEXTS[3]]


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "b", "text": "x',
        '{"id": "b" "text": "x"}',
        '{"id": "b", "text": tru',
        "[1]",
        "[[[[",
    ],
)
def test_a_malformed_first_line_costs_no_other(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([line, *map(json.dumps, ROWS)]))
    if line == "[[[[":  # begins a list that is never closed
        assert read_texts(path, config=SKIP) == []
    else:
        assert read_texts(path, config=SKIP) == TEXTS
    assert [row for _, row, _, _ in read_rejected(path)] == [0]


def test_of_objects_that_span_lines_those_before_a_fault_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(LAYOUTS["indented objects"].replace('"id": "2"', '"id": 2"'))
    assert read_texts(path, config=SKIP) == TEXTS[:2]
    assert [row for _, row, _, _ in read_rejected(path)] == [2]
