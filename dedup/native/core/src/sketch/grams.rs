//! Hashes of eight tokens in a row: anchors across articles, repeats within one.

use serde::{Deserialize, Serialize};

use crate::text::{combine};
use crate::util::{Kernel, dispatch};
use crate::text::{WORD_WEIGHT, weight};

/// Tokens in a gram. Eight rarely agree by chance, so few anchors are stock phrases.
pub const GRAM: usize = 8;
/// Grams in a window, of which the smallest is an anchor. Every run of `GRAM + WINDOW - 1` = 12
/// shared tokens holds a shared anchor (Schleimer, Wilkerson and Aiken 2003, winnowing).
const WINDOW: usize = 5;

/// A stretch of tokens that equals an earlier one, as token indices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    pub start: u32,
    pub end: u32,
    /// Where the earlier stretch starts; it is as long as this one.
    pub source: u32,
}

/// Hashes of neighbouring tokens. The vector is reused from text to text.
#[derive(Default)]
pub struct Grams {
    /// Of each `GRAM` tokens in a row.
    pub eights: Vec<u64>,
}

impl Grams {
    /// Replace the hashes by those of `tokens`.
    pub fn set(&mut self, tokens: &[u64]) {
        dispatch(HashGrams {
            tokens,
            eights: &mut self.eights,
        });
    }
}

struct HashGrams<'a> {
    tokens: &'a [u64],
    eights: &'a mut Vec<u64>,
}

impl Kernel for HashGrams<'_> {
    type Output = ();

    /// Pairs, then pairs of pairs, then pairs of those, each in the place of the ones before:
    /// three passes without a chain of sums.
    #[inline(always)]
    fn run(self) {
        combine_each(self.tokens, self.eights);
        combine_in_place(self.eights, 2);
        combine_in_place(self.eights, GRAM / 2);
    }
}

/// Replace `pairs` by the hash of each two tokens in a row: the features of a paragraph.
///
/// One edited word costs two features of n, and w with w-word shingles, which is why short
/// paragraphs keep their similarity. Single words as well would double the features and need
/// a row more a band, as common words stand everywhere, to find the same near-copies.
pub fn hash_pairs(tokens: &[u64], pairs: &mut Vec<u64>) {
    dispatch(HashPairs { tokens, pairs });
}

struct HashPairs<'a> {
    tokens: &'a [u64],
    pairs: &'a mut Vec<u64>,
}

impl Kernel for HashPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        combine_each(self.tokens, self.pairs);
    }
}

/// Replace `out` by each hash combined with the next one.
#[inline(always)]
fn combine_each(hashes: &[u64], out: &mut Vec<u64>) {
    let behind = hashes.get(1..).unwrap_or_default();
    out.resize(behind.len(), 0);
    for ((out, first), second) in out.iter_mut().zip(hashes).zip(behind) {
        *out = combine(*first, *second);
    }
}

/// Replace each hash by itself combined with the one `distance` further on.
#[inline(always)]
fn combine_in_place(hashes: &mut Vec<u64>, distance: usize) {
    let kept = hashes.len().saturating_sub(distance);
    for i in 0..kept {
        hashes[i] = combine(hashes[i], hashes[i + distance]);
    }
    hashes.truncate(kept);
}

/// Windows whose minima are held at once: an article may be one paragraph of millions of words.
const WINDOWS_AT_ONCE: usize = 1 << 14;

/// Call `select` with the hash of every anchor of a paragraph, given its grams.
///
/// An anchor is the smallest gram of some window of `WINDOW`; fewer grams than that are one
/// window. Windows in a row with the same anchor show it once.
pub fn select_anchors(grams: &[u64], minima: &mut Vec<u64>, mut select: impl FnMut(u64)) {
    let mut last = None;
    let mut start = 0;
    loop {
        let end = grams.len().min(start + WINDOWS_AT_ONCE + WINDOW - 1);
        dispatch(WindowMinima {
            grams: &grams[start..end],
            minima,
        });
        for anchor in &*minima {
            if last.replace(*anchor) != Some(*anchor) {
                select(*anchor);
            }
        }
        if end == grams.len() {
            return;
        }
        start += WINDOWS_AT_ONCE;
    }
}

struct WindowMinima<'a> {
    grams: &'a [u64],
    minima: &'a mut Vec<u64>,
}

impl Kernel for WindowMinima<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.minima.clear();
        if self.grams.len() < WINDOW {
            self.minima.extend(self.grams.iter().min());
            return;
        }
        self.minima.resize(self.grams.len() - WINDOW + 1, 0);
        for (minimum, w) in self.minima.iter_mut().zip(self.grams.windows(WINDOW)) {
            *minimum = w[0].min(w[1]).min(w[2].min(w[3])).min(w[4]);
        }
    }
}

/// First places of keys: open addressing over indices into the caller's own list of keys.
#[derive(Default)]
pub struct FirstSeen {
    slots: Vec<u32>,
    shift: u32,
}

impl FirstSeen {
    /// Forget everything and make room for `len` keys.
    pub fn reset(&mut self, len: usize) {
        let slots = (len * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(slots, 0);
        self.shift = 64 - slots.trailing_zeros();
    }

    /// The earlier index at which `same` says the key stood, or else remember `index` for it.
    #[inline(always)]
    pub fn insert(&mut self, hash: u64, index: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            match self.slots[slot & mask] {
                0 => {
                    self.slots[slot & mask] = index + 1;
                    return None;
                }
                held if same(held - 1) => return Some(held - 1),
                _ => slot += 1,
            }
        }
    }

