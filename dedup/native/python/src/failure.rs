//! What can go wrong in a call, as Python sees it.

use arrow_schema::ArrowError;
use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyTypeError, PyValueError};

use dedup_core::Error;

pyo3::import_exception!(dedup.errors, NativeError);
pyo3::import_exception!(dedup.errors, ResumeError);
pyo3::import_exception!(dedup.errors, TooManyParagraphsError);

/// A failure of the core, of Arrow, or of a call that passes the wrong arguments.
pub struct Failure(PyErr);

pub type Outcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(err: Error) -> Self {
        Self(match err {
            Error::Interrupted => PyKeyboardInterrupt::new_err(()),
            Error::TooManyParagraphs { .. } => TooManyParagraphsError::new_err(err.to_string()),
            Error::SpoolChanged { .. } => ResumeError::new_err(err.to_string()),
            _ => NativeError::new_err(err.to_string()),
        })
    }
}

impl From<ArrowError> for Failure {
    fn from(err: ArrowError) -> Self {
        Self(NativeError::new_err(err.to_string()))
    }
}

impl From<std::io::Error> for Failure {
    fn from(err: std::io::Error) -> Self {
        Self(err.into())
    }
}

impl From<PyErr> for Failure {
    fn from(err: PyErr) -> Self {
        Self(err)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// An argument of a type that the call does not take.
pub fn wrong_type(message: &'static str) -> Failure {
    Failure(PyTypeError::new_err(message))
}

/// An argument of a value that the call does not take.
pub fn wrong_value(message: impl Into<String>) -> Failure {
    Failure(PyValueError::new_err(message.into()))
}
