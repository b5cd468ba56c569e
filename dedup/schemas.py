"""The Arrow schema of every table, each column documented.

The documentation is in the files too: it is the `description` of each field's metadata. Rows are
in input order; ids of clusters come from the words themselves, so the same corpus gives the same
tables whatever the order of the arguments or the number of threads.
"""

from __future__ import annotations

import pyarrow as pa

PARAGRAPH_KINDS = (
    "original",
    "exact_copy",
    "near_copy",
    "internal_repeat",
    "too_short",
    "boilerplate",
    "templated",
)
SPAN_KINDS = (
    "internal_repeat",
    "exact_copy",
    "near_copy",
    "shared_run",
    "boilerplate",
    "templated",
)
CLUSTER_KINDS = ("near_copy", "boilerplate", "syndication")
TEMPLATE_KINDS = ("sentence", "opener", "paragraph")
SLOT_KINDS = ("words", "number")

DATE = pa.timestamp("us", "UTC")
NAME = pa.dictionary(pa.int32(), pa.string())


def _field(name: str, kind: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable, metadata={"description": description})


ARTICLES = pa.schema(
    [
        _field("article_id", pa.string(), "the caller's id, or file name and row"),
        _field("source", pa.string(), "site or outlet", nullable=True),
        _field("date", DATE, "date of publication", nullable=True),
        _field("url", pa.string(), "address", nullable=True),
        _field("input_file", NAME, "file the article was read from"),
        _field(
            "input_row", pa.int64(), "row in that file, from 0; the line for line-based formats"
        ),
        _field("tokens", pa.int32(), "words"),
        _field("paragraphs", pa.int32(), "paragraphs"),
        _field("redundancy", pa.float64(), "internal + copied + formulaic, 0 to 1"),
        _field("internal", pa.float64(), "share of words that already appeared in the article"),
        _field(
            "copied",
            pa.float64(),
            "share of words that appear in an earlier article, without boilerplate",
        ),
        _field("formulaic", pa.float64(), "share of words of boilerplate, or fixed by templates"),
        _field(
            "redundancy_symmetric",
            pa.float64(),
            "share of words that are repeated, formulaic, or appear in any other article, earlier"
            " or later",
        ),
        _field("reused_by", pa.int32(), "articles that copy words from this one"),
        _field("top_source", pa.string(), "article most words were copied from", nullable=True),
        _field("top_source_share", pa.float64(), "share of words copied from top_source"),
        _field("article_cluster", NAME, "cluster of near-copy articles", nullable=True),
        _field(
            "is_representative",
            pa.bool_(),
            "whether it is the first seen of its cluster",
            nullable=True,
        ),
        _field(
            "origin_ambiguous",
            pa.bool_(),
            "whether it copies, or is copied by, an article whose date is missing or too close to"
            " tell who was first",
        ),
        _field(
            "low_evidence",
            pa.bool_(),
            "whether it has too few words for a share of them to mean much",
        ),
    ]
)

PARAGRAPHS = pa.schema(
    [
        _field("article_id", NAME, "article"),
        _field("position", pa.int32(), "place in the article, from 0"),
        _field("start", pa.int32(), "first code point, so that text[start:end] is the paragraph"),
        _field("end", pa.int32(), "code point after the last"),
        _field("tokens", pa.int32(), "words"),
        _field("kind", NAME, f"one of {', '.join(PARAGRAPH_KINDS)}"),
        _field("copies", pa.int32(), "paragraphs with the same words, this one included"),
        _field("cluster_id", NAME, "cluster of near-copies", nullable=True),
        _field("similarity", pa.float64(), "to the matched paragraph, 0 to 1", nullable=True),
        _field("match_article", NAME, "article of the matched paragraph", nullable=True),
        _field("match_position", pa.int32(), "its place in that article", nullable=True),
        _field("template_id", pa.string(), "template it follows", nullable=True),
    ]
)

SPANS = pa.schema(
    [
        _field("article_id", NAME, "article"),
        _field("start", pa.int32(), "first code point, so that text[start:end] is the span"),
        _field("end", pa.int32(), "code point after the last"),
        _field("kind", NAME, f"one of {', '.join(SPAN_KINDS)}"),
        _field(
            "match_article",
            NAME,
            "earlier article with the same words; null for boilerplate and templated",
            nullable=True,
        ),
        _field("match_start", pa.int32(), "first code point there", nullable=True),
        _field("match_end", pa.int32(), "code point after the last there", nullable=True),
        _field(
            "similarity",
            pa.float64(),
            "of the two paragraphs; 1 for equal runs of words",
            nullable=True,
        ),
        _field(
            "cluster_id",
            NAME,
            "cluster of the paragraph, or of the boilerplate whose words these are",
            nullable=True,
        ),
        _field("template_id", pa.string(), "template it follows", nullable=True),
    ]
)

