"""Dates in many forms, as timestamps in UTC.

The forms are timestamp and date columns; ISO 8601 dates and times, with a zone or in UTC; seconds,
milliseconds, microseconds or nanoseconds since 1970, distinguished by their size; RFC 2822; and
dates with the month as an English word, such as `26-FEB-1987 15:01:01.79` or `May 4, 2021`.
Numeric dates whose order is ambiguous, such as 03/04/2021, are not read.
"""

from __future__ import annotations

import email.utils
import functools
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.util.strings import is_text, read_strings

TIMESTAMP = pa.timestamp("us", "UTC")

_EMPTY = pa.scalar("", pa.string())
_NO_TEXT = pa.scalar(None, pa.string())
_NO_DATE = pa.scalar(None, TIMESTAMP)

# The years 1 to 9999, beyond which Python has no dates.
_FIRST_US = -62_135_596_800_000_000
_LAST_US = 253_402_300_799_999_999
_FIRST = pa.scalar(_FIRST_US, TIMESTAMP)
_LAST = pa.scalar(_LAST_US, TIMESTAMP)
_UNIT_US = {"day": 86_400_000_000, "s": 1_000_000, "ms": 1000, "us": 1}

# What Arrow reads by itself, and numbers.
_LOCAL = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ZONED = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"
_NUMBER = r"^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$"

_TIME = (
    r"(?:[T\s,]+(?P<hour>\d\d?):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?$"
)
_WEEKDAY = r"^(?:[A-Za-z]{3,9},?\s+)?"
_FORMS = [
    re.compile(form + _TIME, re.ASCII)
    for form in (
        r"^(?P<year>\d{4})[-/](?P<month>\d\d?)(?:[-/](?P<day>\d\d?))?",
        r"^(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        r"^(?P<year>\d{4})",
        _WEEKDAY + r"(?P<day>\d\d?)[\s-]+(?P<word>[A-Za-z]{3,9})\.?[\s,-]+(?P<year>\d{4})",
        _WEEKDAY + r"(?P<word>[A-Za-z]{3,9})\.?\s+(?P<day>\d\d?),?\s+(?P<year>\d{4})",
    )
]
_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]


def parse_dates(values: pa.Array) -> tuple[pa.Array, int]:
    """Return timestamps, null where there was no date or none that can be read; count the latter.

    A blank string counts as no date.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.null_count == len(values):
        return pa.nulls(len(values), TIMESTAMP), 0
    if is_text(values.type):
        values = pc.utf8_trim_whitespace(read_strings(values))
        values = pc.if_else(pc.equal(values, _EMPTY), _NO_TEXT, values)
        dates = _parse_strings(values)
    else:
        dates = _convert(values)
    return dates, dates.null_count - values.null_count


def is_date_like(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can hold dates."""
    if pa.types.is_dictionary(kind):
        return is_date_like(kind.value_type)
    checks = (
        is_text,
        pa.types.is_timestamp,
        pa.types.is_date,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
    )
    return any(check(kind) for check in checks)


