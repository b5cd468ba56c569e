//! What was found: matches, and the scores that follow from them.

use std::ops::Range;

use arrow_array::{Array, Int64Array, UInt32Array};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::corpus::{PyCorpus, read_unit, restore};
use crate::fingerprints::{Place, from_place, to_place};
use crate::{Table, first_column, interruptible, tables};
use dedup_core::store::checkpoint;
use dedup_core::corpus::{Corpus};
use dedup_core::error::{Error};
use dedup_core::matches::{Matches};
use dedup_core::scoring::{Judged, Scores};

/// What was verified: pairs, clusters, evidence, article matches.
#[pyclass(name = "Matches", frozen, module = "dedup._native")]
pub struct PyMatches(pub Matches);

#[pymethods]
impl PyMatches {
    /// Limits that were hit, by name.
    #[getter]
    fn limits(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("capped_buckets", self.0.verified.capped_buckets),
            ("too_long_to_align", self.0.too_long()),
            ("costly_pairs", self.0.costly()),
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

    /// The ids of clusters of a unit, named by number in one uint32 column.
    fn cluster_ids(&self, unit: &str, numbers: Table) -> PyResult<Table> {
        let ids = tables::ids_of(&self.0, read_unit(unit)?);
        let numbers = first_column::<UInt32Array>(&numbers.0)
            .filter(|numbers| numbers.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("numbers must be uint32, none null"))?;
        tables::cluster_ids(ids, numbers.values())
            .ok_or_else(|| PyValueError::new_err("there is no such cluster"))?
    }

    /// Add all of it to the corpus's spool; return its place.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> PyResult<Place> {
        let extent = interruptible(py, &corpus.0.spool.stop, || self.0.save(&corpus.0.spool))?;
        Ok(to_place(extent))
    }

    /// Have it back that another process saved.
    #[staticmethod]
    fn restore(py: Python<'_>, corpus: &PyCorpus, place: Place) -> PyResult<Self> {
        let matches = interruptible(py, &corpus.0.spool.stop, || {
            Matches::restore(from_place(place), &corpus.0.spool)
        })?;
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
    pub range: Range<usize>,
    pub judged: Judged,
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
    pub scores: Scores,
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
        let extent = interruptible(py, &corpus.0.spool.stop, || {
            checkpoint::save(&self.scores, &corpus.0.spool)
        })?;
        Ok(to_place(extent))
    }

    /// Take the place of what another process saved.
    fn restore(&mut self, py: Python<'_>, corpus: &PyCorpus, place: Place) -> PyResult<()> {
        self.scores = restore(py, corpus, place)?;
        Ok(())
    }
}

impl PyScores {
    /// Take over the counts of judged articles.
    pub fn add(&mut self, corpus: &Corpus, judged: &mut Judged) -> Result<(), Error> {
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
