"""Text files, one article each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from dedup.config import SourceConfig
from dedup.sources.locate import InputFile
from dedup.sources.streams import OpenInput, read_whole

_BOM = b"\xef\xbb\xbf"
_TOO_LONG = "the file is longer than --max-article-bytes allows"


def read_text_file(file: OpenInput, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read a file as one article, whose id is the path below the folder that the user named."""
    text = read_whole(file, config.article_limit + len(_BOM))
    yield pa.RecordBatch.from_pydict(
        {
            "article_id": [name_article(file)],
            "text": pa.array([text and text.removeprefix(_BOM)], pa.large_binary()),
            "input_row": [0],
            "reason": pa.array([_TOO_LONG if text is None else None], pa.string()),
        }
    )


def name_article(file: InputFile) -> str:
    """Return the path below the folder that the user named, or the name of a file by itself."""
    if not file.folder:
        return file.name
    return Path(file.path).relative_to(file.folder).as_posix()
