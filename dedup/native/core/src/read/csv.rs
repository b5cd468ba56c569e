//! CSV and TSV to columns (RFC 4180).
//!
//! Pyarrow's reader is not used because it fails on a row longer than its block, and on a row it
//! cannot read it does not say which line of the file that was.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2};

use super::columns::ArticleRows;
use crate::error::Error;

/// The layout of a file, as its header tells.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The byte between two fields.
    pub delimiter: u8,
    /// How many fields a row must have.
    pub width: usize,
    /// Which of them become columns.
    pub wanted: Vec<usize>,
}

/// What was read from one block.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The rows.
    pub rows: ArticleRows,
    /// Bytes of the block that were complete rows. The next block begins with the rest.
    pub consumed: usize,
    /// Lines in those bytes.
    pub lines: i64,
}

/// Where the block is in its file.
#[derive(Debug, Clone, Copy)]
pub struct RecordPosition {
    /// Row of the first record; the header is not counted.
    pub first_row: i64,
    /// Line of the first record, from 0.
    pub first_line: i64,
    /// Whether the file ends with this block, and a record with the file.
    pub is_last: bool,
}

/// Read the complete rows of a block.
///
/// Blank lines are not rows. A quote counts only where a field begins with it; a quoted field may
/// hold delimiters and line ends, and a doubled quote means one. A row with more or fewer
/// fields than the header, with a quote out of place, or not in UTF-8 is kept with its reason.
///
/// # Errors
/// `TooLong` for a block that one column could not hold.
pub fn parse_block(block: &[u8], layout: &Layout, place: RecordPosition) -> Result<Parsed, Error> {
    let mut parsed = Parsed {
        rows: ArticleRows::new(layout.wanted.len()),
        ..Parsed::default()
    };
    let mut record = Record::default();
    let mut number = place.first_row;
    while record.read(block, parsed.consumed, layout.delimiter, place.is_last) {
        let line = place.first_line + parsed.lines + 1;
        let bytes = &block[parsed.consumed..record.end];
        let lines = memchr_iter(b'\n', bytes).count();
        parsed.consumed = record.end;
        parsed.lines += i64::try_from(lines).unwrap_or(i64::MAX);
        if bytes.trim_ascii().is_empty() && record.cells.len() <= 1 {
            continue;
        }
        let problem = push_record(&mut parsed.rows, block, &mut record, layout)?;
        parsed.rows.end_row(
            number,
            problem.map(|problem| format!("line {line}: {problem}")),
        )?;
        number += 1;
    }
    Ok(parsed)
}

/// Push the wanted cells of a record, as far as they exist; return the first problem.
fn push_record(
    rows: &mut ArticleRows,
    block: &[u8],
    record: &mut Record,
    layout: &Layout,
) -> Result<Option<Error>, Error> {
    let (found, needed) = (record.cells.len(), layout.width);
    let misfit = (found != needed).then_some(Error::FieldCount { found, needed });
    let mut problem = record.problem.take().or(misfit);
    for (column, &place) in rows.columns.iter_mut().zip(&layout.wanted) {
        let Some(cell) = record.cells.get(place) else {
            column.push_null()?;
            continue;
        };
        match std::str::from_utf8(&block[cell.bytes.clone()]) {
            Ok(text) if cell.has_quotes => column.push(&text.replace("\"\"", "\""))?,
            Ok(text) => column.push(text)?,
            Err(err) => {
                column.push_null()?;
                problem = problem.or(Some(Error::NotUtf8 {
                    at: err.valid_up_to() + 1,
                }));
            }
        }
    }
    Ok(problem)
}

/// One field: its bytes without the quotes around it.
#[derive(Debug)]
struct Cell {
    bytes: Range<usize>,
    /// Whether it holds doubled quotes.
    has_quotes: bool,
}

/// One row, its vector reused from row to row.
#[derive(Debug, Default)]
struct Record {
    cells: Vec<Cell>,
    /// Where the next record begins.
    end: usize,
    problem: Option<Error>,
}

impl Record {
    /// Read the record at `start`; false if it is incomplete.
    fn read(&mut self, block: &[u8], start: usize, delimiter: u8, is_last: bool) -> bool {
        self.cells.clear();
        let mut at = start;
        while start < block.len() {
            let is_quoted = block.get(at) == Some(&b'"');
            let cell = match is_quoted {
                true => quoted_cell(block, at + 1),
                false if is_last => plain_cell(block, at, delimiter).or(Some(last_cell(block, at))),
                false => plain_cell(block, at, delimiter),
            };
            let Some(cell) = cell else {
                let lines = memchr_iter(b'\n', block[at..].trim_ascii_end()).count() + 1;
                return is_last && self.end_at(block.len(), Some(Error::OpenQuote { lines }));
            };
            at = cell.bytes.end + usize::from(is_quoted);
            self.cells.push(cell);
            match &block[at..] {
                [byte, ..] if *byte == delimiter => at += 1,
                [b'\n', ..] => return self.end_at(at + 1, None),
                [b'\r', b'\n', ..] => return self.end_at(at + 2, None),
                [] | [b'\r'] => return is_last && self.end_at(block.len(), None),
                rest => {
                    // What follows cannot be parsed, so the row ends with its line.
                    let end = memchr(b'\n', rest).map(|end| at + end + 1);
                    let end = end.or(is_last.then_some(block.len()));
                    return end.is_some_and(|end| self.end_at(end, Some(Error::StrayQuote)));
                }
            }
        }
        false
    }

