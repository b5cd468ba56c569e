//! Words that nobody wrote for this article: what a template fixes, word by word.

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

/// Templates and where they stand.
#[derive(Default)]
pub struct Templates {
    /// Sorted by (paragraph, tokens).
    pub formulas: Vec<Formula>,
}
