//! Names of files in open folders.

use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use rustix::fs::{RenameFlags, renameat_with};

/// A descriptor that Python holds open during a call.
pub fn borrow<'a>(descriptor: RawFd) -> PyResult<BorrowedFd<'a>> {
    if descriptor < 0 {
        return Err(PyValueError::new_err("a descriptor is never negative"));
    }
    // SAFETY: it is not -1, and the caller closes it after the call, if at all.
    Ok(unsafe { BorrowedFd::borrow_raw(descriptor) })
}

/// Exchange two names, each in an open folder, in one step.
#[pyfunction]
pub fn exchange_names(
    folder: RawFd,
    name: PathBuf,
    other: RawFd,
    other_name: PathBuf,
) -> PyResult<()> {
    rename(folder, name, other, other_name, RenameFlags::EXCHANGE)
}

/// Rename in one step, unless something has the new name.
#[pyfunction]
pub fn rename_new(folder: RawFd, name: PathBuf, other: RawFd, other_name: PathBuf) -> PyResult<()> {
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
