from __future__ import annotations

import functools
import gzip
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from fsspec.registry import _registry

import dedup
from dedup.cli.command_line import dedup as group
from dedup.config import SourceConfig
from dedup.errors import InputError, OutputError
from dedup.read import locate_inputs, read_articles, urls

FAIL = SourceConfig(on_error="fail")
SKIP = SourceConfig(on_error="skip")
LINES = b'{"id":"a","text":"One"}\n{"id":"b","text":"Two"}\n'
LONG = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days and nights."


def read(*urls: str, config: SourceConfig = FAIL) -> list[str]:
    batches = read_articles(locate_inputs(urls), config)
    return [text for batch in batches for text in batch.articles["text"].to_pylist()]


def names(*urls: str) -> list[str]:
    return [file.path for file in locate_inputs(urls)]


def as_parquet(*texts: str) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": texts}), out)
    return out.getvalue().to_pybytes()


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an empty bucket `news` on a server that every S3 client of this process uses."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = fsspec.filesystem("s3")
    system.mkdir("news")
    yield system
    system.rm("news", recursive=True)


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Serve the folder `tmp_path / "web"`, by a server that gives whole files only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    (tmp_path / "web").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# S3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.jsonl.gz", gzip.compress(LINES)),
        ("a.jsonl.zst", pa.compress(LINES, "zstd", asbytes=True)),
        ("a.parquet", as_parquet("One", "Two")),
        ("a.parquet.gz", gzip.compress(as_parquet("One", "Two"))),
    ],
)
def test_a_file_in_a_bucket_is_read_as_one_on_disk(s3: Any, name: str, content: bytes) -> None:
    s3.pipe(f"news/{name}", content)
    assert read(f"s3://news/{name}") == ["One", "Two"]


def test_a_folder_or_glob_in_a_bucket_gives_what_can_be_read(s3: Any) -> None:
    for name in (
        "b.jsonl",
        "a.jsonl",
        "deep/c.jsonl",
        "_SUCCESS",
        "_temporary/d.jsonl",
        "README.md",
    ):
        s3.pipe(f"news/in/{name}", LINES)
    files = [f"s3://news/in/{name}" for name in ("a.jsonl", "b.jsonl", "deep/c.jsonl")]
    for folder in ("s3://news/in", "s3://news/in/", "s3://news"):
        assert names(folder) == files
    assert names("s3://news/in/*.jsonl") == files[:2]
    assert names("s3://news/**/c.jsonl", "s3://news/in/deep") == files[2:]


def test_texts_in_a_bucket_are_named_by_their_path_below_the_folder(s3: Any) -> None:
    s3.pipe("news/in/deep/a.txt", b"One")
    [batch] = read_articles(locate_inputs("s3://news/in"), FAIL)
    assert batch.articles["article_id"].to_pylist() == ["deep/a.txt"]
    assert batch.articles["input_file"].to_pylist() == ["s3://news/in/deep/a.txt"]


def test_a_bucket_is_scanned_and_filtered(s3: Any, tmp_path: Path) -> None:
    articles = [{"id": name, "text": LONG} for name in ("first", "second")]
    s3.pipe("news/a.jsonl", "".join(json.dumps(row) + "\n" for row in articles).encode())
    out = str(tmp_path / "results")
    run = CliRunner().invoke(group, ["scan", "s3://news/a.jsonl", "-o", out])
    assert run.exit_code == 0, run.output
    [given] = dedup.open_scan(out).manifest["inputs"]
    assert given["path"] == "s3://news/a.jsonl"
    assert given["bytes"] == s3.size("news/a.jsonl")
    assert given["digest"] == "ETag:" + s3.info("news/a.jsonl")["ETag"].strip('"')
    kept = tmp_path / "kept.jsonl"
    dedup.filter_articles(out, "s3://news/a.jsonl", kept, keep="first")
    assert [json.loads(line)["id"] for line in kept.read_text().splitlines()] == ["first"]

    fsspec.filesystem("s3", skip_instance_cache=True).pipe("news/a.jsonl", LINES)
    with pytest.raises(InputError, match="has changed since it was scanned"):
        dedup.filter_articles(out, "s3://news/a.jsonl", kept, keep="first", overwrite=True)


def test_a_folder_in_a_bucket_is_filtered_into_one_on_this_machine(s3: Any, tmp_path: Path) -> None:
    for name in ("a.jsonl", "deep/b.jsonl"):
        s3.pipe(f"news/in/{name}", json.dumps({"text": LONG}).encode() + b"\n")
    result = dedup.scan("s3://news/in", tmp_path / "results")
    dedup.filter_articles(result, "s3://news/in", tmp_path / "out", keep="first")
    assert LONG in (tmp_path / "out" / "a.jsonl").read_text()
    assert (tmp_path / "out" / "deep" / "b.jsonl").read_text() == ""


