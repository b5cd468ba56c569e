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

use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;

use arrow_array::{Array, RecordBatch, StringArray};
use arrow_pyarrow::PyArrowType;
use arrow_schema::ArrowError;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use rustix::fs::{RenameFlags, renameat_with};

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

/// How many values of the first column, strings, stand among those before them.
#[pyfunction]
fn count_repeated(py: Python<'_>, rows: Table) -> PyResult<usize> {
    let values = first_column::<StringArray>(&rows.0)
        .ok_or_else(|| PyTypeError::new_err("the first column must be strings"))?;
    Ok(py.detach(|| digest::count_repeated(values.iter().flatten())))
}

/// A descriptor that Python holds open during a call.
fn borrow<'a>(descriptor: RawFd) -> PyResult<BorrowedFd<'a>> {
    if descriptor < 0 {
        return Err(PyValueError::new_err("a descriptor is never negative"));
    }
    // SAFETY: it is not -1, and the caller closes it after the call, if at all.
    Ok(unsafe { BorrowedFd::borrow_raw(descriptor) })
}

/// Exchange two names, each in an open folder, in one step.
#[pyfunction]
fn exchange_names(folder: RawFd, name: PathBuf, other: RawFd, other_name: PathBuf) -> PyResult<()> {
    rename(folder, name, other, other_name, RenameFlags::EXCHANGE)
}

/// Rename in one step, unless something has the new name.
#[pyfunction]
fn rename_new(folder: RawFd, name: PathBuf, other: RawFd, other_name: PathBuf) -> PyResult<()> {
    rename(folder, name, other, other_name, RenameFlags::NOREPLACE)
}

fn rename(
    folder: RawFd,
    name: PathBuf,
    other: RawFd,
    other_name: PathBuf,
    how: RenameFlags,
) -> PyResult<()> {
    renameat_with(borrow(folder)?, name, borrow(other)?, other_name, how).map_err(|err| {
        let reason = std::io::Error::from(err).to_string();
        let reason = reason.split(" (os error").next().map(str::to_owned);
        PyOSError::new_err((err.raw_os_error(), reason))
    })
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
    module.add_function(wrap_pyfunction!(readers::parse_json, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_csv, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)?;
    module.add_function(wrap_pyfunction!(count_repeated, module)?)?;
    module.add_function(wrap_pyfunction!(exchange_names, module)?)?;
    module.add_function(wrap_pyfunction!(rename_new, module)?)?;
    Ok(())
}
