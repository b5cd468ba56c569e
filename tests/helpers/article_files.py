"""Small files of articles for the tests of reading, and what reading makes of them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from dedup.config import SourceConfig
from dedup.read import ARTICLE_INPUT, REJECTED, ArticleBatch, locate_inputs, read_articles

FAIL = SourceConfig(on_error="fail")
SKIP = SourceConfig(on_error="skip")
ARTICLES: list[dict[str, Any]] = [
    {
        "id": "a1",
        "text": 'One, "two"\n\nthrée.',
        "date": "2021-03-04T05:06:07Z",
        "source": "bbc.com",
        "url": "https://bbc.com/1",
    },
    {"id": "a2", "text": "Four\0five 😀", "date": None, "source": None, "url": None},
]


def read_batches(*paths: Path, config: SourceConfig = FAIL) -> list[ArticleBatch]:
    return list(read_articles(locate_inputs(paths), config))


def read(*paths: Path, config: SourceConfig = FAIL) -> list[dict[str, Any]]:
    batches = read_batches(*paths, config=config)
    assert all(batch.articles.schema == ARTICLE_INPUT for batch in batches)
    assert all(batch.articles.validate(full=True) is None for batch in batches)
    return [row for batch in batches for row in batch.articles.to_pylist()]


def read_texts(*paths: Path, config: SourceConfig = FAIL) -> list[str]:
    return [row["text"] for row in read(*paths, config=config)]


def read_rejected(*paths: Path) -> list[tuple[str, int, str | None, str]]:
    batches = read_batches(*paths, config=SKIP)
    assert all(batch.rejected.schema == REJECTED for batch in batches)
    rows = [row for batch in batches for row in batch.rejected.to_pylist()]
    return [
        (Path(row["input_file"]).name, row["input_row"], row["article_id"], row["reason"])
        for row in rows
    ]


def write_lines(path: Path, *lines: str | bytes) -> Path:
    encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in encoded))
    return path


def write_articles(path: Path, *articles: dict[str, Any]) -> Path:
    return write_lines(path, *(json.dumps(article) for article in articles))


def to_jsonl(articles: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(article) + "\n" for article in articles).encode()


def to_csv(articles: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    # By hand: the csv module of Python 3.10 writes no NUL.
    rows = [list(articles[0]), *(article.values() for article in articles)]
    lines = (delimiter.join(map(_to_cell, row)) + "\r\n" for row in rows)
    return "".join(lines).encode()


def _to_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f'"{text.replace(chr(34), 2 * chr(34))}"' if set(text) & set('",\t\r\n') else text


def to_parquet(articles: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(articles), out)
    return out.getvalue()


def to_arrow(articles: list[dict[str, Any]], opened: Any = pa.ipc.new_file) -> bytes:
    table = pa.Table.from_pylist(articles)
    out = io.BytesIO()
    with opened(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    return out.getvalue()


def to_arrow_table(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "a.jsonl": to_jsonl,
    "a.ndjson": to_jsonl,
    "a.jsonlines": to_jsonl,
    "a.jl": to_jsonl,
    "lines.json": to_jsonl,
    "list.json": lambda articles: json.dumps(articles, indent=1).encode(),
    "a.csv": to_csv,
    "a.tsv": lambda articles: to_csv(articles, "\t"),
    "a.parquet": to_parquet,
    "a.arrow": to_arrow,
    "stream.arrow": lambda articles: to_arrow(articles, pa.ipc.new_stream),
    "a.feather": to_arrow,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
