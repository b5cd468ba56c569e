//! Whole articles: what each shares with earlier ones, and which are copies.

mod evidence;
mod exact_copies;
mod stars;

pub(crate) use evidence::{Copied, Evidence, SharedWords, collect_evidence};
pub(crate) use exact_copies::{ExactCopies, find_short_sources};
pub(crate) use stars::{ArticleMatches, match_articles};
