//! Many patterns at once: each is looked up by the rarest of its grams and then compared.

use std::collections::HashMap;

use super::MIN_FIXED;
use super::items::{END, GAP, Items, MAX_ITEMS, grams, is_word, word_weight};
use super::patterns::{Kind, Pattern};
use super::skeletons::Frequencies;

const FILTER_BITS: u32 = 18;

/// One place where a pattern holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Occurrence {
    pub distinct: u32,
    /// Items of its paragraph, edges included.
    pub start: u32,
    pub end: u32,
    /// Number of the pattern.
    pub pattern: u32,
    /// The item after an opener's words.
    pub next: u64,
}

/// Patterns by a gram, or by a word where they hold no gram.
pub struct Finder<'a> {
    patterns: &'a [Pattern],
    /// This many, the first, are from packs, and hold whatever share of a sentence they fix.
    packs: usize,
    outlines: Vec<u128>,
    /// The weight of the fixed words of each pattern.
    weights: Vec<u32>,
    by_gram: Index,
    by_word: Index,
}

/// Which items a sentence or pattern may hold, a bit for each 128th of all: a sentence follows no
/// pattern whose outline has a bit that its own has not. Variants of one form are hundreds of
/// patterns with the same rare grams, and this refutes most of them at once.
fn outline(items: &[u64]) -> u128 {
    let fixed = items.iter().filter(|item| **item != GAP);
    fixed.fold(0, |bits, item| bits | 1 << (item >> 57))
}

#[derive(Default)]
struct Index {
    /// A bit for each value of a hash's upper bits, as most grams are in no pattern.
    filter: Vec<u64>,
    patterns: HashMap<u64, Vec<u32>>,
}

impl Index {
    fn add(&mut self, key: u64, pattern: u32) {
        self.filter.resize(1 << (FILTER_BITS - 6), 0);
        let bit = key >> (64 - FILTER_BITS);
        self.filter[bit as usize / 64] |= 1 << (bit % 64);
        self.patterns.entry(key).or_default().push(pattern);
    }

    #[inline]
    fn get(&self, key: u64) -> &[u32] {
        let bit = key >> (64 - FILTER_BITS);
        let word = self.filter.get(bit as usize / 64).copied().unwrap_or(0);
        if word >> (bit % 64) & 1 == 0 {
            return &[];
        }
        self.patterns.get(&key).map_or(&[], Vec::as_slice)
    }
}

/// The rarest gram of a pattern, and how often it occurs.
pub fn rarest_gram(pattern: &Pattern, frequencies: &Frequencies) -> Option<(u32, u64)> {
    let mut best: Option<(u32, u64)> = None;
    grams(&pattern.parts, |start, end, hash| {
        let gram = &pattern.parts[start..end];
        // Texts are looked through sentence by sentence.
        let is_whole = !gram.contains(&GAP) && !gram[..gram.len() - 1].contains(&END);
        if is_whole {
            let entry = (frequencies.of(hash), hash);
            best = Some(best.map_or(entry, |best| best.min(entry)));
        }
    });
    best
}

impl<'a> Finder<'a> {
    pub fn new(patterns: &'a [Pattern], packs: usize, frequencies: &Frequencies) -> Self {
        let mut by_gram = Index::default();
        let mut by_word = Index::default();
        for (number, pattern) in patterns.iter().enumerate() {
            if let Some((_, hash)) = rarest_gram(pattern, frequencies) {
                by_gram.add(hash, number as u32);
                continue;
            }
            let words = pattern.parts.iter().filter(|part| is_word(**part));
            let rarest = words.min_by_key(|word| (frequencies.of_word(**word), **word));
            if let Some(word) = rarest {
                by_word.add(*word, number as u32);
            }
        }
        Self {
            patterns,
            packs,
            outlines: patterns.iter().map(|p| outline(&p.parts)).collect(),
            weights: patterns.iter().map(Pattern::fixed_weight).collect(),
            by_gram,
            by_word,
        }
    }

