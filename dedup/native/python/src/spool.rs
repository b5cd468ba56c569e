//! The temporary file of a scan, and what is saved in it.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::de::DeserializeOwned;

use crate::failure::Outcome;
use crate::interrupt::interruptible;
use crate::names::borrow;
use dedup_core::store::{Extent, Spool, checkpoint};

/// A place in a spool: position, bytes and hash.
pub type Saved = (u64, u64, u64);

pub fn to_saved(extent: Extent) -> Saved {
    (extent.at, extent.len, extent.check)
}

pub fn from_saved((at, len, check): Saved) -> Extent {
    Extent { at, len, check }
}

/// A temporary file for data that a scan will need again.
#[pyclass(name = "Spool", frozen, module = "dedup._native")]
pub struct PySpool(pub Arc<Spool>);

#[pymethods]
impl PySpool {
    /// A file without a name in a folder.
    #[staticmethod]
    fn temporary(folder: PathBuf) -> Outcome<Self> {
        Ok(Self(Arc::new(Spool::temporary(&folder)?)))
    }

    /// An open file of a folder, of which the first `end` bytes are kept.
    #[staticmethod]
    fn adopt(descriptor: RawFd, folder: PathBuf, end: u64) -> Outcome<Self> {
        let file = borrow(descriptor)?.try_clone_to_owned()?;
        Ok(Self(Arc::new(Spool::adopt(file.into(), &folder, end)?)))
    }

    /// Add bytes; return their place.
    fn append(&self, data: &[u8]) -> Outcome<Saved> {
        Ok(to_saved(self.0.append(&[data])?))
    }

    /// Wait until everything added so far is on the disk.
    fn sync(&self, py: Python<'_>) -> Outcome<()> {
        Ok(py.detach(|| self.0.sync())?)
    }

    /// End all work on the content of the spool, now and later, with a `KeyboardInterrupt`.
    fn stop(&self) {
        self.0.stop.set();
    }

    /// Bytes written, read, and read to be tokenised again, since the file was opened.
    fn traffic(&self) -> (u64, u64, u64) {
        let traffic = &self.0.traffic;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            count(&traffic.written),
            count(&traffic.read),
            count(&traffic.tokenised_again),
        )
    }

    /// Read what was added at a place.
    fn read<'py>(&self, py: Python<'py>, saved: Saved) -> Outcome<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.restore(from_saved(saved))?))
    }
}

/// Restore a value that another process saved.
pub fn restore<T: DeserializeOwned + Send>(
    py: Python<'_>,
    spool: &Spool,
    saved: Saved,
) -> Outcome<T> {
    interruptible(py, &spool.stop, || {
        checkpoint::restore(from_saved(saved), spool)
    })
}
