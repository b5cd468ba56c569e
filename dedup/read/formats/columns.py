"""What the readers of tables share: their columns, numbered rows, and rows that are rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from dedup.config import SourceConfig
from dedup.errors import InputError
from dedup.read.dates import is_date_like
from dedup.read.fields import SETTINGS, find_fields
from dedup.read.locate import InputFile
from dedup.util.strings import is_text, is_text_or_scalar

BATCH_SHARE = 4  # of the memory, for what is read as a whole: a batch of Arrow, a page of Parquet
MAX_BATCH_BYTES = 64 << 20  # of one that is read in spite of being in the file as it is
PAGE_BYTES = 4 << 20  # of rows that are given at a time

_KINDS = {
    "article_id": "text or a number",
    "text": "text",
    "date": "a date",
    "source": "text",
    "url": "text",
}


def find_columns(schema: pa.Schema, file: InputFile, config: SourceConfig) -> dict[str, str]:
    """Find the fields in a typed schema; refuse one that cannot hold what it was named for."""
    kinds = dict(reversed(list(zip(schema.names, schema.types, strict=True))))  # the first counts
    checks = {"text": is_text, "date": is_date_like}

    def usable(column: str, field: str) -> bool:
        return checks.get(column, is_text_or_scalar)(kinds[field])

    fields = find_fields(schema.names, config, file.path, usable)
    for column, field in fields.items():
        if not usable(column, field):
            setting = SETTINGS[column].replace("_", "-")
            raise InputError(
                f"the field {field!r} of {file.path} is {kinds[field]}, not {_KINDS[column]}",
                hint=f"name another one with --{setting}",
            )
    return fields


def number_rows(
    batches: Iterable[pa.RecordBatch], fields: dict[str, str], row: int = 0
) -> Iterator[pa.RecordBatch]:
    """Rename fields to columns and add `input_row`, from `row` on."""
    for batch in batches:
        batch.validate()
        names = batch.schema.names
        columns = {name: batch.column(names.index(field)) for name, field in fields.items()}
        end = row + batch.num_rows
        yield pa.RecordBatch.from_pydict({**columns, "input_row": np.arange(row, end)})
        row = end


def reject_row(row: int, reason: str) -> pa.RecordBatch:
    """Give the row of an article that cannot be read."""
    return pa.RecordBatch.from_pydict({"input_row": [row], "reason": [reason]})