CLUSTERS = pa.schema(
    [
        _field("cluster_id", pa.string(), "made from the representative's words"),
        _field("unit", NAME, "paragraph or article"),
        _field(
            "kind",
            NAME,
            f"one of {', '.join(CLUSTER_KINDS)}: whether the articles that hold it share nothing"
            " else, or most of their text; near_copy where neither is so",
        ),
        _field(
            "site",
            pa.string(),
            "of boilerplate, the source that at least nine in ten of the articles come from",
            nullable=True,
        ),
        _field("members", pa.int64(), "members, the representative included"),
        _field("articles", pa.int64(), "articles that hold a member"),
        _field(
            "sources", pa.int64(), "sources that hold a member; unknown sources are not counted"
        ),
        _field("representative_article", pa.string(), "article that held it first"),
        _field(
            "representative_position", pa.int32(), "its paragraph; null for articles", nullable=True
        ),
        _field("text", pa.string(), "of the representative; of an article its first paragraph"),
        _field("min_similarity", pa.float64(), "of a member to the representative"),
        _field("mean_similarity", pa.float64(), "over all members but the representative"),
        _field("first_seen", DATE, "earliest date", nullable=True),
        _field("last_seen", DATE, "latest date", nullable=True),
    ]
)

MEMBERS = pa.schema(
    [
        _field("cluster_id", NAME, "cluster"),
        _field("unit", NAME, "paragraph or article"),
        _field("article_id", NAME, "article"),
        _field("position", pa.int32(), "paragraph; null for articles", nullable=True),
        _field("similarity", pa.float64(), "to the representative, 0 to 1"),
    ]
)

PAIRS = pa.schema(
    [
        _field("unit", NAME, "paragraph or article"),
        _field("left_article", NAME, "article seen earlier"),
        _field("left_position", pa.int32(), "its paragraph; null for articles", nullable=True),
        _field("right_article", NAME, "article seen later"),
        _field("right_position", pa.int32(), "its paragraph; null for articles", nullable=True),
        _field(
            "similarity",
            pa.float64(),
            "Dice of the longest common subsequence of words, of articles without boilerplate",
        ),
        _field("containment", pa.float64(), "shared words over those of the shorter text"),
        _field("jaccard", pa.float64(), "shared words over those of both texts together"),
        _field("shared_tokens", pa.int32(), "length of the longest common subsequence"),
    ]
)

_SLOT = pa.struct(
    [
        _field("kind", pa.string(), f"one of {', '.join(SLOT_KINDS)}"),
        _field("fillers", pa.int32(), "different fillers"),
        _field("examples", pa.list_(pa.string()), "a few fillers"),
    ]
)
_PLACE = pa.struct(
    [
        _field("article_id", pa.string(), "article"),
        _field("position", pa.int32(), "paragraph"),
    ]
)

TEMPLATES = pa.schema(
    [
        _field("template_id", pa.string(), "made from the pattern"),
        _field(
            "pattern",
            pa.string(),
            "in its most frequent spelling, with <*> for words and <NUM> for a number",
        ),
        _field("kind", NAME, f"one of {', '.join(TEMPLATE_KINDS)}"),
        _field("pack", NAME, "pack that contains it; null if it was mined", nullable=True),
        _field("articles", pa.int64(), "articles that follow it; exact copies count once"),
        _field("occurrences", pa.int64(), "places that follow it; exact copies count once"),
        _field("fixed_tokens", pa.int32(), "words that do not change"),
        _field("slots", pa.list_(_SLOT), "what changes, in the order of the pattern"),
        _field(
            "information_bits",
            pa.float64(),
            "how unlikely the fixed words are by chance: the sum, over the different ones, of"
            " log2 of sentences over sentences that hold the word elsewhere",
        ),
        _field("examples", pa.list_(_PLACE), "the first few paragraphs that follow it"),
    ]
)

REJECTED = pa.schema(
    [
        _field("input_file", pa.string(), "file"),
        _field(
            "input_row", pa.int64(), "row in that file, from 0; the line for line-based formats"
        ),
        _field("article_id", pa.string(), "the caller's id, if it could be read", nullable=True),
        _field("reason", pa.string(), "why the row could not be read"),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "articles": ARTICLES,
    "paragraphs": PARAGRAPHS,
    "spans": SPANS,
    "clusters": CLUSTERS,
    "members": MEMBERS,
    "pairs": PAIRS,
    "templates": TEMPLATES,
    "rejected": REJECTED,
}
