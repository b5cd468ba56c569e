//! What the core found, as rows: articles and clusters by number, kinds by code.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch,
    StringArray, UInt32Array,
};
use arrow_pyarrow::PyArrowType;

use crate::failure::{Outcome, wrong_value};
use crate::rows::Table;
use dedup_core::Error;
use dedup_core::agree::Agreement;
use dedup_core::corpus::{Corpus, NO_DISTINCT, show_texts};
use dedup_core::formulas::boilerplate::ClusterKind;
use dedup_core::formulas::templates::Slot;
use dedup_core::matches::Matches;
use dedup_core::matching::{Clusters, Groups, Member, Pair, Summary, sum_up};
use dedup_core::read::to_signed;
use dedup_core::scoring::{Judged, Score, Scores, SpanSource};

/// The unit of pairs and clusters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Paragraph,
    Article,
}

/// One row per article.
pub fn article_rows(
    corpus: &Corpus,
    matches: &Matches,
    scores: &Scores,
    range: Range<usize>,
) -> Outcome<Table> {
    let counts = scores.read(&corpus.spool, range.start as u32..range.end as u32)?;
    if counts.len() != range.len() {
        return Err(wrong_value("not all of these articles are judged"));
    }
    let clusters = &matches.article_clusters;
    let cluster = |i: usize| clusters.number(corpus.rank[i]);
    let represents = |i: usize| {
        cluster(i).map(|number| clusters.representatives[number as usize] == corpus.rank[i])
    };
    let count = |field: fn(&Score) -> u32| int32(counts.iter().map(field));
    let length = |i: usize| corpus.paragraphs_of(i as u32).len() as u32;
    let tokens = range.clone().map(|i| corpus.articles[i].tokens);
    let ambiguous = range.clone().map(|i| Some(scores.ambiguous.has(i as u32)));
    to_batch(vec![
        ("tokens", int32(tokens)?),
        ("paragraphs", int32(range.clone().map(length))?),
        ("internal", count(|score| score.internal)?),
        ("copied", count(|score| score.copied)?),
        ("formulaic", count(|score| score.formulaic)?),
        ("symmetric", count(|score| score.symmetric)?),
        (
            "reused_by",
            int32(scores.reused_by[range.clone()].iter().copied())?,
        ),
        (
            "top_source",
            numbers_or(counts.iter().map(|score| score.top_source.map(|t| t.0))),
        ),
        (
            "top_source_tokens",
            count(|score| score.top_source.map_or(0, |t| t.1))?,
        ),
        ("origin_ambiguous", booleans(ambiguous)),
        ("article_cluster", numbers_or(range.clone().map(cluster))),
        ("is_representative", booleans(range.map(represents))),
    ])
}

/// One row per template, in order.
pub fn template_rows(matches: &Matches) -> Outcome<Table> {
    let list = &matches.templates.list;
    to_batch(vec![
        ("template_id", strings(list.iter().map(|t| Some(&t.id)))),
        ("pattern", strings(list.iter().map(|t| Some(&t.text)))),
        (
            "kind",
            Arc::new(list.iter().map(|t| t.kind as i8).collect::<Int8Array>()),
        ),
        ("articles", int32(list.iter().map(|t| t.articles))?),
        ("occurrences", int32(list.iter().map(|t| t.occurrences))?),
        ("fixed_tokens", int32(list.iter().map(|t| t.fixed_tokens))?),
        ("information_bits", float64(list.iter().map(|t| t.bits))),
        ("pack", numbers_or(list.iter().map(|t| t.pack))),
    ])
}

/// One row per slot: its template's number, its kind, and example fillers on lines of their own.
pub fn slot_rows(matches: &Matches) -> Outcome<Table> {
    let list = matches.templates.list.iter().enumerate();
    let slots: Vec<(u32, &Slot)> = list
        .flat_map(|(number, t)| t.slots.iter().map(move |slot| (number as u32, slot)))
        .collect();
    let examples: Vec<String> = slots.iter().map(|(_, s)| s.examples.join("\n")).collect();
    to_batch(vec![
        ("template", numbers(slots.iter().map(|(number, _)| *number))),
        (
            "kind",
            Arc::new(
                slots
                    .iter()
                    .map(|(_, s)| s.kind as i8)
                    .collect::<Int8Array>(),
            ),
        ),
        (
            "fillers",
            int32(slots.iter().map(|(_, slot)| slot.fillers))?,
        ),
        ("examples", strings(examples.iter().map(Some))),
    ])
}

