//! What the core found, as rows: articles and clusters by number, kinds by code.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int8Array, Int32Array, RecordBatch, StringArray,
};
use arrow_pyarrow::PyArrowType;
use pyo3::prelude::*;

use super::{Table, from_arrow};
use crate::boilerplate::ClusterKind;
use crate::corpus::{Corpus, NO_DISTINCT};
use crate::error::Error;
use crate::matches::{Head, Matches};
use crate::pairs::Pair;
use crate::redundancy::{Judged, Place, Scores};
use crate::templates::Slot;
use crate::texts::show_texts;

/// One row an article.
pub fn article_rows(
    corpus: &Corpus,
    matches: &Matches,
    scores: &Scores,
    range: Range<usize>,
) -> PyResult<Table> {
    let score = |i: usize| &scores.articles[i];
    let clusters = &matches.article_clusters;
    let cluster = |i: usize| clusters.number(corpus.rank[i]);
    let represents = |i: usize| {
        cluster(i).map(|number| clusters.representatives[number as usize] == corpus.rank[i])
    };
    to_batch(vec![
        (
            "tokens",
            int32(range.clone().map(|i| corpus.articles[i].tokens)),
        ),
        (
            "paragraphs",
            int32(
                range
                    .clone()
                    .map(|i| corpus.paragraphs_of(i as u32).len() as u32),
            ),
        ),
        ("internal", int32(range.clone().map(|i| score(i).internal))),
        ("copied", int32(range.clone().map(|i| score(i).copied))),
        (
            "formulaic",
            int32(range.clone().map(|i| score(i).formulaic)),
        ),
        (
            "symmetric",
            int32(range.clone().map(|i| score(i).symmetric)),
        ),
        (
            "reused_by",
            int32(range.clone().map(|i| score(i).reused_by)),
        ),
        (
            "top_source",
            int32_or(range.clone().map(|i| score(i).top_source.map(|t| t.0))),
        ),
        (
            "top_source_tokens",
            int32(
                range
                    .clone()
                    .map(|i| score(i).top_source.map_or(0, |t| t.1)),
            ),
        ),
        ("article_cluster", int32_or(range.clone().map(cluster))),
        (
            "is_representative",
            Arc::new(range.map(represents).collect::<BooleanArray>()),
        ),
    ])
}

/// One row a template, in order.
pub fn template_rows(matches: &Matches) -> PyResult<Table> {
    let list = &matches.templates.list;
    to_batch(vec![
        ("template_id", strings(list.iter().map(|t| Some(&t.id)))),
        ("pattern", strings(list.iter().map(|t| Some(&t.text)))),
        (
            "kind",
            Arc::new(list.iter().map(|t| t.kind as i8).collect::<Int8Array>()),
        ),
        ("articles", int32(list.iter().map(|t| t.articles))),
        ("occurrences", int32(list.iter().map(|t| t.occurrences))),
        ("fixed_tokens", int32(list.iter().map(|t| t.fixed_tokens))),
        ("information_bits", float64(list.iter().map(|t| t.bits))),
        ("pack", int32_or(list.iter().map(|t| t.pack))),
    ])
}

/// One row a slot: its template's number, what it takes, and example fillers on lines of their own.
pub fn slot_rows(matches: &Matches) -> PyResult<Table> {
    let list = matches.templates.list.iter().enumerate();
    let slots: Vec<(u32, &Slot)> = list
        .flat_map(|(number, t)| t.slots.iter().map(move |slot| (number as u32, slot)))
        .collect();
    let examples: Vec<String> = slots.iter().map(|(_, s)| s.examples.join("\n")).collect();
    to_batch(vec![
        ("template", int32(slots.iter().map(|(number, _)| *number))),
        (
            "kind",
            Arc::new(
                slots
                    .iter()
                    .map(|(_, s)| s.kind as i8)
                    .collect::<Int8Array>(),
            ),
        ),
        ("fillers", int32(slots.iter().map(|(_, slot)| slot.fillers))),
        ("examples", strings(examples.iter().map(Some))),
    ])
}

/// One row an example: its template's number, its article and its place in it.
pub fn template_places(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let list = matches.templates.list.iter().enumerate();
    let places: Vec<(u32, u32)> = list
        .flat_map(|(number, t)| t.examples.iter().map(move |p| (number as u32, *p)))
        .collect();
    let article = |p: u32| corpus.article_of(p);
    to_batch(vec![
        ("template", int32(places.iter().map(|(number, _)| *number))),
        ("article", int32(places.iter().map(|(_, p)| article(*p)))),
        (
            "position",
            int32(places.iter().map(|(_, p)| corpus.position(*p))),
        ),
    ])
}

