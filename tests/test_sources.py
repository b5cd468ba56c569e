from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import random
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import InputError, RowError
from dedup.sources import (
    ARTICLE_INPUT,
    REJECTED,
    ArticleBatch,
    InputFile,
    locate,
    locate_inputs,
    read_articles,
)
from dedup.sources.dates import parse_dates
from dedup.sources.reading import READERS

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


# Formats and compressions


def to_jsonl(articles: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(article) + "\n" for article in articles).encode()


def to_csv(articles: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(articles[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(articles)
    return out.getvalue().encode()


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


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "a.jsonl": to_jsonl,
    "a.ndjson": to_jsonl,
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


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_compression_gives_the_same_articles(
    tmp_path: Path, name: str, compression: str
) -> None:
    path = tmp_path / (name + compression)
    path.write_bytes(COMPRESSIONS[compression](FORMATS[name](ARTICLES)))
    common = {"input_file": str(path), "source": None, "url": None, "date": None}
    assert read(path) == [
        {
            **common,
            "article_id": "a1",
            "text": 'One, "two"\n\nthrée.',
            "date": datetime(2021, 3, 4, 5, 6, 7, tzinfo=timezone.utc),
            "source": "bbc.com",
            "url": "https://bbc.com/1",
            "input_row": 0,
        },
        {**common, "article_id": "a2", "text": "Four\0five 😀", "input_row": 1},
    ]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_text_file_is_an_article_named_by_its_path_below_the_folder(
    tmp_path: Path, compression: str
) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / f"a.txt{compression}"
    path.write_bytes(COMPRESSIONS[compression]("\ufeffOne\r\n\0zwé".encode()))
    [row] = read(tmp_path)
    assert (row["article_id"], row["text"]) == (f"sub/a.txt{compression}", "One\r\n\0zwé")
    assert (row["date"], row["source"], row["input_row"]) == (None, None, 0)
    assert read(path)[0]["article_id"] == f"a.txt{compression}"


def test_members_joined_in_one_compressed_file_are_all_read(tmp_path: Path) -> None:
    for suffix, compress in COMPRESSIONS.items():
        path = tmp_path / f"a.jsonl{suffix}"
        path.write_bytes(compress(b'{"text":"a"}\n') + compress(b'{"text":"b"}\n'))
        assert read_texts(path) == ["a", "b"]


def test_standard_input_is_jsonl(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b'{"text":"x"}\n{"text":"y"}'))
    monkeypatch.setattr(sys, "stdin", stdin)
    rows = [row for b in read_articles(locate_inputs("-"), SKIP) for row in b.articles.to_pylist()]
    found = [(row["article_id"], row["text"], row["input_file"]) for row in rows]
    assert found == [("-:0", "x", "-"), ("-:1", "y", "-")]


def test_a_json_file_may_be_one_object_over_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"id": 1, "text": "x"}, indent=2))
    assert [(row["article_id"], row["text"]) for row in read(path)] == [("1", "x")]


def test_every_format_that_can_be_located_has_a_reader() -> None:
    assert set(locate.FORMATS.values()) == set(READERS)


# Locating


def test_the_order_of_the_arguments_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.jsonl", "a.csv.gz", "sub/c.parquet", "sub/a.txt"):
        (tmp_path / name).write_bytes(b"")
    inputs: list[Any] = ["-", tmp_path, str(tmp_path / "*.jsonl"), tmp_path / "sub"]
    expected = locate_inputs(inputs)
    assert [Path(file.path).name for file in expected] == [
        "-",
        "a.csv.gz",
        "b.jsonl",
        "a.txt",
        "c.parquet",
    ]
    for seed in range(10):
        random.Random(seed).shuffle(inputs)
        assert locate_inputs(inputs) == expected


def test_a_file_is_read_once_under_whatever_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_articles(tmp_path / "a.jsonl", {"text": "x"})
    (tmp_path / "b.jsonl").symlink_to("a.jsonl")
    monkeypatch.chdir(tmp_path)
    names = ["./a.jsonl", "a.jsonl", str(tmp_path / "a.jsonl"), "b.jsonl", ".", "*.jsonl"]
    assert len(locate_inputs(names)) == 1
    assert locate_inputs(["./a.jsonl"]) == [InputFile("a.jsonl", "jsonl", None, 14)]


