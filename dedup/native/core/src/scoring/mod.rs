//! Evidence to scores: which words of an article are copied, repeated or formulaic.

mod judge;
mod scores;
mod spans;

pub use judge::{Judged, judge};
pub use scores::{Score, Scores};
pub use spans::{ParagraphKind, ParagraphVerdict, Span, SpanKind, SpanSource};
