//! What a scan keeps on disk: one file, checked when it is read back.

pub mod checkpoint;
mod partition;
mod spilled;
mod spool;

pub(crate) use checkpoint::{restore, save};
pub use partition::{PARTITIONS, Rows, range_of, unpack};
pub(crate) use partition::{IDENTITY_BYTES, ROW_BYTES, unpack_identities};
pub(crate) use spilled::{Shelves};
pub use spool::{Extent, Spool};
