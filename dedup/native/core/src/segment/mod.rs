//! One batch of articles as it is kept on disk.

mod batch;

pub use batch::{BatchRecord, Numbers, Spooled};
