//! The engine's classes: state that stays in Rust, tables that leave it.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, Int32Array, Int64Array, RecordBatch};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::fingerprints::{Place, PyBatch, PySpool, from_place, to_place};
use super::tables::Unit;
use super::{Table, first_column, tables};
use crate::align::Rule;
use crate::candidates::{Candidates, find_candidates, join_candidates};
use crate::checkpoint;
use crate::clusters::Groups;
use crate::corpus::{Corpus, NO_DISTINCT};
use crate::error::Error;
use crate::holders::Support;
use crate::matches::{Matches, match_verified};
use crate::pairs::{Verified, Verifier};
use crate::qualify::set_templates_aside;
use crate::redundancy::{Judged, Scores, judge};
use crate::templates::{self, Kind, Known, Mining, Pattern, Templates};

/// All articles of a scan.
#[pyclass(name = "Corpus", module = "dedup._native")]
pub struct PyCorpus(Corpus);

#[pymethods]
impl PyCorpus {
    #[new]
    fn new(spool: &PySpool) -> Self {
        Self(Corpus::new(Arc::clone(&spool.0)))
    }

    /// Take over a batch; batches come in input order, each once.
    fn add(&mut self, batch: &mut PyBatch) -> PyResult<()> {
        Ok(self.0.add(batch.take()?)?)
    }

