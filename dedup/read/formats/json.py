"""JSONL, and JSON in any other layout: a list of objects, or objects that span lines.

The reader gives batches with `input_row`, the fields that were found as strings, and `reason`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator

import pyarrow as pa

from dedup import _native
from dedup.config import SourceConfig
from dedup.read.fields import USUAL_NAMES, accepted_names, find_fields, named_field
from dedup.read.formats.columns import reject_row
from dedup.read.formats.json_layout import BOM, cut_documents, is_document
from dedup.read.locate import InputFile
from dedup.read.pieces import explain_limit, piece_limit, whole_lines
from dedup.read.streams import OpenInput, read_chunks

_SHOWN_BYTES = 1 << 20  # of JSON whose names are listed: read by Python, it takes many times that


def read_json(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read an object a line, or a document: a list of objects, or objects that span lines.

    `input_row` is the line, blank ones counted, or the place in the document.
    """
    chunks = read_chunks(file)
    head = next(chunks, b"")
    if not is_document(head):
        yield from _parse_lines(itertools.chain([head], chunks), file, config)
        return
    limit = piece_limit(file, config)
    if not head.removeprefix(BOM).lstrip().startswith(b"["):
        yield from _read_objects(itertools.chain([head], chunks), file, config)
        return
    splitter = _native.JsonSplitter(limit)
    fields = _accepted_fields(config)
    row = 0
    is_checked = False
    problem: str | None = None
    for chunk in itertools.chain([head.removeprefix(BOM)], chunks, [None]):
        if chunk is None:
            elements, problem = splitter.finish()
        else:
            elements = splitter.split(chunk)
        if not elements:
            continue
        rows = _native.parse_elements(elements, fields=fields, first_row=row, max_bytes=limit)
        row += len(elements)
        documents = (element[0] or b"" for element in elements)
        is_checked = is_checked or _check_fields(rows, documents, file, config)
        del elements, documents, chunk
        yield rows
    if problem is not None:
        yield reject_row(row, problem)


def _parse_lines(
    chunks: Iterable[bytes], file: OpenInput, config: SourceConfig
) -> Iterator[pa.RecordBatch]:
    fields = _accepted_fields(config)
    limit = piece_limit(file, config)
    line = 0
    is_checked = False
    for block in whole_lines(chunks, limit):
        if block is None:
            yield reject_row(line, f"line {line + 1}: the line is {explain_limit(limit)}")
            line += 1
            continue
        rows, lines = _native.parse_jsonl(block, fields=fields, first_line=line)
        is_checked = is_checked or _check_fields(rows, block.splitlines(), file, config)
        line += lines
        del block
        yield rows


def _read_objects(
    chunks: Iterator[bytes], file: OpenInput, config: SourceConfig
) -> Iterator[pa.RecordBatch]:
    """Read objects that come one after another; together they may not be longer than a piece."""
    limit = piece_limit(file, config)
    document = b""
    for chunk in chunks:
        document += chunk
        if len(document) > limit:
            yield reject_row(0, f"the document is {explain_limit(limit)}")
            return
    text = document.removeprefix(BOM).decode("utf-8", "surrogateescape")
    parts = [part.encode("utf-8", "surrogateescape") for part in cut_documents(text)]
    elements: list[_native._Element] = [(part, 0, 0, 0) for part in parts]
    rows = _native.parse_elements(
        elements, fields=_accepted_fields(config), first_row=0, max_bytes=limit
    )
    _check_fields(rows, parts, file, config)
    yield rows


def _accepted_fields(config: SourceConfig) -> list[tuple[str, list[str]]]:
    return [(column, list(names)) for column, names in accepted_names(config).items()]


def _check_fields(
    rows: pa.RecordBatch, documents: Iterable[bytes], file: InputFile, config: SourceConfig
) -> bool:
    """Raise if a field that must be there is in none of the rows; tell whether there were any.

    A field may be missing from some objects, so only columns without a single value are looked
    at, and then the names are read from the JSON again.
    """
    good = rows.filter(rows["reason"].is_null())
    for column in USUAL_NAMES:
        must_be_there = column == "text" or named_field(column, config)
        if must_be_there and good.num_rows and good[column].null_count == good.num_rows:
            find_fields(_names_in(documents), config, file.path)
    return bool(good.num_rows)


def _names_in(documents: Iterable[bytes]) -> list[str]:
    names: dict[str, None] = {}
    for document in documents:
        if len(document) > _SHOWN_BYTES:
            continue
        try:
            value = json.loads(document.removeprefix(BOM))
        except (ValueError, RecursionError):
            continue
        for article in value if isinstance(value, list) else [value]:
            if isinstance(article, dict):
                names.update(dict.fromkeys(article))
    return list(names)
