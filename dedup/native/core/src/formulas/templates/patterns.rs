//! Patterns: fixed words, numbers and gaps, and where a sentence follows one.

use serde::{Deserialize, Serialize};

use super::items::{END, GAP, Items, NUMBER, START, hash_items, is_word, word_weight};
use crate::text::{Tokens, tokenize};

/// What a template is a pattern of. The order is that of `TEMPLATE_KINDS` in schemas.py.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Kind {
    Sentence,
    Opener,
    Paragraph,
}

/// A pattern merges into a more general one that fixes this share of its words.
const MERGED_SHARE: f64 = 2.0 / 3.0;

/// Items, of which `GAP` means one or more words, and `NUMBER` a number. Sentences and
/// paragraphs begin with `START` and end with `END`; an opener has a gap for the rest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pattern {
    pub kind: Kind,
    pub parts: Vec<u64>,
}

impl Pattern {
    /// Identity: equal patterns of a kind have it whatever corpus they come from.
    pub fn id(&self) -> u64 {
        hash_items(self.parts.iter().copied().chain([self.kind as u64]))
    }

    /// The weight of its fixed words, in quarters of a word.
    pub fn fixed_weight(&self) -> u32 {
        self.parts.iter().map(|part| word_weight(*part)).sum()
    }

    /// Slots: gaps and numbers, except an opener's gap for the rest of the sentence.
    pub fn slots(&self) -> impl Iterator<Item = u64> {
        let slots = self.parts.iter().copied();
        slots.filter(|part| matches!(*part, GAP | NUMBER))
    }

    /// How many numbers it has.
    pub fn numbers(&self) -> usize {
        self.parts.iter().filter(|part| **part == NUMBER).count()
    }

    /// The pattern with a gap in place of a part; gaps that touch become one.
    pub fn with_gap(&self, at: usize) -> Self {
        let mut parts = self.parts.clone();
        parts[at] = GAP;
        parts.dedup_by(|a, b| *a == GAP && *b == GAP);
        Self {
            kind: self.kind,
            parts,
        }
    }