/// One row a paragraph of the articles `range`, which were judged.
pub fn paragraph_rows(
    corpus: &Corpus,
    matches: &Matches,
    judged: &Judged,
    range: Range<usize>,
) -> PyResult<Table> {
    let range = paragraphs_of(corpus, range);
    let first = range.start;
    let p = |i: u32| &corpus.paragraphs[i as usize];
    let verdict = |i: u32| judged.verdicts[(i - first) as usize];
    let distinct = |i: u32| corpus.distinct_of[i as usize];
    let source = |i: u32| verdict(i).source.map(|s| s.0);
    to_batch(vec![
        (
            "article",
            int32(range.clone().map(|i| corpus.article_of(i))),
        ),
        ("position", int32(range.clone().map(|i| corpus.position(i)))),
        ("start", int32(range.clone().map(|i| p(i).start))),
        ("end", int32(range.clone().map(|i| p(i).end))),
        ("tokens", int32(range.clone().map(|i| p(i).tokens))),
        ("kind", int8(range.clone().map(|i| verdict(i).kind as i8))),
        (
            "copies",
            int32(range.clone().map(|i| match distinct(i) {
                NO_DISTINCT => 1,
                d => corpus.distinct(d).copies,
            })),
        ),
        (
            "cluster_id",
            int32_or(range.clone().map(|i| matches.cluster_of(corpus, i))),
        ),
        (
            "similarity",
            float64_or(range.clone().map(|i| verdict(i).source.map(|s| s.1))),
        ),
        (
            "match_article",
            int32_or(
                range
                    .clone()
                    .map(|i| source(i).map(|s| corpus.article_of(s))),
            ),
        ),
        (
            "match_position",
            int32_or(range.clone().map(|i| source(i).map(|s| corpus.position(s)))),
        ),
        ("template", int32_or(range.map(|i| verdict(i).template))),
    ])
}

fn paragraphs_of(corpus: &Corpus, articles: Range<usize>) -> Range<u32> {
    let first = |article: usize| {
        let article = corpus.articles.get(article);
        article.map_or(corpus.paragraphs.len() as u32, |a| a.first_paragraph)
    };
    first(articles.start)..first(articles.end)
}

/// One row a flagged span.
pub fn span_rows(matches: &Matches, judged: &Judged) -> PyResult<Table> {
    let spans = &judged.spans;
    let cluster = |distinct: u32| matches.paragraph_clusters.number(distinct);
    let place = |field: fn(Place) -> u32| int32_or(spans.iter().map(move |s| s.source.map(field)));
    to_batch(vec![
        ("article", int32(spans.iter().map(|s| s.article))),
        ("start", int32(spans.iter().map(|s| s.start))),
        ("end", int32(spans.iter().map(|s| s.end))),
        ("kind", int8(spans.iter().map(|s| s.kind as i8))),
        ("match_article", place(|place| place.article)),
        ("match_start", place(|place| place.start)),
        ("match_end", place(|place| place.end)),
        (
            "similarity",
            float64_or(spans.iter().map(|s| s.source.map(|place| place.similarity))),
        ),
        (
            "cluster_id",
            int32_or(spans.iter().map(|s| s.distinct.and_then(cluster))),
        ),
        ("template", int32_or(spans.iter().map(|s| s.template))),
    ])
}

/// One row a verified pair of paragraphs.
pub fn paragraph_pairs(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let article = |distinct: u32| corpus.first_article(distinct);
    pair_rows(&matches.verified.pairs, article, |distinct| {
        Some(corpus.position(corpus.first(distinct)))
    })
}

/// One row a verified pair of articles.
pub fn article_pairs(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let order = corpus.order();
    let article = |rank: u32| order[rank as usize];
    pair_rows(&matches.articles.pairs, article, |_| None)
}

fn pair_rows(
    pairs: &[Pair],
    article: impl Fn(u32) -> u32,
    position: impl Fn(u32) -> Option<u32>,
) -> PyResult<Table> {
    to_batch(vec![
        ("left_article", int32(pairs.iter().map(|p| article(p.left)))),
        (
            "left_position",
            int32_or(pairs.iter().map(|p| position(p.left))),
        ),
        (
            "right_article",
            int32(pairs.iter().map(|p| article(p.right))),
        ),
        (
            "right_position",
            int32_or(pairs.iter().map(|p| position(p.right))),
        ),
        (
            "similarity",
            float64(pairs.iter().map(|p| p.agreement.similarity())),
        ),
        (
            "containment",
            float64(pairs.iter().map(|p| p.agreement.containment())),
        ),
        (
            "jaccard",
            float64(pairs.iter().map(|p| p.agreement.jaccard())),
        ),
        (
            "shared_tokens",
            int32(pairs.iter().map(|p| p.agreement.shared)),
        ),
    ])
}

