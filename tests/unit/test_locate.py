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
from click.testing import CliRunner

import dedup
from dedup.cli.command_line import dedup as group
from dedup.errors import InputError
from dedup.read import group_by_reason, locate_inputs, survey_inputs
from dedup.read.left_out import LeftOut


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


def left_out(*given: Path | str) -> list[tuple[str, str]]:
    return [(Path(path).name, reason) for path, reason in survey_inputs(given).left_out]


def test_what_is_left_out_of_a_folder_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "_temporary").mkdir()
    names = ("a.jsonl", "README.md", ".DS_Store", ".git/b.jsonl", "_SUCCESS", "_temporary/c.jsonl")
    for name in names:
        (tmp_path / name).touch()
    assert left_out(tmp_path) == [
        (".DS_Store", "hidden"),
        (".git", "hidden"),
        ("README.md", "of an unknown format"),
        ("_SUCCESS", "written by Spark for itself"),
        ("_temporary", "written by Spark for itself"),
    ]
    assert left_out(tmp_path, tmp_path / ".git" / "b.jsonl") == left_out(tmp_path)


def test_what_is_left_out_is_counted_by_reason_with_an_example() -> None:
    entries = [LeftOut("b.md", "odd"), LeftOut("a.md", "odd"), LeftOut(".c", "hidden")]
    assert group_by_reason([*entries, *entries]) == [
        {"reason": "hidden", "count": 1, "example": ".c"},
        {"reason": "odd", "count": 2, "example": "a.md"},
    ]


@pytest.mark.parametrize("given", ["", "/*.jsonl", "/_*.jsonl", "/**/*.jsonl", "/_posts"])
def test_a_name_may_begin_with_an_underscore(tmp_path: Path, given: str) -> None:
    for name in ("_a.jsonl", "_posts/_b.jsonl", "_committed_1.jsonl", "_posts/_started_1.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_articles(tmp_path / name, {"text": name})
    found = [Path(file.path).name for file in locate_inputs(f"{tmp_path}{given}")]
    assert set(found) <= {"_a.jsonl", "_b.jsonl"}
    assert found


@pytest.mark.parametrize("name", [".a.jsonl", ".hidden/a.jsonl"])
def test_a_hidden_file_that_is_named_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    path = write_articles(tmp_path / name, {"text": "x"})
    assert read_texts(path) == ["x"]
    assert len(locate_inputs(f"{str(path)[:-1]}*")) == 1


def test_a_glob_that_matches_only_what_is_left_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(InputError, match=r"no file matches .*_\*"):
        locate_inputs(f"{tmp_path}/_*")


def test_a_linked_folder_is_read_and_a_loop_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "disk").mkdir()
    write_articles(tmp_path / "disk" / "a.jsonl", {"text": "elsewhere"})
    write_articles(tmp_path / "in" / "b.jsonl", {"text": "here"})
    (tmp_path / "in" / "2023").symlink_to(tmp_path / "disk")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    assert sorted(read_texts(tmp_path / "in")) == ["elsewhere", "here"]
    [file, _] = locate_inputs(tmp_path / "in")
    assert file.below == "2023/a.jsonl"


def test_a_results_folder_is_no_input(tmp_path: Path) -> None:
    path = write_articles(tmp_path / "a.jsonl", {"text": "x"})
    dedup.scan(path, tmp_path / "results")
    with pytest.raises(InputError, match="results is a results folder of dedup, not an input"):
        locate_inputs(tmp_path / "results")
    for given in (str(tmp_path), f"{tmp_path}/*"):
        found = survey_inputs(given)
        assert [file.path for file in found.files] == [str(path)]
        assert found.left_out == [
            LeftOut(str(tmp_path / "results"), "a results folder of dedup"),
        ]
    with pytest.raises(InputError, match="no file matches"):
        locate_inputs(f"{tmp_path}/**/articles.parquet")


def test_a_folder_that_only_looks_like_results_is_read(tmp_path: Path) -> None:
    for name in ("articles.parquet", "rejected.parquet"):
        (tmp_path / name).touch()
    (tmp_path / "manifest.json").write_text('{"name": "a web extension"}')
    assert len(locate_inputs(tmp_path)) == 3


def test_a_scan_says_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_articles(tmp_path / "in" / "a.jsonl", {"text": "x"})
    for name in ("README.md", "notes.md", ".DS_Store"):
        (tmp_path / "in" / name).touch()
    out = tmp_path / "results"
    run = CliRunner().invoke(group, ["scan", str(tmp_path / "in"), "-o", str(out)])
    assert run.exit_code == 0, run.output
    said = " ".join(run.output.split())
    hidden, unknown = tmp_path / "in" / ".DS_Store", tmp_path / "in" / "README.md"
    assert f"left out 1 hidden ({hidden}), 2 of an unknown format ({unknown})" in said
    assert dedup.open_scan(out).manifest["left_out"] == [
        {"reason": "hidden", "count": 1, "example": str(hidden)},
        {"reason": "of an unknown format", "count": 2, "example": str(unknown)},
    ]


@pytest.mark.parametrize("name", ["-", "a.jsonl", "a.csv"])
def test_a_scan_of_no_article_says_so(tmp_path: Path, name: str) -> None:
    given = name if name == "-" else str(tmp_path / name)
    (tmp_path / name).touch()
    out = str(tmp_path / "results")
    run = CliRunner().invoke(group, ["scan", given, "-o", out], input="")
    assert run.exit_code == 0, run.output
    assert "no input has an article" in run.output
