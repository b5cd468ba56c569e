"""The tables of clusters and their members."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.schemas import CLUSTER_KINDS, DATE
from dedup.tables.findings import Findings, name_clusters
from dedup.tables.naming import constant, from_codes, ranges
from dedup.util.columns import in_one_chunk, replace_numbers

PART_CLUSTERS = 1 << 15  # clusters whose texts are held at a time


def list_members(found: Findings, unit: str) -> Iterator[pa.Table]:
    """List the members of the clusters of a unit, by article: MEMBERS, in parts."""
    corpus = found.corpus
    for start, end in corpus.cut(found.names.part_rows):
        rows = found.matches.member_rows(corpus, unit, start, end)
        members = found.names.name(pa.Table.from_batches([rows]), ["article"])
        place = members.schema.get_field_index("cluster_id")
        numbers = members["cluster_id"].combine_chunks()
        members = members.set_column(place, "cluster_id", name_clusters(found, unit, numbers))
        yield members.append_column("unit", constant(unit, members.num_rows))


def list_clusters(found: Findings, unit: str, threads: int) -> Iterator[pa.Table]:
    """Sum up the members of the clusters of a unit, in first-seen order: CLUSTERS, in parts."""
    sources = in_one_chunk(found.articles["source"])
    dates = in_one_chunk(found.articles["date"]).cast(pa.int64())
    facts = pa.record_batch({"source": sources.indices, "date": dates})
    groups = found.matches.group(found.corpus, unit, facts, threads)

    def name_sites(used: pa.Array) -> pa.Array:
        return sources.dictionary.take(used).cast(pa.string())

    for start, end in ranges(found.matches.count_clusters(unit), PART_CLUSTERS):
        rows = found.matches.cluster_rows(found.corpus, groups, start, end)
        clusters = pa.Table.from_batches([rows])
        changed = {
            "representative_article": found.names.take(rows["representative_article"]),
            "first_seen": rows["first_seen"].cast(DATE),
            "last_seen": rows["last_seen"].cast(DATE),
            "kind": from_codes(clusters["kind"], CLUSTER_KINDS),
            "site": replace_numbers(rows["site"], name_sites),
        }
        for name, column in changed.items():
            place = clusters.schema.get_field_index(name)
            clusters = clusters.set_column(place, name, column)
        yield clusters.append_column("unit", constant(unit, end - start))
