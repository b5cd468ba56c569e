"""Articles to fingerprints, in the one pass that sees all text."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from dedup import _native
from dedup.config import Config
from dedup.sources import ARTICLE_INPUT, REJECTED, ArticleBatch

_KNOWN = ARTICLE_INPUT.remove(ARTICLE_INPUT.get_field_index("text"))


class Fingerprints(NamedTuple):
    """Everything read: the corpus in the core, and what else is known of its articles."""

    corpus: _native.Corpus
    articles: pa.Table  # ARTICLE_INPUT without the text, in input order
    rejected: pa.Table
    unreadable_dates: int
    text_bytes: int


def fingerprint_articles(
    batches: Iterable[ArticleBatch],
    config: Config,
    temp_dir: Path,
    on_batch: Callable[[int, int], None],
) -> Fingerprints:
    """Fingerprint every article and keep its text, on disk, for the steps that need it again.

    Reading goes on while earlier batches are worked on by `config.threads` threads; batches join
    the corpus in input order, so threads never show in the result. `on_batch` is told how many
    articles and bytes of text were added.
    """
    parts = config.fingerprint
    fingerprinter = _native.Fingerprinter(
        temp_dir,
        paragraphs=parts.paragraphs,
        min_tokens=parts.min_tokens,
        bands=parts.bands,
        rows=parts.rows,
        min_repeat_tokens=config.score.min_repeat_tokens,
    )
    corpus = _native.Corpus(fingerprinter)
    known: list[pa.RecordBatch] = []
    rejected: list[pa.RecordBatch] = []
    waiting: deque[tuple[Future[_native.Batch], int, int]] = deque()
    unreadable_dates = 0
    text_bytes = 0

    def add_oldest() -> None:
        future, articles, size = waiting.popleft()
        corpus.add(future.result())
        on_batch(articles, size)

    with ThreadPoolExecutor(config.threads, thread_name_prefix="fingerprint") as pool:
        try:
            for batch in batches:
                text = batch.articles.select(["text"])
                size = text.nbytes
                text_bytes += size
                unreadable_dates += batch.unreadable_dates
                known.append(batch.articles.drop_columns(["text"]))
                rejected.append(batch.rejected)
                future = pool.submit(fingerprinter.fingerprint, text)
                waiting.append((future, text.num_rows, size))
                if len(waiting) > config.threads:
                    add_oldest()
            while waiting:
                add_oldest()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Fingerprints(
        corpus,
        _to_table(known, _KNOWN),
        _to_table(rejected, REJECTED),
        unreadable_dates,
        text_bytes,
    )


def _to_table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(batches, schema).unify_dictionaries()