def test_suffixes_count_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "A.JSONL.GZ").write_bytes(b"")
    [file] = locate_inputs(tmp_path)
    assert (file.format, file.compression) == ("jsonl", "gzip")


def test_a_folder_gives_what_can_be_read_and_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in ("README.md", "_SUCCESS", ".a.jsonl", ".git/b.jsonl", "part.1.jsonl"):
        (tmp_path / name).write_bytes(b"")
    assert [Path(file.path).name for file in locate_inputs(tmp_path)] == ["part.1.jsonl"]
    assert len(locate_inputs(f"{tmp_path}/**/*.jsonl")) == 1


def test_a_name_with_glob_characters_is_taken_as_it_is(tmp_path: Path) -> None:
    path = write_articles(tmp_path / "a[1].jsonl", {"text": "x"})
    assert read_texts(path) == ["x"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no input was given"),
        (["nothing.jsonl"], "there is no file or folder nothing.jsonl"),
        (["*.parquet"], "no file matches *.parquet"),
        (["no://bucket/a.jsonl"], "no://bucket/a.jsonl has a protocol that is not known: no"),
        (["notes"], "the format of notes is not known: its name has no suffix"),
        (["a.docx"], "the format of a.docx is not known: its name has the suffix .docx"),
        (["packed"], "the format of packed/a.jsonl.lz4 is not known"),
        (["empty"], "the folder empty has no file that can be read"),
        (["gone.jsonl"], "cannot read gone.jsonl: No such file or directory"),
        ([b"\xff.jsonl".decode("utf-8", "surrogateescape")], "the file name \\xff.jsonl is not"),
    ],
)
def test_an_input_that_cannot_be_found_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "packed"):
        Path(name).mkdir()
    for name in ("notes", "a.docx", "packed/a.jsonl.lz4"):
        Path(name).touch()
    Path(os.fsdecode(b"\xff.jsonl")).touch()
    Path("gone.jsonl").symlink_to("target")
    with pytest.raises(InputError) as caught:
        locate_inputs(given)
    assert str(caught.value).startswith(message)
    str(caught.value).encode()


# Fields


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_fields_are_found_by_their_usual_names_in_any_case(tmp_path: Path, name: str) -> None:
    article = {
        "GUID": "g",
        "doc_id": "d",
        "Body": "b",
        "maintext": "m",
        "PubDate": "2021-01-02",
        "Outlet": "o",
        "LINK": "l",
    }
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([article]))
    [row] = read(path)
    assert row["date"] == datetime(2021, 1, 2, tzinfo=timezone.utc)
    found = [row[column] for column in ("article_id", "text", "source", "url")]
    assert found == ["d", "b", "o", "l"]


@pytest.mark.parametrize("name", ["a.jsonl", "list.json", "a.csv", "a.parquet", "a.arrow"])
def test_fields_may_be_named(tmp_path: Path, name: str) -> None:
    article = {"id": "i", "text": "t", "slug": "s", "lead": "l", "when": "2021-01-02", "by": "b"}
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([article]))
    config = SourceConfig(
        id_field="slug", text_field="lead", date_field="when", source_field="by", url_field="slug"
    )
    [row] = read(path, config=config)
    found = [row[column] for column in ("article_id", "text", "source", "url")]
    assert found == ["s", "l", "b", "s"]
    assert row["date"] == datetime(2021, 1, 2, tzinfo=timezone.utc)


@pytest.mark.parametrize("name", ["a.jsonl", "list.json", "a.csv", "a.parquet", "a.arrow"])
@pytest.mark.parametrize("config", [FAIL, SKIP])
def test_a_missing_text_field_is_an_error_that_lists_the_fields(
    tmp_path: Path, name: str, config: SourceConfig
) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([{"id": "1", "headline": "x"}]))
    with pytest.raises(InputError) as caught:
        read(path, config=config)
    assert str(caught.value) == f"{path} has no text field; its fields are: id, headline"
    assert caught.value.hint == "name the one to use with --text-field"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_named_field_that_is_missing_is_an_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([{"text": "x"}]))
    with pytest.raises(InputError) as caught:
        read(path, config=SourceConfig(date_field="when"))
    assert str(caught.value) == f"{path} has no field named 'when'; its fields are: text"
    assert caught.value.hint == "name the one to use with --date-field"


