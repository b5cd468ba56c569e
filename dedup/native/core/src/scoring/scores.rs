//! The counts of every article.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::corpus::Corpus;
use crate::error::Error;
use crate::store::{SpilledRows, Spool};
use crate::util::BitSet;

/// Words of one article, as counts.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Score {
    pub article: u32,
    pub internal: u32,
    pub copied: u32,
    /// Words of boilerplate and those that templates fix.
    pub formulaic: u32,
    /// Words that are repeated or formulaic, or appear in any other article, whoever was first.
    pub symmetric: u32,
    /// The article most words were copied from, and how many.
    pub top_source: Option<(u32, u32)>,
}

/// The counts of all articles. They are many, so most are in the spool.
#[derive(Serialize, Deserialize)]
pub struct Scores {
    articles: SpilledRows<Score>,
    /// Articles with words that count as copied from each.
    pub reused_by: Vec<u32>,
    /// Articles that copied from another, or were copied, where it is unclear which was first.
    pub ambiguous: BitSet,
}

impl Scores {
    /// No counts yet, for this many articles.
    pub fn new(corpus: &Corpus) -> Self {
        let articles = corpus.articles.len();
        Self {
            articles: SpilledRows::new(articles),
            reused_by: vec![0; articles],
            ambiguous: BitSet::new(articles, std::iter::empty()),
        }
    }

    /// Add the verdicts on some articles. `is_unsure` tells whether the second of two articles may
    /// as well have been the first.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn add(
        &mut self,
        spool: &Spool,
        scores: Vec<Score>,
        copies: &[(u32, u32)],
        is_unsure: impl Fn(u32, u32) -> bool,
    ) -> Result<(), Error> {
        for (source, article) in copies {
            self.reused_by[*source as usize] += 1;
            if is_unsure(*source, *article) {
                self.ambiguous.insert(*source);
                self.ambiguous.insert(*article);
            }
        }
        self.articles.add(spool, scores, |score| score.article)
    }

    /// The counts of some articles, by article.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn read(&self, spool: &Spool, articles: Range<u32>) -> Result<Vec<Score>, Error> {
        let mut scores = self.articles.read(spool, articles.clone())?;
        scores.retain(|score| articles.contains(&score.article));
        scores.sort_unstable_by_key(|score| score.article);
        Ok(scores)
    }
}
