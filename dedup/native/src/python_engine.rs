//! The engine's Python classes: state that stays in Rust, tables that leave it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow_pyarrow::PyArrowType;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::align::{Agreement, MAX_WORK, Pattern, Rule, common_length, work};
use crate::articles::{ArticleMatches, match_articles};
use crate::candidates::{Candidate, find_candidates};
use crate::clusters::{Membership, Stars, cluster};
use crate::corpus::{Corpus, NO_DISTINCT, Spooled};
use crate::error::Error;
use crate::evidence::{Evidence, gather};
use crate::exact;
use crate::fingerprint::{Options, Worker};
use crate::hash::FINGERPRINT_VERSION;
use crate::pairs::{Pair, Verified, complete_families, verify};
use crate::redundancy::{MIN_EVIDENCE_TOKENS, Scores, score};
use crate::split::Paragraphs;
use crate::spool::Spool;
use crate::texts::{TokenStore, show_texts};

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFingerprinter>()?;
    module.add_class::<PyBatch>()?;
    module.add_class::<PyCorpus>()?;
    module.add_class::<PyCandidates>()?;
    module.add_class::<PyMatches>()?;
    module.add_class::<PyScores>()?;
    module.add_function(wrap_pyfunction!(put_in_place, module)?)?;
    module.add("FINGERPRINT_VERSION", FINGERPRINT_VERSION)
}

/// Turns batches of articles into fingerprints; text and rows go to a temporary file.
#[pyclass(name = "Fingerprinter", frozen, module = "dedup._native")]
struct PyFingerprinter {
    options: Options,
    spool: Arc<Spool>,
    /// Workers that no thread uses now.
    idle: Mutex<Vec<Worker>>,
}

#[pymethods]
impl PyFingerprinter {
    #[new]
    #[pyo3(signature = (folder, *, paragraphs, min_tokens, bands, rows, min_repeat_tokens))]
    fn new(
        folder: PathBuf,
        paragraphs: &str,
        min_tokens: usize,
        bands: usize,
        rows: usize,
        min_repeat_tokens: u32,
    ) -> PyResult<Self> {
        let paragraphs = match paragraphs {
            "auto" => Paragraphs::Auto,
            "line" => Paragraphs::Line,
            "blank" => Paragraphs::Blank,
            other => {
                return Err(PyValueError::new_err(format!(
                    "no paragraph mode {other:?}"
                )));
            }
        };
        if min_tokens < 2 || bands == 0 || rows == 0 {
            return Err(PyValueError::new_err(
                "min_tokens, bands and rows must be positive",
            ));
        }
        let options = Options {
            paragraphs,
            min_tokens,
            bands,
            rows,
            min_repeat_tokens,
        };
        Ok(Self {
            options,
            spool: Arc::new(Spool::new(&folder)?),
            idle: Mutex::default(),
        })
    }

    /// Fingerprint the first column of a record batch: strings, none null. Thread-safe.
    fn fingerprint(&self, py: Python<'_>, articles: PyArrowType<RecordBatch>) -> PyResult<PyBatch> {
        let batch = articles.0;
        let texts = batch
            .columns()
            .first()
            .and_then(|column| column.as_any().downcast_ref::<StringArray>())
            .filter(|texts| texts.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("the first column must be strings, none null"))?;
        py.detach(|| {
            let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let worker = idle().pop();
            let mut worker = worker.unwrap_or_else(|| Worker::new(self.options));
            worker.fingerprint((0..texts.len()).map(|i| texts.value(i)));
            let offsets = texts.value_offsets();
            let start = offsets.first().copied().unwrap_or(0);
            let end = offsets.last().copied().unwrap_or(0);
            let text = &texts.value_data()[start as usize..end as usize];
            let offsets = offsets.iter().map(|at| (at - start) as u32).collect();
            let spooled = Spooled::new(&mut worker, text, offsets, &self.spool)?;
            idle().push(worker);
            Ok(PyBatch {
                spooled: Some(spooled),
            })
        })
        .map_err(|err: Error| err.into())
    }

