"""What the user names becomes the files to read."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from article_files import (
    read_texts,
    write_articles,
)

from dedup.errors import InputError
from dedup.sources import (
    locate_inputs,
)


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
    [file] = locate_inputs(["./a.jsonl"])
    assert file[:5] == ("a.jsonl", "jsonl", None, 14, "")


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
