"""The tables that reading makes: articles in one shape, and the rows that could not be read."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.config import OnError, SourceConfig
from dedup.errors import RowError
from dedup.read.dates import TIMESTAMP, parse_dates
from dedup.read.locate import InputFile
from dedup.read.streams import Passed, Resources
from dedup.util.columns import cut_rows
from dedup.util.strings import lay_out, measure_strings, read_strings

ARTICLE_INPUT = pa.schema(
    [
        pa.field("article_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("date", TIMESTAMP),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("input_file", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
    ]
)
REJECTED = pa.schema(
    [
        pa.field("input_file", pa.string(), nullable=False),
        pa.field("input_row", pa.int64(), nullable=False),
        pa.field("article_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
NO_ARTICLES = pa.RecordBatch.from_pylist([], schema=ARTICLE_INPUT)
NONE_REJECTED = pa.RecordBatch.from_pylist([], schema=REJECTED)

BATCH_BYTES = 4 << 20  # enough text for one native call, little enough to hold many in memory
SLICE_ROWS = 8192  # texts in another layout are converted this many rows at a time

_COPIES = 4  # of a long text on its way to the fingerprint: its line, its column, its batch
_NONE_LONG = np.zeros(0, np.bool_)
Sizes = npt.NDArray[np.int64]

_EMPTY = pa.scalar("", pa.string())
_NULL = pa.scalar(None, pa.string())
_COLON = pa.scalar(":")
_FIRST = pa.scalar(0, pa.int32())
_LABELS = {"article_id": "id", "text": "text", "source": "source", "url": "url"}


class ArticleBatch(NamedTuple):
    """About 4 MiB of articles, and what could not be read among them."""

    articles: pa.RecordBatch  # ARTICLE_INPUT
    rejected: pa.RecordBatch  # REJECTED
    unreadable_dates: int
    read_to: tuple[int, int] = (0, 0)  # number of the file, and its first row after the batch
    passed: Passed | None = None  # of that file
    ended: tuple[tuple[int, str | None], ...] = ()  # files that end here, with their digests


def make_batches(
    raw: pa.RecordBatch,
    file: InputFile,
    config: SourceConfig,
    number: int = 0,
    resources: Resources | None = None,
) -> Iterator[ArticleBatch]:
    """Bring rows as a reader gives them into shape, about 4 MiB of text at a time.

    `raw` has `input_row` and any of article_id, text, date, source and url in the types of the
    file. It may have `reason`, which is not null for a row that could not be read. Such a row,
    one that is not UTF-8, and one that is longer than an article may be, stops the reading with a
    RowError or goes to `rejected`.

    A missing text becomes "", a missing id `<file name>:<row>`, any other blank a null. `number`
    is that of the file among all.
    """
    for start in range(0, raw.num_rows, SLICE_ROWS):
        rows = raw.slice(start, SLICE_ROWS)
        given = [name for name in _LABELS if name in raw.schema.names]
        sizes = {name: measure_strings(rows[name]) for name in given}
        total = sum(sizes.values(), np.zeros(rows.num_rows, np.int64))
        for first, count in cut_rows(total, BATCH_BYTES):
            batch = rows.slice(first, count)
            read_to = (number, batch["input_row"][-1].as_py() + 1)
            own = {name: size[first : first + count] for name, size in sizes.items()}
            made = _make_batch(batch, own, file, config, resources or Resources())
            yield made._replace(read_to=read_to)


def join_batches(batches: Iterable[ArticleBatch]) -> Iterator[ArticleBatch]:
    """Join small batches to about 4 MiB, as from a folder of small files."""
    held: list[ArticleBatch] = []
    held_bytes = 0
    for batch in batches:
        batch_bytes = sum(rows.nbytes for rows in batch[:2] if rows.num_rows)
        if held and held_bytes + batch_bytes > BATCH_BYTES:
            yield _join(held)
            held, held_bytes = [], 0
        held.append(batch)
        held_bytes += batch_bytes
    if held:
        yield _join(held)


def reject_rest(file: InputFile, row: int, reason: str) -> ArticleBatch:
    """Make the batch that says from which row on a file could not be read."""
    rejected = pa.RecordBatch.from_arrays([[file.path], [row], [None], [reason]], schema=REJECTED)
    return ArticleBatch(NO_ARTICLES, rejected, 0)


def reject_articles(batch: ArticleBatch, reason: str, on_error: OnError) -> ArticleBatch:
    """Reject the articles of a batch after all, all for one reason."""
    articles = batch.articles
    path = articles["input_file"].cast(pa.string())
    if on_error == "fail":
        raise RowError(path[0].as_py(), articles["input_row"][0].as_py(), reason)
    reasons = pa.repeat(reason, articles.num_rows)
    columns = [path, articles["input_row"], articles["article_id"], reasons]
    rejected = pa.RecordBatch.from_arrays(columns, schema=REJECTED)
    both = pa.Table.from_batches([batch.rejected, rejected]).combine_chunks().to_batches()
    return batch._replace(articles=articles.slice(0, 0), rejected=both[0])


def _make_batch(
    rows: pa.RecordBatch,
    sizes: dict[str, Sizes],
    file: InputFile,
    config: SourceConfig,
    resources: Resources,
) -> ArticleBatch:
    reasons = _column(rows, "reason").cast(pa.string())
    strings: dict[str, pa.Array] = {}
    limit = config.article_limit
    for name, label in _LABELS.items():
        given = _column(rows, name)
        is_long = sizes[name] > limit if name in sizes else _NONE_LONG
        if is_long.any():
            given = pa.nulls(1) if len(given) == 1 else _without(lay_out(given), is_long)
            reason = _explain_length(label, sizes[name], is_long, config)
            reasons = pc.coalesce(reasons, reason)
        strings[name] = read_strings(given)
        if strings[name].null_count > given.null_count:
            lost = pc.and_(pc.is_null(strings[name]), pc.is_valid(given))
            reason = pc.if_else(lost, f"the {label} is not valid UTF-8", _NULL)
            reasons = pc.coalesce(reasons, reason)
    if len(rows) == 1 and "text" in sizes and sizes["text"][0] > BATCH_BYTES:
        reasons = pc.coalesce(reasons, _explain_memory(strings["text"], resources.memory))
    columns = pa.RecordBatch.from_pydict(
        {**strings, "date": _column(rows, "date"), "input_row": rows["input_row"]}
    )
    rejected = NONE_REJECTED
    if reasons.null_count < len(reasons):
        is_bad = pc.is_valid(reasons)
        bad = columns.filter(is_bad)
        columns = columns.filter(pc.invert(is_bad))
        rejected = pa.RecordBatch.from_arrays(
            [
                pa.repeat(file.path, bad.num_rows),
                bad["input_row"],
                bad["article_id"],
                reasons.drop_null(),
            ],
            schema=REJECTED,
        )
        if config.on_error == "fail":
            raise RowError(file.path, bad["input_row"][0].as_py(), rejected["reason"][0].as_py())
    dates, unreadable = parse_dates(columns["date"])
    return ArticleBatch(_make_articles(columns, dates, file), rejected, unreadable)


def _make_articles(columns: pa.RecordBatch, dates: pa.Array, file: InputFile) -> pa.RecordBatch:
    rows = columns["input_row"]
    ids = _blank_to_null(columns["article_id"])
    if ids.null_count:
        name = pa.scalar(file.name)
        ids = pc.coalesce(ids, pc.binary_join_element_wise(name, rows.cast(pa.string()), _COLON))
    path = pa.DictionaryArray.from_arrays(pa.repeat(_FIRST, len(rows)), _names(file.path))
    text = columns["text"]
    return pa.RecordBatch.from_arrays(
        [
            ids,
            pc.fill_null(text, _EMPTY) if text.null_count else text,
            dates,
            _blank_to_null(columns["source"]),
            _blank_to_null(columns["url"]),
            path,
            rows,
        ],
        schema=ARTICLE_INPUT,
    )


def _column(rows: pa.RecordBatch, name: str) -> pa.Array:
    return rows[name] if name in rows.schema.names else pa.nulls(rows.num_rows)


def _blank_to_null(values: pa.Array) -> pa.Array:
    if values.null_count == len(values):
        return values
    is_blank = pc.equal(values, _EMPTY)
    return pc.if_else(is_blank, _NULL, values) if pc.any(is_blank).as_py() else values


@functools.lru_cache(maxsize=16)
def _names(path: str) -> pa.Array:
    """Make the dictionary of one name; pyarrow takes its time over every Python value."""
    return pa.array([path], pa.string())


def _explain_length(
    label: str, sizes: Sizes, is_long: npt.NDArray[np.bool_], config: SourceConfig
) -> pa.Array:
    """Say of the rows that are too long what is, and how long."""
    limit = config.max_article_bytes
    reasons = (
        f"the {label} has {size:,} bytes, but --max-article-bytes is {limit}" if long else None
        for size, long in zip(sizes.tolist(), is_long.tolist(), strict=True)
    )
    return pa.array(reasons, pa.string())


def _without(values: pa.Array, is_long: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(is_long), pa.scalar(None, values.type), values)


def _explain_memory(text: pa.Array, memory: int) -> pa.Array:
    """Say of a long text if it takes more memory than there is."""
    [needed] = _native.needed_memory(pa.record_batch({"text": text}))
    needed += _COPIES * text.nbytes
    if needed <= memory:
        return _NULL
    return pa.scalar(
        f"the text needs {needed >> 20:,} MiB of memory, of which --max-memory leaves"
        f" {memory >> 20:,} MiB"
    )


def _join(held: list[ArticleBatch]) -> ArticleBatch:
    articles, rejected = (
        _join_rows([b.articles for b in held], NO_ARTICLES),
        _join_rows([b.rejected for b in held], NONE_REJECTED),
    )
    return ArticleBatch(
        articles,
        rejected,
        sum(batch.unreadable_dates for batch in held),
        held[-1].read_to,
        held[-1].passed,
        tuple(end for batch in held for end in batch.ended),
    )


def _join_rows(batches: list[pa.RecordBatch], none: pa.RecordBatch) -> pa.RecordBatch:
    full = [batch for batch in batches if batch.num_rows]
    if len(full) < 2:
        return full[0] if full else none
    [joined] = pa.Table.from_batches(full).unify_dictionaries().combine_chunks().to_batches()
    return joined