    /// Collapse exact copies. `order` is one int64 column: the articles, earliest first.
    fn set_order(&mut self, py: Python<'_>, order: Table, threads: usize) -> PyResult<()> {
        let order: Vec<u32> = first_column::<Int64Array>(&order.0)
            .filter(|order| order.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("the order must be int64, none null"))?
            .values()
            .iter()
            .map(|article| u32::try_from(*article).unwrap_or(u32::MAX))
            .collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..self.0.articles.len() as u32) {
            return Err(PyValueError::new_err(
                "the order must name every article once",
            ));
        }
        Ok(py.detach(|| self.0.set_order(&order, threads))?)
    }

    #[getter]
    fn articles(&self) -> usize {
        self.0.articles.len()
    }

    #[getter]
    fn paragraphs(&self) -> usize {
        self.0.paragraphs.len()
    }

    #[getter]
    fn distincts(&self) -> usize {
        self.0.distincts()
    }

    /// Cut the articles into ranges of so many paragraphs at most, but for an article with more.
    fn cut(&self, paragraphs: u32) -> Vec<(u32, u32)> {
        let parts = self.0.cut(paragraphs).into_iter();
        parts.map(|part| (part.start, part.end)).collect()
    }

    /// Pair paragraphs that share a band key or an anchor.
    fn find_candidates(
        &self,
        py: Python<'_>,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        let candidates = py.detach(|| find_candidates(&self.0, max_leaders, threads))?;
        Ok(PyCandidates(candidates))
    }

    /// Pair paragraphs that share enough words, by a full join, or an anchor.
    fn join_candidates(
        &self,
        py: Python<'_>,
        threshold: f64,
        min_tokens: u32,
        max_leaders: usize,
        threads: usize,
    ) -> PyResult<PyCandidates> {
        let candidates =
            py.detach(|| join_candidates(&self.0, threshold, min_tokens, max_leaders, threads))?;
        Ok(PyCandidates(candidates))
    }

    /// One row an article of `start..end`.
    fn article_rows(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        scores: &PyScores,
        start: usize,
        end: usize,
    ) -> PyResult<Table> {
        let range = self.range(start, end)?;
        py.detach(|| tables::article_rows(&self.0, &matches.0, &scores.scores, range))
    }

    /// Say what became of the paragraphs of the articles `start..end`, and add their counts to
    /// the scores. Every article must be judged once.
    fn judge(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        scores: &mut PyScores,
        start: usize,
        end: usize,
        threads: usize,
    ) -> PyResult<PyJudged> {
        let range = self.range(start, end)?;
        let judged = py.detach(|| {
            let articles = range.start as u32..range.end as u32;
            let mut judged = judge(&self.0, &matches.0, articles, threads)?;
            scores.add(&self.0, &mut judged)?;
            Ok::<_, Error>(judged)
        })?;
        Ok(PyJudged { range, judged })
    }

    /// One row a paragraph that was judged.
    fn paragraph_rows(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        judged: &PyJudged,
    ) -> PyResult<Table> {
        let range = judged.range.clone();
        py.detach(|| tables::paragraph_rows(&self.0, &matches.0, &judged.judged, range))
    }

    /// The verified pairs `start..end` of a unit.
    fn pair_rows(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        unit: &str,
        start: usize,
        end: usize,
    ) -> PyResult<Table> {
        let unit = read_unit(unit)?;
        py.detach(|| tables::pair_rows(&self.0, &matches.0, unit, start..end))
    }

    /// One row an example of a template.
    fn template_places(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::template_places(&self.0, &matches.0)
    }

    /// Members of clusters of a unit in the articles `start..end`, every holder on its own.
    fn member_rows(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        unit: &str,
        start: usize,
        end: usize,
    ) -> PyResult<Table> {
        let (unit, range) = (read_unit(unit)?, self.range(start, end)?);
        py.detach(|| tables::member_rows(&self.0, &matches.0, unit, range))
    }

    /// Gather the members of every cluster of a unit. `facts` are two columns, one value an
    /// article: its source as an int32, and its date as an int64.
    fn group(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        unit: &str,
        facts: Table,
        threads: usize,
    ) -> PyResult<PyGroups> {
        let unit = read_unit(unit)?;
        let [sources, dates] = facts.0.columns() else {
            return Err(PyTypeError::new_err("facts must be two columns"));
        };
        let facts = tables::Facts::new(sources, dates, self.0.articles.len())
            .ok_or_else(|| PyTypeError::new_err("facts must be int32 and int64, one an article"))?;
        let groups = py.detach(|| tables::group(&self.0, &matches.0, unit, threads));
        Ok(PyGroups {
            unit,
            groups,
            facts,
        })
    }

    /// Clusters `start..end` of a unit with their members summed up.
    fn cluster_rows(
        &self,
        py: Python<'_>,
        matches: &PyMatches,
        groups: &PyGroups,
        start: usize,
        end: usize,
    ) -> PyResult<Table> {
        let PyGroups {
            unit,
            groups,
            facts,
        } = groups;
        py.detach(|| tables::cluster_rows(&self.0, &matches.0, *unit, groups, facts, start..end))
    }

    /// The texts of paragraphs, named by number in one int32 column.
    fn texts(&self, py: Python<'_>, paragraphs: Table) -> PyResult<Table> {
        let paragraphs: Vec<u32> = first_column::<Int32Array>(&paragraphs.0)
            .filter(|paragraphs| paragraphs.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("paragraphs must be int32, none null"))?
            .values()
            .iter()
            .map(|paragraph| *paragraph as u32)
            .collect();
        let has_words = |p: &u32| {
            self.0
                .distinct_of
                .get(*p as usize)
                .is_some_and(|d| *d != NO_DISTINCT)
        };
        if !paragraphs.iter().all(has_words) {
            return Err(PyValueError::new_err(
                "there is no such paragraph with words",
            ));
        }
        let texts = py.detach(|| tables::texts(&self.0, &paragraphs))?;
        tables::text_rows(&texts)
    }
}

impl PyCorpus {
    fn sources(&self, batch: &RecordBatch) -> PyResult<Vec<Option<u32>>> {
        let codes = first_column::<Int32Array>(batch)
            .filter(|codes| codes.len() == self.0.articles.len())
            .ok_or_else(|| PyTypeError::new_err("sources must be int32, one an article"))?;
        Ok(codes
            .iter()
            .map(|code| code.map(|code| code as u32))
            .collect())
    }

    fn range(&self, start: usize, end: usize) -> PyResult<Range<usize>> {
        let len = self.0.articles.len();
        if start > end || end > len {
            return Err(PyValueError::new_err(format!(
                "no articles {start}..{end} among {len}"
            )));
        }
        Ok(start..end)
    }
}

/// Says when two texts are near-copies, by aligning them.
#[pyclass(name = "Verifier", frozen, module = "dedup._native")]
pub struct PyVerifier {
    rule: Rule,
    min_run_words: u32,
    min_support: u32,
    threads: usize,
}