/// One row per example: its template's number, its article and its place in it.
pub fn template_places(corpus: &Corpus, matches: &Matches) -> Outcome<Table> {
    let list = matches.templates.list.iter().enumerate();
    let places: Vec<(u32, u32)> = list
        .flat_map(|(number, t)| t.examples.iter().map(move |p| (number as u32, *p)))
        .collect();
    let article = |p: u32| corpus.article_of(p);
    to_batch(vec![
        (
            "template",
            numbers(places.iter().map(|(number, _)| *number)),
        ),
        ("article", numbers(places.iter().map(|(_, p)| article(*p)))),
        (
            "position",
            int32(places.iter().map(|(_, p)| corpus.position(*p)))?,
        ),
    ])
}

/// One row per paragraph of the articles `range`, which were judged.
pub fn paragraph_rows(
    corpus: &Corpus,
    matches: &Matches,
    judged: &Judged,
    range: Range<usize>,
) -> Outcome<Table> {
    let range = corpus.paragraphs_in(range.start as u32..range.end as u32);
    let first = range.start;
    let p = |i: u32| &corpus.paragraphs[i as usize];
    let verdict = |i: u32| judged.verdicts[(i - first) as usize];
    let distinct = |i: u32| corpus.distinct_of[i as usize];
    let source = |i: u32| verdict(i).source.map(|s| s.0);
    to_batch(vec![
        (
            "article",
            numbers(range.clone().map(|i| corpus.article_of(i))),
        ),
        (
            "position",
            int32(range.clone().map(|i| corpus.position(i)))?,
        ),
        ("start", int32(range.clone().map(|i| p(i).start))?),
        ("end", int32(range.clone().map(|i| p(i).end))?),
        ("tokens", int32(range.clone().map(|i| p(i).tokens))?),
        ("kind", int8(range.clone().map(|i| verdict(i).kind as i8))),
        (
            "copies",
            int32(range.clone().map(|i| match distinct(i) {
                NO_DISTINCT => 1,
                d => corpus.distinct(d).copies,
            }))?,
        ),
        (
            "cluster_id",
            numbers_or(range.clone().map(|i| matches.cluster_of(corpus, i))),
        ),
        (
            "similarity",
            float64_or(range.clone().map(|i| verdict(i).source.map(|s| s.1))),
        ),
        (
            "match_article",
            numbers_or(
                range
                    .clone()
                    .map(|i| source(i).map(|s| corpus.article_of(s))),
            ),
        ),
        (
            "match_position",
            int32_or(range.clone().map(|i| source(i).map(|s| corpus.position(s))))?,
        ),
        ("template", numbers_or(range.map(|i| verdict(i).template))),
    ])
}

/// One row per flagged span.
pub fn span_rows(matches: &Matches, judged: &Judged) -> Outcome<Table> {
    let spans = &judged.spans;
    let cluster = |distinct: u32| matches.paragraph_clusters.number(distinct);
    let place =
        |field: fn(SpanSource) -> u32| int32_or(spans.iter().map(move |s| s.source.map(field)));
    to_batch(vec![
        ("article", numbers(spans.iter().map(|s| s.article))),
        ("start", int32(spans.iter().map(|s| s.start))?),
        ("end", int32(spans.iter().map(|s| s.end))?),
        ("kind", int8(spans.iter().map(|s| s.kind as i8))),
        (
            "match_article",
            numbers_or(spans.iter().map(|s| s.source.map(|place| place.article))),
        ),
        ("match_start", place(|place| place.start)?),
        ("match_end", place(|place| place.end)?),
        (
            "similarity",
            float64_or(spans.iter().map(|s| s.source.map(|place| place.similarity))),
        ),
        (
            "cluster_id",
            numbers_or(spans.iter().map(|s| s.distinct.and_then(cluster))),
        ),
        ("template", numbers_or(spans.iter().map(|s| s.template))),
    ])
}

/// The verified pairs of a unit.
pub fn pairs_of(matches: &Matches, unit: Unit) -> &[Pair] {
    match unit {
        Unit::Paragraph => &matches.verified.pairs,
        Unit::Article => &matches.articles.pairs,
    }
}

/// One row per verified pair of the range.
pub fn pair_rows(
    corpus: &Corpus,
    matches: &Matches,
    unit: Unit,
    range: Range<usize>,
) -> Outcome<Table> {
    let pairs = pairs_of(matches, unit).get(range);
    let pairs = pairs.ok_or_else(|| wrong_value("there are no such pairs"))?;
    let order = order_of(corpus, unit);
    let article = |item: u32| match unit {
        Unit::Paragraph => corpus.first_article(item),
        Unit::Article => order[item as usize],
    };
    let position = |item: u32| match unit {
        Unit::Paragraph => Some(corpus.position(corpus.first(item))),
        Unit::Article => None,
    };
    let share = |share: fn(Agreement) -> f64| float64(pairs.iter().map(|p| share(p.agreement)));
    to_batch(vec![
        (
            "left_article",
            numbers(pairs.iter().map(|p| article(p.left))),
        ),
        (
            "left_position",
            int32_or(pairs.iter().map(|p| position(p.left)))?,
        ),
        (
            "right_article",
            numbers(pairs.iter().map(|p| article(p.right))),
        ),
        (
            "right_position",
            int32_or(pairs.iter().map(|p| position(p.right)))?,
        ),
        ("similarity", share(Agreement::similarity)),
        ("containment", share(Agreement::containment)),
        ("jaccard", share(Agreement::jaccard)),
        (
            "shared_tokens",
            int32(pairs.iter().map(|p| p.agreement.shared))?,
        ),
    ])
}