def test_field_names_that_cannot_be_printed_are_escaped(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", '{"\\u202e": 1, "a\\nb": 2}')
    with pytest.raises(InputError, match=r"its fields are: \\u202e, a\\nb$"):
        read(path)


def test_a_text_column_of_another_type_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(to_parquet([{"text": [1]}]))
    with pytest.raises(InputError) as caught:
        read(path)
    assert "the field 'text' of" in str(caught.value)
    assert str(caught.value).endswith("is list<element: int64>, not text")


def test_a_column_of_a_type_that_cannot_be_used_is_passed_over_unless_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(to_parquet([{"text": "x", "source": {"name": "a"}, "site": "b"}]))
    assert read(path)[0]["source"] == "b"
    with pytest.raises(InputError, match="not text"):
        read(path, config=SourceConfig(source_field="source"))


# Ids and texts


def test_a_number_as_id_becomes_its_text_and_a_missing_one_file_and_row(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        '{"id": 7, "text": ""}',
        '{"id": "007", "text": ""}',
        "",
        '{"id": null, "text": ""}',
        '{"id": "", "text": ""}',
        '{"text": ""}',
        '{"id": 123456789012345678901234567890, "text": ""}',
    )
    assert [(row["article_id"], row["input_row"]) for row in read(path)] == [
        ("7", 0),
        ("007", 1),
        ("a.jsonl:3", 3),
        ("a.jsonl:4", 4),
        ("a.jsonl:5", 5),
        ("123456789012345678901234567890", 6),
    ]


def test_ids_of_every_arrow_type_become_text(tmp_path: Path) -> None:
    uuid = bytes.fromhex("00112233445566778899aabbccddeeff")
    for ids, expected in [
        (pa.array([7, None], pa.uint8()), ["7", "a.parquet:1"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([b"x", b"y"]), ["x", "y"]),
        (pa.array([uuid, None], pa.binary(16)), [f"{uuid.hex()[:8]}-4455", "a.parquet:1"]),
        (pa.array([date(2021, 1, 2), None]), ["2021-01-02", "a.parquet:1"]),
    ]:
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"id": ids, "text": ["a", "b"]}), path)
        found = [row["article_id"] for row in read(path)]
        assert all(id_.startswith(start) for id_, start in zip(found, expected, strict=True))


def test_a_duplicate_id_is_left_alone(tmp_path: Path) -> None:
    path = write_articles(tmp_path / "a.jsonl", {"id": 1, "text": "x"}, {"id": 1, "text": "y"})
    assert [row["article_id"] for row in read(path)] == ["1", "1"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_null_missing_or_empty_text_is_an_empty_article(tmp_path: Path, name: str) -> None:
    articles: list[dict[str, Any]]
    articles = [{"id": "1", "text": "x"}, {"id": "2", "text": None}, {"id": "3"}]
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([*articles, {"id": "4", "text": ""}]))
    assert read_texts(path) == ["x", "", "", ""]