    fn end_at(&mut self, end: usize, problem: Option<Error>) -> bool {
        self.end = end;
        self.problem = problem;
        true
    }
}

/// A cell without quotes around it, if its end is in the block.
fn plain_cell(block: &[u8], start: usize, delimiter: u8) -> Option<Cell> {
    let mut end = start + memchr2(delimiter, b'\n', &block[start..])?;
    if block[end] == b'\n' && end > start && block[end - 1] == b'\r' {
        end -= 1;
    }
    Some(Cell {
        bytes: start..end,
        has_quotes: false,
    })
}

/// The last cell of a file that does not end with a line end.
fn last_cell(block: &[u8], start: usize) -> Cell {
    let end = block.len() - usize::from(block[start..].ends_with(b"\r"));
    Cell {
        bytes: start..end,
        has_quotes: false,
    }
}

/// A cell that starts after its opening quote, if the closing one is in the block.
fn quoted_cell(block: &[u8], start: usize) -> Option<Cell> {
    let mut has_quotes = false;
    let mut from = start;
    loop {
        let quote = from + memchr(b'"', &block[from..])?;
        if block.get(quote + 1) != Some(&b'"') {
            return Some(Cell {
                bytes: start..quote,
                has_quotes,
            });
        }
        has_quotes = true;
        from = quote + 2;
    }
}

/// Finds the end of a record that is too long to be held, block by block.
#[derive(Debug)]
pub struct Skipper {
    delimiter: u8,
    inside: Inside,
}

/// Where in its record a block ends.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Where a cell begins.
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted cell, which ends it or is the first of two.
    Quote,
    /// After a quote out of place: the row ends with its line.
    Stray,
}