/// Articles by rank, if the items of the unit are articles.
fn order_of(corpus: &Corpus, unit: Unit) -> Vec<u32> {
    match unit {
        Unit::Paragraph => Vec::new(),
        Unit::Article => corpus.order(),
    }
}

/// One row per member of a cluster in the articles of the range, every holder on its own.
pub fn member_rows(
    corpus: &Corpus,
    matches: &Matches,
    unit: Unit,
    articles: Range<usize>,
) -> Outcome<Table> {
    let items = match unit {
        Unit::Paragraph => corpus.paragraphs_in(articles.start as u32..articles.end as u32),
        Unit::Article => articles.start as u32..articles.end as u32,
    };
    let members: Vec<(u32, u32)> = items
        .filter_map(|item| Some((cluster_of(corpus, matches, unit, item)?, item)))
        .collect();
    let member = |item: u32| to_member(corpus, matches, unit, item);
    let position = |item: u32| match unit {
        Unit::Paragraph => Some(corpus.position(item)),
        Unit::Article => None,
    };
    to_batch(vec![
        ("cluster_id", numbers(members.iter().map(|m| m.0))),
        (
            "article",
            numbers(members.iter().map(|m| member(m.1).article)),
        ),
        ("position", int32_or(members.iter().map(|m| position(m.1)))?),
        (
            "similarity",
            float64(members.iter().map(|m| member(m.1).similarity)),
        ),
    ])
}

/// The cluster of a paragraph, or of an article.
fn cluster_of(corpus: &Corpus, matches: &Matches, unit: Unit, item: u32) -> Option<u32> {
    match unit {
        Unit::Paragraph => matches.cluster_of(corpus, item),
        Unit::Article => matches.article_clusters.number(corpus.rank[item as usize]),
    }
}

fn to_member(corpus: &Corpus, matches: &Matches, unit: Unit, item: u32) -> Member {
    let (article, star) = match unit {
        Unit::Paragraph => {
            let distinct = corpus.distinct_of[item as usize];
            (corpus.article_of(item), matches.stars.get(&distinct))
        }
        Unit::Article => {
            let rank = corpus.rank[item as usize];
            (item, matches.articles.stars.get(&rank))
        }
    };
    Member {
        article,
        similarity: star.map_or(1.0, |m| m.agreement.similarity()),
    }
}

/// Facts about every article.
pub struct Facts {
    sources: Int32Array,
    dates: Int64Array,
}

impl Facts {
    /// The two columns, if they are of the right kind and have a value for each article.
    pub fn new(sources: &ArrayRef, dates: &ArrayRef, articles: usize) -> Option<Self> {
        let sources: &Int32Array = sources.as_any().downcast_ref()?;
        let dates: &Int64Array = dates.as_any().downcast_ref()?;
        let fits = sources.len() == articles && dates.len() == articles;
        fits.then(|| Self {
            sources: sources.clone(),
            dates: dates.clone(),
        })
    }
}

/// The members of every cluster of a unit.
pub fn group(corpus: &Corpus, matches: &Matches, unit: Unit, threads: usize) -> Groups {
    let items = match unit {
        Unit::Paragraph => corpus.paragraphs.len(),
        Unit::Article => corpus.articles.len(),
    };
    let cluster = |item| cluster_of(corpus, matches, unit, item);
    Groups::new(ids_of(matches, unit).len(), items, threads, cluster)
}

/// The ids of the clusters of a unit.
pub fn ids_of(matches: &Matches, unit: Unit) -> &[u64] {
    match unit {
        Unit::Paragraph => &matches.paragraph_ids,
        Unit::Article => &matches.article_ids,
    }
}

/// Ids as sixteen hexadecimal digits, none if there is no such cluster.
pub fn cluster_ids(ids: &[u64], numbers: &[u32]) -> Option<Outcome<Table>> {
    let id = |number: &u32| Some(format!("{:016x}", ids.get(*number as usize)?));
    let ids: Option<Vec<String>> = numbers.iter().map(id).collect();
    ids.map(|ids| to_batch(vec![("cluster_id", strings(ids.iter().map(Some)))]))
}

