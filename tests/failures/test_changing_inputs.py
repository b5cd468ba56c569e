"""A file that changes while it is read is called changed, and is known by the bytes it gave."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from article_files import SKIP, to_arrow_table

import dedup
from dedup import pipeline
from dedup.errors import InputError, ResumeError
from dedup.filter import run as filtering
from dedup.read import digest_input, locate_inputs, read_articles

TEXT = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days. "
ROWS = 4000
LINE = '{"id": "%06d", "text": "%s"}\n'


def write_jsonl(path: Path) -> None:
    path.write_text("".join(LINE % (i, TEXT * 20) for i in range(ROWS)))


def write_parquet(path: Path) -> None:
    table = pa.table({"text": [TEXT * 20] * ROWS})
    pq.write_table(table, path, row_group_size=100, compression="none", use_dictionary=False)


def write_arrow(path: Path) -> None:
    texts = [TEXT * 20] * ROWS
    path.write_bytes(to_arrow_table(pa.table({"text": texts})))


WRITERS = {"a.jsonl": write_jsonl, "a.parquet": write_parquet, "a.arrow": write_arrow}


def overwrite(path: Path) -> None:
    """Change a byte in place, and give the file its old time back."""
    state = path.stat()
    with path.open("r+b") as file:
        file.seek(state.st_size - 200)
        byte = file.read(1)
        file.seek(state.st_size - 200)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def replace(path: Path) -> None:
    """Put another file in its place, of the same size and time."""
    state = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(other, path)


def append(path: Path, added: bytes) -> None:
    with path.open("ab") as file:
        file.write(added)


CHANGES: dict[str, Callable[[Path], None]] = {
    "grows": lambda path: append(path, b'{"text": "more"}\n'),
    "half a line": lambda path: append(path, b'{"id":'),
    "shrinks": lambda path: os.truncate(path, path.stat().st_size // 2),
    "is emptied": lambda path: os.truncate(path, 0),
    "is overwritten": overwrite,
    "is replaced": replace,
}


@pytest.mark.parametrize("config", [None, SKIP])
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_called_changed(
    tmp_path: Path, name: str, change: str, config: Any
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    batches = read_articles(locate_inputs(path), config or dedup.Config().source)
    next(batches)
    CHANGES[change](path)
    with pytest.raises(InputError, match=r"a\.\w+ changed while it was read"):
        list(batches)


# What was never read cannot be compared: the other changes keep the size and the time.
@pytest.mark.parametrize("change", ["grows", "half a line", "shrinks", "is emptied"])
def test_a_file_that_changed_before_it_was_opened_is_called_changed(
    tmp_path: Path, change: str
) -> None:
    write_jsonl(tmp_path / "a.jsonl")
    files = locate_inputs(tmp_path / "a.jsonl")
    CHANGES[change](tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="changed while it was read"):
        list(read_articles(files, SKIP))


@pytest.mark.parametrize("name", WRITERS)
def test_other_rights_and_names_are_no_change(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    batches = read_articles(locate_inputs(path), SKIP)
    next(batches)
    path.chmod(0o400)
    (tmp_path / "link").hardlink_to(path)
    assert sum(batch.articles.num_rows for batch in batches) < ROWS


@pytest.mark.parametrize("name", WRITERS)
def test_the_digest_is_that_of_the_whole_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    [*_, last] = read_articles(locate_inputs(path), SKIP)
    assert last.ended == ((0, digest_input(locate_inputs(path)[0])),)


def scan_a_part(path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a scan, and end it when its second batch is read, so that the first is noted."""
    read = pipeline.read_articles

    def read_two(*args: Any, **options: Any) -> Iterator[Any]:
        batches = read(*args, **options)
        yield next(batches)
        yield next(batches)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "read_articles", read_two)
        with pytest.raises(KeyboardInterrupt):
            dedup.scan(path, results, threads=1)


@pytest.mark.parametrize("name", ["a.jsonl", "a.arrow"])
def test_a_file_read_in_two_goes_has_the_digest_of_the_whole(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    scan_a_part(path, tmp_path / "results", monkeypatch)
    result = dedup.scan(path, tmp_path / "results", threads=1, resume=True)
    assert result.manifest["resumed"]
    assert result.manifest["inputs"][0]["digest"] == digest_input(locate_inputs(path)[0])


@pytest.mark.parametrize("name", ["a.jsonl", "a.arrow"])
def test_a_scan_is_not_resumed_on_other_bytes_than_it_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    scan_a_part(path, tmp_path / "results", monkeypatch)
    state = path.stat()
    data = path.read_bytes()
    at = data.index(b"ferry")
    path.write_bytes(data[:at] + b"Ferry" + data[at + 5 :])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(ResumeError, match="differs from what the scan read before"):
        dedup.scan(path, tmp_path / "results", threads=1, resume=True)


def test_a_filter_of_other_bytes_than_were_scanned_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path)
    result = dedup.scan(path, tmp_path / "results")
    match = filtering.match_inputs

    def match_and_change(*args: Any) -> list[str]:
        names = match(*args)
        overwrite(path)
        return names

    monkeypatch.setattr(filtering, "match_inputs", match_and_change)
    with pytest.raises(InputError, match="has changed since it was scanned"):
        dedup.filter_articles(result, path, tmp_path / "clean", max_redundancy=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl", "results"]


def test_a_pipe_is_scanned_and_filtered_by_the_bytes_it_gave(tmp_path: Path) -> None:
    from threading import Thread

    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)

    def feed(text: str) -> None:
        Thread(target=path.write_text, args=(LINE % (1, text),)).start()

    feed(TEXT)
    result = dedup.scan(path, tmp_path / "results")
    feed(TEXT)
    report = dedup.filter_articles(result, path, tmp_path / "clean", max_redundancy=1)
    assert report.kept == 1
    feed(TEXT + "!")
    with pytest.raises(InputError, match="has changed since it was scanned"):
        dedup.filter_articles(result, path, tmp_path / "other", max_redundancy=1)
