"""Dates are read as people write them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from article_files import (
    read_batches,
    write_articles,
)
from hypothesis import given
from hypothesis import strategies as st

from dedup.read import ARTICLE_INPUT
from dedup.read.dates import parse_dates


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
