//! Articles to fingerprints, a batch at a time.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, StringArray};
use pyo3::prelude::*;

use crate::failure::{Failure, Outcome, wrong_type, wrong_value};
use crate::rows::{Table, first_column};
use crate::spool::{PySpool, Saved, from_saved, to_saved};
use dedup_core::Error;
use dedup_core::segment::{BatchRecord, Numbers, Spooled};
use dedup_core::sketch::{Options, Worker, fingerprint};
use dedup_core::store::Spool;
use dedup_core::text::ParagraphMode;

/// Workers that had a longer text than this are dropped: their buffers are as long.
const KEPT_TEXT: usize = 8 << 20;

/// Bytes of memory that fingerprinting takes for each text of the first column.
#[pyfunction]
pub fn needed_memory(py: Python<'_>, texts: Table) -> Outcome<Vec<u64>> {
    let texts = first_column::<StringArray>(&texts.0)
        .ok_or_else(|| wrong_type("the first column must be strings"))?;
    let needed = || {
        texts
            .iter()
            .map(|text| text.map_or(0, fingerprint::needed_memory))
    };
    Ok(py.detach(|| needed().collect()))
}

/// Turns batches of articles into fingerprints; text and rows go to a spool.
#[pyclass(name = "Fingerprinter", frozen, module = "dedup._native")]
pub struct PyFingerprinter {
    options: Options,
    spool: Arc<Spool>,
    /// Workers that no thread is using.
    idle: Mutex<Vec<Worker>>,
}

#[pymethods]
impl PyFingerprinter {
    #[new]
    #[pyo3(signature = (spool, *, paragraphs, min_tokens, bands, rows, min_repeat_tokens))]
    fn new(
        spool: &PySpool,
        paragraphs: &str,
        min_tokens: usize,
        bands: usize,
        rows: usize,
        min_repeat_tokens: u32,
    ) -> Outcome<Self> {
        let paragraphs = match paragraphs {
            "auto" => ParagraphMode::Auto,
            "line" => ParagraphMode::Line,
            "blank" => ParagraphMode::Blank,
            other => {
                return Err(wrong_value(format!("no paragraph mode {other:?}")));
            }
        };
        if min_tokens < 2 || bands == 0 || rows == 0 {
            return Err(wrong_value("min_tokens, bands and rows must be positive"));
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
            spool: Arc::clone(&spool.0),
            idle: Mutex::default(),
        })
    }

    /// Fingerprint the first column of a record batch: strings, none null. Thread-safe. It ends
    /// early with the work on the spool, but handles no signals.
    fn fingerprint(&self, py: Python<'_>, articles: Table) -> Outcome<PyBatch> {
        let texts = first_column::<StringArray>(&articles.0)
            .filter(|texts| texts.null_count() == 0)
            .ok_or_else(|| wrong_type("the first column must be strings, none null"))?;
        let spooled = py.detach(|| self.spool.stop.run(|| self.spool(texts)))??;
        Ok(PyBatch(Some(spooled)))
    }
}

impl PyFingerprinter {
    fn spool(&self, texts: &StringArray) -> Result<Spooled, Error> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = idle().pop();
        let mut worker = worker.unwrap_or_else(|| Worker::new(self.options));
        worker.fingerprint((0..texts.len()).map(|i| texts.value(i)));
        let offsets = texts.value_offsets();
        let start = offsets.first().copied().unwrap_or(0);
        let end = offsets.last().copied().unwrap_or(0);
        let text = &texts.value_data()[start as usize..end as usize];
        let spooled = Spooled::new(&mut worker, text, &self.spool)?;
        if text.len() <= KEPT_TEXT {
            idle().push(worker);
        }
        Ok(spooled)
    }
}

/// A fingerprinted batch on its way to a corpus; none once it is there.
#[pyclass(name = "Batch", module = "dedup._native")]
pub struct PyBatch(Option<Spooled>);

#[pymethods]
impl PyBatch {
    /// The numbers by which the batch can be restored from its spool.
    fn record(&self) -> Outcome<(Saved, Numbers)> {
        let spooled = self.0.as_ref();
        let record = spooled.ok_or_else(added_before)?.record;
        Ok((to_saved(record.extent), record.numbers()))
    }

    /// Restore a batch from the spool that another process wrote.
    #[staticmethod]
    fn restore(py: Python<'_>, spool: &PySpool, saved: Saved, numbers: Numbers) -> Outcome<Self> {
        let record = BatchRecord::new(from_saved(saved), numbers);
        let record = record.ok_or_else(|| spool.0.changed())?;
        let spooled = py.detach(|| Spooled::restore(record, &spool.0))?;
        Ok(Self(Some(spooled)))
    }
}

impl PyBatch {
    /// Take the batch out, which can be done once.
    pub fn take(&mut self) -> Outcome<Spooled> {
        self.0.take().ok_or_else(added_before)
    }
}

fn added_before() -> Failure {
    wrong_value("this batch was added before")
}
