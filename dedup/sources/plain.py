"""Text files, one article each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from dedup.config import SourceConfig
from dedup.sources.locate import InputFile
from dedup.sources.streams import limited, read_chunks

_BOM = b"\xef\xbb\xbf"


def read_text_file(file: InputFile, config: SourceConfig) -> Iterator[pa.RecordBatch]:
    """Read a file as one article, whose id is the path below the folder that the user named."""
    text = b"".join(limited(read_chunks(file), file, "the text")).removeprefix(_BOM)
    yield pa.RecordBatch.from_pydict(
        {
            "article_id": [name_article(file)],
            "text": pa.array([text], pa.large_binary()),
            "input_row": [0],
        }
    )


def name_article(file: InputFile) -> str:
    """Return the path below the folder that the user named, or the name of a file by itself."""
    if not file.folder:
        return file.name
    return Path(file.path).relative_to(file.folder).as_posix()
