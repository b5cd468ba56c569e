//! The Python door: the only file that knows pyo3 and Arrow's C interface.
//!
//! Arrow crosses by `arrow_pyarrow::PyArrowType<RecordBatch>` (arrow-pyarrow 60, pyo3 0.29).

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_pyarrow::PyArrowType;
use arrow_schema::ArrowError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::columns::{Rows, StringColumn};
use crate::csv::{self, Layout, Place};
use crate::digest;
use crate::error::Error;
use crate::jsonl::{self, Field};

/// The column of an article that must be a JSON string.
const TEXT: &str = "text";

pyo3::import_exception!(dedup.errors, NativeError);

impl From<Error> for PyErr {
    fn from(err: Error) -> Self {
        NativeError::new_err(err.to_string())
    }
}

/// Name, and the field names that may stand for it, best first.
type Wanted = (String, Vec<String>);

fn split_wanted(wanted: Vec<Wanted>) -> (Vec<String>, Vec<Field>) {
    let field = |(column, names): Wanted| {
        let must_be_text = column == TEXT;
        (
            column,
            Field {
                names,
                must_be_text,
            },
        )
    };
    wanted.into_iter().map(field).unzip()
}

#[pyfunction]
#[pyo3(signature = (block, *, fields, first_line))]
#[allow(clippy::needless_pass_by_value)] // pyo3 gives values
fn parse_jsonl(
    py: Python<'_>,
    block: &[u8],
    fields: Vec<Wanted>,
    first_line: i64,
) -> PyResult<(PyArrowType<RecordBatch>, usize)> {
    let (columns, fields) = split_wanted(fields);
    let rows = py.detach(|| jsonl::parse_lines(block, &fields, first_line))?;
    let lines = memchr::memchr_iter(b'\n', block).count();
    Ok((to_batch(columns, rows)?, lines))
}

#[pyfunction]
#[pyo3(signature = (document, *, fields))]
fn parse_json(
    py: Python<'_>,
    document: &[u8],
    fields: Vec<Wanted>,
) -> PyResult<PyArrowType<RecordBatch>> {
    let (columns, fields) = split_wanted(fields);
    let rows = py.detach(|| jsonl::parse_document(document, &fields))?;
    to_batch(columns, rows)
}

#[pyfunction]
#[pyo3(signature = (block, *, fields, width, delimiter, first_row, first_line, is_last))]
#[allow(clippy::too_many_arguments)] // each is named by the caller
fn parse_csv(
    py: Python<'_>,
    block: &[u8],
    fields: Vec<(String, usize)>,
    width: usize,
    delimiter: char,
    first_row: i64,
    first_line: i64,
    is_last: bool,
) -> PyResult<(PyArrowType<RecordBatch>, usize, i64)> {
    let delimiter = u8::try_from(delimiter)
        .map_err(|_| PyValueError::new_err(format!("the delimiter {delimiter:?} is not ASCII")))?;
    let (columns, wanted) = fields.into_iter().unzip();
    let layout = Layout {
        delimiter,
        width,
        wanted,
    };
    let place = Place {
        first_row,
        first_line,
        is_last,
    };
    let parsed = py.detach(|| csv::parse_block(block, &layout, place))?;
    Ok((
        to_batch(columns, parsed.rows)?,
        parsed.consumed,
        parsed.lines,
    ))
}

#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 gives values
fn digest_file(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    Ok(py.detach(|| digest::digest_file(&path))?)
}

/// Rows as a batch: the wanted columns, `input_row`, and `reason` where a row cannot be read.
fn to_batch(columns: Vec<String>, rows: Rows) -> PyResult<PyArrowType<RecordBatch>> {
    let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(columns.len() + 2);
    for (name, column) in columns.into_iter().zip(rows.columns) {
        arrays.push((name, to_strings(column).map_err(from_arrow)?));
    }
    arrays.push((
        "input_row".to_owned(),
        Arc::new(Int64Array::from(rows.numbers)),
    ));
    arrays.push((
        "reason".to_owned(),
        to_strings(rows.reasons).map_err(from_arrow)?,
    ));
    let nullable = arrays.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(nullable).map_err(from_arrow)?;
    Ok(PyArrowType(batch))
}

fn to_strings(column: StringColumn) -> Result<ArrayRef, ArrowError> {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(column.offsets));
    let mut values = column.values;
    if values.len() < values.capacity() / 2 {
        values.shrink_to_fit();
    }
    let values = Buffer::from_vec(values.into_bytes());
    let nulls = Some(NullBuffer::from(column.valid)).filter(|nulls| nulls.null_count() > 0);
    Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
}

#[allow(clippy::needless_pass_by_value)] // fits map_err
fn from_arrow(err: ArrowError) -> PyErr {
    NativeError::new_err(err.to_string())
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    crate::python_engine::register(module)?;
    module.add_function(wrap_pyfunction!(parse_jsonl, module)?)?;
    module.add_function(wrap_pyfunction!(parse_json, module)?)?;
    module.add_function(wrap_pyfunction!(parse_csv, module)?)?;
    module.add_function(wrap_pyfunction!(digest_file, module)?)?;
    Ok(())
}
