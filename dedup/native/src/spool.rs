//! A temporary file that holds what a scan will need again: the text and the packed rows.
//!
//! It has no name, so it is gone when the process is, however it ends. Nothing in it is kept in
//! memory; what the system caches of it, the system can drop.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

pub struct Spool {
    file: File,
    folder: PathBuf,
    end: AtomicU64,
}

impl Spool {
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn new(folder: &Path) -> Result<Self, Error> {
        let file = tempfile::tempfile_in(folder).map_err(|source| Error::Spool {
            folder: folder.into(),
            source,
        })?;
        Ok(Self {
            file,
            folder: folder.into(),
            end: AtomicU64::new(0),
        })
    }

    /// Add bytes and return where they start. Threads may call this at once.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn append(&self, bytes: &[u8]) -> Result<u64, Error> {
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file
            .write_all_at(bytes, at)
            .map_err(|source| self.error(source))?;
        Ok(at)
    }

    /// Fill `bytes` from position `at`.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        self.file
            .read_exact_at(bytes, at)
            .map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::Spool {
            folder: self.folder.clone(),
            source,
        }
    }
}