#[pymethods]
impl PyVerifier {
    #[new]
    #[pyo3(signature = (*, threshold, containment, min_shared_tokens, min_run_tokens, min_support, threads))]
    fn new(
        threshold: f64,
        containment: f64,
        min_shared_tokens: u32,
        min_run_tokens: u32,
        min_support: u32,
        threads: usize,
    ) -> Self {
        Self {
            rule: Rule {
                threshold,
                containment,
                min_shared: min_shared_tokens,
            },
            min_run_words: min_run_tokens,
            min_support,
            threads,
        }
    }

    /// Align the next candidates, and return where in the spool the outcome is. `memory` is how
    /// many bytes of tokens to hold at once.
    fn verify(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        candidates: &PyCandidates,
        verified: &mut PyVerified,
        memory: usize,
    ) -> PyResult<Place> {
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let rest = candidates.0.pairs.get(verified.done..).unwrap_or_default();
        let (turn, extent) = py.detach(|| {
            let turn = verifier.verify_next(rest)?;
            let extent = checkpoint::save(&turn, &corpus.0.spool)?;
            Ok::<_, Error>((turn, extent))
        })?;
        verified.extend(turn);
        Ok(to_place(extent))
    }

    /// Compare near-copies of the same paragraph with each other, once all candidates are aligned.
    /// The candidates are gone then.
    fn complete(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        candidates: &mut PyCandidates,
        verified: &mut PyVerified,
        memory: usize,
    ) -> PyResult<()> {
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let candidates = std::mem::take(&mut candidates.0);
        Ok(py.detach(|| verifier.complete_families(verified, &candidates))?)
    }

    /// Find templates, and keep what holds without them. `packs` are (kind, pattern, number of its
    /// pack).
    fn find_templates(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
        packs: Vec<(String, String, u32)>,
        memory: usize,
    ) -> PyResult<PyTemplates> {
        let packs: PyResult<Vec<Known>> = packs.into_iter().map(read_known).collect();
        let mining = Mining {
            options: templates::Options {
                min_support: self.min_support,
                threads: self.threads,
            },
            packs: packs?,
        };
        let verifier = self.of(corpus, memory);
        let verified = verified.get()?;
        let found = py.detach(|| set_templates_aside(&verifier, &mining, verified))?;
        Ok(PyTemplates(Some(found)))
    }

    /// Gather clusters and evidence. `sources` is one int32 column: the source of each article as a
    /// number, null where it is unknown.
    fn gather(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
        templates: &mut PyTemplates,
        sources: Table,
        memory: usize,
    ) -> PyResult<PyMatches> {
        let sources = corpus.sources(&sources.0)?;
        let support = Support {
            min_articles: self.min_support,
            sources: &sources,
        };
        let verifier = self.of(corpus, memory);
        let verified = verified.0.take().ok_or_else(gathered_before)?;
        let templates = templates.0.take().ok_or_else(gathered_before)?;
        let matches = py.detach(|| match_verified(&verifier, verified, templates, support))?;
        Ok(PyMatches(matches))
    }
}

impl PyVerifier {
    fn of<'a>(&self, corpus: &'a PyCorpus, memory: usize) -> Verifier<'a> {
        Verifier {
            corpus: &corpus.0,
            rule: self.rule,
            min_run_words: self.min_run_words,
            threads: self.threads,
            memory,
        }
    }
}

/// Pairs and shared runs found so far; nothing once they are gathered.
#[pyclass(name = "Verified", module = "dedup._native")]
pub struct PyVerified(Option<Verified>);

#[pymethods]
impl PyVerified {
    #[new]
    fn new() -> Self {
        Self(Some(Verified::default()))
    }

    /// Candidates compared, counted from the first.
    #[getter]
    fn done(&mut self) -> PyResult<usize> {
        Ok(self.get()?.done)
    }

    /// Add what `Verifier.verify` found in another process.
    fn restore(&mut self, corpus: &PyCorpus, place: Place) -> PyResult<()> {
        let turn: Verified = checkpoint::restore(from_place(place), &corpus.0.spool)?;
        self.get()?.extend(turn);
        Ok(())
    }
}

/// Templates, and what of the pairs holds without them; nothing once they are gathered.
#[pyclass(name = "Templates", module = "dedup._native")]
pub struct PyTemplates(Option<Templates>);

