"""Articles come out of every format the same."""

from __future__ import annotations

import io
import json
import sys
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from article_files import (
    ARTICLES,
    COMPRESSIONS,
    FAIL,
    FORMATS,
    SKIP,
    read,
    read_batches,
    read_texts,
    to_arrow_table,
    to_parquet,
    write_articles,
    write_lines,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import _native
from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.read import locate, locate_inputs, read_articles
from dedup.read.articles import READERS

# Formats and compressions


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
        batches = read_batches(path, config=SourceConfig(max_article_bytes="100MB"))
        lengths = [len(text) for b in batches for text in b.articles["text"].to_pylist()]
        assert lengths == [1, 100_000_000, 1]
        assert len(batches) <= 4


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


# Digests


def test_a_digest_depends_on_the_bytes_alone(tmp_path: Path) -> None:
    for name, content in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    digests = [_native.digest_file(tmp_path / name) for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 32