    /// Bytes in the temporary file.
    #[getter]
    fn spooled_bytes(&self) -> u64 {
        self.spool.len()
    }
}

/// A fingerprinted batch on its way to a corpus.
#[pyclass(name = "Batch", module = "dedup._native")]
struct PyBatch {
    spooled: Option<Spooled>,
}

/// All articles of a scan.
#[pyclass(name = "Corpus", module = "dedup._native")]
struct PyCorpus {
    corpus: Corpus,
}

#[pymethods]
impl PyCorpus {
    #[new]
    fn new(fingerprinter: &PyFingerprinter) -> Self {
        Self {
            corpus: Corpus::new(Arc::clone(&fingerprinter.spool)),
        }
    }

    /// Take over a batch; batches come in input order, each once.
    fn add(&mut self, batch: &mut PyBatch) -> PyResult<()> {
        let spooled = batch
            .spooled
            .take()
            .ok_or_else(|| PyValueError::new_err("this batch was added before"))?;
        Ok(self.corpus.add(spooled)?)
    }

    /// Collapse exact copies. `order` is one int64 column: the articles, earliest first.
    fn set_order(
        &mut self,
        py: Python<'_>,
        order: PyArrowType<RecordBatch>,
        threads: usize,
    ) -> PyResult<()> {
        let order: Vec<u32> = order
            .0
            .columns()
            .first()
            .and_then(|column| column.as_any().downcast_ref::<Int64Array>())
            .map(|order| {
                order
                    .values()
                    .iter()
                    .map(|article| *article as u32)
                    .collect()
            })
            .ok_or_else(|| PyTypeError::new_err("the order must be one int64 column"))?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted
            .iter()
            .copied()
            .eq(0..self.corpus.articles.len() as u32)
        {
            return Err(PyValueError::new_err(
                "the order must name every article once",
            ));
        }
        Ok(py.detach(|| self.corpus.set_order(&order, threads))?)
    }

    #[getter]
    fn articles(&self) -> usize {
        self.corpus.articles.len()
    }

    #[getter]
    fn paragraphs(&self) -> usize {
        self.corpus.paragraphs.len()
    }

    #[getter]
    fn distincts(&self) -> usize {
        self.corpus.distincts.len()
    }

