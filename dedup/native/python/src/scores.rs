//! The scores that follow from the matches, and the spans that explain them.

use std::ops::Range;

use arrow_array::{Array, Int64Array};
use pyo3::prelude::*;

use crate::corpus::PyCorpus;
use crate::failure::{Outcome, wrong_type};
use crate::interrupt::interruptible;
use crate::matches::PyMatches;
use crate::rows::{Table, first_column};
use crate::spool::{Saved, restore, to_saved};
use crate::tables;
use dedup_core::Error;
use dedup_core::corpus::Corpus;
use dedup_core::scoring::{Judged, Scores, judge};
use dedup_core::store::checkpoint;

/// The verdicts on the paragraphs of some articles, and their flagged spans.
#[pyclass(name = "Judged", frozen, module = "dedup._native")]
pub struct PyJudged {
    range: Range<usize>,
    judged: Judged,
}

#[pymethods]
impl PyJudged {
    /// One row per judged paragraph.
    fn paragraph_rows(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        matches: &PyMatches,
    ) -> Outcome<Table> {
        let range = self.range.clone();
        interruptible(py, &corpus.0.spool.stop, || {
            tables::paragraph_rows(&corpus.0, &matches.0, &self.judged, range)
        })
    }

    /// One row per flagged span of those articles.
    fn span_rows(&self, matches: &PyMatches) -> Outcome<Table> {
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
    /// No counts yet, for all articles. `dates` is one int64 column: microseconds, null where
    /// unknown. Who was first is ambiguous where one date is unknown, or both are closer than that.
    #[new]
    fn new(corpus: &PyCorpus, dates: Table, ambiguous_us: u64) -> Outcome<Self> {
        let dates = first_column::<Int64Array>(&dates.0)
            .filter(|dates| dates.len() == corpus.0.articles.len())
            .ok_or_else(|| wrong_type("dates must be int64, one per article"))?;
        Ok(Self {
            scores: Scores::new(&corpus.0),
            dates: dates.clone(),
            ambiguous_us,
        })
    }

    /// Judge the paragraphs of the articles `start..end`, and add their counts to
    /// the scores. Every article must be judged once.
    fn judge(
        &mut self,
        py: Python<'_>,
        corpus: &PyCorpus,
        matches: &PyMatches,
        start: usize,
        end: usize,
        threads: usize,
    ) -> Outcome<PyJudged> {
        let range = corpus.range(start, end)?;
        let judged = interruptible(py, &corpus.0.spool.stop, || {
            let articles = range.start as u32..range.end as u32;
            let mut judged = judge(&corpus.0, &matches.0, articles, threads)?;
            self.add(&corpus.0, &mut judged)?;
            Ok::<_, Error>(judged)
        })?;
        Ok(PyJudged { range, judged })
    }

    /// One row per article of `start..end`.
    fn article_rows(
        &self,
        py: Python<'_>,
        corpus: &PyCorpus,
        matches: &PyMatches,
        start: usize,
        end: usize,
    ) -> Outcome<Table> {
        let range = corpus.range(start, end)?;
        interruptible(py, &corpus.0.spool.stop, || {
            tables::article_rows(&corpus.0, &matches.0, &self.scores, range)
        })
    }

    /// Add the counts that are not saved yet to the corpus's spool; return the place of all.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> Outcome<Saved> {
        let extent = interruptible(py, &corpus.0.spool.stop, || {
            checkpoint::save(&self.scores, &corpus.0.spool)
        })?;
        Ok(to_saved(extent))
    }

    /// Restore what another process saved.
    fn restore(&mut self, py: Python<'_>, corpus: &PyCorpus, saved: Saved) -> Outcome<()> {
        self.scores = restore(py, &corpus.0.spool, saved)?;
        Ok(())
    }
}

impl PyScores {
    /// Take over the counts of judged articles.
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
