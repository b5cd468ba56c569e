"""How the records of a WARC file are compressed, each by itself."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pyarrow as pa

# As crawlers write archives, so that a record can be fetched alone.
PACKERS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": lambda record: gzip.compress(record, mtime=0),
    "zstd": lambda record: pa.compress(record, "zstd", asbytes=True),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