#[pymethods]
impl PyTemplates {
    /// No templates.
    #[new]
    fn new() -> Self {
        Self(Some(Templates::default()))
    }

    /// Add the templates and the pairs to the corpus's spool.
    fn save(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        verified: &mut PyVerified,
    ) -> PyResult<(Place, Place)> {
        let spool = &corpus.0.spool;
        let verified = verified.get()?;
        let templates = self.0.as_ref().ok_or_else(gathered_before)?;
        let (templates, verified) = py.detach(|| {
            let templates = checkpoint::save(templates, spool)?;
            Ok::<_, Error>((templates, checkpoint::save(verified, spool)?))
        })?;
        Ok((to_place(templates), to_place(verified)))
    }

    /// Have both back that another process saved.
    #[staticmethod]
    fn restore(
        corpus: &PyCorpus,
        templates: Place,
        verified: Place,
    ) -> PyResult<(Self, PyVerified)> {
        let spool = &corpus.0.spool;
        let templates = checkpoint::restore(from_place(templates), spool)?;
        let verified = checkpoint::restore(from_place(verified), spool)?;
        Ok((Self(Some(templates)), PyVerified(Some(verified))))
    }
}

impl PyVerified {
    fn get(&mut self) -> PyResult<&mut Verified> {
        self.0.as_mut().ok_or_else(gathered_before)
    }
}

fn gathered_before() -> PyErr {
    PyValueError::new_err("these pairs were gathered before")
}

fn read_known((kind, text, pack): (String, String, u32)) -> PyResult<Known> {
    let pattern = Pattern::parse(read_kind(&kind)?, &text);
    let pattern =
        pattern.ok_or_else(|| PyValueError::new_err(format!("no template is {text:?}")))?;
    Ok(Known {
        pattern,
        text,
        pack,
    })
}

fn read_kind(kind: &str) -> PyResult<Kind> {
    match kind {
        "sentence" => Ok(Kind::Sentence),
        "opener" => Ok(Kind::Opener),
        other => Err(PyValueError::new_err(format!("no kind {other:?}"))),
    }
}

/// Whether a template can be written so.
#[pyfunction]
pub fn is_pattern(kind: &str, text: &str) -> PyResult<bool> {
    Ok(Pattern::parse(read_kind(kind)?, text).is_some())
}

/// Pairs worth aligning.
#[pyclass(name = "Candidates", module = "dedup._native")]
pub struct PyCandidates(Candidates);

#[pymethods]
impl PyCandidates {
    fn __len__(&self) -> usize {
        self.0.pairs.len()
    }

    /// Add the candidates to the corpus's spool; return their place.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> PyResult<Place> {
        let extent = py.detach(|| checkpoint::save(&self.0, &corpus.0.spool))?;
        Ok(to_place(extent))
    }

    /// Have candidates back that another process saved.
    #[staticmethod]
    fn restore(corpus: &PyCorpus, place: Place) -> PyResult<Self> {
        let candidates = checkpoint::restore(from_place(place), &corpus.0.spool)?;
        Ok(Self(candidates))
    }
}

/// What was verified: pairs, clusters, evidence, article matches.
#[pyclass(name = "Matches", frozen, module = "dedup._native")]
pub struct PyMatches(Matches);

