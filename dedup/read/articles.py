"""Files in, batches of articles out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from dedup.config import SourceConfig
from dedup.read.batches import (
    NO_ARTICLES,
    NONE_REJECTED,
    ArticleBatch,
    join_batches,
    make_batches,
    reject_rest,
)
from dedup.read.formats.arrow import read_arrow
from dedup.read.formats.csv import read_csv
from dedup.read.formats.html import read_html_file
from dedup.read.formats.json import read_json
from dedup.read.formats.parquet import read_parquet
from dedup.read.formats.text import read_text_file
from dedup.read.formats.warc import read_warc
from dedup.read.locate import InputFile
from dedup.read.streams import (
    DamagedFileError,
    OpenInput,
    Passed,
    Resources,
    naming_failures,
    open_input,
)

Reader = Callable[[OpenInput, SourceConfig], Iterator[pa.RecordBatch]]

READERS: dict[str, Reader] = {
    "jsonl": read_json,
    "json": read_json,
    "csv": read_csv,
    "tsv": read_csv,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "txt": read_text_file,
    "html": read_html_file,
    "warc": read_warc,
}


def read_articles(
    files: Sequence[InputFile],
    config: SourceConfig,
    start: tuple[int, int] = (0, 0),
    *,
    passed: Passed | None = None,
    resources: Resources | None = None,
) -> Iterator[ArticleBatch]:
    """Read files in their order, about 4 MiB of text at a time; a longer text is alone.

    `start` is where to begin: the number of a file and a row in it, as `read_to` of a batch, and
    `passed` what was read of that file before.

    A malformed row raises a RowError, and a truncated file an InputError, unless
    `config.on_error` is `skip`: then the row, or the first row that is lost, is in `rejected`
    with the reason, and reading continues. A file that cannot be opened, or has no text field,
    is an InputError in any case, and so is one that changes while it is read.
    """
    return join_batches(_read_each(files, config, start, passed, resources or Resources()))


def _read_each(
    files: Sequence[InputFile],
    config: SourceConfig,
    start: tuple[int, int],
    passed: Passed | None,
    resources: Resources,
) -> Iterator[ArticleBatch]:
    for number in range(start[0], len(files)):
        next_row = start[1] if number == start[0] else 0
        expected = passed if passed and passed.number == number else None
        rest = ArticleBatch(NO_ARTICLES, NONE_REJECTED, 0)
        with open_input(files[number], resources, expected) as file:
            try:
                for rows in _read_rows(file, config, next_row):
                    for batch in make_batches(rows, file, config, number, resources):
                        yield batch._replace(passed=file.passed(number))
                    if rows.num_rows:
                        next_row = rows["input_row"][-1].as_py() + 1
                    del rows
            except DamagedFileError as err:
                if config.on_error == "fail":
                    raise
                rest = reject_rest(file, next_row, err.reason)
            digest = file.finish()
        yield rest._replace(read_to=(number + 1, 0), ended=((number, digest),))


def _read_rows(file: OpenInput, config: SourceConfig, first: int) -> Iterator[pa.RecordBatch]:
    """Read the rows from number `first` on."""
    with naming_failures(file):
        for rows in READERS[file.format](file, config):
            numbers = rows["input_row"].to_numpy()
            yield rows.slice(int(np.searchsorted(numbers, first)))