    /// Whether a pattern's sentences follow another one too, which fixes most of their words.
    pub fn contains(&self, general: usize, special: usize) -> bool {
        self.outlines[general] & !self.outlines[special] == 0
            && self.patterns[general].contains(&self.patterns[special])
    }

    /// Whether a sentence or paragraph follows a pattern that fixes enough of its words. `outline`
    /// is that of the items.
    fn holds(&self, number: u32, items: &[u64], outline: u128, places: &mut Vec<usize>) -> bool {
        let pattern = &self.patterns[number as usize];
        if self.outlines[number as usize] & !outline != 0 || !pattern.fits(items, places) {
            return false;
        }
        let words = || -> u32 { items.iter().map(|item| word_weight(*item)).sum() };
        (number as usize) < self.packs
            || pattern.kind == Kind::Opener
            || f64::from(self.weights[number as usize]) >= MIN_FIXED * f64::from(words())
    }

    /// Patterns that share their key with a sentence, sorted, each once.
    pub fn candidates(&self, sentence: &[u64], found: &mut Vec<u32>) {
        found.clear();
        grams(sentence, |_, _, hash| {
            found.extend_from_slice(self.by_gram.get(hash));
        });
        if !self.by_word.patterns.is_empty() {
            for item in sentence {
                found.extend_from_slice(self.by_word.get(*item));
            }
        }
        found.sort_unstable();
        found.dedup();
    }
}

/// Looks for patterns in one paragraph after another, reusing its buffers.
pub struct Search<'a> {
    finder: &'a Finder<'a>,
    found: Vec<u32>,
    whole: Vec<u32>,
    places: Vec<usize>,
}

impl<'a> Search<'a> {
    pub fn new(finder: &'a Finder<'a>) -> Self {
        Self {
            finder,
            found: Vec::new(),
            whole: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Show every pattern that a sentence follows, or the paragraph as a whole.
    pub fn show(&mut self, distinct: u32, items: &Items, mut show: impl FnMut(Occurrence)) {
        self.whole.clear();
        let patterns = self.finder.patterns;
        for sentence in items.sentences().filter(|s| s.len() <= MAX_ITEMS) {
            let inner = &items.items[sentence.clone()];
            self.finder.candidates(inner, &mut self.found);
            let bits = outline(inner);
            for number in &self.found {
                let pattern = &patterns[*number as usize];
                if pattern.kind == Kind::Paragraph {
                    self.whole.push(*number);
                } else if self.finder.holds(*number, inner, bits, &mut self.places) {
                    let last = self.places[pattern.parts.len() - 1];
                    show(Occurrence {
                        distinct,
                        start: sentence.start as u32,
                        end: sentence.end as u32,
                        pattern: *number,
                        next: inner.get(last).copied().unwrap_or_default(),
                    });
                }
            }
        }
        self.whole.sort_unstable();
        self.whole.dedup();
        let bits = outline(&items.items);
        for number in &self.whole {
            if self
                .finder
                .holds(*number, &items.items, bits, &mut self.places)
            {
                show(Occurrence {
                    distinct,
                    start: 0,
                    end: items.items.len() as u32,
                    pattern: *number,
                    next: 0,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::items::START;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_outline_refutes_no_pattern_that_a_sentence_follows(
            words in prop::collection::vec(1u64..90, 1..12),
            gaps in prop::collection::vec(0usize..12, 0..6),
        ) {
            let inner = words.iter().map(|word| word << 57 | 4);
            let items: Vec<u64> = std::iter::once(START).chain(inner).chain([END]).collect();
            let mut pattern = Pattern { kind: Kind::Sentence, parts: items.clone() };
            for gap in gaps {
                let last = pattern.parts.len() - 2;
                pattern = pattern.with_gap(1 + gap % last);
            }
            prop_assert!(pattern.fits(&items, &mut Vec::new()));
            prop_assert_eq!(outline(&pattern.parts) & !outline(&items), 0);
        }
    }
}
