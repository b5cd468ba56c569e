"""Facts about articles other than their text: names in memory, the rest in the spool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.read import ARTICLE_INPUT, REJECTED, ArticleBatch
from dedup.work.journal import Entry, Saved
from dedup.work.names import Names

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
        return pa.Table.from_batches(self._held, _HELD).unify_dictionaries().combine_chunks()

    def articles(self, size: int) -> Iterator[pa.Table]:
        """Give ARTICLE_INPUT without the text, `size` articles at a time."""
        for table in _in_pieces((self._read(place, _STORED) for place in self._articles), size):
            yield self._files.name(table, ["input_file"])

    def rejected(self) -> Iterator[pa.Table]:
        """Give REJECTED, in parts."""
        for place in self._rejected:
            yield pa.Table.from_batches([self._read(place, REJECTED)])

    def _hold(self, articles: pa.RecordBatch, places: dict[str, Saved]) -> None:
        sources = articles["source"].cast(pa.large_string()).dictionary_encode()
        held = [articles["article_id"], articles["date"], sources]
        self._held.append(pa.RecordBatch.from_arrays(held, schema=_HELD))
        self._articles.append(places["articles"])
        if "rejected" in places:
            self._rejected.append(places["rejected"])

    def _read(self, place: Saved, schema: pa.Schema) -> pa.RecordBatch:
        return pa.ipc.read_record_batch(pa.py_buffer(self._spool.read(place)), schema)


def _in_pieces(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Cut rows into batches of `size`."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= size:
            table = pa.Table.from_batches(held)
            yield table.slice(0, size)
            held = table.slice(size).to_batches()
            rows -= size
    if rows:
        yield pa.Table.from_batches(held)
