//! Rows on their way between Python and the core.

use arrow_array::{Array, RecordBatch};
use arrow_pyarrow::PyArrowType;

/// A record batch that crosses by Arrow's C interface.
pub type Table = PyArrowType<RecordBatch>;

/// The first column of a batch, if it has the requested type.
pub fn first_column<T: 'static>(batch: &RecordBatch) -> Option<&T> {
    batch.columns().first()?.as_any().downcast_ref()
}
