"""Texts in memory to scores in memory: a scan that leaves nothing on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.arguments import read_config
from dedup.config import Config, SourceConfig
from dedup.errors import ConfigError, reason_of
from dedup.packs import load_packs
from dedup.pipeline import Run, find_copies
from dedup.progress import Silent
from dedup.read import ArticleBatch, InputFile
from dedup.read.batches import make_batches
from dedup.read.dates import is_date_like
from dedup.schemas import ARTICLES
from dedup.steps.fingerprint import Fingerprints, fingerprint_articles
from dedup.tables.findings import Findings
from dedup.tables.scores import judge_articles, score_articles
from dedup.util.printable import shorten
from dedup.util.stopwatch import Stopwatch
from dedup.util.strings import is_text, is_text_or_scalar, read_strings
from dedup.work.journal import Journal

SCORES = ARTICLES.remove(ARTICLES.get_field_index("input_file"))

_MEMORY = InputFile("texts", "memory", None, 0)
MAX_SHOWN = 100  # characters of a type in a message
_ROWS = 1 << 16  # rows turned into batches at a time


def score(
    texts: Any,
    *,
    ids: Any = None,
    dates: Any = None,
    sources: Any = None,
    config: Config | None = None,
    **options: Any,
) -> pa.Table:
    """Score texts: the table `articles` of a scan, without `input_file`, in input order.

    `texts` is a list, an Arrow array, or a pandas or polars series; None is an empty article.
    `ids` (the row number where there is none), `dates` and `sources` are columns of the same
    length. Without dates, texts were seen in the order of the input. `options` are settings by
    name, such as `threshold=0.9`; they override `config`.

    Raises a `ConfigError` if a column is not text or has another length.
    """
    config = read_config(config, options)
    table = _to_table(texts, ids, dates, sources)
    found = find_in_memory(table, config)
    for _ in judge_articles(found, config):
        pass  # only the counts are needed
    scored = score_articles(found, config.score)
    parts = [part.select(SCORES.names).cast(SCORES) for part in scored]
    return pa.concat_tables([SCORES.empty_table(), *parts])


def find_in_memory(articles: pa.Table, config: Config) -> Findings:
    """Run the steps of a scan on a table of article_id, text, date and source."""
    packs = load_packs(config.formulas)
    prints = fingerprint_in_memory(batch_articles(articles, config.source), config)
    return find_copies(prints, packs, config, Run(Journal(), Silent(), Stopwatch()))


def fingerprint_in_memory(batches: Iterable[ArticleBatch], config: Config) -> Fingerprints:
    """Fingerprint articles that come from no file."""
    # The spool has no name, so it disappears when it is closed.
    spool = _native.Spool.temporary(config.temp_dir or tempfile.gettempdir())
    prints = Fingerprints(spool, [_MEMORY.path])
    fingerprint_articles(batches, prints, config, Journal(), Silent().advance)
    return prints


def batch_articles(
    articles: pa.Table, config: SourceConfig | None = None
) -> Iterator[ArticleBatch]:
    """Cut a table as `find_in_memory` takes it into batches, as if it were read from a file."""
    config = replace(config or SourceConfig(), on_error="fail")
    first = 0
    for batch in articles.to_batches(max_chunksize=_ROWS):
        rows = pa.array(np.arange(first, first + batch.num_rows))
        yield from make_batches(batch.append_column("input_row", rows), _MEMORY, config)
        first += batch.num_rows


def to_array(name: str, values: Any) -> pa.ChunkedArray:
    """Turn a list, an array or a series of any library into Arrow; refuse anything else."""
    if isinstance(values, str | bytes | Mapping) or not _is_column(values):
        kind = type(values).__name__
        raise ConfigError(
            f"{name} is {'None' if values is None else f'a value of type {kind}'}, but a list or"
            " column is needed",
            hint=f"pass a list, such as [{name[:-1]}], an Arrow array, or a series",
        )
    try:
        if isinstance(values, pa.ChunkedArray | pa.Array):
            array = values
        elif hasattr(values, "__arrow_c_stream__"):
            array = pa.chunked_array(values)
        elif hasattr(values, "__arrow_c_array__") or hasattr(values, "__array__"):
            array = pa.array(values, from_pandas=True)
        else:
            array = pa.array(list(values), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as err:
        raise ConfigError(
            f"{name} cannot be read as one column: {reason_of(err)}",
            hint="give one value per article; None where there is none",
        ) from err
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _is_column(values: Any) -> bool:
    exports = ("__arrow_c_stream__", "__arrow_c_array__", "__array__")
    return isinstance(values, Iterable) or any(hasattr(values, name) for name in exports)


def _to_table(texts: Any, ids: Any, dates: Any, sources: Any) -> pa.Table:
    columns = {"text": to_array("texts", texts)}
    length = len(columns["text"])
    _need_type("texts", columns["text"].type, is_text(columns["text"].type), "text")
    rows = pa.chunked_array([np.arange(length)]).cast(pa.string())
    columns["article_id"] = rows
    for name, label, given in (
        ("article_id", "ids", ids),
        ("date", "dates", dates),
        ("source", "sources", sources),
    ):
        if given is None:
            continue
        values = to_array(label, given)
        if len(values) != length:
            raise ConfigError(
                f"{label} has {len(values)} values, but there are {length} texts",
                hint="give one value per text; None where there is none",
            )
        fits = is_date_like if name == "date" else is_text_or_scalar
        _need_type(label, values.type, fits(values.type), "dates" if name == "date" else "text")
        columns[name] = values
    if ids is not None:
        given_ids = [read_strings(chunk) for chunk in columns["article_id"].chunks]
        columns["article_id"] = pc.coalesce(pa.chunked_array(given_ids, pa.string()), rows)
    return pa.table(columns)


def _need_type(name: str, kind: pa.DataType, fits: bool, wanted: str) -> None:
    if not fits:
        raise ConfigError(
            f"{name} hold {shorten(str(kind), MAX_SHOWN)}, but must be {wanted}",
            hint='pass one column of a table, such as frame["text"]'
            if pa.types.is_struct(kind)
            else None,
        )
