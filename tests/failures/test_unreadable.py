"""Rows and files that cannot be read are named, and nothing else is lost."""

from __future__ import annotations

import gzip
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from article_files import (
    COMPRESSIONS,
    FAIL,
    FORMATS,
    SKIP,
    read,
    read_rejected,
    read_texts,
    to_arrow_table,
    write_articles,
    write_lines,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import InputError, RowError, TooManyParagraphsError
from dedup.read import locate_inputs, read_articles

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
    assert reason.startswith("line 3: a quote is opened and never closed: it spans 2 lines")


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
        path.write_bytes(COMPRESSIONS[suffix](b"x")[:10] + b"this is no compressed file at all")
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

    def refuse(*_: Any, **__: Any) -> None:  # root may read everything, so chmod would not do
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


# Articles that only fingerprinting finds to be too much


class ShortSighted:
    """A fingerprinter that numbers three paragraphs, as the real one some 16 million."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self._real = _REAL(*given, **options)

    def fingerprint(self, articles: pa.RecordBatch) -> _native.Batch:
        for text in articles["text"].to_pylist():
            if text.count("\n") > 2:
                raise TooManyParagraphsError("4 paragraphs, but at most 3 can be numbered")
        return self._real.fingerprint(articles)


_REAL = _native.Fingerprinter


@pytest.mark.parametrize("long_first", [True, False])
def test_an_article_with_too_many_paragraphs_is_a_rejected_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_first: bool
) -> None:
    monkeypatch.setattr(_native, "Fingerprinter", ShortSighted)
    monkeypatch.setattr("dedup.read.batches.BATCH_BYTES", 8)  # so that each is alone
    texts = ["one\ntwo\nthree\nfour", "one\ntwo"]
    lines = [json.dumps({"id": text[-4:], "text": text}) for text in texts]
    path = write_lines(tmp_path / "a.jsonl", *(lines if long_first else lines[::-1]))
    result = dedup.scan(path, tmp_path / "out", on_error="skip")
    assert result.articles.to_table()["article_id"].to_pylist() == ["\ntwo"]
    assert result.rejected.to_table().to_pylist() == [
        {
            "input_file": str(path),
            "input_row": 0 if long_first else 1,
            "article_id": "four",
            "reason": "4 paragraphs, but at most 3 can be numbered",
        }
    ]
    assert result.manifest["counts"]["rejected_rows"] == 1
    with pytest.raises(RowError, match=r"row .: 4 paragraphs, but at most 3 can be numbered"):
        dedup.scan(path, tmp_path / "other")
