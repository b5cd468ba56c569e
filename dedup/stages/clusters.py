"""Verified pairs to clusters: what is a near-copy of what, gathered around the first seen.

The stars themselves are made in the core (`clusters.rs`), and what they are is judged there
(`boilerplate.rs`); here they become tables.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.schemas import CLUSTER_KINDS
from dedup.stages.findings import Findings
from dedup.stages.naming import Names, constant, from_codes

PART_CLUSTERS = 1 << 15  # clusters whose texts are held at a time


def number_members(found: Findings, unit: str) -> pa.Table:
    """List the members of every cluster of a unit, with clusters and articles as numbers."""
    rows = {"paragraph": found.corpus.paragraph_members, "article": found.corpus.article_members}
    return pa.Table.from_batches([rows[unit](found.matches)])


def list_members(found: Findings, unit: str, members: pa.Table) -> pa.Table:
    """Name members of clusters of a unit: MEMBERS."""
    clusters = Names(found.clusters[unit]["cluster_id"])
    table = clusters.name(found.names.name(members, ["article"]), ["cluster_id"])
    return table.append_column("unit", constant(unit, table.num_rows))


def list_clusters(found: Findings, unit: str, members: pa.Table) -> Iterator[pa.Table]:
    """Sum up the members of the clusters of a unit, in first-seen order: CLUSTERS, in parts."""
    # Sums of floats depend on their order, which must not show: rows may come in any.
    members = members.sort_by([("cluster_id", "ascending"), ("similarity", "ascending")])
    holders = members["article"].combine_chunks()
    sources = found.articles["source"].combine_chunks()
    for name, values in (("source", sources.indices), ("date", found.articles["date"])):
        members = members.append_column(name, values.take(holders))
    numbers = members["cluster_id"].to_numpy()
    heads = found.clusters[unit]
    for start in range(0, heads.num_rows, PART_CLUSTERS):
        part = heads.slice(start, PART_CLUSTERS)
        first, last = np.searchsorted(numbers, [start, start + part.num_rows])
        # Clusters are numbered without gaps, so sums in their order stand beside their heads.
        sums = _sum_up(members.slice(first, last - first))
        columns = {name: part[name] for name in ("cluster_id", "representative_position")}
        columns |= {name: sums[name] for name in sums.schema.names if name != "cluster_id"}
        representatives = part["representative_article"].combine_chunks()
        paragraphs = part["paragraph"].combine_chunks()
        texts = found.corpus.texts(pa.record_batch({"paragraph": paragraphs}))
        yield pa.table(
            {
                **columns,
                "representative_article": found.names.ids.take(representatives),
                "text": texts["text"],
                "unit": constant(unit, part.num_rows),
                "kind": from_codes(part["kind"], CLUSTER_KINDS),
                "site": sources.dictionary.take(part["site"].combine_chunks()),
            }
        )


def _sum_up(members: pa.Table) -> pa.Table:
    """Count and compare the members of each cluster, which must be sorted."""
    valid = pc.CountOptions(mode="only_valid")
    sums = members.group_by("cluster_id", use_threads=False).aggregate(
        [
            ("article", "count"),
            ("article", "count_distinct"),
            ("source", "count_distinct", valid),
            ("similarity", "min"),
            ("similarity", "sum"),
            ("date", "min"),
            ("date", "max"),
        ]
    )
    # The representative counts as 1 in the sum, and is left out of the mean.
    others = pc.max_element_wise(pc.subtract(sums["article_count"], 1), 1)
    alone = pc.equal(sums["article_count"], 1)
    mean = pc.divide(pc.subtract(sums["similarity_sum"], 1.0), pc.cast(others, pa.float64()))
    return pa.table(
        {
            "cluster_id": sums["cluster_id"],
            "members": sums["article_count"],
            "articles": sums["article_count_distinct"],
            "sources": sums["source_count_distinct"],
            "min_similarity": sums["similarity_min"],
            "mean_similarity": pc.if_else(alone, 1.0, mean),
            "first_seen": sums["date_min"],
            "last_seen": sums["date_max"],
        }
    )
