"""HTML files, one article each."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.config import SourceConfig
from dedup.read.formats.html_text import needed_memory, read_page
from dedup.read.streams import OpenInput, read_whole


def read_html_file(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read a page as one article, whose id is the path below the folder that the user named."""
    body = read_whole(file, config.article_limit)
    reason = explain_limits(body, config.article_limit, file.resources.memory)
    yield pa.RecordBatch.from_pydict(
        {
            "article_id": [file.below],
            "text": ["" if body is None or reason else read_page(body)],
            "input_row": [0],
            "reason": pa.array([reason], pa.string()),
        }
    )


def explain_limits(body: bytes | None, limit: int, memory: int) -> str | None:
    """Say why a page is not read; it counts with its markup. None is one that was not held."""
    if body is None or len(body) > limit:
        return f"the page is longer than the {limit:,} bytes that --max-article-bytes allows"
    needed = needed_memory(body)
    if needed > memory:
        return (
            f"the page needs {needed >> 20:,} MiB of memory, of which --max-memory leaves"
            f" {memory >> 20:,} MiB"
        )
    return None