LAYOUTS = [
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.large_binary(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]
VIEWS = [pa.string_view(), pa.binary_view()]  # which Parquet does not have


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("parquet", kind) for kind in LAYOUTS] + [("arrow", kind) for kind in LAYOUTS + VIEWS],
    ids=str,
)
def test_texts_of_every_arrow_layout_are_read(
    tmp_path: Path, kind: pa.DataType, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    texts = pa.array(["x", None, "zwé"])
    table = pa.table({"text": texts.dictionary_encode() if "dict" in str(kind) else texts})
    table = table.cast(pa.schema([("text", kind)]))
    if suffix == "parquet":
        pq.write_table(table, path)
    else:
        path.write_bytes(to_arrow_table(table))
    assert read_texts(path) == ["x", "", "zwé"]


def to_arrow_table(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


# Batches


@pytest.mark.parametrize("name", ["a.jsonl", "list.json", "a.csv", "a.parquet", "a.arrow"])
def test_a_batch_has_about_four_mebibytes_of_text(tmp_path: Path, name: str) -> None:
    lengths = [1 << 20] * 6 + [9 << 20] + [1 << 10] * 10
    articles = [{"id": str(i), "text": "x" * length} for i, length in enumerate(lengths)]
    path = tmp_path / name
    path.write_bytes(FORMATS[name](articles))
    batches = [batch.articles for batch in read_batches(path)]
    assert [row for batch in batches for row in batch["input_row"].to_pylist()] == list(range(17))
    for batch in batches:
        assert batch.num_rows == 1 or batch["text"].nbytes < (4 << 20) + 100


def test_small_files_share_a_batch(tmp_path: Path) -> None:
    for i in range(50):
        (tmp_path / f"{i:02}.txt").write_text(f"text {i}")
        write_articles(tmp_path / f"{i:02}.jsonl", {"text": f"line {i}"})
    [batch] = read_batches(tmp_path)
    names = batch.articles["input_file"].to_pylist()
    assert [Path(name).name for name in names][:3] == ["00.jsonl", "00.txt", "01.jsonl"]
    assert batch.articles["text"].to_pylist()[-2:] == ["line 49", "text 49"]


def test_a_parquet_file_is_read_by_pages_and_numbered_through(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"id": range(5000), "text": ["word " * 500] * 5000, "other": range(5000)})
    pq.write_table(table, path, row_group_size=1500)
    rows = read(path)
    assert [row["input_row"] for row in rows] == list(range(5000))
    assert [row["article_id"] for row in rows] == [str(i) for i in range(5000)]


def test_a_line_of_100_megabytes_is_an_article(tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv"):
        path = tmp_path / f"a.{suffix}"
        text = "wort " * 20_000_000
        with path.open("w") as out:
            if suffix == "jsonl":
                out.write(f'{{"text":"a"}}\n{{"text":"{text}"}}\n{{"text":"b"}}\n')
            else:
                out.write(f'id,text\n1,a\n2,"{text}"\n3,b\n')
        batches = read_batches(path)
        lengths = [len(text) for b in batches for text in b.articles["text"].to_pylist()]
        assert lengths == [1, 100_000_000, 1]
        assert len(batches) == 3


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "text", "body", "x", "Text"]) | st.text(max_size=5),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=3), inner, max_size=3)
                ),
                max_leaves=4,
            ),
            max_size=5,
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_jsonl_gives_what_the_json_module_gives(
    articles: list[dict[str, Any]], ensure_ascii: bool
) -> None:
    lines = [json.dumps(article, ensure_ascii=ensure_ascii) for article in articles]
    block = "\n".join(lines).encode("utf-8", "surrogatepass")
    fields = [("article_id", ["id"]), ("text", ["text"])]
    batch, line_ends = _native.parse_jsonl(block, fields=fields, first_line=10)
    assert line_ends == max(len(lines) - 1, 0)
    rows = batch.to_pylist()
    assert [row["input_row"] for row in rows] == list(range(10, 10 + len(lines)))
    for row, line in zip(rows, lines, strict=True):
        article = json.loads(line)
        matches = [name for name in article if name.lower() == "text" and name.isascii()]
        matches.sort(key=lambda name: name != "text")
        text = article[matches[0]] if matches else None
        is_text = text is None or isinstance(text, str)
        assert (row["reason"] is None) == is_text
        assert row["text"] == (text if is_text else None)


# Dates


