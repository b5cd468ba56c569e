"""Text files, one article each."""

from __future__ import annotations

from collections.abc import Iterator

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
            "article_id": [file.below],
            "text": pa.array([text], pa.large_binary()),
            "input_row": [0],
        }
    )
