//! The Python door: only this file and those in `python/` know pyo3 and Arrow's C interface.
//!
//! Arrow crosses by `arrow_pyarrow::PyArrowType<RecordBatch>` (arrow-pyarrow 60, pyo3 0.29).

#![expect(clippy::needless_pass_by_value, reason = "pyo3 hands values over")]

mod corpus;
mod fingerprints;
mod matches;
mod readers;
mod tables;
mod verifier;

use std::path::PathBuf;

use arrow_array::{Array, RecordBatch, StringArray};
use arrow_pyarrow::PyArrowType;
use arrow_schema::ArrowError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::digest;
use crate::error::Error;
use crate::hash::FINGERPRINT_VERSION;

pyo3::import_exception!(dedup.errors, NativeError);
pyo3::import_exception!(dedup.errors, ResumeError);

/// Rows on their way through the door.
type Table = PyArrowType<RecordBatch>;

fn first_column<T: 'static>(batch: &RecordBatch) -> Option<&T> {
    batch.columns().first()?.as_any().downcast_ref()
}

impl From<Error> for PyErr {
    fn from(err: Error) -> Self {
        match err {
            Error::SpoolChanged { .. } => ResumeError::new_err(err.to_string()),
            _ => NativeError::new_err(err.to_string()),
        }
    }
}

fn from_arrow(err: ArrowError) -> PyErr {
    NativeError::new_err(err.to_string())
}

#[pyfunction]
fn digest_file(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    Ok(py.detach(|| digest::digest_file(&path))?)
}

/// The hash of bytes that come in parts.
#[pyclass(name = "Hasher", module = "dedup._native")]
#[derive(Default)]
struct PyHasher(digest::Hasher);

#[pymethods]
impl PyHasher {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn update(&mut self, py: Python<'_>, bytes: &[u8]) {
        py.detach(|| self.0.update(bytes));
    }

    fn digest(&self) -> String {
        self.0.digest()
    }
}

/// How many values of the first column, strings, stand among those before them.
#[pyfunction]
fn count_repeated(py: Python<'_>, rows: Table) -> PyResult<usize> {
    let values = first_column::<StringArray>(&rows.0)
        .ok_or_else(|| PyTypeError::new_err("the first column must be strings"))?;
    Ok(py.detach(|| digest::count_repeated(values.iter().flatten())))
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

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("FINGERPRINT_VERSION", FINGERPRINT_VERSION)?;
    module.add_class::<fingerprints::PySpool>()?;
    module.add_class::<fingerprints::PyFingerprinter>()?;
    module.add_class::<fingerprints::PyBatch>()?;
    module.add_class::<corpus::PyCorpus>()?;
    module.add_class::<verifier::PyCandidates>()?;
    module.add_class::<verifier::PyVerifier>()?;
    module.add_class::<verifier::PyVerified>()?;
    module.add_class::<verifier::PyTemplates>()?;
    module.add_class::<matches::PyMatches>()?;
    module.add_class::<corpus::PyGroups>()?;
    module.add_class::<matches::PyScores>()?;
    module.add_class::<matches::PyJudged>()?;
    module.add_function(wrap_pyfunction!(verifier::is_pattern, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_jsonl, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_elements, module)?)?;
    module.add_class::<readers::PyJsonSplitter>()?;
    module.add_class::<readers::PyCsvSkipper>()?;
    module.add_class::<PyHasher>()?;
    module.add_function(wrap_pyfunction!(fingerprints::needed_memory, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_csv, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)?;
    module.add_function(wrap_pyfunction!(count_repeated, module)?)?;
    module.add_function(wrap_pyfunction!(put_in_place, module)?)?;
    Ok(())
}