def parse(values: Any, kind: pa.DataType | None = None) -> tuple[list[str | None], int]:
    dates, unreadable = parse_dates(pa.array(values, kind))
    assert dates.type == ARTICLE_INPUT.field("date").type
    return [value and value.isoformat() for value in dates.to_pylist()], unreadable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-03-04", "2021-03-04T00:00:00+00:00"),
        ("2021-03-04T05:06", "2021-03-04T05:06:00+00:00"),
        ("2021-03-04 05:06:07", "2021-03-04T05:06:07+00:00"),
        (" 2021-03-04T05:06:07.25 ", "2021-03-04T05:06:07.250000+00:00"),
        ("2021-03-04T05:06:07.123456789Z", "2021-03-04T05:06:07.123456+00:00"),
        ("2021-03-04T05:06:07Z", "2021-03-04T05:06:07+00:00"),
        ("2021-03-04T05:06:07+02:00", "2021-03-04T03:06:07+00:00"),
        ("2021-03-04 05:06:07 -0130", "2021-03-04T06:36:07+00:00"),
        ("2021-03-04 05:06:07 UTC", "2021-03-04T05:06:07+00:00"),
        ("2021/3/4", "2021-03-04T00:00:00+00:00"),
        ("20210304", "2021-03-04T00:00:00+00:00"),
        ("20210304T050607Z", "2021-03-04T05:06:07+00:00"),
        ("2021-03", "2021-03-01T00:00:00+00:00"),
        ("2021", "2021-01-01T00:00:00+00:00"),
        ("1614834367", "2021-03-04T05:06:07+00:00"),
        ("1614834367.5", "2021-03-04T05:06:07.500000+00:00"),
        ("1614834367123", "2021-03-04T05:06:07.123000+00:00"),
        ("-86400", "1969-12-31T00:00:00+00:00"),
        ("Thu, 04 Mar 2021 05:06:07 +0100", "2021-03-04T04:06:07+00:00"),
        ("Thu, 4 Mar 2021 05:06:07 GMT", "2021-03-04T05:06:07+00:00"),
        ("Thu, 4 Mar 2021 05:06:07 EST", "2021-03-04T10:06:07+00:00"),
        ("26-FEB-1987 15:01:01.79", "1987-02-26T15:01:01.790000+00:00"),
        (" 5-MAR-1987", "1987-03-05T00:00:00+00:00"),
        ("March 4, 2021", "2021-03-04T00:00:00+00:00"),
        ("Mar. 4, 2021, 5:06 PM", "2021-03-04T17:06:00+00:00"),
        ("4 March 2021", "2021-03-04T00:00:00+00:00"),
    ],
)
def test_a_date_is_read_alone_and_among_others(text: str, expected: str) -> None:
    assert parse([text]) == ([expected], 0)
    mixed = ["2020-01-01", text, None, "", "2020-02-30", "2020-01-01T00:00:00Z"]
    dates, unreadable = parse(mixed)
    assert (dates[1], unreadable) == (expected, 1)
    assert dates[0] == dates[5] == "2020-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2021-02-30",
        "2021-13-01",
        "03/04/2021",
        "2021-03-04T25:00:00",
        "0001-01-01T00:00:00+05:00",
        "99999999999999999999999",
        "nan",
        '{"$date": 5}',
        "4 Foo 2021",
    ],
)
def test_a_date_that_cannot_be_read_is_null_and_counted(text: str) -> None:
    assert parse([text]) == ([None], 1)


def test_a_blank_date_is_not_counted() -> None:
    assert parse(["", "  ", None]) == ([None, None, None], 0)
    assert parse([None, None]) == ([None, None], 0)


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("s"),
        pa.timestamp("ms", "America/New_York"),
        pa.timestamp("us", "UTC"),
        pa.timestamp("ns"),
    ],
    ids=str,
)
def test_timestamps_of_any_unit_are_read_as_utc(kind: pa.DataType) -> None:
    seconds = pa.array([1614834367, None]).cast(pa.timestamp("s")).cast(pa.timestamp(kind.unit))
    assert parse(seconds.cast(pa.int64()).cast(kind)) == (["2021-03-04T05:06:07+00:00", None], 0)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([date(2021, 3, 4)], pa.date32()),
        ([date(2021, 3, 4)], pa.date64()),
        ([1614816000], pa.int64()),
        ([1614816000.0], pa.float64()),
        ([1614816000000], pa.int64()),
        ([1614816000000000], pa.int64()),
        ([1614816000000000000], pa.int64()),
        ([20210304], pa.int32()),
        (["2021-03-04"], pa.large_string()),
        (["2021-03-04"], pa.dictionary(pa.int32(), pa.string())),
    ],
    ids=str,
)
def test_date_columns_of_other_types_are_read(values: list[Any], kind: pa.DataType) -> None:
    assert parse(values, kind) == (["2021-03-04T00:00:00+00:00"], 0)


def test_a_timestamp_beyond_the_year_9999_is_unreadable() -> None:
    assert parse([1 << 62, 0], pa.timestamp("s")) == ([None, "1970-01-01T00:00:00+00:00"], 1)


@given(st.datetimes(min_value=datetime(1900, 1, 1)), st.sampled_from(["", "Z", "+00:00"]))
def test_a_date_written_in_iso_8601_comes_back(moment: datetime, zone: str) -> None:
    expected = moment.replace(tzinfo=timezone.utc).isoformat()
    assert parse([moment.isoformat() + zone]) == ([expected], 0)


@given(st.text(max_size=30))
def test_no_text_is_so_odd_that_reading_it_as_a_date_fails(text: str) -> None:
    dates, unreadable = parse([text, "2021-01-01"])
    assert len(dates) == 2
    assert unreadable in (0, 1)


def test_unreadable_dates_are_counted_by_batch(tmp_path: Path) -> None:
    path = write_articles(
        tmp_path / "a.jsonl",
        {"text": "x", "date": "soon"},
        {"text": "y", "date": [1]},
        {"text": "z", "date": 1614816000},
    )
    [batch] = read_batches(path)
    assert batch.unreadable_dates == 2
    assert batch.articles["date"].null_count == 2


