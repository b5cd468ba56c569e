//! Repeats within an article.

use super::grams::GRAM;
use super::runs::{FirstSeen, Run, Runs, total_weight, width, window_hash};
use crate::text::{WORD_WEIGHT, combine, weight};

/// Tells which hashes of a list may occur in it twice: bits instead of the hashes themselves.
///
/// Most texts repeat nothing, and a few bits per token are faster to check than a table of places.
#[derive(Default)]
struct Twice {
    /// Once and twice, side by side.
    bits: Vec<[u64; 2]>,
    selected: Vec<u32>,
}

impl Twice {
    /// Bits for each hash: of hashes that occur once, one in sixty-four finds its bit taken.
    const BITS: usize = 32;
    /// From this many hashes on there are a quarter as many bits for each: the few needless checks
    /// cost less than the memory.
    const MANY: usize = 1 << 20;

    /// The places of the hashes that may occur twice, rising.
    fn select(&mut self, hashes: impl ExactSizeIterator<Item = u64> + Clone) -> &[u32] {
        let bits = if hashes.len() < Self::MANY {
            Self::BITS
        } else {
            Self::BITS / 4
        };
        let words = (hashes.len() * bits).div_ceil(64).next_power_of_two();
        self.bits.clear();
        self.bits.resize(words, [0; 2]);
        let bits = self.bits.as_mut_slice();
        let place = |hash: u64| ((hash >> 32) as usize & (words - 1), 1 << (hash & 63));
        let mut any = 0;
        for hash in hashes.clone() {
            let (word, bit): (usize, u64) = place(hash);
            let [once, twice] = &mut bits[word];
            *twice |= *once & bit;
            any |= *once & bit;
            *once |= bit;
        }
        self.selected.clear();
        if any != 0 {
            self.selected.resize(hashes.len(), 0);
            let mut count = 0;
            for (i, hash) in hashes.enumerate() {
                let (word, bit) = place(hash);
                // Always written and counted if it holds: there is no branch to predict.
                self.selected[count] = i as u32;
                count += usize::from(bits[word][1] & bit != 0);
            }
            self.selected.truncate(count);
        }
        &self.selected
    }
}

/// Buffers of `find_repeats` and `find_repeated_units`, reused from text to text.
#[derive(Default)]
pub struct RepeatScratch {
    seen: FirstSeen,
    twice: Twice,
}

/// Runs of at least `min_words` words that repeat earlier ones of the tokens, disjoint, in order.
/// Linear time: every gram is looked up once.
pub fn find_repeats(
    tokens: &[u64],
    grams: &[u64],
    min_words: u32,
    scratch: &mut RepeatScratch,
    repeats: &mut Vec<Run>,
) {
    let width = width(min_words);
    let windows = (grams.len() + GRAM).saturating_sub(width);
    let RepeatScratch { seen, twice } = scratch;
    let selected = twice.select((0..windows).map(|i| window_hash(grams, i, width)));
    seen.reset(selected.len());
    let mut runs = Runs::new(tokens, width, min_words, repeats);
    for i in selected.iter().map(|i| *i as usize) {
        let same = |j: u32| {
            let j = j as usize;
            grams[j] == grams[i] && tokens[j..j + width] == tokens[i..i + width]
        };
        // Where the open run continues, that is preferred to the first place: a word said a million
        // times is one run.
        let open = runs.open.filter(|run| i <= run.end as usize);
        let next = open.and_then(|run| (run.source as usize + i).checked_sub(run.start as usize));
        if let Some(next) = next.filter(|next| *next < i && same(*next as u32)) {
            runs.add(i as u32, next as u32);
            continue;
        }
        if let Some(source) = seen.insert(window_hash(grams, i, width), i as u32, same) {
            runs.add(i as u32, source);
        }
    }
    runs.close();
}

/// Whole units (sentences, paragraphs) too short for `find_repeats` that repeat earlier ones, added
/// to `repeats`, which stay disjoint and in order. `units` are token ranges.
pub fn find_repeated_units(
    tokens: &[u64],
    units: &[(u32, u32)],
    min_words: u32,
    scratch: &mut RepeatScratch,
    repeats: &mut Vec<Run>,
) {
    let slice = |unit: (u32, u32)| &tokens[unit.0 as usize..unit.1 as usize];
    let before = repeats.len();
    let seen = &mut scratch.seen;
    seen.reset(units.len());
    for (i, unit) in units.iter().enumerate() {
        let words = slice(*unit);
        // Full words only: then the number of words is enough to tell.
        let is_plain = words
            .first()
            .is_some_and(|token| weight(*token) == WORD_WEIGHT);
        if words.len() < min_words as usize
            || is_plain && words.len() >= GRAM
            || words.len() >= GRAM * WORD_WEIGHT as usize
            || !(min_words * WORD_WEIGHT..GRAM as u32 * WORD_WEIGHT).contains(&total_weight(words))
        {
            continue;
        }
        let hash = words.iter().fold(0, |hash, token| combine(hash, *token));
        if let Some(first) = seen.insert(hash, i as u32, |j| slice(units[j as usize]) == words) {
            repeats.push(Run {
                start: unit.0,
                end: unit.1,
                source: units[first as usize].0,
            });
        }
    }
    if repeats.len() > before {
        make_disjoint(repeats);
    }
}

/// Sort runs and cut from each the part that an earlier one covers.
pub fn make_disjoint(runs: &mut Vec<Run>) {
    runs.sort_unstable_by_key(|run| (run.start, u32::MAX - run.end, run.source));
    let mut covered = 0;
    runs.retain_mut(|run| {
        let cut = covered.max(run.start) - run.start;
        run.start += cut;
        run.source += cut;
        covered = covered.max(run.end);
        run.start < run.end
    });
}
