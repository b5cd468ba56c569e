//! What is said of an article: spans of flagged words, and what each paragraph is.

/// Why words of an article are flagged. The order is that of `SPAN_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SpanKind {
    InternalRepeat,
    ExactCopy,
    NearCopy,
    SharedRun,
    Boilerplate,
    Templated,
}

/// Flagged words, in code points of the article.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Span {
    pub article: u32,
    pub start: u32,
    pub end: u32,
    pub kind: SpanKind,
    /// Where they appeared before, unless they are formulaic.
    pub source: Option<SpanSource>,
    /// The distinct they are in, or the boilerplate they are; none for an internal repeat.
    pub distinct: Option<u32>,
    pub template: Option<u32>,
}

/// Words of another article, or of the same one, in code points.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SpanSource {
    pub article: u32,
    pub start: u32,
    pub end: u32,
    /// Of the two paragraphs.
    pub similarity: f64,
}

/// What a paragraph is. The order is that of `PARAGRAPH_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParagraphKind {
    Original,
    ExactCopy,
    NearCopy,
    InternalRepeat,
    TooShort,
    Boilerplate,
    Templated,
}

/// The verdict on one paragraph.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParagraphVerdict {
    pub kind: ParagraphKind,
    /// The paragraph it was matched with, and how similar the two are.
    pub source: Option<(u32, f64)>,
    /// The template that fixes most of it.
    pub template: Option<u32>,
}

impl ParagraphVerdict {
    pub(super) fn new(kind: ParagraphKind) -> Self {
        Self {
            kind,
            source: None,
            template: None,
        }
    }

    pub(super) fn matched(kind: ParagraphKind, paragraph: u32, likeness: f64) -> Self {
        Self {
            source: Some((paragraph, likeness)),
            ..Self::new(kind)
        }
    }
}
