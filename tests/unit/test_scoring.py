from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from checkout import DEMO

import dedup
from dedup.api.in_memory import SCORES
from dedup.errors import ConfigError

FERRY = "The ferry to Saltmere sails again on Tuesday after a strike of nineteen days, crews say."
VOTE = (
    "Council members will vote on the new library budget at a meeting in the first week of March."
)


class Stream:
    """A series of another library: all that is known of it is Arrow's interface."""

    def __init__(self, values: pa.ChunkedArray) -> None:
        self.values = values

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.values.__arrow_c_stream__(requested_schema)


class Array:
    def __init__(self, values: pa.Array) -> None:
        self.values = values

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self.values.__arrow_c_array__(requested_schema)


def read_demo() -> list[dict[str, str]]:
    files = sorted(DEMO.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_scores_are_those_of_a_scan(tmp_path: Path) -> None:
    rows = read_demo()
    columns = {name: [row.get(name) for row in rows] for name in ("id", "text", "date", "source")}
    scored = dedup.score(
        columns["text"], ids=columns["id"], dates=columns["date"], sources=columns["source"]
    )
    scanned = dedup.scan(DEMO, tmp_path / "out").articles.to_table()
    others = ["input_file", "input_row", "url"]
    assert scored.drop_columns(others[1:]).equals(scanned.drop_columns(others))


def test_a_later_copy_is_redundant_and_names_its_source() -> None:
    table = dedup.score([FERRY, VOTE, FERRY], ids=["a", "b", "c"])
    assert table.schema == SCORES
    assert table["redundancy"].to_pylist() == [0, 0, 1]
    assert table["top_source"].to_pylist() == [None, None, "a"]
    assert table["reused_by"].to_pylist() == [1, 0, 0]


def test_dates_say_who_was_first() -> None:
    table = dedup.score([FERRY, FERRY], dates=[date(2024, 5, 2), date(2024, 5, 1)])
    assert table["redundancy"].to_pylist() == [1, 0]


def test_none_is_an_empty_article() -> None:
    table = dedup.score([None, FERRY])
    assert table["tokens"].to_pylist()[0] == 0
    assert table["redundancy"].to_pylist() == [0, 0]


def test_no_texts_give_no_rows() -> None:
    assert dedup.score([]).num_rows == 0


def test_ids_are_row_numbers_where_none_is_given() -> None:
    assert dedup.score([FERRY, VOTE])["article_id"].to_pylist() == ["0", "1"]
    assert dedup.score([FERRY, VOTE], ids=[None, 7])["article_id"].to_pylist() == ["0", "7"]


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        iter,
        pa.array,
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pa.array(texts, pa.large_string()),
        lambda texts: pa.array(texts, pa.string_view()),
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: np.array(texts, dtype=object),
        lambda texts: Stream(pa.chunked_array([texts])),
        lambda texts: Array(pa.array(texts)),
    ],
)
def test_any_column_of_text_gives_the_same_scores(make: Callable[[list[str | None]], Any]) -> None:
    texts = [FERRY, VOTE, None, FERRY]
    assert dedup.score(make(texts)).equals(dedup.score(texts))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_series_gives_the_same_scores(library: str) -> None:
    series = pytest.importorskip(library).Series([FERRY, VOTE, None, FERRY])
    assert dedup.score(series).equals(dedup.score([FERRY, VOTE, None, FERRY]))


@pytest.mark.parametrize("texts", [FERRY, b"x", {"text": FERRY}, [1, 2], [[FERRY]], 5, [FERRY, 2]])
def test_what_is_no_column_of_text_is_refused(texts: object) -> None:
    with pytest.raises(ConfigError, match="texts"):
        dedup.score(texts)


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="ids has 1 values, but there are 2 texts"):
        dedup.score([FERRY, VOTE], ids=["a"])


def test_a_column_that_holds_no_dates_is_refused() -> None:
    with pytest.raises(ConfigError, match="dates"):
        dedup.score([FERRY], dates=[[1]])


def test_options_win_over_the_config() -> None:
    other = FERRY.replace("Tuesday", "Sunday").replace("nineteen", "twenty")
    strict = dedup.Config.from_options(threshold=1.0, containment=1.0)
    assert dedup.score([FERRY, other], config=strict)["copied"].to_pylist() == [0, 0]
    assert dedup.score([FERRY, other], config=strict, threshold=0.8)["copied"].to_pylist()[1] > 0.5


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    dedup.score([FERRY, VOTE, FERRY], temp_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