def test_a_file_that_is_cut_keeps_what_came_before(s3: Any) -> None:
    many = b"".join(b'{"text":"%d"}\n' % n for n in range(100_000))
    s3.pipe("news/a.jsonl.gz", gzip.compress(many)[:-1000])
    assert read("s3://news/a.jsonl.gz", config=SKIP)[:2] == ["0", "1"]
    with pytest.raises(InputError, match=r"s3://news/a.jsonl.gz cannot be read to its end"):
        read("s3://news/a.jsonl.gz")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://news/no.jsonl", "cannot read s3://news/no.jsonl: there is no such file or folder"),
        ("s3://gone/a.jsonl", "cannot read s3://gone/a.jsonl: "),
        ("s3://news/*.csv", "no file matches s3://news/*.csv"),
        (
            "s3://news/a.docx",
            "the format of s3://news/a.docx is not known: its name has the suffix",
        ),
        ("s3://news/notes", "the folder s3://news/notes has no file that can be read"),
    ],
)
def test_a_file_that_cannot_be_found_in_a_bucket_is_named(s3: Any, url: str, message: str) -> None:
    for name in ("a.docx", "notes/README.md"):
        s3.pipe(f"news/{name}", b"x")
    with pytest.raises(InputError) as caught:
        locate_inputs(url)
    assert str(caught.value).startswith(message)


# The web


def test_a_file_of_the_web_is_read_without_its_query_in_the_name(web: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text":"One"}\n'))
    url = f"{web}/a.jsonl.gz?token=x.txt"
    [batch] = read_articles(locate_inputs(url), FAIL)
    assert batch.articles["article_id"].to_pylist() == ["a.jsonl.gz:0"]
    assert batch.articles["text"].to_pylist() == ["One"]


def test_a_table_of_the_web_is_read_though_its_server_gives_no_parts(
    web: str, tmp_path: Path
) -> None:
    (tmp_path / "web" / "a.parquet").write_bytes(as_parquet("One", "Two"))
    assert read(f"{web}/a.parquet") == ["One", "Two"]


def test_a_page_of_links_is_a_folder(web: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "in").mkdir()
    for name in ("a.jsonl", "b.jsonl", "c.md"):
        (tmp_path / "web" / "in" / name).write_bytes(LINES)
    files = locate_inputs(f"{web}/in/")
    assert [file.path for file in files] == [f"{web}/in/a.jsonl", f"{web}/in/b.jsonl"]
    assert all(file.size == len(LINES) and file.version for file in files)


def test_a_page_that_is_not_there_is_named(web: str) -> None:
    with pytest.raises(InputError) as caught:
        locate_inputs(f"{web}/no.jsonl")
    assert str(caught.value) == f"cannot read {web}/no.jsonl: there is no such file or folder"


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(InputError, match=r"^cannot read http://127.0.0.1:9/a.jsonl: \w"):
        locate_inputs("http://127.0.0.1:9/a.jsonl")


# Any service


def test_a_file_is_read_once_under_whatever_url(memory: Any) -> None:
    memory.pipe("/in/a.jsonl", LINES)
    assert read("memory://in/a.jsonl", "memory:///in", "memory://in/*") == ["One", "Two"]


def test_a_name_with_glob_characters_is_taken_as_it_is(memory: Any) -> None:
    memory.pipe("/a[1].jsonl", LINES)
    assert read("memory://a[1].jsonl") == ["One", "Two"]


def test_a_file_without_a_version_is_known_by_its_size(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/a.jsonl", LINES)
    result = dedup.scan("memory://a.jsonl", tmp_path / "results")
    assert result.manifest["inputs"][0]["digest"] is None
    options: Any = {"max_redundancy": 0.5, "dry_run": True}
    report = dedup.filter_articles(result, "memory://a.jsonl", tmp_path / "out", **options)
    assert report.kept == 2
    memory.pipe("/a.jsonl", LINES[:24])
    with pytest.raises(InputError, match="has changed since"):
        dedup.filter_articles(result, "memory://a.jsonl", tmp_path / "out", **options)


class RefusedError(Exception):
    """A failure as services have them, of a class of their own."""


def test_a_failure_in_the_middle_of_a_file_is_named(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/a.jsonl", LINES)
    files = locate_inputs("memory://a.jsonl")

    class Broken:
        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, size: int) -> bytes:
            raise RefusedError("the token has expired\nrequest 17")

    monkeypatch.setattr(type(memory), "open", lambda *_, **__: Broken())
    with pytest.raises(InputError) as caught:
        list(read_articles(files, SKIP))
    assert str(caught.value) == "cannot read memory:///a.jsonl: the token has expired"


@pytest.mark.parametrize(
    ("url", "package"), [("s3://news/a.jsonl", "s3fs"), ("gs://news/a.jsonl", "gcsfs")]
)
def test_a_package_that_is_missing_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, url: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(_registry, url.partition(":")[0], raising=False)
    with pytest.raises(InputError) as caught:
        locate_inputs(url)
    assert str(caught.value) == f"{url} needs a package that is not installed: {package}"
    assert caught.value.hint == f"pip install {package}"


def test_output_goes_to_this_machine_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    with pytest.raises(OutputError, match=r"^s3://news/out is a URL, and output can only"):
        dedup.scan(path, "s3://news/out")
    result = dedup.scan(path, tmp_path / "results")
    with pytest.raises(OutputError, match="is a URL"):
        dedup.filter_articles(result, path, "s3://news/out", max_redundancy=0.5)
    with pytest.raises(OutputError, match="is a URL"):
        dedup.filter_articles(
            result, path, tmp_path / "out", removed="s3://news/r.jsonl", max_redundancy=0.5
        )


@pytest.mark.parametrize("name", ["a.jsonl", "C:\\a.jsonl", "a/b://c", "-", "://a"])
def test_a_path_is_no_url(name: str) -> None:
    assert not urls.is_url(name)
