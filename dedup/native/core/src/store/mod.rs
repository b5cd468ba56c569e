//! What a scan keeps on disk: one file, checked when it is read back.

pub mod checkpoint;
mod partition;
mod spilled;
mod spool;

pub(crate) use checkpoint::{restore, save};
pub(crate) use partition::{IDENTITY_BYTES, ROW_BYTES, pack_identities, unpack_identities};
pub use partition::{KeyRows, PARTITIONS, range_of, unpack};
pub(crate) use spilled::SpilledRows;
pub use spool::{Extent, Spool};