    /// The different fixed words.
    pub fn words(&self) -> Vec<u64> {
        let words = self.parts.iter().copied().filter(|part| is_word(*part));
        let mut words: Vec<u64> = words.collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Whether `items`, with their edges, follow the pattern. `places` becomes the first item of
    /// each part, and the item after the last.
    pub fn fits(&self, items: &[u64], places: &mut Vec<usize>) -> bool {
        places.clear();
        let mut at = 0;
        let mut runs = self.parts.split(|part| *part == GAP).peekable();
        let mut is_first = true;
        while let Some(run) = runs.next() {
            let is_last = runs.peek().is_none();
            // Only a gap at the end may hold nothing.
            let least = usize::from(!(is_first || is_last && *run == [END]));
            let from = at + least;
            let found = if is_first {
                items.starts_with(run).then_some(0)
            } else if is_last && run.is_empty() {
                // The rest of an opener's sentence; there may be none.
                Some(items.len())
            } else if is_last {
                let begin = items.len().checked_sub(run.len());
                begin.filter(|begin| *begin >= from && items[*begin..] == *run)
            } else {
                find(items, run, from)
            };
            let Some(begin) = found else {
                return false;
            };
            if !is_first {
                // A gap may hold words of one sentence, and END only after an opener.
                let is_rest = is_last && run.is_empty();
                if !is_rest && items[at..begin].contains(&END) {
                    return false;
                }
                places.push(at);
            }
            places.extend(begin..begin + run.len());
            at = begin + run.len();
            is_first = false;
        }
        places.push(at);
        at == items.len()
    }

    /// Whether `other`'s sentences follow this pattern too, and it fixes most of their words.
    pub fn contains(&self, other: &Self) -> bool {
        self.kind == other.kind
            && f64::from(self.fixed_weight()) >= MERGED_SHARE * f64::from(other.fixed_weight())
            && self.fits(&other.parts, &mut Vec::new())
    }
}

/// The first place of `run` from `from` on.
fn find(items: &[u64], run: &[u64], from: usize) -> Option<usize> {
    let windows = items.get(from..)?.windows(run.len());
    windows
        .take_while(|window| window[0] != END || run[0] == END)
        .position(|window| window[0] == run[0] && window == run)
        .map(|at| from + at)
}

/// A sentence pattern without edges, as packs have them.
pub fn framed(kind: Kind, inner: impl Iterator<Item = u64>) -> Pattern {
    let mut parts = vec![START];
    parts.extend(inner);
    if kind == Kind::Opener {
        if parts.last() != Some(&GAP) {
            parts.push(GAP);
        }
    } else {
        parts.push(END);
    }
    Pattern { kind, parts }
}

impl Pattern {
    /// Read a pattern as packs and tables write it: words, `<*>` and `<NUM>`. Several sentences are
    /// a paragraph. None if it has no words, adjacent slots, or several sentences as an opener.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let text = text.replace("<*>", SLOT).replace("<NUM>", "0");
        let mut tokens = Tokens::default();
        tokenize(SLOT, &mut tokens);
        let slot = tokens.hashes[0];
        tokenize(&text, &mut tokens);
        let mut items = Items::default();
        items.set(&text, &tokens);
        let mut parts = items.items;
        for part in parts.iter_mut().filter(|part| **part == slot) {
            *part = GAP;
        }
        let touches = parts.windows(2).any(|two| two == [GAP, GAP]);
        let has_words = parts.iter().any(|part| is_word(*part));
        let sentences = items.starts.len() - 1;
        let kind = match kind {
            Kind::Opener if sentences > 1 => return None,
            Kind::Opener => Kind::Opener,
            _ if sentences > 1 => Kind::Paragraph,
            _ => Kind::Sentence,
        };
        if !has_words || touches {
            return None;
        }
        if kind == Kind::Opener {
            parts.pop();
            parts.extend((parts.last() != Some(&GAP)).then_some(GAP));
        }
        Some(Self { kind, parts })
    }
}

/// Replaces a gap while a pattern is cut into words. Its capital lets a sentence begin with it.
const SLOT: &str = "Xgapx";

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(words: &[u64]) -> Vec<u64> {
        framed(Kind::Sentence, words.iter().copied()).parts
    }

    fn pattern(words: &[u64]) -> Pattern {
        framed(Kind::Sentence, words.iter().copied())
    }

    #[test]
    fn a_gap_takes_one_word_or_more_and_a_number_takes_one_number() {
        let frame = pattern(&[4, GAP, 8, NUMBER]);
        let fits = |words: &[u64]| frame.fits(&sentence(words), &mut Vec::new());
        assert!(fits(&[4, 16, 8, NUMBER]));
        assert!(fits(&[4, 16, 20, 24, 8, NUMBER]));
        assert!(!fits(&[4, 8, NUMBER]));
        assert!(!fits(&[4, 16, 8, 16]));
        assert!(!fits(&[16, 4, 16, 8, NUMBER]));
    }

    #[test]
    fn every_part_has_its_place() {
        let mut places = Vec::new();
        assert!(pattern(&[4, GAP, 8]).fits(&sentence(&[4, 16, 8, 20, 8]), &mut places));
        // START, 4, the gap of three items, the last 8, END, and the item after it.
        assert_eq!(places, [0, 1, 2, 5, 6, 7]);
    }

    #[test]
    fn a_gap_does_not_leave_its_sentence() {
        let one = pattern(&[4, GAP, 8]);
        assert!(!one.fits(&[START, 4, 16, END, START, 20, 8, END], &mut Vec::new()));
    }

    #[test]
    fn an_opener_fits_what_begins_with_it() {
        let opener = framed(Kind::Opener, [4, 8].into_iter());
        assert!(opener.fits(&sentence(&[4, 8, 16]), &mut Vec::new()));
        assert!(!opener.fits(&sentence(&[8, 4, 16]), &mut Vec::new()));
    }
}
