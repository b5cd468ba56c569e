//! Blocks of JSONL, JSON and CSV in, rows of articles out.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::{Outcome, wrong_value};
use crate::rows::Table;
use crate::tables::to_batch;
use dedup_core::read::{
    ArticleRows, Element, ElementPosition, Field, Layout, Splitter, StringColumn, csv, jsonl,
};

/// The column of an article that must be a JSON string.
const TEXT: &str = "text";

/// Name, and the field names it may have, best first.
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
) -> Outcome<(Table, usize)> {
    let (columns, fields) = split_wanted(fields);
    let rows = py.detach(|| jsonl::parse_lines(block, &fields, first_line))?;
    let lines = memchr::memchr_iter(b'\n', block).count();
    Ok((to_table(columns, rows)?, lines))
}

/// An element, none if it is too long, and its place: bytes, lines and bytes in its line.
type RawElement = (Option<Py<PyBytes>>, usize, usize, usize);

/// Cuts a JSON document into its elements.
#[pyclass(name = "JsonSplitter", module = "dedup._native")]
pub struct PyJsonSplitter(Splitter);

#[pymethods]
impl PyJsonSplitter {
    #[new]
    fn new(max_bytes: usize) -> Self {
        Self(Splitter::new(max_bytes))
    }

    /// Add the next block; return the elements that end in it.
    fn split(&mut self, py: Python<'_>, block: &[u8]) -> Vec<RawElement> {
        let mut elements = Vec::new();
        py.detach(|| self.0.split(block, &mut elements));
        to_raw(py, elements)
    }

    /// The element in which the document ends early, and what is wrong with the document.
    fn finish(&mut self, py: Python<'_>) -> (Vec<RawElement>, Option<String>) {
        let mut elements = Vec::new();
        let problem = self.0.finish(&mut elements).err();
        (to_raw(py, elements), problem.map(|p| p.to_string()))
    }
}

fn to_raw(py: Python<'_>, elements: Vec<Element>) -> Vec<RawElement> {
    let to_raw = |element: Element| {
        let ElementPosition { byte, line, column } = element.place;
        let bytes = element.bytes.map(|bytes| PyBytes::new(py, &bytes).unbind());
        (bytes, byte, line, column)
    };
    elements.into_iter().map(to_raw).collect()
}

/// Elements of a JSON document as rows from `first_row` on.
#[pyfunction]
#[pyo3(signature = (elements, *, fields, first_row, max_bytes))]
pub fn parse_elements(
    py: Python<'_>,
    elements: Vec<RawElement>,
    fields: Vec<Wanted>,
    first_row: i64,
    max_bytes: usize,
) -> Outcome<Table> {
    let (columns, fields) = split_wanted(fields);
    let elements = elements.iter().map(|(bytes, byte, line, column)| {
        let place = ElementPosition {
            byte: *byte,
            line: *line,
            column: *column,
        };
        (bytes.as_ref().map(|bytes| bytes.as_bytes(py)), place)
    });
    let rows = jsonl::parse_elements(elements, &fields, first_row, max_bytes)?;
    to_table(columns, rows)
}

/// Finds the end of a record of CSV that is too long to be held.
#[pyclass(name = "CsvSkipper", module = "dedup._native")]
pub struct PyCsvSkipper(csv::Skipper);

#[pymethods]
impl PyCsvSkipper {
    #[new]
    fn new(delimiter: char) -> Outcome<Self> {
        Ok(Self(csv::Skipper::new(read_delimiter(delimiter)?)))
    }

    /// Where in the next block the record ends, if it does.
    fn skip(&mut self, block: &[u8]) -> Option<usize> {
        self.0.skip(block)
    }
}

fn read_delimiter(delimiter: char) -> Outcome<u8> {
    u8::try_from(delimiter)
        .map_err(|_| wrong_value(format!("the delimiter {delimiter:?} is not ASCII")))
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
) -> Outcome<(Table, usize, i64)> {
    let delimiter = read_delimiter(delimiter)?;
    let (columns, wanted) = fields.into_iter().unzip();
    let layout = Layout {
        delimiter,
        width,
        wanted,
    };
    let place = csv::RecordPosition {
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
fn to_table(columns: Vec<String>, rows: ArticleRows) -> Outcome<Table> {
    let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(columns.len() + 2);
    for (name, column) in columns.into_iter().zip(rows.columns) {
        arrays.push((name, to_strings(column)?));
    }
    arrays.push((
        "input_row".to_owned(),
        Arc::new(Int64Array::from(rows.numbers)),
    ));
    arrays.push(("reason".to_owned(), to_strings(rows.reasons)?));
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