impl Skipper {
    /// Begin at the beginning of a record.
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            inside: Inside::Start,
        }
    }

    /// Where in the next block the record ends, if it does.
    pub fn skip(&mut self, block: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = &block[at..];
            let byte = *rest.first()?;
            let (inside, passed) = match self.inside {
                Inside::Start | Inside::Quote if byte == b'"' => (Inside::Quoted, 1),
                Inside::Start => (Inside::Plain, 0),
                Inside::Plain => {
                    let end = memchr2(self.delimiter, b'\n', rest)?;
                    if rest[end] == b'\n' {
                        return Some(at + end + 1);
                    }
                    (Inside::Start, end + 1)
                }
                Inside::Quoted => (Inside::Quote, memchr(b'"', rest)? + 1),
                Inside::Quote if byte == self.delimiter => (Inside::Start, 1),
                Inside::Quote => (Inside::Stray, 0),
                Inside::Stray => return Some(at + memchr(b'\n', rest)? + 1),
            };
            self.inside = inside;
            at += passed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout(width: usize) -> Layout {
        Layout {
            delimiter: b',',
            width,
            wanted: (0..width).collect(),
        }
    }

    const WHOLE: RecordPosition = RecordPosition {
        first_row: 0,
        first_line: 1,
        is_last: true,
    };

    /// The cells of every row, and its reason.
    fn table(rows: &ArticleRows) -> Vec<(Vec<Option<String>>, Option<String>)> {
        let columns: Vec<Vec<Option<&str>>> = rows
            .columns
            .iter()
            .map(|column| column.iter().collect())
            .collect();
        let cells = |row: usize| columns.iter().map(|c| c[row].map(str::to_owned)).collect();
        let reasons = rows.reasons.iter().map(|reason| reason.map(str::to_owned));
        reasons
            .enumerate()
            .map(|(row, reason)| (cells(row), reason))
            .collect()
    }

    fn good(cells: &[&str]) -> (Vec<Option<String>>, Option<String>) {
        (
            cells.iter().map(|cell| Some((*cell).to_owned())).collect(),
            None,
        )
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_doubled_quotes() {
        let block = b"1,\"a, \"\"b\"\"\r\nc\"\r\n\r\n2,plain \"quote\"\n3,";
        let parsed = parse_block(block, &layout(2), WHOLE).unwrap();
        let expected = [
            good(&["1", "a, \"b\"\r\nc"]),
            good(&["2", "plain \"quote\""]),
            good(&["3", ""]),
        ];
        assert_eq!(table(&parsed.rows), expected);
        assert_eq!((parsed.consumed, parsed.lines), (block.len(), 4));
        assert_eq!(parsed.rows.numbers, [0, 1, 2]);
    }

    #[test]
    fn a_row_that_does_not_fit_the_header_is_named_with_its_line() {
        let parsed = parse_block(b"\"a\nb\",2\n3\n4,5,6\n", &layout(2), WHOLE).unwrap();
        let table = table(&parsed.rows);
        let reasons: Vec<_> = table.iter().map(|(_, reason)| reason.as_deref()).collect();
        let expected = [
            None,
            Some("line 4: the row has 1 fields, but the header has 2"),
            Some("line 5: the row has 3 fields, but the header has 2"),
        ];
        assert_eq!(reasons, expected);
        assert_eq!(table[1].0, [Some("3".to_owned()), None]);
    }

    #[test]
    fn a_quote_out_of_place_costs_one_line() {
        let parsed = parse_block(b"1,\"a\" b\n2,c\n", &layout(2), WHOLE).unwrap();
        let table = table(&parsed.rows);
        let reason = "line 2: a quote inside a quoted field is not doubled";
        assert_eq!(table[0].1.as_deref(), Some(reason));
        assert_eq!(table[1], good(&["2", "c"]));
    }

    #[test]
    fn a_quote_that_is_never_closed_says_how_much_it_takes_in() {
        let parsed = parse_block(b"1,\"a\n2,b\n3,c\n", &layout(2), WHOLE).unwrap();
        let table = table(&parsed.rows);
        let reason =
            "line 2: a quote is opened and never closed: it spans 3 lines, to the end of the file";
        assert_eq!(table.len(), 1);
        assert_eq!(table[0].0[0].as_deref(), Some("1"));
        assert_eq!(table[0].1.as_deref(), Some(reason));
    }

    #[test]
    fn invalid_utf8_costs_one_row() {
        let parsed = parse_block(b"1,a\xff\n2,b\n", &layout(2), WHOLE).unwrap();
        let table = table(&parsed.rows);
        assert_eq!(
            table[0].1.as_deref(),
            Some("line 2: not valid UTF-8 from byte 2 on")
        );
        assert_eq!(table[1], good(&["2", "b"]));
    }

    fn write(rows: &[Vec<String>]) -> String {
        let mut out = String::new();
        for row in rows {
            let cells: Vec<_> = row
                .iter()
                .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
                .collect();
            out += &cells.join(",");
            out += "\n";
        }
        out
    }

    proptest! {
        #[test]
        fn rows_come_back_as_written_wherever_the_file_is_cut(
            rows in prop::collection::vec(prop::collection::vec("[ab,\"\r\né]{0,4}", 3), 0..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let file = write(&rows).into_bytes();
            let cut = cut.index(file.len() + 1);
            let start = RecordPosition { first_row: 0, first_line: 0, is_last: false };
            let head = parse_block(&file[..cut], &layout(3), start).unwrap();
            let first_row = i64::try_from(head.rows.numbers.len()).unwrap();
            let place = RecordPosition { first_row, first_line: head.lines, is_last: true };
            let tail = parse_block(&file[head.consumed..], &layout(3), place).unwrap();
            let found: Vec<_> = [table(&head.rows), table(&tail.rows)].concat();
            let expected: Vec<_> = rows
                .iter()
                .map(|row| (row.iter().cloned().map(Some).collect::<Vec<_>>(), None))
                .collect();
            prop_assert_eq!(found, expected);
            let lines = memchr_iter(b'\n', &file).count();
            prop_assert_eq!(head.lines + tail.lines, i64::try_from(lines).unwrap());
        }

        #[test]
        fn a_record_that_is_skipped_ends_where_it_ends_for_the_reader(
            block in "[ab,\"\r\n]{0,30}", size in 1usize..9
        ) {
            let first = RecordPosition { first_row: 0, first_line: 0, is_last: false };
            let mut record = Record::default();
            let is_whole = record.read(block.as_bytes(), 0, b',', first.is_last);
            let expected = is_whole.then_some(record.end);
            let mut skipper = Skipper::new(b',');
            let mut passed = 0;
            let ends = block.as_bytes().chunks(size).find_map(|part| {
                let end = skipper.skip(part).map(|end| passed + end);
                passed += part.len();
                end
            });
            prop_assert_eq!(ends, expected);
        }

        #[test]
        fn any_bytes_are_consumed_whole(block in prop::collection::vec(any::<u8>(), 0..200)) {
            let parsed = parse_block(&block, &layout(2), WHOLE).unwrap();
            prop_assert_eq!(parsed.consumed, block.len());
        }
    }
}
