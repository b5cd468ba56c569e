"""The tables of articles, paragraphs and spans: what is redundant, and which words.

The words are counted in the core (`scoring/`); here the counts become shares and rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.config import Config, ScoreConfig
from dedup.schemas import PARAGRAPH_KINDS, SPAN_KINDS
from dedup.tables.findings import Findings, name_clusters
from dedup.tables.naming import from_codes

ARTICLES_AT_ONCE = 1 << 16  # articles whose facts are read back from the spool together


def judge_articles(found: Findings, config: Config) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Classify the paragraphs of all articles and list their flagged spans: PARAGRAPHS and SPANS,
    in parts. The counts of the articles are added to their scores.
    """
    corpus, matches = found.corpus, found.matches
    for start, end in corpus.cut(found.names.part_rows):
        judged = found.scores.judge(corpus, matches, start, end, config.threads)
        yield (
            _name(found, judged.paragraph_rows(corpus, matches), PARAGRAPH_KINDS),
            _name(found, judged.span_rows(matches), SPAN_KINDS),
        )


def score_articles(found: Findings, config: ScoreConfig) -> Iterator[pa.Table]:
    """Give every article its redundancy, once all are judged: ARTICLES, in parts.

    Each word counts once, internal before boilerplate before copied before what a template fixes,
    so `redundancy` is exactly the sum of its parts. An article without words has redundancy 0 and
    low evidence.
    """
    start = 0
    for articles in found.catalogue.articles(ARTICLES_AT_ONCE):
        yield _score(found, articles, start, config)
        start += articles.num_rows


def _score(found: Findings, articles: pa.Table, start: int, config: ScoreConfig) -> pa.Table:
    corpus, matches, scores, names = found.corpus, found.matches, found.scores, found.names
    end = start + articles.num_rows
    counts = pa.Table.from_batches([scores.article_rows(corpus, matches, start, end)])
    tokens = counts["tokens"].to_numpy()
    words = np.maximum(tokens, 1)

    def share(column: str) -> npt.NDArray[np.float64]:
        shares: npt.NDArray[np.float64] = counts[column].to_numpy() / words
        return shares

    internal, copied, formulaic = share("internal"), share("copied"), share("formulaic")
    columns = {
        "redundancy": internal + copied + formulaic,
        "internal": internal,
        "copied": copied,
        "formulaic": formulaic,
        "redundancy_symmetric": share("symmetric"),
        "top_source": names[counts["top_source"].combine_chunks()],
        "top_source_share": share("top_source_tokens"),
        "origin_ambiguous": counts["origin_ambiguous"].combine_chunks(),
        "low_evidence": tokens < config.low_evidence_tokens,
    }
    table = articles
    numbers = counts["article_cluster"].combine_chunks()
    columns["article_cluster"] = name_clusters(found, "article", numbers)
    for name in ("tokens", "paragraphs", "reused_by", "is_representative"):
        table = table.append_column(name, counts[name])
    for name, column in columns.items():
        table = table.append_column(name, pa.array(column))
    return table


def _name(found: Findings, rows: pa.RecordBatch, kinds: tuple[str, ...]) -> pa.Table:
    table = found.names.name(pa.Table.from_batches([rows]), ["article", "match_article"])
    place = table.schema.get_field_index("cluster_id")
    numbers = table["cluster_id"].combine_chunks()
    table = table.set_column(place, "cluster_id", name_clusters(found, "paragraph", numbers))
    place = table.schema.get_field_index("kind")
    table = table.set_column(place, "kind", from_codes(table["kind"], kinds))
    templates = found.template_ids.take(table["template"].combine_chunks())
    return table.append_column("template_id", templates)
