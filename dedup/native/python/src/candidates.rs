//! Pairs worth aligning.

use pyo3::prelude::*;

use crate::corpus::PyCorpus;
use crate::failure::Outcome;
use crate::interrupt::interruptible;
use crate::spool::{Saved, restore, to_saved};
use dedup_core::matching::{Candidates, find_candidates, join_candidates};
use dedup_core::store::checkpoint;

/// Pairs worth aligning.
#[pyclass(name = "Candidates", module = "dedup._native")]
pub struct PyCandidates(pub Candidates);

#[pymethods]
impl PyCandidates {
    /// Pair paragraphs that share a band key or an anchor.
    #[staticmethod]
    fn find(
        py: Python<'_>,
        corpus: &PyCorpus,
        max_leaders: usize,
        threads: usize,
    ) -> Outcome<Self> {
        let candidates = interruptible(py, &corpus.0.spool.stop, || {
            find_candidates(&corpus.0, max_leaders, threads)
        })?;
        Ok(Self(candidates))
    }

    /// Pair paragraphs that share enough words, by a full join, or an anchor.
    #[staticmethod]
    fn join(
        py: Python<'_>,
        corpus: &PyCorpus,
        threshold: f64,
        min_tokens: u32,
        max_leaders: usize,
        threads: usize,
    ) -> Outcome<Self> {
        let candidates = interruptible(py, &corpus.0.spool.stop, || {
            join_candidates(&corpus.0, threshold, min_tokens, max_leaders, threads)
        })?;
        Ok(Self(candidates))
    }

    fn __len__(&self) -> usize {
        self.0.pairs.len()
    }

    /// Add the candidates to the corpus's spool; return their place.
    fn save(&self, py: Python<'_>, corpus: &PyCorpus) -> Outcome<Saved> {
        let extent = interruptible(py, &corpus.0.spool.stop, || {
            checkpoint::save(&self.0, &corpus.0.spool)
        })?;
        Ok(to_saved(extent))
    }

    /// Restore candidates that another process saved.
    #[staticmethod]
    fn restore(py: Python<'_>, corpus: &PyCorpus, saved: Saved) -> Outcome<Self> {
        Ok(Self(restore(py, &corpus.0.spool, saved)?))
    }
}
