//! A temporary file for data that a scan will need again: the text and the packed rows.
//!
//! One without a name disappears with the process, however that ends; one with a name can be opened
//! again by a scan that is resumed. Nothing in it is kept in memory; what the system caches of it,
//! the system can drop.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::error::Error;
use crate::util::Stop;

pub struct Spool {
    file: File,
    folder: PathBuf,
    end: AtomicU64,
    /// Ends all work on the content of the spool, which belongs to one scan.
    pub stop: Stop,
    /// Bytes written and read since it was opened, and bytes of text read back to tokenise again.
    pub traffic: Traffic,
}

/// Counts of bytes, added to by all threads.
#[derive(Default)]
pub struct Traffic {
    pub written: AtomicU64,
    pub read: AtomicU64,
    pub tokenised_again: AtomicU64,
}

/// A place in a spool, and the hash of what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extent {
    pub at: u64,
    pub len: u64,
    pub check: u64,
}

impl Spool {
    /// Make a file without a name in a folder.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn temporary(folder: &Path) -> Result<Self, Error> {
        let file = tempfile::tempfile_in(folder).map_err(|source| Error::Spool {
            folder: folder.into(),
            source,
        })?;
        Self::adopt(file, folder, 0)
    }

    /// Take over an open file of a folder, and keep its first `end` bytes.
    ///
    /// # Errors
    /// The file cannot be written, or is shorter than that.
    pub fn adopt(file: File, folder: &Path, end: u64) -> Result<Self, Error> {
        let spool = Self {
            file,
            folder: folder.into(),
            end: AtomicU64::new(end),
            stop: Stop::default(),
            traffic: Traffic::default(),
        };
        let failed = |source| spool.error(source);
        let len = spool.file.metadata().map_err(failed)?.len();
        spool.file.set_len(end.min(len)).map_err(failed)?;
        if len < end {
            return Err(spool.changed());
        }
        Ok(spool)
    }

    /// Add parts one after another. Threads may call this at once.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn append(&self, parts: &[&[u8]]) -> Result<Extent, Error> {
        let len = parts.iter().map(|part| part.len() as u64).sum();
        let at = self.end.fetch_add(len, Ordering::Relaxed);
        self.traffic.written.fetch_add(len, Ordering::Relaxed);
        let mut hasher = Xxh3::new();
        let mut next = at;
        for part in parts {
            hasher.update(part);
            self.file
                .write_all_at(part, next)
                .map_err(|source| self.error(source))?;
            next += part.len() as u64;
        }
        Ok(Extent {
            at,
            len,
            check: hasher.digest(),
        })
    }

    /// Wait until everything appended so far is on the disk.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| self.error(source))
    }

    /// Fill `bytes` from position `at`.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let len = bytes.len() as u64;
        self.traffic.read.fetch_add(len, Ordering::Relaxed);
        self.file
            .read_exact_at(bytes, at)
            .map_err(|source| self.error(source))
    }

    /// Read all bytes of a place, if they are what was written.
    ///
    /// # Errors
    /// The disk fails, or returns other bytes: a machine that lost power kept only a part.
    pub fn restore(&self, extent: Extent) -> Result<Vec<u8>, Error> {
        let end = extent.at.checked_add(extent.len);
        if end.is_none_or(|end| end > self.end.load(Ordering::Relaxed)) {
            return Err(self.changed());
        }
        let mut bytes = vec![0; extent.len as usize];
        self.read(extent.at, &mut bytes)?;
        if xxhash_rust::xxh3::xxh3_64(&bytes) != extent.check {
            return Err(self.changed());
        }
        Ok(bytes)
    }

    /// The error for a spool that has changed.
    pub fn changed(&self) -> Error {
        Error::SpoolChanged {
            folder: self.folder.clone(),
        }
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::Spool {
            folder: self.folder.clone(),
            source,
        }
    }
}
