//! Evidence to scores: which words of an article are copied, repeated or formulaic.

mod judge;

pub use judge::{
    Judged, ParagraphKind, ParagraphVerdict, Score, Scores, Span, SpanKind, SpanSource, judge,
};