# Rows that cannot be read

BAD_LINES = {
    '{"id": "b", "text": 5}': "the text must be a string, but this is a number",
    '{"id": "b", "text": ["x"]}': "the text must be a string, but this is a list",
    '{"id": "b", "text": {"x": 1}}': "the text must be a string, but this is an object",
    '{"id": "b", "text": true}': "the text must be a string, but this is a boolean",
    '{"id": "b", "text": "x\\ud83d"}': "not valid JSON: unexpected end of hex escape",
    '{"id": "b", "text": "x': "not valid JSON: EOF while parsing a string at column 22",
    '{"id": "b", "text": "x"}}': "not valid JSON: trailing characters at column 25",
    '{"id": "b" "text": "x"}': "not valid JSON: expected `,` or `}` at column 12",
}


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.items())
def test_a_malformed_line_stops_the_reading_or_is_rejected_with_its_reason(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = write_lines(tmp_path / "a.jsonl", '{"text": "x"}', "", line, '{"text": "y"}')
    with pytest.raises(RowError) as caught:
        read(path)
    assert str(caught.value) == f"{path}, row 2: line 3: {reason}"
    assert (caught.value.input_file, caught.value.input_row) == (str(path), 2)
    assert read_rejected(path) == [("a.jsonl", 2, "b", f"line 3: {reason}")]
    assert read_texts(path, config=SKIP) == ["x", "y"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "not valid JSON: expected ident at column 2"),
        (b"[1]", "an article must be a JSON object, but this is a list"),
        (b"\0\0\0", "not valid JSON: expected value at column 1"),
        (b'{"text": "\xff"}', "not valid UTF-8 from byte 11 on"),
        (b'{"text": "\xed\xa0\x80"}', "not valid UTF-8 from byte 11 on"),
        (b'{"text": "a\tb"}', "not valid JSON: control character (\\u0000-\\u001F) found"),
    ],
)
def test_a_line_that_is_no_json_object_is_rejected(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = write_lines(tmp_path / "a.jsonl", '{"text": "x"}', line, '{"text": "y"}')
    [(_, row, article_id, found)] = read_rejected(path)
    assert (row, article_id) == (1, None)
    assert found.startswith(f"line 2: {reason}")
    assert read_texts(path, config=SKIP) == ["x", "y"]


def test_deep_nesting_is_no_danger(tmp_path: Path) -> None:
    nested = "[" * 200_000 + "]" * 200_000
    path = write_lines(
        tmp_path / "a.jsonl", f'{{"x": {nested}, "text": "x"}}', f'{{"text": {nested}}}'
    )
    assert read_texts(path, config=SKIP) == ["x"]
    assert len(read_rejected(path)) == 1
    other = write_lines(tmp_path / "b.jsonl", f'{{"x": {nested}}}', "{}")
    with pytest.raises(InputError, match="no text field"):
        read(other)


def test_a_json_list_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"text": "x"},\n {"text": 3},\n {"text": "y"')
    assert read_texts(path, config=SKIP) == ["x"]
    assert read_rejected(path) == [
        ("a.json", 1, None, "the text must be a string, but this is a number"),
        ("a.json", 2, None, "not valid JSON: EOF while parsing an object at line 3 column 13"),
    ]


def test_a_csv_row_with_the_wrong_number_of_fields_is_rejected(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.csv", "id,text", '1,"a\nb"', "2", "3,c,d", "4,d", b"5,\xff", '6,"e" f', "7,g"
    )
    assert read_rejected(path) == [
        ("a.csv", 1, "2", "line 4: the row has 1 fields, but the header has 2"),
        ("a.csv", 2, "3", "line 5: the row has 3 fields, but the header has 2"),
        ("a.csv", 4, "5", "line 7: not valid UTF-8 from byte 1 on"),
        ("a.csv", 5, "6", "line 8: a quote inside a quoted field is not doubled"),
    ]
    rows = [(row["input_row"], row["text"]) for row in read(path, config=SKIP)]
    assert rows == [(0, "a\nb"), (3, "d"), (6, "g")]
    with pytest.raises(RowError, match=r"a\.csv, row 1: line 4: the row has 1 fields"):
        read(path)


def test_a_csv_quote_that_is_never_closed_says_what_it_takes_in(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.csv", "id,text", "1,a", '2,"b', "3,c")
    assert read_texts(path, config=SKIP) == ["a"]
    [(_, row, article_id, reason)] = read_rejected(path)
    assert (row, article_id) == (1, "2")
    assert reason.startswith("line 3: a quote is opened and never closed: it takes in 2 lines")


def test_csv_may_have_a_byte_order_mark_carriage_returns_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf\r\n text ,id\r\nx,1\r\n\r\ny,\r\n,3")
    rows = [(row["article_id"], row["text"], row["input_row"]) for row in read(path)]
    assert rows == [("1", "x", 0), ("a.csv:1", "y", 1), ("3", "", 2)]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
@pytest.mark.parametrize("column", ["text", "id"])
def test_a_value_in_a_table_that_is_not_utf8_is_rejected(
    tmp_path: Path, name: str, column: str
) -> None:
    def bad_string() -> pa.Array:
        good = [b"a", b"\xed\xa0\x80", None, b"d", b"\xff"]
        return pa.array(good, pa.binary()).view(pa.string())

    path = tmp_path / name
    table = pa.table({"id": list("12345"), "text": list("vwxyz")})
    place = table.schema.get_field_index(column)
    table = table.set_column(place, column, bad_string())
    if name == "a.parquet":
        pq.write_table(table, path)
    else:
        path.write_bytes(to_arrow_table(table))
    ids = ["2", "5"] if column == "text" else [None, None]
    assert read_rejected(path) == [
        (name, 1, ids[0], f"the {column} is not valid UTF-8"),
        (name, 4, ids[1], f"the {column} is not valid UTF-8"),
    ]
    assert [row["input_row"] for row in read(path, config=SKIP)] == [0, 2, 3]
    with pytest.raises(RowError, match=f"row 1: the {column} is not valid UTF-8"):
        read(path)


def test_a_text_file_that_is_not_utf8_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\xff")
    (tmp_path / "b.txt").write_bytes("übel".encode("utf-16"))
    (tmp_path / "c.txt").write_bytes(b"fine")
    assert read_rejected(tmp_path) == [
        ("a.txt", 0, "a.txt", "the text is not valid UTF-8"),
        ("b.txt", 0, "b.txt", "the text is not valid UTF-8"),
    ]
    assert read_texts(tmp_path, config=SKIP) == ["fine"]


def test_bad_rows_beyond_one_block_keep_their_lines(tmp_path: Path) -> None:
    good = json.dumps({"text": "word " * 200})
    lines = [good if i % 1000 else "{" for i in range(20_000)]
    path = write_lines(tmp_path / "a.jsonl", *lines)
    assert [row for _, row, _, _ in read_rejected(path)] == list(range(0, 20_000, 1000))
    assert [row["input_row"] for row in read(path, config=SKIP)] == [
        i for i in range(20_000) if i % 1000
    ]


# Files that cannot be read


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.jsonl.gz", "a.txt"])
@pytest.mark.parametrize("content", [b"", b"\n\n \r\n"])
def test_an_empty_or_blank_file_has_no_text(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert [text.strip() for text in read_texts(path)] == ([""] if name == "a.txt" else [])


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"PAR1", b"ARROW1\0\0"])
def test_a_file_that_is_not_of_its_format_is_named(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path} cannot be read to its end: ")
    [(_, row, _, reason)] = read_rejected(path)
    assert row == 0
    assert "\n" not in reason


def random_articles(count: int) -> list[dict[str, Any]]:
    """Make articles that do not compress to nothing."""
    make = random.Random(7)
    return [{"id": str(i), "text": make.randbytes(5000).hex()} for i in range(count)]


@pytest.mark.parametrize("compression", [".gz", ".zst", ".bz2", ".xz"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_stream_that_is_cut_keeps_the_rows_before_the_cut(
    tmp_path: Path, name: str, compression: str
) -> None:
    whole = COMPRESSIONS[compression](FORMATS[name](random_articles(100)))
    path = tmp_path / (name + compression)
    path.write_bytes(whole[: len(whole) * 3 // 4])
    (tmp_path / "b.jsonl").write_text('{"id": "next", "text": "x"}')
    with pytest.raises(InputError, match=r"cannot be read to its end: (Truncated|Compressed file)"):
        read(path)
    ids = [row["article_id"] for row in read(tmp_path, config=SKIP)]
    [(file, row, article_id, _)] = read_rejected(tmp_path)
    assert (file, row, article_id) == (path.name, len(ids) - 1, None)
    assert ids == [*map(str, range(row)), "next"]
    if compression != ".bz2":  # its blocks of 900 kB come whole or not at all
        assert row > 60


def test_a_stream_that_is_corrupt_is_named(tmp_path: Path) -> None:
    for suffix in (".gz", ".zst", ".bz2", ".xz"):
        path = tmp_path / f"a.jsonl{suffix}"
        path.write_bytes(b"this is no compressed file at all")
        with pytest.raises(InputError, match="cannot be read to its end: "):
            read(path)
        assert [row[1] for row in read_rejected(path)] == [0]


def test_a_table_that_is_cut_is_named(tmp_path: Path) -> None:
    for name in ("a.parquet", "a.arrow", "stream.arrow"):
        whole = FORMATS[name](random_articles(10))
        path = tmp_path / name
        for share in (0.3, 0.9):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(InputError, match="cannot be read to its end: "):
                read(path)
            kept = len(read_texts(path, config=SKIP))
            assert [row[1] for row in read_rejected(path)] == [kept]
            assert (kept > 0) == (name == "stream.arrow")


def test_a_parquet_file_damaged_in_the_middle_keeps_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.Table.from_pylist(random_articles(100))
    pq.write_table(table, path, row_group_size=10, compression="zstd", use_dictionary=False)
    start = pq.read_metadata(path).row_group(5).column(1).data_page_offset
    damaged = bytearray(path.read_bytes())
    damaged[start : start + 2000] = bytes(2000)
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="cannot be read to its end: "):
        read(path)
    assert len(read(path, config=SKIP)) == 50
    assert [row[1] for row in read_rejected(path)] == [50]


def test_what_is_too_long_for_a_column_is_named_and_the_next_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.sources.streams.MAX_PIECE_BYTES", 5_000_000)
    text = "x" * 12_000_000
    write_articles(tmp_path / "a.jsonl", {"text": text}, {"text": "a"})
    write_lines(tmp_path / "b.csv", "text,id", f'"{text}",1')
    write_lines(tmp_path / "c.json", "[", json.dumps({"text": text}), "]")
    write_lines(tmp_path / "d.txt", text)
    write_articles(tmp_path / "e.jsonl", {"text": "e"})
    assert read_texts(tmp_path, config=SKIP) == ["e"]
    whole = {"a.jsonl": "a line", "c.json": "a document", "d.txt": "the text"}
    whole["b.csv"] = "a row (perhaps a quote is never closed)"
    assert read_rejected(tmp_path) == [
        (name, 0, None, f"{whole[name]} is longer than 5000000 bytes") for name in sorted(whole)
    ]


def test_feather_version_1_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.feather"
    path.write_bytes(b"FEA1" + bytes(20))
    with pytest.raises(InputError, match="is in Feather version 1") as caught:
        read(path)
    assert "version=2" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv.gz", "a.txt.xz", "a.arrow"])
@pytest.mark.parametrize("config", [FAIL, SKIP])
def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, name: str, config: SourceConfig
) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    files = locate_inputs(path)
    path.unlink()
    with pytest.raises(InputError, match="No such file or directory") as caught:
        list(read_articles(files, config))
    assert str(caught.value).startswith(f"cannot read {path}: ")


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_articles(tmp_path / "a.jsonl", {"text": "x"})

    def refuse(*_: Any) -> None:  # root may read everything, so chmod would not do
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError) as caught:
        read(path, config=SKIP)
    assert str(caught.value) == f"cannot read {path}: Permission denied"


@pytest.fixture
def a_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a.jsonl"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield path


def test_a_file_that_is_no_regular_file_is_named(a_socket: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*a\.jsonl: No such device"):
        read(a_socket)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60), st.sampled_from(["jsonl", "json", "csv", "tsv", "txt", "html", "warc"])
)
def test_any_bytes_are_read_or_refused_with_a_clear_message(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a.{suffix}"
    path.write_bytes(content)
    refusal = None
    try:
        read(path, config=SKIP)
    except InputError as err:
        refusal = str(err)
    assert refusal is None or str(path) in refusal


# Digests


def test_a_digest_depends_on_the_bytes_alone(tmp_path: Path) -> None:
    for name, content in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    digests = [_native.digest_file(tmp_path / name) for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 32
