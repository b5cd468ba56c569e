//! Evidence to scores: which words of an article are copied, repeated or formulaic.

mod judge;

pub use judge::{Judged, ParagraphKind, Place, Score, Scores, Span, SpanKind, Verdict, judge};
pub(crate) use judge::{find_short_sources};
