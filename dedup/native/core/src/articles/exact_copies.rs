//! Which paragraphs of an article equal one of an earlier article and are evidence of copying.
//!
//! "Read more" appears everywhere, and so does "Shr 28 cts vs 22 cts": a paragraph with too few
//! words of its own is a copy only beside others.

use crate::corpus::{Corpus, Formulas, MIN_EVIDENCE_TOKENS, NO_DISTINCT};
use crate::formulas::boilerplate::Boilerplate;
use crate::util::{BitSet, parallel, stop};
use std::ops::Range;

/// Finds the sources of exact copies. Boilerplate has none.
#[derive(Clone, Copy)]
pub struct ExactCopies<'a> {
    pub corpus: &'a Corpus,
    pub boilerplate: &'a Boilerplate,
    pub formulas: &'a Formulas,
}

impl ExactCopies<'_> {
    /// Replace `sources` by the paragraph of an earlier article that each paragraph equals.
    pub fn find(&self, article: u32, sources: &mut Vec<Option<u32>>) {
        let paragraphs = self.corpus.paragraphs_of(article);
        sources.clear();
        sources.extend(paragraphs.clone().map(|paragraph| {
            let source = self.held_before(article, paragraph);
            source.filter(|_| self.is_evidence(paragraph))
        }));
        self.go_on(paragraphs.start, sources);
        self.find_forms(article, paragraphs, sources);
    }

    /// A paragraph that is not evidence counts beside one that is, where the source continues in
    /// the same way.
    fn go_on(&self, first: u32, sources: &mut [Option<u32>]) {
        let continues = |i: usize, neighbour: Option<u32>, step: i32| -> Option<u32> {
            let candidate = neighbour?.checked_add_signed(step)?;
            let home = self.corpus.article_of(neighbour?);
            let fits = self.corpus.paragraphs_of(home).contains(&candidate)
                && self.equal(first + i as u32, candidate);
            fits.then_some(candidate)
        };
        for i in 1..sources.len() {
            if sources[i].is_none() && !self.is_evidence(first + i as u32) {
                sources[i] = continues(i, sources[i - 1], 1);
            }
        }
        for i in (1..sources.len()).rev() {
            if sources[i - 1].is_none() && !self.is_evidence(first + i as u32 - 1) {
                sources[i - 1] = continues(i - 1, sources[i], -1);
            }
        }
    }

    /// Lines of a form, such as a table of earnings, are evidence together: where an earlier
    /// article holds the same ones in the same order, with enough words beside the form.
    fn find_forms(&self, article: u32, paragraphs: Range<u32>, sources: &mut [Option<u32>]) {
        let mut at = paragraphs.start;
        while at < paragraphs.end {
            let is_open = |p: u32| sources[(p - paragraphs.start) as usize].is_none();
            let begins = is_open(at) && !self.corpus.is_short(at);
            let Some(source) = begins.then(|| self.held_before(article, at)).flatten() else {
                at += 1;
                continue;
            };
            let home = self.corpus.paragraphs_of(self.corpus.article_of(source));
            let pairs = (at..paragraphs.end).zip(source..home.end);
            let same =
                pairs.take_while(|(here, there)| is_open(*here) && self.equal(*here, *there));
            let same: Vec<(u32, u32)> = same.collect();
            let free: u32 = same.iter().map(|(here, _)| self.free_words(*here)).sum();
            at += same.len() as u32;
            if free >= MIN_EVIDENCE_TOKENS {
                for (here, there) in same {
                    sources[(here - paragraphs.start) as usize] = Some(there);
                }
            }
        }
    }

    /// Whether two paragraphs have the same words, and are not boilerplate.
    fn equal(&self, here: u32, there: u32) -> bool {
        let distinct = self.corpus.distinct_of[here as usize];
        distinct != NO_DISTINCT
            && distinct == self.corpus.distinct_of[there as usize]
            && !self.boilerplate.has(distinct)
    }

    /// Whether a paragraph that also appears elsewhere was copied.
    fn is_evidence(&self, paragraph: u32) -> bool {
        !self.corpus.is_short(paragraph) && self.free_words(paragraph) >= MIN_EVIDENCE_TOKENS
    }

    fn free_words(&self, paragraph: u32) -> u32 {
        match self.corpus.distinct_of[paragraph as usize] {
            NO_DISTINCT => 0,
            distinct => self.formulas.free_words(self.corpus, distinct),
        }
    }

    /// The first holder of a paragraph's words, if that is another article.
    fn held_before(&self, article: u32, paragraph: u32) -> Option<u32> {
        let distinct = self.corpus.distinct_of[paragraph as usize];
        if distinct == NO_DISTINCT || self.boilerplate.has(distinct) {
            return None;
        }
        let first = self.corpus.first(distinct);
        (self.corpus.article_of(first) != article).then_some(first)
    }
}

/// Articles that one task looks at.
const PIECE: usize = 1024;

/// Paragraphs too short to be evidence that a later article copied beside longer ones.
pub fn find_short_sources(exact: ExactCopies<'_>, threads: usize) -> BitSet {
    let corpus = exact.corpus;
    let found = parallel::collect(threads, corpus.articles.len(), PIECE, |range| {
        let mut sources = Vec::new();
        let mut found: Vec<u32> = Vec::new();
        for article in range {
            stop::check();
            exact.find(article as u32, &mut sources);
            found.extend(sources.iter().flatten().filter(|s| corpus.is_short(**s)));
        }
        found
    });
    BitSet::new(corpus.paragraphs.len(), found.into_iter())
}
