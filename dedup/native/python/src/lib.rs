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
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use arrow_array::{Array, LargeStringArray, RecordBatch, StringArray};
use arrow_pyarrow::PyArrowType;
use arrow_schema::ArrowError;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use rustix::fs::{RenameFlags, renameat_with};

use dedup_core::read::digest;
use dedup_core::error::{Error};
use dedup_core::text::{FINGERPRINT_VERSION};
use dedup_core::util::{Stop};

pyo3::import_exception!(dedup.errors, NativeError);
pyo3::import_exception!(dedup.errors, ResumeError);
pyo3::import_exception!(dedup.errors, TooManyParagraphsError);

/// Rows on their way through the door.
type Table = PyArrowType<RecordBatch>;

fn first_column<T: 'static>(batch: &RecordBatch) -> Option<&T> {
    batch.columns().first()?.as_any().downcast_ref()
}

impl From<Error> for PyErr {
    fn from(err: Error) -> Self {
        match err {
            Error::Interrupted => PyKeyboardInterrupt::new_err(()),
            Error::TooManyParagraphs { .. } => TooManyParagraphsError::new_err(err.to_string()),
            Error::SpoolChanged { .. } => ResumeError::new_err(err.to_string()),
            _ => NativeError::new_err(err.to_string()),
        }
    }
}

fn from_arrow(err: ArrowError) -> PyErr {
    NativeError::new_err(err.to_string())
}

/// How often waiting threads look for signals, which Python handles in its main thread only.
const POLL: Duration = Duration::from_millis(50);

/// Do work that may take long on a thread of its own, while this one handles signals. What a
/// handler raises stops the work, and is raised here once that has ended.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over lifetimes"
)]
fn interruptible<T: Send, E: Send>(
    py: Python<'_>,
    stop: &Stop,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T>
where
    PyErr: From<E>,
{
    py.detach(|| {
        std::thread::scope(|scope| {
            let (finished, waiting) = channel::<()>();
            let worker = scope.spawn(move || {
                let _finished = finished; // dropped at the end, which ends the waiting
                stop.run(work)
            });
            let mut raised = Ok(());
            while raised.is_ok() && waiting.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                raised = Python::attach(|py| py.check_signals());
            }
            if raised.is_err() {
                stop.set();
            }
            let outcome = worker.join();
            raised?;
            Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))??)
        })
    })
}

/// The digest of a file. It ends early with the work on a spool.
#[pyfunction]
#[pyo3(signature = (path, spool=None))]
fn digest_file(
    py: Python<'_>,
    path: PathBuf,
    spool: Option<&fingerprints::PySpool>,
) -> PyResult<String> {
    let stop = spool.map_or_else(Stop::default, |spool| spool.0.stop.clone());
    interruptible(py, &stop, || digest::digest_file(&path))
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
    let (few, many) = (first_column(&rows.0), first_column(&rows.0));
    let count = || match (few, many) {
        (Some(few), _) => {
            let few: &StringArray = few;
            Ok(digest::count_repeated(few.iter().flatten()))
        }
        (_, Some(many)) => {
            let many: &LargeStringArray = many;
            Ok(digest::count_repeated(many.iter().flatten()))
        }
        _ => Err(PyTypeError::new_err("the first column must be strings")),
    };
    interruptible(py, &Stop::default(), count)
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
    module.add_function(wrap_pyfunction!(readers::parse_elements, module)?)?;
    module.add_class::<readers::PyJsonSplitter>()?;
    module.add_class::<readers::PyCsvSkipper>()?;
    module.add_class::<PyHasher>()?;
    module.add_function(wrap_pyfunction!(fingerprints::needed_memory, module)?)?;
    module.add_function(wrap_pyfunction!(readers::parse_csv, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)?;
    module.add_function(wrap_pyfunction!(count_repeated, module)?)?;
    module.add_function(wrap_pyfunction!(exchange_names, module)?)?;
    module.add_function(wrap_pyfunction!(rename_new, module)?)?;
    Ok(())
}