def _convert(values: pa.Array) -> pa.Array:
    """Convert a column of a type other than text."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        return _from_units(values.cast(pa.int64()), kind.unit)
    if pa.types.is_date(kind):
        return _from_units(values.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), "day")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _from_numbers(values.cast(pa.float64(), safe=False))
    return pa.nulls(len(values), TIMESTAMP)


def _from_units(values: pa.Array, unit: str) -> pa.Array:
    units = values.fill_null(0).to_numpy(zero_copy_only=False)
    if unit == "ns":
        return _to_timestamps(units // 1000, values.is_valid())
    size = _UNIT_US[unit]
    is_date = (units >= -(-_FIRST_US // size)) & (units <= _LAST_US // size)
    return _to_timestamps(units * np.where(is_date, size, 0), pc.and_(values.is_valid(), is_date))


def _from_numbers(values: pa.Array) -> pa.Array:
    """Read numbers: a year, a date such as 20210304, or the time since 1970 in the unit it fits."""
    numbers = values.fill_null(np.nan).to_numpy(zero_copy_only=False)
    sizes = np.abs(numbers)
    factors = np.select([sizes < 1e11, sizes < 1e14, sizes < 1e17], [1e6, 1e3, 1.0], 1e-3)
    micros = np.round(numbers * factors)
    is_date = (micros >= _FIRST_US) & (micros <= _LAST_US)
    dates = _to_timestamps(np.where(is_date, micros, 0).astype(np.int64), pa.array(is_date))
    is_year = (numbers >= 1000) & (numbers < 3000)
    is_digits = (is_year | (numbers >= 19000101) & (numbers <= 21001231)) & (numbers % 1 == 0)
    if not is_digits.any():
        return dates
    digits = pa.array(numbers, pa.int64(), mask=~is_digits, safe=False).cast(pa.string())
    return pc.coalesce(_parse_each(digits), dates)


def _to_timestamps(micros: npt.NDArray[np.int64], is_valid: pa.Array) -> pa.Array:
    return pc.if_else(is_valid, pa.array(micros, pa.int64()).cast(TIMESTAMP), _NO_DATE)


def _parse_strings(values: pa.Array) -> pa.Array:
    dates = pa.nulls(len(values), TIMESTAMP)
    for pattern, convert in _COLUMN_READERS.items():
        if dates.null_count == values.null_count:
            break
        fits = pc.match_substring_regex(values, pattern)
        if not pc.any(fits).as_py():
            continue
        try:
            dates = pc.coalesce(dates, convert(pc.if_else(fits, values, _NO_TEXT)))
        except pa.ArrowInvalid:  # there is a 30th of February: each by itself
            continue
    is_date = pc.and_(pc.greater_equal(dates, _FIRST), pc.less_equal(dates, _LAST))
    dates = pc.if_else(is_date, dates, _NO_DATE)
    is_left = pc.and_(dates.is_null(), values.is_valid())
    if not pc.any(is_left).as_py():
        return dates
    return pc.coalesce(dates, _parse_each(pc.if_else(is_left, values, _NO_TEXT)))


_COLUMN_READERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    _LOCAL: lambda texts: texts.cast(pa.timestamp("us")).cast(TIMESTAMP),
    _ZONED: lambda texts: texts.cast(TIMESTAMP),
    _NUMBER: lambda texts: _from_numbers(texts.cast(pa.float64())),
}


def _parse_each(values: pa.Array) -> pa.Array:
    """Read every distinct value by itself."""
    distinct = values.drop_null().unique()
    dates = pa.array([_parse(text) for text in distinct.to_pylist()], TIMESTAMP)
    return dates.take(pc.index_in(values, distinct))


@functools.lru_cache(maxsize=1 << 16)
def _parse(text: str) -> datetime | None:
    try:
        for form in _FORMS:
            if match := form.match(text):
                return _build(match.groupdict())
        date = email.utils.parsedate_to_datetime(text)
        return date.astimezone(timezone.utc) if date.tzinfo else date.replace(tzinfo=timezone.utc)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _build(parts: dict[str, str | None]) -> datetime:
    """Make a date from the groups of a form; raise ValueError if there is no such day."""

    def number(name: str, missing: int = 0) -> int:
        return int(parts.get(name) or missing)

    hour = number("hour")
    if half := parts["half"]:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    month = number("month", missing=1)
    if word := parts.get("word"):
        month = [name.startswith(word.lower()) for name in _MONTHS].index(True) + 1
    micros = int(f"{parts['fraction'] or ''}000000"[:6])
    day = (number("year"), month, number("day", missing=1))
    time = (hour, number("minute"), number("second"), micros)
    return datetime(*day, *time, tzinfo=timezone.utc) - _offset(parts["zone"])


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "Z", "UTC", "GMT"):
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset
