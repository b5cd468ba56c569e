//! The words of each paragraph that templates fix.

use serde::{Deserialize, Serialize};

use super::{Corpus, NO_DISTINCT};
use crate::util::BitSet;

/// Words of a paragraph that a template fixes. The paragraph is the first holder of its words;
/// tokens are counted within it, so that they hold for every other holder too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Formula {
    pub paragraph: u32,
    pub tokens: [u32; 2],
    /// The template's number.
    pub template: u32,
}

/// The formulas of each paragraph. No two of them fix the same word.
#[derive(Default, Serialize, Deserialize)]
pub struct Formulas {
    all: Vec<Formula>,
    /// Paragraphs that have any.
    marked: BitSet,
}

impl Formulas {
    pub fn new(corpus: &Corpus, mut all: Vec<Formula>) -> Self {
        all.sort_unstable_by_key(|formula| (formula.paragraph, formula.tokens));
        let paragraphs = all.iter().map(|formula| formula.paragraph);
        Self {
            marked: BitSet::new(corpus.paragraphs.len(), paragraphs),
            all,
        }
    }

    /// Sorted by (paragraph, tokens).
    pub fn all(&self) -> &[Formula] {
        &self.all
    }

    /// The formulas of a distinct.
    pub fn of(&self, corpus: &Corpus, distinct: u32) -> &[Formula] {
        if distinct == NO_DISTINCT || self.all.is_empty() {
            return &[];
        }
        let paragraph = corpus.first(distinct);
        if !self.marked.has(paragraph) {
            return &[];
        }
        let from = self.all.partition_point(|f| f.paragraph < paragraph);
        let len = self.all[from..].partition_point(|f| f.paragraph == paragraph);
        &self.all[from..from + len]
    }

    /// Words of a distinct that no template fixes.
    pub fn free_words(&self, corpus: &Corpus, distinct: u32) -> u32 {
        let fixed = self.of(corpus, distinct).iter();
        let fixed: u32 = fixed.map(|f| f.tokens[1] - f.tokens[0]).sum();
        corpus.tokens(distinct) - fixed
    }
}