    /// The index at which the key stands, if any.
    #[inline(always)]
    pub fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            match self.slots[slot & mask] {
                0 => return None,
                held if same(held - 1) => return Some(held - 1),
                _ => slot += 1,
            }
        }
    }
}

/// Gathers matching windows of tokens into disjoint runs and drops those of too few words.
struct Runs<'a> {
    tokens: &'a [u64],
    width: u32,
    min_weight: u32,
    out: &'a mut Vec<Run>,
    open: Option<Run>,
    /// Where the open run would start if the one before it did not overlap it.
    full_start: u32,
}

impl<'a> Runs<'a> {
    fn new(tokens: &'a [u64], width: usize, min_words: u32, out: &'a mut Vec<Run>) -> Self {
        let min_weight = min_words * WORD_WEIGHT;
        Self {
            tokens,
            width: width as u32,
            min_weight,
            out,
            open: None,
            full_start: 0,
        }
    }

    /// The window at `start` equals the one at `source`. Starts must rise.
    fn add(&mut self, start: u32, source: u32) {
        let end = start + self.width;
        match &mut self.open {
            Some(run)
                if start <= run.end
                    && i64::from(run.start) - i64::from(run.source)
                        == i64::from(start) - i64::from(source) =>
            {
                run.end = end;
            }
            _ => {
                let from = self.close().map_or(start, |closed| start.max(closed));
                self.open = Some(Run {
                    start: from,
                    end,
                    source: source + (from - start),
                });
                self.full_start = start;
            }
        }
    }

    /// End the open run, and say where it ended if it was kept.
    fn close(&mut self) -> Option<u32> {
        let run = self.open.take()?;
        let words = &self.tokens[self.full_start as usize..run.end as usize];
        (total_weight(words) >= self.min_weight).then(|| {
            self.out.push(run);
            run.end
        })
    }
}

/// Tokens of the windows that runs of `min_words` words are made of: a run of so many full words
/// holds at least one, and each window that matches is such a run by itself.
fn width(min_words: u32) -> usize {
    (min_words as usize).max(GRAM)
}

/// The hash of the window of `width` tokens at `i`. Wider windows than two grams have a middle
/// that it does not see, so equal hashes must be checked.
#[inline(always)]
fn window_hash(grams: &[u64], i: usize, width: usize) -> u64 {
    grams[i].wrapping_add(grams[i + width - GRAM].rotate_left(21))
}

fn total_weight(tokens: &[u64]) -> u32 {
    tokens.iter().map(|token| weight(*token)).sum()
}

/// Tells which hashes of a list may stand in it twice: bits in place of the hashes themselves.
///
/// Most texts repeat nothing, and a few bits a token are looked at sooner than a table of places.
#[derive(Default)]
struct Twice {
    /// Once and twice, side by side.
    bits: Vec<[u64; 2]>,
    selected: Vec<u32>,
}

impl Twice {
    /// Bits for each hash: of hashes that stand once, one in sixty-four finds its bit taken.
    const BITS: usize = 32;
    /// Hashes from which on there are a quarter as many bits for each: the few that are then looked
    /// at for nothing cost less than the memory.
    const MANY: usize = 1 << 20;

    /// The places of the hashes that may stand twice, rising.
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
                // Written always and counted if it holds: there is no branch to foresee.
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

/// Runs of at least `min_words` words that stood in the same tokens before, disjoint, in order.
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

/// Whole units (sentences, paragraphs) too short for `find_repeats` that stood in the same tokens
/// before, added to `repeats`, which stay disjoint and in order. `units` are token ranges.
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

/// Sort runs and cut from each what an earlier one covers.
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

/// Runs of at least `min_words` words of `later` that stand in `earlier`, in the order of `later`.
pub fn find_shared_runs(
    earlier: &[u64],
    later: &[u64],
    min_words: u32,
    scratch: &mut SharedScratch,
    runs: &mut Vec<Run>,
) {
    let width = width(min_words);
    if earlier.len() < width || later.len() < width {
        return;
    }
    let SharedScratch {
        earlier: earlier_grams,
        later: later_grams,
        seen,
    } = scratch;
    earlier_grams.set(earlier);
    later_grams.set(later);
    let (earlier_grams, later_grams) = (&earlier_grams.eights, &later_grams.eights);
    seen.reset(earlier.len());
    for i in 0..=earlier.len() - width {
        let window = &earlier[i..i + width];
        let same = |j: u32| earlier[j as usize..j as usize + width] == *window;
        seen.insert(window_hash(earlier_grams, i, width), i as u32, same);
    }
    let mut gather = Runs::new(later, width, min_words, runs);
    for i in 0..=later.len() - width {
        let window = &later[i..i + width];
        // Where the open run goes on, a place further on is preferred to the first place.
        if let Some(run) = gather.open {
            // The run may start behind this window, if it was cut where one before it ends.
            let next = (run.source as usize + i).saturating_sub(run.start as usize);
            if i < run.end as usize && earlier.get(next..next + width) == Some(window) {
                gather.add(i as u32, next as u32);
                continue;
            }
        }
        let same = |j: u32| earlier[j as usize..j as usize + width] == *window;
        if let Some(source) = seen.find(window_hash(later_grams, i, width), same) {
            gather.add(i as u32, source);
        }
    }
    gather.close();
}

/// Buffers of `find_shared_runs`, reused from pair to pair.
#[derive(Default)]
pub struct SharedScratch {
    earlier: Grams,
    later: Grams,
    seen: FirstSeen,
}
