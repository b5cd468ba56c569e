"""Verified pairs to clusters: what is a near-copy of what, gathered around the first seen.

The stars themselves are made in the core (`clusters.rs`); here they become tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dedup import _native
from dedup.stages.naming import Names, constant


def list_members(
    corpus: _native.Corpus, matches: _native.Matches, names: Names, units: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """List the members of every cluster: MEMBERS, and the same with articles as row numbers."""
    rows = {"paragraph": corpus.paragraph_members, "article": corpus.article_members}
    batches = [(unit, rows[unit](matches)) for unit in units]
    numbered = pa.concat_tables(
        [
            pa.Table.from_batches([batch]).append_column("unit", constant(unit, batch.num_rows))
            for unit, batch in batches
        ]
    ).unify_dictionaries()
    named = [names.name(batch, ["article"], unit=unit) for unit, batch in batches]
    return pa.concat_tables(named).unify_dictionaries(), numbered


def cluster_members(
    corpus: _native.Corpus,
    matches: _native.Matches,
    members: pa.Table,
    articles: pa.Table,
    names: Names,
    units: Sequence[str],
) -> pa.Table:
    """Sum up the members of every cluster: CLUSTERS, by unit and in first-seen order.

    Takes MEMBERS with articles as row numbers, and ARTICLE_INPUT for sources and dates.
    """
    tables = []
    for unit in units:
        own = members.filter(pc.equal(members["unit"].cast(pa.string()), unit))
        heads = pa.Table.from_batches([corpus.cluster_heads(matches, unit)])
        sums = _sum_up(own, articles)
        table = heads.append_column("order", pa.array(range(heads.num_rows), pa.int64()))
        table = table.join(sums, "cluster_id").sort_by("order").drop_columns(["order"])
        ids = names.ids.take(table["representative_article"].combine_chunks())
        place = table.schema.get_field_index("representative_article")
        table = table.set_column(place, "representative_article", ids)
        table = table.append_column("unit", constant(unit, table.num_rows))
        tables.append(table.append_column("kind", constant("near_copy", table.num_rows)))
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
            "mean_similarity": pc.cast(pc.if_else(alone, 1.0, mean), pa.float32()),
            "first_seen": sums["date_min"],
            "last_seen": sums["date_max"],
        }
    )
