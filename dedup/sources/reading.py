"""Files in, batches of articles out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from dedup.config import SourceConfig
from dedup.sources import plain, tabular, web
from dedup.sources.batches import ArticleBatch, join_batches, make_batches, reject_rest
from dedup.sources.locate import InputFile, check_unchanged
from dedup.sources.streams import DamagedFileError, naming_failures

Reader = Callable[[InputFile, SourceConfig], Iterator[pa.RecordBatch]]

READERS: dict[str, Reader] = {
    "jsonl": tabular.read_json,
    "json": tabular.read_json,
    "csv": tabular.read_csv,
    "tsv": tabular.read_csv,
    "parquet": tabular.read_parquet,
    "arrow": tabular.read_arrow,
    "txt": plain.read_text_file,
    "html": web.read_html_file,
    "warc": web.read_warc,
}


def read_articles(
    files: Sequence[InputFile], config: SourceConfig, start: tuple[int, int] = (0, 0)
) -> Iterator[ArticleBatch]:
    """Read files in their order, about 4 MiB of text at a time; a longer text is alone.

    `start` is where to begin: the number of a file and a row in it, as `read_to` of a batch.

    A row that is malformed raises a RowError, and a file that breaks off an InputError, unless
    `config.on_error` is `skip`: then the row, or the first row that is lost, is in `rejected`
    with the reason, and the reading goes on. A file that cannot be opened, or has no text field,
    is an InputError in any case, and so is one that changes while it is read.
    """
    return join_batches(_read_each(files, config, start))


def _read_each(
    files: Sequence[InputFile], config: SourceConfig, start: tuple[int, int]
) -> Iterator[ArticleBatch]:
    for number in range(start[0], len(files)):
        file = files[number]
        next_row = start[1] if number == start[0] else 0
        try:
            for rows in _read_rows(file, config, next_row):
                yield from make_batches(rows, file, config.on_error, number)
                if rows.num_rows:
                    next_row = rows["input_row"][-1].as_py() + 1
        except DamagedFileError as err:
            if config.on_error == "fail":
                raise
            rest = reject_rest(file, next_row, err.reason)
            yield rest._replace(read_to=(number + 1, 0))
        check_unchanged(file)


def _read_rows(file: InputFile, config: SourceConfig, first: int) -> Iterator[pa.RecordBatch]:
    """Read the rows from number `first` on."""
    with naming_failures(file):
        for rows in READERS[file.format](file, config):
            numbers = rows["input_row"].to_numpy()
            yield rows.slice(int(np.searchsorted(numbers, first)))
