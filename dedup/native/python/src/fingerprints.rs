//! Articles on their way into the core: the spool, fingerprints, batches.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, StringArray};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{Table, borrow, first_column};
use dedup_core::segment::{BatchRecord, Numbers, Spooled};
use dedup_core::error::{Error};
use dedup_core::sketch::fingerprint;

use dedup_core::sketch::{Options, Worker};
use dedup_core::text::{Paragraphs};
use dedup_core::store::{Extent, Spool};

/// Where something stands in a spool: position, bytes and hash.
pub type Place = (u64, u64, u64);

pub fn to_place(extent: Extent) -> Place {
    (extent.at, extent.len, extent.check)
}

pub fn from_place((at, len, check): Place) -> Extent {
    Extent { at, len, check }
}

/// A temporary file for what a scan will need again.
#[pyclass(name = "Spool", frozen, module = "dedup._native")]
pub struct PySpool(pub Arc<Spool>);

#[pymethods]
impl PySpool {
    /// A file without a name in a folder.
    #[staticmethod]
    fn temporary(folder: PathBuf) -> PyResult<Self> {
        Ok(Self(Arc::new(Spool::temporary(&folder)?)))
    }

    /// An open file of a folder, of which the first `end` bytes are kept.
    #[staticmethod]
    fn adopt(descriptor: RawFd, folder: PathBuf, end: u64) -> PyResult<Self> {
        let file = borrow(descriptor)?.try_clone_to_owned()?;
        Ok(Self(Arc::new(Spool::adopt(file.into(), &folder, end)?)))
    }

    /// Add bytes; return their place.
    fn append(&self, bytes: &[u8]) -> PyResult<Place> {
        Ok(to_place(self.0.append(&[bytes])?))
    }

    /// Return when all that was added before is on the disk.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.0.sync())?)
    }

    /// End all work on what the spool holds, now and later, with a `KeyboardInterrupt`.
    fn stop(&self) {
        self.0.stop.set();
    }

    /// Read what was added at a place.
    fn read<'py>(&self, py: Python<'py>, place: Place) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.restore(from_place(place))?))
    }
}

/// Workers that had a longer text than this are dropped: their buffers are as long.
const KEPT_TEXT: usize = 8 << 20;

/// Bytes of memory that fingerprinting takes for each text of the first column.
#[pyfunction]
pub fn needed_memory(py: Python<'_>, texts: Table) -> PyResult<Vec<u64>> {
    let texts = first_column::<StringArray>(&texts.0)
        .ok_or_else(|| PyTypeError::new_err("the first column must be strings"))?;
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
    /// Workers that no thread uses now.
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
            spool: Arc::clone(&spool.0),
            idle: Mutex::default(),
        })
    }

    /// Fingerprint the first column of a record batch: strings, none null. Thread-safe. It ends
    /// early with the work on the spool, but handles no signals.
    fn fingerprint(&self, py: Python<'_>, articles: Table) -> PyResult<PyBatch> {
        let texts = first_column::<StringArray>(&articles.0)
            .filter(|texts| texts.null_count() == 0)
            .ok_or_else(|| PyTypeError::new_err("the first column must be strings, none null"))?;
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

/// A fingerprinted batch on its way to a corpus, nothing once it is there.
#[pyclass(name = "Batch", module = "dedup._native")]
pub struct PyBatch(Option<Spooled>);

#[pymethods]
impl PyBatch {
    /// By what the batch can be had back from its spool.
    fn record(&self) -> PyResult<(Place, Numbers)> {
        let spooled = self.0.as_ref();
        let record = spooled.ok_or_else(added_before)?.record;
        Ok((to_place(record.extent), record.numbers()))
    }

    /// Have a batch back from the spool that another process wrote.
    #[staticmethod]
    fn restore(py: Python<'_>, spool: &PySpool, place: Place, numbers: Numbers) -> PyResult<Self> {
        let record = BatchRecord::new(from_place(place), numbers);
        let record = record.ok_or_else(|| spool.0.changed())?;
        let spooled = py.detach(|| Spooled::restore(record, &spool.0))?;
        Ok(Self(Some(spooled)))
    }
}

impl PyBatch {
    /// Take the batch out, which can be done once.
    pub fn take(&mut self) -> PyResult<Spooled> {
        self.0.take().ok_or_else(added_before)
    }
}

fn added_before() -> PyErr {
    PyValueError::new_err("this batch was added before")
}