/// One row per cluster of the range, in first-seen order: its representative, the representative's
/// text, and its members summed up.
pub fn cluster_rows(
    corpus: &Corpus,
    matches: &Matches,
    unit: Unit,
    groups: &Groups,
    facts: &Facts,
    range: Range<usize>,
) -> Outcome<Table> {
    let order = order_of(corpus, unit);
    let (clusters, heads): (&Clusters, Vec<u32>) = match unit {
        Unit::Paragraph => (&matches.paragraph_clusters, Vec::new()),
        Unit::Article => (&matches.article_clusters, order),
    };
    let representatives = clusters.representatives.get(range.clone());
    let representatives =
        representatives.ok_or_else(|| wrong_value("there are no such clusters"))?;
    let head = |item: &u32| match unit {
        Unit::Paragraph => corpus.first(*item),
        Unit::Article => {
            let head = corpus.first_with_words(heads[*item as usize]);
            head.unwrap_or_default() // an article without words is in no cluster
        }
    };
    let paragraphs: Vec<u32> = representatives.iter().map(head).collect();
    let position = |paragraph: &u32| match unit {
        Unit::Paragraph => Some(corpus.position(*paragraph)),
        Unit::Article => None,
    };
    let verdict = |cluster: usize| match unit {
        Unit::Paragraph => (
            matches.verdicts.kinds[cluster],
            matches.verdicts.sites[cluster],
        ),
        Unit::Article => (ClusterKind::NearCopy, None),
    };
    let source = |article: u32| {
        let (sources, article) = (&facts.sources, article as usize);
        sources
            .is_valid(article)
            .then(|| sources.value(article) as u32)
    };
    let date = |article: u32| {
        let (dates, article) = (&facts.dates, article as usize);
        dates.is_valid(article).then(|| dates.value(article))
    };
    let mut members = Vec::new();
    let sums: Vec<Summary> = range
        .clone()
        .map(|cluster| {
            let items = groups.of(cluster).iter();
            members.clear();
            members.extend(items.map(|item| to_member(corpus, matches, unit, *item)));
            sum_up(&members, source, date)
        })
        .collect();
    let texts = texts(corpus, &paragraphs)?;
    let ids = ids_of(matches, unit)[range.clone()].iter();
    let ids: Vec<String> = ids.map(|id| format!("{id:016x}")).collect();
    let article = |paragraph: &u32| corpus.article_of(*paragraph);
    let count = |field: fn(&Summary) -> u32| int32(sums.iter().map(field));
    to_batch(vec![
        ("cluster_id", strings(ids.iter().map(Some))),
        (
            "representative_article",
            numbers(paragraphs.iter().map(article)),
        ),
        (
            "representative_position",
            int32_or(paragraphs.iter().map(position))?,
        ),
        ("text", strings(texts.iter().map(Option::as_ref))),
        ("kind", int8(range.clone().map(|i| verdict(i).0 as i8))),
        ("site", numbers_or(range.map(|i| verdict(i).1))),
        ("members", count(|sum| sum.members)?),
        ("articles", count(|sum| sum.articles)?),
        ("sources", count(|sum| sum.sources)?),
        (
            "min_similarity",
            float64(sums.iter().map(|sum| sum.min_similarity)),
        ),
        (
            "mean_similarity",
            float64(sums.iter().map(|sum| sum.mean_similarity)),
        ),
        (
            "first_seen",
            int64_or(sums.iter().map(|sum| sum.first_seen)),
        ),
        ("last_seen", int64_or(sums.iter().map(|sum| sum.last_seen))),
    ])
}

/// The text of each paragraph, none for one without words.
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
pub fn text_rows(texts: &[Option<String>]) -> Outcome<Table> {
    to_batch(vec![("text", strings(texts.iter().map(Option::as_ref)))])
}

/// Columns of equal length as a batch, each of them nullable.
pub fn to_batch<N: AsRef<str>>(columns: Vec<(N, ArrayRef)>) -> Outcome<Table> {
    let nullable = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(nullable)
        .map(PyArrowType)
        .map_err(Into::into)
}

fn int8(values: impl Iterator<Item = i8>) -> ArrayRef {
    Arc::new(Int8Array::from_iter_values(values))
}

/// Numbers of articles, clusters and templates, which the tables name.
fn numbers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(values))
}

fn numbers_or(values: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(values.collect::<UInt32Array>())
}

/// Counts and places, which the tables hold as they are.
fn int32(values: impl Iterator<Item = u32>) -> Result<ArrayRef, Error> {
    int32_or(values.map(Some))
}

fn int32_or(values: impl Iterator<Item = Option<u32>>) -> Result<ArrayRef, Error> {
    let column: Int32Array = values
        .map(|value| value.map(to_signed).transpose())
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(column))
}

fn int64_or(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn booleans(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
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
