"""`filter_articles`: what is kept, what is removed, and that nothing else happens to it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.config import ConfigError
from dedup.errors import InputError, OutputError
from dedup.filter.csv_records import is_blank, split_records

ORIGINAL = (
    "The harbour council voted on Monday to widen the northern mole by eleven metres, which ends"
    " a quarrel that began before most of its members were born."
)
OTHER = (
    "A heron has taken to fishing from the roof of the bakery in Mill Lane, and nobody there has"
    " the heart to tell it that the weathercock is made of tin."
)
LONGER = ORIGINAL + " Work begins in May, weather and the price of granite permitting as always."


def article(name: str, text: str, day: int = 1, source: str = "wire") -> dict[str, Any]:
    return {
        "id": name,
        "text": text,
        "date": f"2024-03-{day:02}",
        "source": source,
        "section": f"never scanned, {name}",
    }


# a is copied by c; b stands alone; d is a longer near-copy of a.
ARTICLES = [
    article("a", ORIGINAL, 1),
    article("b", OTHER, 2),
    article("c", ORIGINAL, 3),
    article("d", LONGER, 4),
]


def jsonl(articles: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in articles).encode()


def as_json(articles: list[dict[str, Any]]) -> bytes:
    return json.dumps(articles, indent=1).encode()


def as_csv(articles: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, articles[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(articles)
    return out.getvalue().encode()


def as_parquet(articles: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(articles).replace_schema_metadata({"made by": "a test"})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=2)
    return out.getvalue()


def as_arrow(articles: list[dict[str, Any]], *, is_file: bool = True) -> bytes:
    table = pa.Table.from_pylist(articles).replace_schema_metadata({"made by": "a test"})
    out = io.BytesIO()
    with (pa.ipc.new_file if is_file else pa.ipc.new_stream)(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return out.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "jsonl": jsonl,
    "json": as_json,
    "csv": as_csv,
    "tsv": lambda articles: as_csv(articles, "\t"),
    "parquet": as_parquet,
    "arrow": as_arrow,
    "feather": lambda articles: as_arrow(articles, is_file=False),
}
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def unpack(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    with pa.input_stream(str(path), compression="detect") as stream:
        return stream.read()


def read_rows(kind: str, data: bytes) -> list[dict[str, Any]]:
    if kind == "jsonl":
        return [json.loads(line) for line in data.splitlines()]
    if kind == "json":
        return json.loads(data)
    if kind in ("csv", "tsv"):
        delimiter = "," if kind == "csv" else "\t"
        return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))
    if kind == "parquet":
        return pq.read_table(io.BytesIO(data)).to_pylist()
    if data.startswith(b"ARROW1"):
        return pa.ipc.open_file(data).read_all().to_pylist()
    return pa.ipc.open_stream(data).read_all().to_pylist()


def scan_file(folder: Path, name: str, data: bytes, **options: Any) -> Path:
    path = folder / name
    path.write_bytes(data)
    dedup.scan(path, folder / "results", **options)
    return path


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("kind", FORMATS)
def test_kept_and_removed_rows_together_are_the_input(
    tmp_path: Path, kind: str, packing: str
) -> None:
    name = f"in.{kind}{packing}"
    path = scan_file(tmp_path, name, PACK[packing](FORMATS[kind](ARTICLES)))
    out, removed = tmp_path / f"out.{kind}{packing}", tmp_path / "removed.jsonl"
    report = dedup.filter_articles(
        tmp_path / "results", path, out, max_redundancy=0.5, removed=removed
    )
    assert (report.rows_in, report.kept, report.removed) == (4, 2, 2)
    kept = read_rows(kind, unpack(out))
    assert kept == [ARTICLES[0], ARTICLES[1]]
    assert ids_of_removed(removed) == ["c", "d"]


def ids_of_removed(path: Path) -> list[str]:
    return [json.loads(line)["article_id"] for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("kind", FORMATS)
def test_scores_are_added_on_request(tmp_path: Path, kind: str) -> None:
    path = scan_file(tmp_path, f"in.{kind}", FORMATS[kind](ARTICLES))
    out = tmp_path / f"out.{kind}"
    dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.99, add_scores=True)
    rows = read_rows(kind, out.read_bytes())
    assert [row["id"] for row in rows] == ["a", "b", "d"]
    assert list(rows[0])[-4:] == ["redundancy", "internal", "copied", "formulaic"]
    assert [round(float(row["copied"]), 2) for row in rows] == [0, 0, 0.68]


@pytest.mark.parametrize("kind", FORMATS)
def test_scores_never_replace_a_field_of_the_same_name(tmp_path: Path, kind: str) -> None:
    articles = [{**row, "copied": "by hand"} for row in ARTICLES]
    path = scan_file(tmp_path, f"in.{kind}", FORMATS[kind](articles))
    with pytest.raises(ConfigError, match="already have a field 'copied'"):
        dedup.filter_articles(
            tmp_path / "results", path, tmp_path / "out", max_redundancy=0.5, add_scores=True
        )
    assert sorted(os.listdir(tmp_path)) == [f"in.{kind}", "results"]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "feather"])
def test_schema_and_its_metadata_are_kept(tmp_path: Path, kind: str) -> None:
    path = scan_file(tmp_path, f"in.{kind}", FORMATS[kind](ARTICLES))
    out = tmp_path / f"out.{kind}"
    dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    data = out.read_bytes()
    if kind == "parquet":
        schema = pq.read_schema(out)
    else:
        schema = (pa.ipc.open_file if kind == "arrow" else pa.ipc.open_stream)(data).schema
    expected = pa.Table.from_pylist(ARTICLES).schema.with_metadata({"made by": "a test"})
    assert schema.equals(expected, check_metadata=True)


def test_kept_lines_of_jsonl_are_the_bytes_of_the_input(tmp_path: Path) -> None:
    first = json.dumps({"text": ORIGINAL}).encode()
    lines = [
        b"\xef\xbb\xbf" + first + b"\r\n",
        b"\n",
        first + b"\n",
        b' { "text" :"one of its kind" , "x": 1.50, "x": "\\u00e9" }',
    ]
    path = scan_file(tmp_path, "in.jsonl", b"".join(lines))
    out = tmp_path / "out.jsonl"
    dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    assert out.read_bytes() == lines[0] + lines[1] + lines[3]


def test_kept_records_of_csv_are_the_bytes_of_the_input(tmp_path: Path) -> None:
    records = [
        b"\xef\xbb\xbf id ,text\r\n",
        b'1,"line one of ""two""\r\nline two"\r\n',
        b"2," + OTHER.replace(",", ";").encode() + b"\n",
        b"\n",
        b"3," + OTHER.replace(",", ";").encode() + b"\n",
        b'4,un"quoted',
    ]
    path = scan_file(tmp_path, "in.csv", b"".join(records))
    out = tmp_path / "out.csv"
    report = dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    assert out.read_bytes() == b"".join(records[:4] + records[5:])
    assert (report.kept, report.removed) == (3, 1)


def test_kept_articles_of_a_json_document_are_the_bytes_of_the_input(tmp_path: Path) -> None:
    raw = b'{"text": "kept [as, it] is \\u00e9",\n "n": 1.50}'
    copy = json.dumps({"text": ORIGINAL}).encode()
    path = scan_file(tmp_path, "in.json", b"[" + raw + b" , " + copy + b"," + copy + b"]\n")
    out = tmp_path / "out.json"
    dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    assert out.read_bytes() == b"[\n" + raw + b",\n" + copy + b"\n]\n"


@pytest.mark.parametrize(
    ("keep", "kept"),
    [("first", ["a", "b"]), ("longest", ["b", "d"]), ("best", ["a", "b"]), ("none", ["b"])],
)
def test_keep_chooses_one_article_of_a_cluster(tmp_path: Path, keep: Any, kept: list[str]) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES), threshold=0.75)
    out = tmp_path / "out.jsonl"
    dedup.filter_articles(tmp_path / "results", path, out, keep=keep)
    assert ids(out) == kept


def test_of_equally_long_articles_the_first_in_the_table_is_kept(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl([ARTICLES[2], ARTICLES[0]]))
    out = tmp_path / "out.jsonl"
    dedup.filter_articles(tmp_path / "results", path, out, keep="longest")
    assert ids(out) == ["c"]


def test_the_reason_lists_every_rule_that_an_article_fails(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES[:3]))
    removed = tmp_path / "removed.parquet"
    report = dedup.filter_articles(
        tmp_path / "results",
        path,
        tmp_path / "out.jsonl",
        max_redundancy=0.5,
        keep="first",
        removed=removed,
    )
    reason = "redundancy above 0.5; not the first of its cluster"
    assert report.by_reason == {reason: 1}
    (row,) = pq.read_table(removed).to_pylist()
    cluster = row.pop("article_cluster")
    assert len(cluster) == 16
    assert row == {
        "article_id": "c",
        "input_file": str(path),
        "input_row": 2,
        "reason": reason,
        "redundancy": 1.0,
        "match": "a",
    }


def test_rejected_rows_are_removed_with_their_reason(tmp_path: Path) -> None:
    data = jsonl(ARTICLES[:1]) + b"{broken\n" + jsonl(ARTICLES[1:2])
    path = scan_file(tmp_path, "in.jsonl", data, on_error="skip")
    removed, out = tmp_path / "removed.jsonl", tmp_path / "out.jsonl"
    report = dedup.filter_articles(
        tmp_path / "results", path, out, max_redundancy=0.5, removed=removed
    )
    assert (report.kept, report.removed, report.rejected_rows) == (2, 1, 1)
    assert ids(out) == ["a", "b"]
    row = json.loads(removed.read_text())
    assert row["input_row"] == 1
    assert row["reason"].startswith("rejected by the scan: line 2: not valid JSON")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_that_breaks_off_is_copied_as_far_as_it_was_scanned(
    tmp_path: Path, kind: str
) -> None:
    many = [article(str(n), os.urandom(400).hex()) for n in range(500)]
    packed = gzip.compress(FORMATS[kind](many))
    path = scan_file(tmp_path, f"in.{kind}.gz", packed[: len(packed) // 2], on_error="skip")
    out = tmp_path / f"out.{kind}"
    report = dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    assert 0 < report.kept == report.rows_in - 1
    assert read_rows(kind, out.read_bytes()) == many[: report.kept]


@pytest.mark.parametrize("packing", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("kind", ["json", "parquet", "arrow", "feather"])
def test_a_file_of_which_nothing_could_be_read_does_not_stop_the_filter(
    tmp_path: Path, kind: str, packing: str
) -> None:
    (tmp_path / "in").mkdir()
    many = [article(str(n), os.urandom(100).hex()) for n in range(100)]
    whole = PACK[packing](FORMATS[kind](many))
    (tmp_path / "in" / f"a.{kind}{packing}").write_bytes(whole[:40])
    (tmp_path / "in" / "b.jsonl").write_bytes(jsonl(ARTICLES[:2]))
    dedup.scan(tmp_path / "in", tmp_path / "results", on_error="skip")
    report = dedup.filter_articles(
        tmp_path / "results", tmp_path / "in", tmp_path / "out", max_redundancy=0.5
    )
    assert (report.kept, report.removed, report.rejected_rows) == (2, 1, 1)
    assert ids(tmp_path / "out" / "b.jsonl") == ["a", "b"]
    for path in (tmp_path / "out").glob("a.*"):  # JSON can say that there is nothing
        assert (kind, unpack(path)) == ("json", b"[\n]\n")


def test_a_damage_in_what_the_scan_did_not_read_is_named_if_there_are_rows_to_keep(
    tmp_path: Path,
) -> None:
    many = [article(str(n), os.urandom(100).hex()) for n in range(100)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(many), out, row_group_size=10, use_dictionary=False)
    data = bytearray(out.getvalue())
    unread = list(many[0]).index("section")
    start = pq.read_metadata(out).row_group(5).column(unread).data_page_offset
    data[start : start + 30] = bytes(30)
    path = scan_file(tmp_path, "in.parquet", bytes(data), on_error="skip")
    with pytest.raises(InputError, match=r"in\.parquet cannot be read to its end: ") as caught:
        dedup.filter_articles(
            tmp_path / "results", path, tmp_path / "out.parquet", max_redundancy=0.5
        )
    assert str(caught.value.hint).startswith("get the file again and scan it")
    assert not (tmp_path / "out.parquet").exists()


def test_a_folder_gives_a_folder_with_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "x.jsonl").write_bytes(jsonl(ARTICLES[:2]))
    (tmp_path / "in" / "deep" / "x.csv.gz").write_bytes(gzip.compress(as_csv(ARTICLES[2:])))
    dedup.scan(tmp_path / "in", tmp_path / "results")
    out = tmp_path / "out"
    dedup.filter_articles(tmp_path / "results", tmp_path / "in", out, max_redundancy=0.5)
    assert ids(out / "x.jsonl") == ["a", "b"]
    assert read_rows("csv", unpack(out / "deep" / "x.csv.gz")) == []
    assert sorted(os.listdir(tmp_path)) == ["in", "out", "results"]


def test_kept_text_files_are_copied_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in [("a", ORIGINAL), ("b", OTHER), ("c", ORIGINAL)]:
        (tmp_path / "in" / f"{name}.txt").write_text(text + "\r\n")
    dedup.scan(tmp_path / "in", tmp_path / "results")
    out = tmp_path / "out"
    report = dedup.filter_articles(tmp_path / "results", tmp_path / "in", out, keep="first")
    assert sorted(os.listdir(out)) == ["a.txt", "b.txt"]
    assert (out / "a.txt").read_bytes() == (tmp_path / "in" / "a.txt").read_bytes()
    assert (report.kept, report.removed) == (2, 1)


def test_one_file_goes_into_a_folder_under_its_own_name(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    dedup.filter_articles(tmp_path / "results", path, f"{tmp_path}/out/", max_redundancy=0.5)
    assert ids(tmp_path / "out" / "in.jsonl") == ["a", "b"]


def test_the_name_of_the_output_says_how_it_is_compressed(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl.gz", gzip.compress(jsonl(ARTICLES)))
    for name, magic in [("o.jsonl", b"{"), ("o.jsonl.xz", b"\xfd7zXZ"), ("o", b"\x1f\x8b")]:
        dedup.filter_articles(tmp_path / "results", path, tmp_path / name, max_redundancy=0.5)
        assert (tmp_path / name).read_bytes().startswith(magic)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    with pytest.raises(ConfigError, match=r"out\.csv is to be csv, but .* is jsonl"):
        dedup.filter_articles(tmp_path / "results", path, tmp_path / "out.csv", max_redundancy=0.5)


def test_an_input_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    path.write_bytes(jsonl(ARTICLES).replace(b"heron", b"stork"))
    with pytest.raises(InputError, match=r"in\.jsonl has changed since it was scanned"):
        dedup.filter_articles(tmp_path / "results", path, tmp_path / "out", max_redundancy=0.5)


def test_an_input_that_was_not_scanned_is_refused(tmp_path: Path) -> None:
    scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    (tmp_path / "new.jsonl").write_bytes(jsonl(ARTICLES[:1]))
    with pytest.raises(InputError, match=r"new\.jsonl was not part of the scan") as caught:
        dedup.filter_articles(
            tmp_path / "results", tmp_path / "new.jsonl", tmp_path / "out", max_redundancy=0.5
        )
    assert caught.value.hint == f"the scan read {tmp_path}/in.jsonl"


def test_an_input_that_was_moved_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    path.rename(tmp_path / "moved.jsonl")
    out = tmp_path / "out.jsonl"
    dedup.filter_articles(tmp_path / "results", tmp_path / "moved.jsonl", out, max_redundancy=0.5)
    assert ids(out) == ["a", "b"]


@pytest.mark.parametrize("option", ["output", "removed"])
def test_an_input_is_never_written_over(tmp_path: Path, option: str) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    (tmp_path / "link.jsonl").symlink_to(path)
    places = {"output": tmp_path / "out.jsonl", "removed": None}
    places[option] = tmp_path / "link.jsonl"
    with pytest.raises(OutputError, match="overwrite the input"):
        dedup.filter_articles(tmp_path / "results", path, max_redundancy=0.5, **places)
    assert path.read_bytes() == jsonl(ARTICLES)


@pytest.mark.parametrize(
    ("output", "removed", "message"),
    [
        ("results", None, "into the results folder"),
        ("out.jsonl", "results/removed.jsonl", "into the results folder"),
        ("out.jsonl", "out.jsonl", "in the place of the kept articles"),
    ],
)
def test_outputs_stay_apart_from_each_other_and_from_the_results(
    tmp_path: Path, output: str, removed: str | None, message: str
) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    with pytest.raises(OutputError, match=message):
        dedup.filter_articles(
            tmp_path / "results",
            path,
            tmp_path / output,
            keep="first",
            removed=tmp_path / removed if removed else None,
        )
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "results"]


def test_a_failure_half_way_leaves_the_older_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    out = tmp_path / "out.jsonl"
    out.write_text("older")

    def fill_disk(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dedup.filter.run.rewrite", fill_disk)
    with pytest.raises(OutputError, match=r"cannot write .*out\.jsonl: No space left on device"):
        dedup.filter_articles(tmp_path / "results", path, out, keep="first", overwrite=True)
    assert out.read_text() == "older"
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl", "results"]


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columns_of_any_type_pass_through(tmp_path: Path, kind: str) -> None:
    rows = [
        {**row, "tags": [row["id"]], "by": {"name": None}, "section": str(place % 3)}
        for place, row in enumerate(ARTICLES * 3)
    ]
    table = pa.Table.from_pylist(rows)
    column = table.schema.get_field_index("section")
    parts = [pa.array([str(n)] * 3).dictionary_encode() for n in range(4)]
    table = table.set_column(column, "section", pa.chunked_array(parts))
    path = tmp_path / f"in.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=3)
    else:
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    dedup.scan(path, tmp_path / "results")
    out = tmp_path / f"out.{kind}"
    dedup.filter_articles(tmp_path / "results", path, out, max_redundancy=0.5)
    kept = pq.read_table(out) if kind == "parquet" else pa.ipc.open_stream(out).read_all()
    assert kept.schema.equals(table.schema)
    assert kept.to_pylist() == table.slice(0, 2).to_pylist()


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.jsonl").write_bytes(jsonl(ARTICLES))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("years of work")
    dedup.scan(tmp_path / "in", tmp_path / "results")
    with pytest.raises(OutputError, match=r"holds thesis\.doc"):
        dedup.filter_articles(
            tmp_path / "results", tmp_path / "in", tmp_path / "out", max_redundancy=0.5
        )
    assert os.listdir(tmp_path / "out") == ["thesis.doc"]


def test_more_than_the_allowed_share_of_a_source_is_not_removed(tmp_path: Path) -> None:
    copies = [article(f"c{n}", ORIGINAL, 5, "mirror") for n in range(20)]
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES[:2] + copies))
    results, out = tmp_path / "results", tmp_path / "out.jsonl"
    with pytest.raises(OutputError, match="would remove 20 of 20 articles of 'mirror'"):
        dedup.filter_articles(results, path, out, keep="first")
    assert not out.exists()
    dry = dedup.filter_articles(results, path, out, keep="first", dry_run=True)
    assert dry.heavily_cut_sources == ("20 of 20 articles of 'mirror'",)
    dedup.filter_articles(results, path, out, keep="first", max_removed=1)
    assert ids(out) == ["a", "b"]


def test_a_dry_run_counts_the_same_and_writes_nothing(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    report = dedup.filter_articles(
        tmp_path / "results",
        path,
        tmp_path / "out" / "x.jsonl",
        max_redundancy=0.5,
        removed=tmp_path / "removed.jsonl",
        dry_run=True,
    )
    assert (report.kept, report.removed, report.output) == (2, 2, None)
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "results"]


def test_samples_show_the_words_and_where_they_stood_before(tmp_path: Path) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES[:3]))
    report = dedup.filter_articles(
        tmp_path / "results", path, tmp_path / "out.jsonl", max_redundancy=0.5, sample=5
    )
    (removal,) = report.samples
    assert (removal.article_id, removal.match) == ("c", "a")
    assert removal.snippet == ORIGINAL


@pytest.mark.parametrize("name", ["x.jsonl", "x.ndjson", "x.jsonlines", "x.jl"])
def test_what_was_removed_is_written_as_jsonl_by_any_of_its_names(
    tmp_path: Path, name: str
) -> None:
    path = scan_file(tmp_path, "in.jsonl", jsonl(ARTICLES))
    dedup.filter_articles(
        tmp_path / "results", path, tmp_path / "out.jsonl", keep="first", removed=tmp_path / name
    )
    assert json.loads((tmp_path / name).read_text().splitlines()[0])["article_id"]


def test_a_filter_without_a_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which articles to keep"):
        dedup.filter_articles(tmp_path, tmp_path, tmp_path)


@settings(max_examples=100, deadline=None)
@given(body=st.text('ab",,\n\n\r é', max_size=60).map(str.encode), size=st.integers(1, 70))
def test_records_of_any_csv_are_cut_where_the_reader_cuts_them(body: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "in.csv"
        path.write_bytes(b"text,b\n" + body)
        dedup.scan(path, folder / "results", on_error="skip")
        scan = dedup.open_scan(folder / "results")
        rows = scan.articles.count_rows() + scan.rejected.count_rows()
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        records = [record for part in split_records(chunks, b",", 1000) for record in part or ()]
        assert b"".join(records) == body
        assert sum(not is_blank(record, b",") for record in records) == rows
        report = dedup.filter_articles(scan, path, folder / "out.csv", max_redundancy=0.9)
        assert report.kept + report.removed == rows
