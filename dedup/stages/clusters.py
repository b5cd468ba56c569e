"""Verified pairs to clusters: what is a near-copy of what, gathered around the first seen.

The stars themselves are made in the core (`clusters.rs`); here they become tables.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dedup.stages.findings import Findings
from dedup.stages.naming import Names, constant


def number_members(found: Findings, unit: str) -> pa.Table:
    """List the members of every cluster of a unit, with clusters and articles as numbers."""
    rows = {"paragraph": found.corpus.paragraph_members, "article": found.corpus.article_members}
    return pa.Table.from_batches([rows[unit](found.matches)])


def list_members(found: Findings, members: dict[str, pa.Table]) -> pa.Table:
    """Name the members of every cluster, by unit: MEMBERS."""
    tables = []
    for unit, rows in members.items():
        clusters = Names(found.clusters[unit]["cluster_id"])
        table = clusters.name(found.names.name(rows, ["article"]), ["cluster_id"])
        tables.append(table.append_column("unit", constant(unit, table.num_rows)))
    return pa.concat_tables(tables).unify_dictionaries()


def cluster_members(found: Findings, members: dict[str, pa.Table]) -> pa.Table:
    """Sum up the members of every cluster, by unit and in first-seen order: CLUSTERS."""
    tables = []
    for unit, table in members.items():
        heads = found.clusters[unit]
        place = heads.schema.get_field_index("representative_article")
        ids = found.names.ids.take(heads["representative_article"].combine_chunks())
        heads = heads.set_column(place, "representative_article", ids)
        # Clusters are numbered without gaps, so sorted sums stand beside their heads.
        sums = _sum_up(table, found.articles).sort_by("cluster_id").drop_columns(["cluster_id"])
        for name in sums.schema.names:
            heads = heads.append_column(name, sums[name])
        heads = heads.append_column("unit", constant(unit, heads.num_rows))
        tables.append(heads.append_column("kind", constant("near_copy", heads.num_rows)))
    return pa.concat_tables(tables).unify_dictionaries()


def _sum_up(members: pa.Table, articles: pa.Table) -> pa.Table:
    """Count and compare the members of each cluster."""
    rows = members["article"]
    sources = articles["source"].combine_chunks().dictionary_encode().indices
    table = pa.table(
        {
            "cluster_id": members["cluster_id"],
            "article": rows,
            "similarity": members["similarity"],
            "source": sources.take(rows.combine_chunks()),
            "date": articles["date"].combine_chunks().take(rows.combine_chunks()),
        }
    )
    valid = pc.CountOptions(mode="only_valid")
    # Sums of floats depend on their order, which must not show: rows may come in any.
    table = table.sort_by([("cluster_id", "ascending"), ("similarity", "ascending")])
    sums = table.group_by("cluster_id").aggregate(
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