/// One row a member of a paragraph cluster, every holder on its own.
pub fn paragraph_members(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let cluster = |paragraph: &u32| matches.cluster_of(corpus, *paragraph);
    let paragraphs = 0..corpus.paragraphs.len() as u32;
    let members: Vec<u32> = paragraphs.filter(|p| cluster(p).is_some()).collect();
    let likeness = |paragraph: &u32| {
        let star = matches.stars.get(&corpus.distinct_of[*paragraph as usize]);
        star.map_or(1.0, |m| m.agreement.similarity())
    };
    let article = |paragraph: &u32| corpus.article_of(*paragraph);
    to_batch(vec![
        ("cluster_id", int32_or(members.iter().map(cluster))),
        ("article", int32(members.iter().map(article))),
        (
            "position",
            int32(members.iter().map(|p| corpus.position(*p))),
        ),
        ("similarity", float64(members.iter().map(likeness))),
    ])
}

/// One row a member of an article cluster.
pub fn article_members(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let order = corpus.order();
    let stars = &matches.articles.stars;
    let mut members: Vec<(u32, u32, f64)> = stars
        .iter()
        .map(|(rank, m)| (m.representative, *rank, m.agreement.similarity()))
        .collect();
    members.extend(
        stars
            .values()
            .map(|m| (m.representative, m.representative, 1.0)),
    );
    members.sort_by_key(|member| (member.0, member.1));
    members.dedup_by_key(|member| (member.0, member.1));
    let article = |rank: u32| order[rank as usize];
    to_batch(vec![
        (
            "cluster_id",
            int32_or(members.iter().map(|m| matches.article_clusters.number(m.0))),
        ),
        ("article", int32(members.iter().map(|m| article(m.1)))),
        ("position", int32_or(members.iter().map(|_| None))),
        ("similarity", float64(members.iter().map(|m| m.2))),
    ])
}

/// One row a cluster of paragraphs, by its number.
pub fn paragraph_heads(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let position = |head: &Head| Some(corpus.position(head.paragraph));
    let verdicts = &matches.verdicts;
    let kinds = verdicts.kinds.iter().map(|kind| *kind as i8).collect();
    let heads = matches.paragraph_heads(corpus)?;
    head_rows(corpus, &heads, position, kinds, &verdicts.sites)
}

/// One row a cluster of articles, by its number.
pub fn article_heads(corpus: &Corpus, matches: &Matches) -> PyResult<Table> {
    let heads = matches.article_heads(corpus)?;
    let kinds = vec![ClusterKind::NearCopy as i8; heads.len()];
    head_rows(corpus, &heads, |_| None, kinds, &vec![None; heads.len()])
}

fn head_rows(
    corpus: &Corpus,
    heads: &[Head],
    position: impl Fn(&Head) -> Option<u32>,
    kinds: Vec<i8>,
    sites: &[Option<u32>],
) -> PyResult<Table> {
    let article = |head: &Head| corpus.article_of(head.paragraph);
    to_batch(vec![
        (
            "cluster_id",
            strings(heads.iter().map(|head| Some(&head.id))),
        ),
        ("representative_article", int32(heads.iter().map(article))),
        (
            "representative_position",
            int32_or(heads.iter().map(position)),
        ),
        ("paragraph", int32(heads.iter().map(|head| head.paragraph))),
        ("kind", int8(kinds.into_iter())),
        ("site", int32_or(sites.iter().copied())),
    ])
}

/// The text of each paragraph, none of one without words.
pub fn texts(corpus: &Corpus, paragraphs: &[u32]) -> Result<Vec<Option<String>>, Error> {
    let distincts: Vec<u32> = paragraphs
        .iter()
        .map(|paragraph| corpus.distinct_of[*paragraph as usize])
        .collect();
    let mut texts = vec![None; paragraphs.len()];
    show_texts(corpus, &distincts, |i, text| {
        texts[i] = Some(text.to_owned());
    })?;
    Ok(texts)
}

/// Texts as one column.
pub fn text_rows(texts: &[Option<String>]) -> PyResult<Table> {
    to_batch(vec![("text", strings(texts.iter().map(Option::as_ref)))])
}

/// One row a pair of articles of which one copied from the other.
pub fn copies(scores: &Scores) -> PyResult<Table> {
    to_batch(vec![
        ("source", int32(scores.copies.iter().map(|c| c.0))),
        ("article", int32(scores.copies.iter().map(|c| c.1))),
    ])
}

/// Columns of equal length as a batch, each of them nullable.
pub fn to_batch<N: AsRef<str>>(columns: Vec<(N, ArrayRef)>) -> PyResult<Table> {
    let nullable = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(nullable)
        .map(PyArrowType)
        .map_err(from_arrow)
}

fn int8(values: impl Iterator<Item = i8>) -> ArrayRef {
    Arc::new(Int8Array::from_iter_values(values))
}

fn int32(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(
        values.map(|value| value as i32),
    ))
}

fn int32_or(values: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    let signed = values.map(|value| value.map(|value| value as i32));
    Arc::new(signed.collect::<Int32Array>())
}

fn float64(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn float64_or(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn strings<'a>(values: impl Iterator<Item = Option<&'a String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
