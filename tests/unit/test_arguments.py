"""Wrong types and values given to the public functions."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dedup
from dedup.config import (
    Config,
    FingerprintConfig,
    FormulaConfig,
    MatchConfig,
    ScoreConfig,
    SourceConfig,
)
from dedup.errors import ConfigError, DedupError, InputError

TEXT = "A heron has taken to fishing from the roof of the bakery in Mill Lane, by the harbour wall."


class Frame:
    """Like a data frame of pandas or polars."""

    columns = ("id", "text")

    def __arrow_c_stream__(self, schema: object = None) -> object:
        return pa.table({"id": ["a"], "text": [TEXT]}).__arrow_c_stream__(schema)

    def __iter__(self) -> Any:
        return iter(self.columns)


class BytesPath(os.PathLike[bytes]):
    def __fspath__(self) -> bytes:
        return b"in.jsonl"


NO_PATHS = {
    "None": None,
    "a number": 5,
    "a float": float("nan"),
    "a flag": True,
    "bytes": b"in.jsonl",
    "an empty name": "",
    "a NUL": "in\0.jsonl",
    "a path of bytes": BytesPath(),
    "an object": object(),
    "a type": str,
    "a function": len,
}
NO_INPUTS = {
    **NO_PATHS,
    "no names": [],
    "a dict": {"text": [TEXT]},
    "a list of dicts": [{"id": "a", "text": TEXT}],
    "a nested list": [["in.jsonl"]],
    "None within": ["in.jsonl", None],
    "bytes within": ["in.jsonl", b"in.jsonl"],
    "an empty name within": ["in.jsonl", ""],
    "a frame": Frame(),
    "a table": pa.table({"text": [TEXT]}),
    "an Arrow array": pa.array([TEXT]),
    "numbers": np.zeros((2, 2)),
}
NO_FLAGS = {"None": None, "a text": "no", "a number": 1}
NO_NUMBERS = {
    "a text": "0.5",
    "a list": [0.5],
    "a flag": True,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "negative": -0.1,
    "per cent": 50,
    "huge": 10**400,
}
NO_COLUMNS = {
    "None": None,
    "a number": 5,
    "a text": TEXT,
    "bytes": TEXT.encode(),
    "a dict": {"text": TEXT},
    "numbers": [1, 2],
    "a huge number": [2**100],
    "a number within": [TEXT, 2],
    "floats": [0.5],
    "a nested list": [[TEXT]],
    "dicts": [{"text": TEXT}],
    "a frame": Frame(),
    "a table": pa.table({"text": [TEXT]}),
    "a matrix": np.zeros((2, 2)),
    "half a character": ["\ud800"],
    "objects": [object()],
    "paths": [PurePath("x")],
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dedup.Scan:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text(json.dumps({"id": "a", "text": TEXT}) + "\n")
    return dedup.scan("in.jsonl", "results", templates=False)


@pytest.mark.parametrize("inputs", NO_INPUTS.values(), ids=NO_INPUTS)
def test_inputs_that_are_no_paths_are_refused(results: dedup.Scan, inputs: Any) -> None:
    with pytest.raises(InputError) as caught:
        dedup.scan(inputs, "other")
    assert caught.value.hint
    with pytest.raises(InputError):
        dedup.filter_articles(results, inputs, "out.jsonl", max_redundancy=0.5)
    assert sorted(os.listdir()) == ["in.jsonl", "results"]


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
def test_places_that_are_no_paths_are_refused(results: dedup.Scan, path: Any) -> None:
    with pytest.raises(ConfigError):
        dedup.scan("in.jsonl", path)
    with pytest.raises(ConfigError):
        dedup.open_scan(path)
    with pytest.raises(ConfigError):
        dedup.filter_articles(path, "in.jsonl", "out.jsonl", max_redundancy=0.5)
    with pytest.raises(ConfigError):
        dedup.filter_articles(results, "in.jsonl", path, max_redundancy=0.5)
    if path is not None:
        with pytest.raises(ConfigError):
            dedup.filter_articles(
                results, "in.jsonl", "out.jsonl", max_redundancy=0.5, removed=path
            )
    assert sorted(os.listdir()) == ["in.jsonl", "results"]


def test_an_error_about_data_in_memory_names_the_function_for_it() -> None:
    with pytest.raises(InputError, match=r"inputs is a Frame, but inputs are files") as caught:
        dedup.scan(Frame(), "results")  # type: ignore[arg-type]  # what is tested
    assert "dedup.score" in str(caught.value.hint)
    assert "to_parquet" in str(caught.value.hint)
    with pytest.raises(InputError, match=r"inputs\[0\] is a dict, but inputs are files"):
        dedup.scan([{"text": TEXT}], "results")  # type: ignore[list-item]  # what is tested


@pytest.mark.parametrize("flag", NO_FLAGS.values(), ids=NO_FLAGS)
@pytest.mark.parametrize("name", ["add_scores", "dry_run"])
def test_flags_of_a_filter_are_true_or_false(results: dedup.Scan, name: str, flag: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        dedup.filter_articles(results, "in.jsonl", "out.jsonl", max_redundancy=0.5, **{name: flag})


@pytest.mark.parametrize("number", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize("name", ["max_redundancy", "max_removed"])
def test_shares_of_a_filter_are_in_their_range(results: dedup.Scan, name: str, number: Any) -> None:
    options = {"max_redundancy": 0.5, name: number}
    with pytest.raises(DedupError, match=name):
        dedup.filter_articles(results, "in.jsonl", "out.jsonl", **options)


@pytest.mark.parametrize("sample", ["5", [5], True, 0.5, float("nan"), -1, None])
def test_a_sample_is_a_number_of_articles(results: dedup.Scan, sample: Any) -> None:
    with pytest.raises(ConfigError, match="sample"):
        dedup.filter_articles(results, "in.jsonl", "o.jsonl", max_redundancy=0.5, sample=sample)


@pytest.mark.parametrize("keep", [1, ["first"], "newest", b"first", {"first"}, True])
def test_what_to_keep_is_one_of_the_names(results: dedup.Scan, keep: Any) -> None:
    with pytest.raises(ConfigError, match="first, longest, best, none"):
        dedup.filter_articles(results, "in.jsonl", "out.jsonl", keep=keep)


@pytest.mark.parametrize("config", ["fast", {}, {"threshold": 0.9}, 5, dedup.Config])
def test_a_config_that_is_none_is_refused(results: dedup.Scan, config: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be a dedup\.Config"):
        dedup.scan("in.jsonl", "other", config=config)
    with pytest.raises(ConfigError, match=r"must be a dedup\.Config"):
        dedup.score([TEXT], config=config)


SETTINGS = [
    (part, field.name)
    for part in (SourceConfig, FingerprintConfig, MatchConfig, ScoreConfig, FormulaConfig, Config)
    for field in dataclasses.fields(part)
]
ODD_VALUES = {
    **NO_NUMBERS,
    **NO_PATHS,
    "zero": 0,
    "bytes within": [b"news"],
    "a dict": {"a": 1},
    "a complex number": 1j,
    "a date": date(2024, 1, 1),
}


@pytest.mark.parametrize(("part", "name"), SETTINGS)
def test_a_setting_works_or_is_refused(part: Any, name: str) -> None:
    for value in ODD_VALUES.values():
        for make in (part, Config.from_options):
            made = make_or_refuse(make, **{name: value})
            assert isinstance(made, part | Config) or made.args[0]


def make_or_refuse(make: Any, **options: Any) -> Any:
    try:
        return make(**options)
    except ConfigError as err:
        return err


@pytest.mark.parametrize("values", NO_COLUMNS.values(), ids=NO_COLUMNS)
def test_what_is_no_column_is_refused(values: Any) -> None:
    with pytest.raises(ConfigError, match="texts"):
        dedup.score(values)
    # An estimator of scikit-learn answers with a ValueError.
    with pytest.raises(ValueError, match="texts"):
        dedup.NearDuplicates().fit(values)


@pytest.mark.parametrize("column", ["ids", "dates", "sources"])
@pytest.mark.parametrize(
    "values", [5, "a", b"a", {"a": 1}, [["a"]], [{"a": 1}], Frame(), ["a", "b"], [object()]]
)
def test_what_is_no_column_of_the_same_length_is_refused(column: str, values: Any) -> None:
    with pytest.raises(ConfigError, match=column):
        dedup.score([TEXT], **{column: values})


@pytest.mark.parametrize("progress", ["yes", 1, object(), [], Path])
def test_progress_is_shown_or_told_to_an_object(results: dedup.Scan, progress: Any) -> None:
    with pytest.raises(ConfigError, match="progress is"):
        dedup.scan("in.jsonl", "other", progress=progress)
    assert not Path("other").exists()


def test_progress_can_be_shown_from_python(
    results: dedup.Scan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dedup.scan("in.jsonl", "other", progress=True)
    dedup.filter_articles(results, "in.jsonl", "o.jsonl", max_redundancy=0.5, progress=True)
    assert capsys.readouterr() == ("", "")  # no terminal, and less than a minute
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    dedup.scan("in.jsonl", "other", progress=True)
    assert "Matching" in capsys.readouterr().err


def test_progress_is_told_to_an_object(results: dedup.Scan) -> None:
    class Steps(list[str]):
        def start(self, step: str, total_bytes: int | None = None) -> None:
            self.append(step)

        def advance(self, articles: int, text_bytes: int) -> None:
            pass

    steps = Steps()
    dedup.scan("in.jsonl", "other", progress=steps)
    assert steps == ["read", "match", "score", "write"]


@pytest.mark.parametrize("make", [list, tuple, iter, set, lambda names: map(Path, names)])
def test_any_collection_of_paths_will_do(results: dedup.Scan, make: Any) -> None:
    scan = dedup.scan(make(["in.jsonl"]), "other", templates=False)
    assert scan.manifest["counts"]["articles"] == 1


def test_a_filter_cannot_keep_one_of_each_cluster_where_there_are_none_of_articles(
    results: dedup.Scan,
) -> None:
    scan = dedup.scan("in.jsonl", "other", granularity="paragraph")
    with pytest.raises(ConfigError, match="other has clusters of paragraphs only") as caught:
        dedup.filter_articles(scan, "in.jsonl", "out.jsonl", keep="first")
    assert "--granularity both" in str(caught.value.hint)
    report = dedup.filter_articles(scan, "in.jsonl", "out.jsonl", max_redundancy=0.5)
    assert report.kept == 1
