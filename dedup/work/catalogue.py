"""Facts about articles other than their text: names in memory, the rest in the spool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.read import ARTICLE_INPUT, REJECTED, ArticleBatch
from dedup.util.strings import measure_strings
from dedup.work.journal import Entry, Saved
from dedup.work.names import Names

PIECE_BYTES = 32 << 20  # of strings that are read back at once, but for an article with more
_STRINGS = ("article_id", "source", "url")
_FILE = ARTICLE_INPUT.get_field_index("input_file")
_STORED = ARTICLE_INPUT.remove(ARTICLE_INPUT.get_field_index("text")).set(
    _FILE - 1, pa.field("input_file", pa.int32(), nullable=False)
)
_HELD = pa.schema(
    [
        _STORED.field("article_id"),
        _STORED.field("date"),
        # Large strings: all articles together may have too many bytes for 32-bit offsets.
        pa.field("source", pa.dictionary(pa.int32(), pa.large_string())),
    ]
)


class Catalogue:
    """The articles of a scan, in input order.

    Ids, dates and sources are used in any order and stay in memory; the fields that only the tables
    need are read from the spool when they are written.
    """

    def __init__(self, spool: _native.Spool, files: Sequence[str]) -> None:
        """Take the paths of all input files, to which the batches refer."""
        self._spool = spool
        self._files = Names(pa.chunked_array([files], pa.string()))
        self._held: list[pa.RecordBatch] = []
        self._articles: list[Saved] = []
        self._rejected: list[Saved] = []
        self.unreadable_dates = 0
        self.rejected_rows = 0

    def add(self, batch: ArticleBatch) -> dict[str, Saved]:
        """Add a batch; return where in the spool it is."""
        articles = batch.articles.drop_columns(["text"])
        paths = articles["input_file"]
        files = pc.index_in(paths.dictionary, self._files.ids).take(paths.indices)
        articles = articles.set_column(_FILE - 1, _STORED.field(_FILE - 1), files)
        places = {"articles": self._spool.append(articles.serialize().to_pybytes())}
        if batch.rejected.num_rows:
            places["rejected"] = self._spool.append(batch.rejected.serialize().to_pybytes())
        self._hold(articles, places)
        self.unreadable_dates += batch.unreadable_dates
        self.rejected_rows += batch.rejected.num_rows
        return places

    def restore(self, entry: Entry) -> None:
        """Add a batch that another process added, from its entry in the journal."""
        places = entry["places"]
        self._hold(self._read(places["articles"], _STORED), places)
        self.unreadable_dates += entry["unreadable_dates"]
        if "rejected" in places:
            self.rejected_rows += self._read(places["rejected"], REJECTED).num_rows

    def named(self) -> pa.Table:
        """Return article_id, date and source of every article."""
        table = pa.Table.from_batches(self._held, _HELD).unify_dictionaries().combine_chunks()
        self._held = table.to_batches()  # instead of the same names a second time
        return table

    def articles(self, size: int) -> Iterator[pa.Table]:
        """Give ARTICLE_INPUT without the text, `size` articles at a time, or fewer long ones."""
        for table in _in_pieces((self._read(place, _STORED) for place in self._articles), size):
            yield self._files.name(table, ["input_file"])

    def rejected(self) -> Iterator[pa.Table]:
        """Give REJECTED, in parts."""
        for place in self._rejected:
            yield pa.Table.from_batches([self._read(place, REJECTED)])

    def _hold(self, articles: pa.RecordBatch, places: dict[str, Saved]) -> None:
        names = _copy(articles.select(["article_id", "date", "source"]))
        sources = names["source"].cast(pa.large_string()).dictionary_encode()
        held = [names["article_id"], names["date"], sources]
        self._held.append(pa.RecordBatch.from_arrays(held, schema=_HELD))
        self._articles.append(places["articles"])
        if "rejected" in places:
            self._rejected.append(places["rejected"])

    def _read(self, place: Saved, schema: pa.Schema) -> pa.RecordBatch:
        return pa.ipc.read_record_batch(pa.py_buffer(self._spool.read(place)), schema)


def _copy(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Lay a batch out anew: columns of a reader share memory, so that ids would hold the texts."""
    return pa.ipc.read_record_batch(batch.serialize(), batch.schema)


def _in_pieces(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Cut rows anew, wherever the batches were cut: `size` at a time, or PIECE_BYTES."""
    held: list[pa.RecordBatch] = []
    rows = held_bytes = 0
    for batch in batches:
        ends = np.cumsum([measure_strings(batch[name]) for name in _STRINGS], axis=1).sum(axis=0)
        start = passed = 0
        while start < batch.num_rows:
            fitting = np.searchsorted(ends, passed + PIECE_BYTES - held_bytes, side="right")
            end = min(max(int(fitting), start + (not rows)), start + size - rows)
            if end > start:
                held.append(batch.slice(start, end - start))
                rows += end - start
                held_bytes += int(ends[end - 1]) - passed
                start, passed = end, int(ends[end - 1])
            if start < batch.num_rows or rows == size:
                yield pa.Table.from_batches(held)
                held, rows, held_bytes = [], 0, 0
    if rows:
        yield pa.Table.from_batches(held)
