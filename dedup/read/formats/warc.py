"""Web archives: WARC and WET files.

A WARC file is a row of records. Articles are the pages among them: `response` records of status
2xx and `resource` records that are HTML, and `conversion` records, which hold extracted text in
WET files. Requests, metadata, revisits, images and pages that are errors are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.config import SourceConfig
from dedup.read.formats.html import explain_limits
from dedup.read.formats.html_text import is_page, may_be_page, read_page
from dedup.read.formats.http_response import (
    BodyError,
    decode_body,
    parse_content_type,
    parse_response,
)
from dedup.read.formats.warc_records import Record, read_records
from dedup.read.streams import CHUNK_BYTES, FAILURES, OpenInput

_WITH_ARTICLES = ("response", "resource", "conversion")  # types of records that may have one
_ROWS = pa.schema(
    [
        pa.field("article_id", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("date", pa.string()),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("input_row", pa.int64()),
        pa.field("reason", pa.string()),
    ]
)
_HOST = re.compile(r"https?://(?:[^/?#@]*@)?(\[[^]]*\]|[^/?#:]+)", re.IGNORECASE)


class _Row(NamedTuple):
    """A record that holds an article, or should."""

    article_id: str | None
    text: bytes
    date: str | None
    source: str | None
    url: str | None
    input_row: int
    reason: str | None


def read_warc(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read the articles of a WARC or WET file; `input_row` counts records, of whatever type.

    The id is the record's, since a crawl may hold a page more than once, the source is the host
    without `www.`, and the date is that of the crawl. A page whose body cannot be decoded, or
    is too long, has a `reason`, and so has a record that is damaged, which costs no other.
    """
    rows: list[_Row] = []
    started = 0
    try:
        for row, place in _read_rows(file, config.article_limit):
            if rows and place - started >= CHUNK_BYTES:
                yield _lay_out(rows)
                rows, started = [], place
            rows.append(row)
    except FAILURES:
        if rows:
            yield _lay_out(rows)
        raise
    if rows:
        yield _lay_out(rows)


def _read_rows(file: OpenInput, limit: int) -> Iterator[tuple[_Row, int]]:
    """Give the rows, each with the place in the file where its record begins."""

    def wanted_bytes(headers: Mapping[str, str]) -> int:
        return limit + 1 if _kind_of(headers) in _WITH_ARTICLES else 0  # no film fills the memory

    for number, record in enumerate(read_records(file, wanted_bytes)):
        text, reason = None, None
        try:
            text = b"" if record.reason else _read_text(record, limit, file.resources.memory)
            reason = record.reason
        except BodyError as err:
            text, reason = b"", str(err)
        if text is not None:
            yield _make_row(record.headers, number, text, reason), record.place


def _kind_of(headers: Mapping[str, str]) -> str:
    return headers.get("warc-type", "").lower()


def _read_text(record: Record, limit: int, memory: int) -> bytes | None:
    """Return the text of a record, or None if it has no article."""
    headers, block = record.headers, record.block
    record_kind = _kind_of(headers)
    if record_kind not in _WITH_ARTICLES:
        return None
    kind, charset = parse_content_type(headers.get("content-type"))
    if record_kind == "conversion" and kind in (None, "text/plain"):
        if len(block) > limit:
            raise BodyError(f"the text is longer than the {limit:,} bytes of --max-article-bytes")
        return block
    body = block
    if record_kind == "response":
        response = parse_response(block)
        if response is None or not 200 <= response.status < 300:
            return None
        kind, charset = parse_content_type(response.headers.get("content-type"))
        kind = headers.get("warc-identified-payload-type") or kind  # it may be there and empty
        if not may_be_page(kind):
            return None
        body = decode_body(response, limit + 1)
    if not is_page(body, kind):
        return None
    reason = explain_limits(None if len(block) > limit else body, limit, memory)
    if reason:
        raise BodyError(reason)
    return read_page(body, charset).encode()


def _make_row(headers: Mapping[str, str], number: int, text: bytes, reason: str | None) -> _Row:
    url = _without_brackets(headers.get("warc-target-uri"))
    article_id = _without_brackets(headers.get("warc-record-id"))
    return _Row(article_id, text, headers.get("warc-date"), _name_site(url), url, number, reason)


def _without_brackets(value: str | None) -> str | None:
    """Take off the `<` and `>` that the standard has around ids, and wget around addresses."""
    return value and value.removeprefix("<").removesuffix(">")


def _name_site(url: str | None) -> str | None:
    host = _HOST.match(url or "")
    return host[1].lower().removeprefix("www.") if host else None


def _lay_out(rows: list[_Row]) -> pa.RecordBatch:
    columns = dict(zip(_Row._fields, zip(*rows, strict=True), strict=True))
    columns["text"] = _read_utf8(columns["text"])
    return pa.RecordBatch.from_pydict(columns, schema=_ROWS)


def _read_utf8(texts: Sequence[bytes]) -> pa.Array:
    """Make a column of texts; bytes that are not UTF-8 become U+FFFD, as on pages."""
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    column = pa.Array.from_buffers(pa.large_binary(), len(texts), buffers)
    try:
        return column.cast(pa.large_string())
    except pa.ArrowInvalid:
        return pa.array([text.decode("utf-8", "replace") for text in texts], pa.large_string())
