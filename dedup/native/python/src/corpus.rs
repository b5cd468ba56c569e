//! All articles of a scan.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, Int32Array, Int64Array, RecordBatch, UInt32Array};
use pyo3::prelude::*;

use crate::failure::{Outcome, wrong_type, wrong_value};
use crate::fingerprinter::PyBatch;
use crate::interrupt::interruptible;
use crate::rows::{Table, first_column};
use crate::spool::PySpool;
use crate::tables;
use dedup_core::corpus::{Corpus, NO_DISTINCT};

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
    fn add(&mut self, batch: &mut PyBatch) -> Outcome<()> {
        Ok(self.0.add(batch.take()?)?)
    }

    /// Collapse exact copies. `order` is one int64 column: the articles, earliest first.
    fn set_order(&mut self, py: Python<'_>, order: Table, threads: usize) -> Outcome<()> {
        let order: Vec<u32> = first_column::<Int64Array>(&order.0)
            .filter(|order| order.null_count() == 0)
            .ok_or_else(|| wrong_type("the order must be int64, none null"))?
            .values()
            .iter()
            .map(|article| u32::try_from(*article).unwrap_or(u32::MAX))
            .collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..self.0.articles.len() as u32) {
            return Err(wrong_value("the order must name every article once"));
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

    /// Cut the articles into ranges of at most this many paragraphs, or of one article.
    fn cut(&self, paragraphs: u32) -> Vec<(u32, u32)> {
        let parts = self.0.cut(paragraphs).into_iter();
        parts.map(|part| (part.start, part.end)).collect()
    }

    /// The texts of paragraphs, named by number in one uint32 column.
    fn texts(&self, py: Python<'_>, paragraphs: Table) -> Outcome<Table> {
        let paragraphs: Vec<u32> = first_column::<UInt32Array>(&paragraphs.0)
            .filter(|paragraphs| paragraphs.null_count() == 0)
            .ok_or_else(|| wrong_type("paragraphs must be uint32, none null"))?
            .values()
            .to_vec();
        let has_words = |p: &u32| {
            self.0
                .distinct_of
                .get(*p as usize)
                .is_some_and(|d| *d != NO_DISTINCT)
        };
        if !paragraphs.iter().all(has_words) {
            return Err(wrong_value("there is no such paragraph with words"));
        }
        let texts = interruptible(py, &self.0.spool.stop, || {
            tables::texts(&self.0, &paragraphs)
        })?;
        tables::text_rows(&texts)
    }
}

impl PyCorpus {
    /// Sources by article, as numbers.
    pub fn sources(&self, batch: &RecordBatch) -> Outcome<Vec<Option<u32>>> {
        let codes = first_column::<Int32Array>(batch)
            .filter(|codes| codes.len() == self.0.articles.len())
            .ok_or_else(|| wrong_type("sources must be int32, one per article"))?;
        Ok(codes
            .iter()
            .map(|code| code.map(|code| code as u32))
            .collect())
    }

    pub fn range(&self, start: usize, end: usize) -> Outcome<Range<usize>> {
        let len = self.0.articles.len();
        if start > end || end > len {
            return Err(wrong_value(format!(
                "no articles {start}..{end} among {len}"
            )));
        }
        Ok(start..end)
    }
}
