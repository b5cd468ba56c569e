//! What can go wrong, each variant with the sentence that the user reads.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Everything this crate refuses or fails at, and why a row of an input cannot be read.
#[derive(Debug, Error)]
pub enum Error {
    /// A file that cannot be opened or read to its end.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// More bytes than the offsets of one column can count.
    #[error("one piece has {bytes} bytes, but a column holds at most {}", i32::MAX)]
    TooLong {
        /// How many there are.
        bytes: usize,
    },

    /// Bytes that are not text.
    #[error("not valid UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The first such byte, counted from 1.
        at: usize,
    },

    /// Text that is not JSON.
    #[error("not valid JSON: {problem}")]
    NotJson {
        /// What the parser said, and where.
        problem: String,
    },

    /// An element of a JSON document that is too long to be held.
    #[error("the JSON of the article is longer than {max_bytes} bytes")]
    LongElement {
        /// How long one may be.
        max_bytes: usize,
    },

    /// JSON that has no fields.
    #[error("an article must be a JSON object, but this is {kind}")]
    NotAnObject {
        /// What it is instead.
        kind: &'static str,
    },

    /// A text that is a number, a list, an object or a boolean.
    #[error("the text must be a string, but this is {kind}")]
    NotText {
        /// What it is instead.
        kind: &'static str,
    },

    /// A CSV row that does not fit its header.
    #[error("the row has {found} fields, but the header has {needed}")]
    FieldCount {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        needed: usize,
    },

    /// A CSV field that begins with a quote and continues after the closing one.
    #[error("a quote inside a quoted field is not doubled")]
    StrayQuote,

    /// A CSV field that begins with a quote and lasts to the end of the file.
    #[error("a quote is opened and never closed: it spans {lines} lines, to the end of the file")]
    OpenQuote {
        /// Lines from the quote to the end.
        lines: usize,
    },

    /// A temporary file that fails: usually a full disk.
    #[error("the temporary file in {} failed: {source}", folder.display())]
    Spool {
        /// The folder that holds it.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A temporary file of an earlier process that is not as it was left.
    #[error("the temporary file in {} is not what the unfinished scan wrote", folder.display())]
    SpoolChanged {
        /// The folder that holds it.
        folder: PathBuf,
    },

    /// More articles than their numbers can count.
    #[error("{articles} articles, but at most {limit} can be numbered")]
    TooManyArticles {
        /// How many there are.
        articles: usize,
        /// The limit.
        limit: u32,
    },

    /// A count that a column of a table cannot hold.
    #[error("{count} is more than the {} that a column of counts holds", i32::MAX)]
    TooLarge {
        /// The count.
        count: u32,
    },

    /// Work that was asked to stop.
    #[error("interrupted")]
    Interrupted,

    /// More paragraphs than their numbers can count.
    #[error("{paragraphs} paragraphs, but at most {limit} can be numbered")]
    TooManyParagraphs {
        /// How many there are.
        paragraphs: usize,
        /// The limit.
        limit: u32,
    },
}