#[pymethods]
impl PyMatches {
    /// Limits that were hit, by name.
    #[getter]
    fn limits(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("capped_buckets", self.0.verified.capped_buckets),
            ("too_long_to_align", self.0.too_long()),
            ("large_families", self.0.verified.large_families),
        ]
    }

    /// Candidates that were proposed.
    #[getter]
    fn candidates(&self) -> usize {
        self.0.verified.candidates
    }

    /// Verified pairs of a unit.
    fn count_pairs(&self, unit: &str) -> PyResult<usize> {
        Ok(tables::pairs_of(&self.0, read_unit(unit)?).len())
    }

    /// Clusters of a unit.
    fn count_clusters(&self, unit: &str) -> PyResult<usize> {
        Ok(tables::ids_of(&self.0, read_unit(unit)?).len())
    }

    /// The ids of clusters of a unit, named by number in one int32 column.
    fn cluster_ids(&self, unit: &str, numbers: Table) -> PyResult<Table> {
        let ids = tables::ids_of(&self.0, read_unit(unit)?);
        let numbers = first_column::<Int32Array>(&numbers.0)
            .filter(|numbers| numbers.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("numbers must be int32, none null"))?;
        tables::cluster_ids(ids, numbers.values())
            .ok_or_else(|| PyValueError::new_err("there is no such cluster"))?
    }

    /// Add all of it to the corpus's spool; return its place.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> PyResult<Place> {
        let extent = py.detach(|| self.0.save(&corpus.0.spool))?;
        Ok(to_place(extent))
    }

    /// Have it back that another process saved.
    #[staticmethod]
    fn restore(py: Python<'_>, corpus: &PyCorpus, place: Place) -> PyResult<Self> {
        let matches = py.detach(|| Matches::restore(from_place(place), &corpus.0.spool))?;
        Ok(Self(matches))
    }

    /// One row a template.
    fn template_rows(&self) -> PyResult<Table> {
        tables::template_rows(&self.0)
    }

    /// One row a slot of a template.
    fn slot_rows(&self) -> PyResult<Table> {
        tables::slot_rows(&self.0)
    }
}

/// What became of the paragraphs of some articles, and their flagged spans.
#[pyclass(name = "Judged", frozen, module = "dedup._native")]
pub struct PyJudged {
    range: Range<usize>,
    judged: Judged,
}

#[pymethods]
impl PyJudged {
    /// One row a flagged span of those articles.
    fn span_rows(&self, matches: &PyMatches) -> PyResult<Table> {
        tables::span_rows(&matches.0, &self.judged)
    }
}

/// The counts of every article.
#[pyclass(name = "Scores", module = "dedup._native")]
pub struct PyScores {
    scores: Scores,
    dates: Int64Array,
    ambiguous_us: u64,
}

#[pymethods]
impl PyScores {
    /// Room for the counts of all articles. `dates` is one int64 column: microseconds, null where
    /// unknown. Who was first is ambiguous where one date is unknown, or both are closer than that.
    #[new]
    fn new(corpus: &PyCorpus, dates: Table, ambiguous_us: u64) -> PyResult<Self> {
        let dates = first_column::<Int64Array>(&dates.0)
            .filter(|dates| dates.len() == corpus.0.articles.len())
            .ok_or_else(|| PyTypeError::new_err("dates must be int64, one an article"))?;
        Ok(Self {
            scores: Scores::new(&corpus.0),
            dates: dates.clone(),
            ambiguous_us,
        })
    }

    /// Add what is not in it yet to the corpus's spool; return the place of it all.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> PyResult<Place> {
        let extent = py.detach(|| checkpoint::save(&self.scores, &corpus.0.spool))?;
        Ok(to_place(extent))
    }

    /// Take the place of what another process saved.
    fn restore(&mut self, corpus: &PyCorpus, place: Place) -> PyResult<()> {
        self.scores = checkpoint::restore(from_place(place), &corpus.0.spool)?;
        Ok(())
    }
}

impl PyScores {
    fn add(&mut self, corpus: &Corpus, judged: &mut Judged) -> Result<(), Error> {
        let date = |article: u32| {
            let article = article as usize;
            self.dates
                .is_valid(article)
                .then(|| self.dates.value(article))
        };
        let is_unsure = |source: u32, article: u32| match (date(source), date(article)) {
            (Some(source), Some(article)) => source.abs_diff(article) < self.ambiguous_us,
            _ => true,
        };
        let scores = std::mem::take(&mut judged.scores);
        let copies = std::mem::take(&mut judged.copies);
        self.scores.add(&corpus.spool, scores, &copies, is_unsure)
    }
}

/// The members of the clusters of a unit, and what is known of articles.
#[pyclass(name = "Groups", frozen, module = "dedup._native")]
pub struct PyGroups {
    unit: Unit,
    groups: Groups,
    facts: tables::Facts,
}

fn read_unit(unit: &str) -> PyResult<Unit> {
    match unit {
        "paragraph" => Ok(Unit::Paragraph),
        "article" => Ok(Unit::Article),
        other => Err(PyValueError::new_err(format!("no unit {other:?}"))),
    }
}
