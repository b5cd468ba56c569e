//! The corpus: what is asked of all articles of a scan, and the tables they give.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, Int32Array, Int64Array, RecordBatch, UInt32Array};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use serde::de::DeserializeOwned;

use crate::fingerprints::{Place, PyBatch, PySpool, from_place};
use crate::matches::{PyJudged, PyMatches, PyScores};
use crate::tables::{self, Unit};
use crate::verifier::PyCandidates;
use crate::{Table, first_column, interruptible};
use dedup_core::matching::{find_candidates, join_candidates};
use dedup_core::store::checkpoint;
use dedup_core::matching::{Groups};
use dedup_core::corpus::{Corpus, NO_DISTINCT};
use dedup_core::error::{Error};
use dedup_core::scoring::{judge};

/// All articles of a scan.
#[pyclass(name = "Corpus", module = "dedup._native")]
pub struct PyCorpus(pub Corpus);

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
        let stop = self.0.spool.stop.clone();
        interruptible(py, &stop, || self.0.set_order(&order, threads))
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
        let candidates = interruptible(py, &self.0.spool.stop, || {
            find_candidates(&self.0, max_leaders, threads)
        })?;
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
        let candidates = interruptible(py, &self.0.spool.stop, || {
            join_candidates(&self.0, threshold, min_tokens, max_leaders, threads)
        })?;
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
        interruptible(py, &self.0.spool.stop, || {
            tables::article_rows(&self.0, &matches.0, &scores.scores, range)
        })
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
        let judged = interruptible(py, &self.0.spool.stop, || {
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
        interruptible(py, &self.0.spool.stop, || {
            tables::paragraph_rows(&self.0, &matches.0, &judged.judged, range)
        })
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
        interruptible(py, &self.0.spool.stop, || {
            tables::pair_rows(&self.0, &matches.0, unit, start..end)
        })
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
        interruptible(py, &self.0.spool.stop, || {
            tables::member_rows(&self.0, &matches.0, unit, range)
        })
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
        let groups = interruptible(py, &self.0.spool.stop, || {
            Ok::<_, Error>(tables::group(&self.0, &matches.0, unit, threads))
        })?;
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
        interruptible(py, &self.0.spool.stop, || {
            tables::cluster_rows(&self.0, &matches.0, *unit, groups, facts, start..end)
        })
    }

    /// The texts of paragraphs, named by number in one uint32 column.
    fn texts(&self, py: Python<'_>, paragraphs: Table) -> PyResult<Table> {
        let paragraphs: Vec<u32> = first_column::<UInt32Array>(&paragraphs.0)
            .filter(|paragraphs| paragraphs.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("paragraphs must be uint32, none null"))?
            .values()
            .to_vec();
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
        let texts = interruptible(py, &self.0.spool.stop, || {
            tables::texts(&self.0, &paragraphs)
        })?;
        tables::text_rows(&texts)
    }
}

impl PyCorpus {
    /// Sources by article, as numbers.
    pub fn sources(&self, batch: &RecordBatch) -> PyResult<Vec<Option<u32>>> {
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

/// Have a value back that another process saved.
pub fn restore<T: DeserializeOwned + Send>(
    py: Python<'_>,
    corpus: &PyCorpus,
    place: Place,
) -> PyResult<T> {
    let spool = &corpus.0.spool;
    interruptible(py, &spool.stop, || {
        checkpoint::restore(from_place(place), spool)
    })
}

/// The members of the clusters of a unit, and what is known of articles.
#[pyclass(name = "Groups", frozen, module = "dedup._native")]
pub struct PyGroups {
    unit: Unit,
    groups: Groups,
    facts: tables::Facts,
}

pub fn read_unit(unit: &str) -> PyResult<Unit> {
    match unit {
        "paragraph" => Ok(Unit::Paragraph),
        "article" => Ok(Unit::Article),
        other => Err(PyValueError::new_err(format!("no unit {other:?}"))),
    }
}
