//! Digests of files and of streams of bytes, and strings that repeat.

use std::path::PathBuf;

use arrow_array::{LargeStringArray, StringArray};
use pyo3::prelude::*;

use crate::failure::{Outcome, wrong_type};
use crate::interrupt::interruptible;
use crate::rows::{Table, first_column};
use crate::spool::PySpool;
use dedup_core::read::digest;
use dedup_core::util::Stop;

/// The digest of a file. It ends early with the work on a spool.
#[pyfunction]
#[pyo3(signature = (path, spool=None))]
pub fn digest_file(py: Python<'_>, path: PathBuf, spool: Option<&PySpool>) -> Outcome<String> {
    let stop = spool.map_or_else(Stop::default, |spool| spool.0.stop.clone());
    interruptible(py, &stop, || digest::digest_file(&path))
}

/// The hash of bytes that come in parts.
#[pyclass(name = "Hasher", module = "dedup._native")]
#[derive(Default)]
pub struct PyHasher(digest::Hasher);

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

/// How many values of the first column, strings, repeat an earlier one.
#[pyfunction]
pub fn count_repeated(py: Python<'_>, rows: Table) -> Outcome<usize> {
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
        _ => Err(wrong_type("the first column must be strings")),
    };
    interruptible(py, &Stop::default(), count)
}
