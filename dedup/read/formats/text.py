"""Text files, one article each."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.config import SourceConfig
from dedup.read.formats.json_layout import BOM
from dedup.read.streams import OpenInput, read_whole

_TOO_LONG = "the file is longer than --max-article-bytes allows"


def read_text_file(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read a file as one article, whose id is the path below the folder that the user named."""
    text = read_whole(file, config.article_limit + len(BOM))
    yield pa.RecordBatch.from_pydict(
        {
            "article_id": [file.below],
            "text": pa.array([text and text.removeprefix(BOM)], pa.large_binary()),
            "input_row": [0],
            "reason": pa.array([_TOO_LONG if text is None else None], pa.string()),
        }
    )
