//! Words that nobody wrote for this article: what a template fixes, word by word.

use crate::corpus::{Corpus, NO_DISTINCT};
use crate::marks::Marks;

/// Words of a paragraph that a template fixes. The paragraph is the first holder of its words;
/// tokens are counted within it, `start` and `end` are code points of its article.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Formula {
    pub paragraph: u32,
    pub tokens: [u32; 2],
    pub start: u32,
    pub end: u32,
    /// The template's number.
    pub template: u32,
}

/// The formulas of each paragraph.
pub struct Formulas<'a> {
    corpus: &'a Corpus,
    /// Sorted by paragraph.
    all: &'a [Formula],
    marked: Marks,
}

impl<'a> Formulas<'a> {
    pub fn new(corpus: &'a Corpus, all: &'a [Formula]) -> Self {
        let paragraphs = all.iter().map(|formula| formula.paragraph);
        Self {
            corpus,
            all,
            marked: Marks::new(corpus.paragraphs.len(), paragraphs),
        }
    }

    /// The formulas of a distinct.
    pub fn of(&self, distinct: u32) -> &'a [Formula] {
        if distinct == NO_DISTINCT {
            return &[];
        }
        let paragraph = self.corpus.first(distinct);
        if !self.marked.has(paragraph) {
            return &[];
        }
        let from = self.all.partition_point(|f| f.paragraph < paragraph);
        let len = self.all[from..].partition_point(|f| f.paragraph == paragraph);
        &self.all[from..from + len]
    }

    /// Words of a distinct that no template fixes.
    pub fn free_tokens(&self, distinct: u32) -> u32 {
        let fixed = self.of(distinct).iter();
        let fixed: u32 = fixed.map(|f| f.tokens[1] - f.tokens[0]).sum();
        self.corpus.tokens(distinct) - fixed
    }
}

/// The tokens of a text that no template fixes.
pub fn rest(tokens: &[u64], formulas: &[Formula]) -> Vec<u64> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    for formula in formulas {
        let [start, end] = formula.tokens.map(|token| token as usize);
        kept.extend_from_slice(&tokens[at..start]);
        at = end;
    }
    kept.extend_from_slice(&tokens[at..]);
    kept
}