    /// Token hash pairs of texts worth comparing, by band keys and anchors.
    fn find_candidates(
        &self,
        py: Python<'_>,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        py.detach(|| {
            let bands = find_candidates(&self.corpus, &self.corpus.bands, max_leaders, threads)?;
            let anchors =
                find_candidates(&self.corpus, &self.corpus.anchors, max_leaders, threads)?;
            Ok(PyCandidates {
                pairs: merge(bands.pairs, anchors.pairs),
                capped_buckets: bands.capped_buckets + anchors.capped_buckets,
            })
        })
        .map_err(|err: Error| err.into())
    }

    /// The same by a full join on token overlap, together with the anchors.
    fn join_candidates(
        &self,
        py: Python<'_>,
        threshold: f64,
        min_tokens: u32,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        py.detach(|| {
            let corpus = &self.corpus;
            let long = (0..corpus.distincts.len() as u32)
                .filter(|distinct| corpus.first(*distinct).tokens >= min_tokens)
                .collect::<Vec<u32>>();
            let store = TokenStore::load(corpus, long.clone(), threads)?;
            let joined = exact::join(&store, &long, threshold, threads);
            let anchors = find_candidates(corpus, &corpus.anchors, max_leaders, threads)?;
            Ok(PyCandidates {
                pairs: merge(joined, anchors.pairs),
                capped_buckets: anchors.capped_buckets,
            })
        })
        .map_err(|err: Error| err.into())
    }

    /// Align candidates, complete families, gather clusters and evidence.
    #[pyo3(signature = (candidates, *, threshold, containment, min_shared_tokens, min_run_tokens, threads))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword-only, each a setting of the user's"
    )]
    fn verify(
        &self,
        py: Python<'_>,
        candidates: &PyCandidates,
        threshold: f64,
        containment: f64,
        min_shared_tokens: u32,
        min_run_tokens: u32,
        threads: usize,
    ) -> PyResult<PyMatches> {
        let rule = Rule {
            threshold,
            containment,
            min_shared: min_shared_tokens,
        };
        py.detach(|| {
            let involved = candidates
                .pairs
                .iter()
                .flat_map(|(l, r)| [*l, *r])
                .collect();
            let store = TokenStore::load(&self.corpus, involved, threads)?;
            let tried = candidates.pairs.clone();
            let mut verified = verify(&store, &tried, rule, min_run_tokens, threads);
            complete_families(&store, &mut verified, tried, rule, min_run_tokens, threads);
            let stars = cluster(&verified.pairs, |left, right| {
                compare(&store, left, right).filter(|agreement| rule.holds(*agreement))
            });
            drop(store);
            let evidence = gather(&self.corpus, &verified, threads)?;
            let articles = match_articles(&self.corpus, &verified.pairs, &evidence, rule, threads)?;
            let paragraph_clusters = number_paragraph_clusters(&self.corpus, &stars);
            let article_clusters = Clusters::new(self.corpus.articles.len(), articles.stars.iter());
            Ok(PyMatches {
                verified,
                stars,
                evidence,
                articles,
                paragraph_clusters,
                article_clusters,
            })
        })
        .map_err(|err: Error| err.into())
    }

    fn score(&self, py: Python<'_>, matches: &PyMatches, threads: usize) -> PyScores {
        PyScores {
            scores: py.detach(|| score(&self.corpus, &matches.evidence, threads)),
        }
    }

    /// One row an article of `start..end`.
    fn article_rows(
        &self,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<PyArrowType<RecordBatch>> {
        let corpus = &self.corpus;
        let range = check(start, end, corpus.articles.len())?;
        let score = |i: usize| &scores.scores.articles[i];
        let cluster = |i: usize| matches.article_clusters.number(corpus.rank[i]);
        let leads = |i: usize| {
            cluster(i)
                .map(|number| matches.article_clusters.leads[number as usize] == corpus.rank[i])
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
                Arc::new(BooleanArray::from_iter(range.map(leads))),
            ),
        ])
    }

    /// One row a paragraph of the articles `start..end`.
    fn paragraph_rows(
        &self,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<PyArrowType<RecordBatch>> {
        let corpus = &self.corpus;
        check(start, end, corpus.articles.len())?;
        let range = paragraph_range(corpus, start, end);
        let p = |i: usize| &corpus.paragraphs[i];
        let verdict = |i: usize| scores.scores.verdicts[i];
        let distinct = |i: usize| corpus.distinct_of[i];
        let source = |i: usize| verdict(i).source.map(|s| s.0);
        to_batch(vec![
            ("article", int32(range.clone().map(|i| p(i).article))),
            (
                "position",
                int32(range.clone().map(|i| corpus.position(i as u32))),
            ),
            ("start", int32(range.clone().map(|i| p(i).start))),
            ("end", int32(range.clone().map(|i| p(i).end))),
            ("tokens", int32(range.clone().map(|i| p(i).tokens))),
            ("kind", int8(range.clone().map(|i| verdict(i).kind as i8))),
            (
                "copies",
                int32(range.clone().map(|i| match distinct(i) {
                    NO_DISTINCT => 1,
                    d => corpus.distincts[d as usize].copies,
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
                        .map(|i| source(i).map(|s| corpus.paragraphs[s as usize].article)),
                ),
            ),
            (
                "match_position",
                int32_or(range.map(|i| source(i).map(|s| corpus.position(s)))),
            ),
        ])
    }

    /// One row a flagged span of the articles `start..end`.
    fn span_rows(
        &self,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<PyArrowType<RecordBatch>> {
        check(start, end, self.corpus.articles.len())?;
        let spans = &scores.scores.spans;
        let from = spans.partition_point(|span| (span.article as usize) < start);
        let to = spans.partition_point(|span| (span.article as usize) < end);
        let spans = &spans[from..to];
        to_batch(vec![
            ("article", int32(spans.iter().map(|s| s.article))),
            ("start", int32(spans.iter().map(|s| s.start))),
            ("end", int32(spans.iter().map(|s| s.end))),
            ("kind", int8(spans.iter().map(|s| s.kind as i8))),
            (
                "match_article",
                int32(spans.iter().map(|s| s.source_article)),
            ),
            ("match_start", int32(spans.iter().map(|s| s.source_start))),
            ("match_end", int32(spans.iter().map(|s| s.source_end))),
            ("similarity", float64(spans.iter().map(|s| s.similarity))),
            (
                "cluster_id",
                int32_or(spans.iter().map(|s| {
                    s.paragraph
                        .and_then(|p| matches.cluster_of(&self.corpus, p as usize))
                })),
            ),
        ])
    }

    /// Verified pairs of paragraphs.
    fn paragraph_pairs(&self, matches: &PyMatches) -> PyResult<PyArrowType<RecordBatch>> {
        let corpus = &self.corpus;
        let first = |distinct: u32| corpus.distincts[distinct as usize].first;
        let article = |distinct: u32| corpus.first(distinct).article;
        pair_rows(&matches.verified.pairs, article, |distinct| {
            Some(corpus.position(first(distinct)))
        })
    }

    /// Verified pairs of articles.
    fn article_pairs(&self, matches: &PyMatches) -> PyResult<PyArrowType<RecordBatch>> {
        let order = ranks_to_articles(&self.corpus);
        pair_rows(
            &matches.articles.pairs,
            |rank| order[rank as usize],
            |_| None,
        )
    }

    /// Members of paragraph clusters, every holder on its own.
    fn paragraph_members(&self, matches: &PyMatches) -> PyResult<PyArrowType<RecordBatch>> {
        let corpus = &self.corpus;
        let held = |paragraph: &usize| matches.cluster_of(corpus, *paragraph).is_some();
        let members: Vec<usize> = (0..corpus.paragraphs.len()).filter(held).collect();
        let likeness = |paragraph: usize| {
            let star = matches.stars.get(&corpus.distinct_of[paragraph]);
            star.map_or(1.0, |m| m.agreement.similarity())
        };
        to_batch(vec![
            (
                "cluster_id",
                int32_or(members.iter().map(|p| matches.cluster_of(corpus, *p))),
            ),
            (
                "article",
                int32(members.iter().map(|p| corpus.paragraphs[*p].article)),
            ),
            (
                "position",
                int32(members.iter().map(|p| corpus.position(*p as u32))),
            ),
            ("similarity", float64(members.iter().map(|p| likeness(*p)))),
        ])
    }

    /// Members of article clusters.
    fn article_members(&self, matches: &PyMatches) -> PyResult<PyArrowType<RecordBatch>> {
        let order = ranks_to_articles(&self.corpus);
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

    /// Representative of every cluster of a unit, by the cluster's number, with its id and text
    /// (of articles: the first paragraph).
    fn cluster_heads(&self, matches: &PyMatches, unit: &str) -> PyResult<PyArrowType<RecordBatch>> {
        let corpus = &self.corpus;
        let (ids, heads): (Vec<String>, Vec<u32>) = match unit {
            "paragraph" => matches.paragraph_heads(corpus)?,
            "article" => matches.article_heads(corpus),
            other => return Err(PyValueError::new_err(format!("no unit {other:?}"))),
        };
        let distincts: Vec<u32> = heads
            .iter()
            .map(|p| corpus.distinct_of[*p as usize])
            .collect();
        let mut texts = vec![None; heads.len()];
        show_texts(corpus, &distincts, |i, text| {
            texts[i] = Some(text.to_owned());
        })?;
        let position = |p: &u32| (unit == "paragraph").then(|| corpus.position(*p));
        to_batch(vec![
            ("cluster_id", strings(ids.into_iter().map(Some))),
            (
                "representative_article",
                int32(heads.iter().map(|p| corpus.paragraphs[*p as usize].article)),
            ),
            (
                "representative_position",
                int32_or(heads.iter().map(position)),
            ),
            ("text", strings(texts.into_iter())),
        ])
    }
}

/// Pairs worth aligning.
#[pyclass(name = "Candidates", frozen, module = "dedup._native")]
struct PyCandidates {
    pairs: Vec<Candidate>,
    #[pyo3(get)]
    capped_buckets: u64,
}

#[pymethods]
impl PyCandidates {
    fn __len__(&self) -> usize {
        self.pairs.len()
    }
}

/// What was verified: pairs, clusters, evidence, article matches.
#[pyclass(name = "Matches", frozen, module = "dedup._native")]
struct PyMatches {
    verified: Verified,
    stars: Stars,
    evidence: Evidence,
    articles: ArticleMatches,
    /// Of distincts.
    paragraph_clusters: Clusters,
    /// Of articles by rank.
    article_clusters: Clusters,
}

/// Clusters numbered in first-seen order of their representatives.
struct Clusters {
    /// The cluster of each item, `NO_DISTINCT` for none.
    of: Vec<u32>,
    /// The representative of each cluster.
    leads: Vec<u32>,
}

impl Clusters {
    fn new<'a>(items: usize, stars: impl Iterator<Item = (&'a u32, &'a Membership)>) -> Self {
        let mut lead_of = vec![NO_DISTINCT; items];
        for (member, m) in stars {
            lead_of[*member as usize] = m.representative;
            lead_of[m.representative as usize] = m.representative;
        }
        Self::of_leads(lead_of)
    }

    fn of_leads(mut lead_of: Vec<u32>) -> Self {
        let is_lead = |(item, lead): &(usize, &u32)| *item as u32 == **lead;
        let leads: Vec<u32> = lead_of
            .iter()
            .enumerate()
            .filter(is_lead)
            .map(|(_, lead)| *lead)
            .collect();
        for lead in &mut lead_of {
            *lead = leads
                .binary_search(lead)
                .map_or(NO_DISTINCT, |number| number as u32);
        }
        Self { of: lead_of, leads }
    }

    fn number(&self, item: u32) -> Option<u32> {
        Some(self.of[item as usize]).filter(|number| *number != NO_DISTINCT)
    }
}

#[pymethods]
impl PyMatches {
    /// Limits that were hit, by name.
    #[getter]
    fn limits(&self) -> Vec<(&'static str, u64)> {
        vec![
            (
                "too_long_to_align",
                self.verified.too_long + self.articles.too_long,
            ),
            ("large_families", self.verified.large_families),
        ]
    }

    #[getter]
    fn compared(&self) -> u64 {
        self.verified.compared
    }

    #[getter]
    fn paragraph_pairs(&self) -> usize {
        self.verified.pairs.len()
    }
}

impl PyMatches {
    fn cluster_of(&self, corpus: &Corpus, paragraph: usize) -> Option<u32> {
        match corpus.distinct_of[paragraph] {
            NO_DISTINCT => None,
            distinct => self.paragraph_clusters.number(distinct),
        }
    }

    fn paragraph_heads(&self, corpus: &Corpus) -> Result<(Vec<String>, Vec<u32>), Error> {
        let leads = self.paragraph_clusters.leads.iter();
        let heads: Vec<u32> = leads
            .map(|lead| corpus.distincts[*lead as usize].first)
            .collect();
        let ids = corpus.hashes_of(&heads)?.into_iter().map(hex).collect();
        Ok((ids, heads))
    }

    fn article_heads(&self, corpus: &Corpus) -> (Vec<String>, Vec<u32>) {
        let order = ranks_to_articles(corpus);
        let has_words = |p: &u32| corpus.distinct_of[*p as usize] != NO_DISTINCT;
        let head = |rank: &u32| {
            let article = order[*rank as usize];
            let first = corpus.paragraphs_of(article).find(has_words);
            (
                hex(corpus.articles[article as usize].hash << 64),
                first.unwrap_or_default(),
            )
        };
        self.article_clusters.leads.iter().map(head).unzip()
    }
}

/// Scores, verdicts and spans.
#[pyclass(name = "Scores", frozen, module = "dedup._native")]
struct PyScores {
    scores: Scores,
}

#[pymethods]
impl PyScores {
    /// Which article copied words from which, as row numbers, each pair once.
    fn copies(&self) -> PyResult<PyArrowType<RecordBatch>> {
        to_batch(vec![
            ("source", int32(self.scores.copies.iter().map(|c| c.0))),
            ("article", int32(self.scores.copies.iter().map(|c| c.1))),
        ])
    }
}

/// Give a finished folder its name. What stood there before takes the folder's old name.
#[pyfunction]
fn put_in_place(folder: PathBuf, target: PathBuf) -> PyResult<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    if target.is_dir() && !target.is_symlink() {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        return Ok(
            renameat_with(CWD, &folder, CWD, &target, RenameFlags::EXCHANGE)
                .map_err(std::io::Error::from)?,
        );
    }
    Ok(std::fs::rename(folder, target)?)
}

fn compare(store: &TokenStore, left: u32, right: u32) -> Option<Agreement> {
    let (l, r) = (store.tokens(left), store.tokens(right));
    if work(l.len(), r.len()) > MAX_WORK {
        return None;
    }
    Some(Agreement {
        shared: common_length(l, r, &mut Pattern::default()),
        left: l.len() as u32,
        right: r.len() as u32,
    })
}

/// Clusters of distincts that have near-copies, or copies long enough to mean something.
fn number_paragraph_clusters(corpus: &Corpus, stars: &Stars) -> Clusters {
    let mut lead_of = vec![NO_DISTINCT; corpus.distincts.len()];
    for (i, distinct) in corpus.distincts.iter().enumerate() {
        if distinct.copies > 1 && corpus.first(i as u32).tokens >= MIN_EVIDENCE_TOKENS {
            lead_of[i] = i as u32;
        }
    }
    for (member, m) in stars {
        lead_of[*member as usize] = m.representative;
        lead_of[m.representative as usize] = m.representative;
    }
    Clusters::of_leads(lead_of)
}

fn merge(mut left: Vec<Candidate>, right: Vec<Candidate>) -> Vec<Candidate> {
    left.extend(right);
    left.sort_unstable();
    left.dedup();
    left
}

fn ranks_to_articles(corpus: &Corpus) -> Vec<u32> {
    let mut order = vec![0; corpus.rank.len()];
    for (article, rank) in corpus.rank.iter().enumerate() {
        order[*rank as usize] = article as u32;
    }
    order
}

/// Sixteen hexadecimal digits of the words' identity: its upper half for paragraphs, its lower one
/// for articles, so that an article of one paragraph gives two ids.
fn hex(hash: u128) -> String {
    format!("{:016x}", (hash >> 64) as u64)
}

fn check(start: usize, end: usize, len: usize) -> PyResult<std::ops::Range<usize>> {
    if start > end || end > len {
        return Err(PyValueError::new_err(format!(
            "no articles {start}..{end} among {len}"
        )));
    }
    Ok(start..end)
}

fn paragraph_range(corpus: &Corpus, start: usize, end: usize) -> std::ops::Range<usize> {
    let first = |article: usize| {
        corpus
            .articles
            .get(article)
            .map_or(corpus.paragraphs.len(), |a| a.first_paragraph as usize)
    };
    first(start)..first(end)
}

fn pair_rows(
    pairs: &[Pair],
    article: impl Fn(u32) -> u32,
    position: impl Fn(u32) -> Option<u32>,
) -> PyResult<PyArrowType<RecordBatch>> {
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

fn to_batch(columns: Vec<(&str, ArrayRef)>) -> PyResult<PyArrowType<RecordBatch>> {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .map(PyArrowType)
    .map_err(|err| PyRuntimeError::new_err(err.to_string()))
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
    Arc::new(Int32Array::from_iter(
        values.map(|value| value.map(|value| value as i32)),
    ))
}

fn float64(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn float64_or(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(values))
}

fn strings(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}
