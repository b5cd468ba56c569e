//! Blocks of JSONL, JSON and CSV in, rows of articles out.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::tables::to_batch;
use super::{Table, from_arrow};
use crate::columns::{Rows, StringColumn};
use crate::csv::{self, Layout, Place};
use crate::jsonl::{self, Field};

/// The column of an article that must be a JSON string.
const TEXT: &str = "text";

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
pub fn parse_jsonl(
    py: Python<'_>,
    block: &[u8],
    fields: Vec<Wanted>,
    first_line: i64,
) -> PyResult<(Table, usize)> {
    let (columns, fields) = split_wanted(fields);
    let rows = py.detach(|| jsonl::parse_lines(block, &fields, first_line))?;
    let lines = memchr::memchr_iter(b'\n', block).count();
    Ok((to_table(columns, rows)?, lines))
}

#[pyfunction]
#[pyo3(signature = (document, *, fields))]
pub fn parse_json(py: Python<'_>, document: &[u8], fields: Vec<Wanted>) -> PyResult<Table> {
    let (columns, fields) = split_wanted(fields);
    let rows = py.detach(|| jsonl::parse_document(document, &fields))?;
    to_table(columns, rows)
}

#[pyfunction]
#[pyo3(signature = (block, *, fields, width, delimiter, first_row, first_line, is_last))]
#[expect(clippy::too_many_arguments, reason = "each is named by the caller")]
pub fn parse_csv(
    py: Python<'_>,
    block: &[u8],
    fields: Vec<(String, usize)>,
    width: usize,
    delimiter: char,
    first_row: i64,
    first_line: i64,
    is_last: bool,
) -> PyResult<(Table, usize, i64)> {
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
        to_table(columns, parsed.rows)?,
        parsed.consumed,
        parsed.lines,
    ))
}

/// The wanted columns, `input_row`, and `reason` where a row cannot be read.
fn to_table(columns: Vec<String>, rows: Rows) -> PyResult<Table> {
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
    to_batch(arrays)
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
