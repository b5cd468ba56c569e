//! Runs of tokens that a text shares with another one, or with itself.

use serde::{Deserialize, Serialize};

use super::grams::GRAM;
use crate::text::{WORD_WEIGHT, weight};

/// A stretch of tokens that equals an earlier one, as token indices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    pub start: u32,
    pub end: u32,
    /// Where the earlier stretch starts; it is as long as this one.
    pub source: u32,
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

    /// The earlier index with the same key according to `same`; otherwise remember `index` for it.
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

    /// The index of the key, if any.
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
pub(crate) struct Runs<'a> {
    tokens: &'a [u64],
    width: u32,
    min_weight: u32,
    out: &'a mut Vec<Run>,
    pub open: Option<Run>,
    /// Where the open run would start if the one before it did not overlap it.
    full_start: u32,
}

impl<'a> Runs<'a> {
    pub fn new(tokens: &'a [u64], width: usize, min_words: u32, out: &'a mut Vec<Run>) -> Self {
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
    pub fn add(&mut self, start: u32, source: u32) {
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
    pub fn close(&mut self) -> Option<u32> {
        let run = self.open.take()?;
        let words = &self.tokens[self.full_start as usize..run.end as usize];
        (total_weight(words) >= self.min_weight).then(|| {
            self.out.push(run);
            run.end
        })
    }
}

/// Tokens of the windows that runs of `min_words` words are made of: a run of that many full words
/// holds at least one, and each window that matches is such a run by itself.
pub(crate) fn width(min_words: u32) -> usize {
    (min_words as usize).max(GRAM)
}

/// The hash of the window of `width` tokens at `i`. Wider windows than two grams have a middle
/// that it does not see, so equal hashes must be checked.
#[inline(always)]
pub(crate) fn window_hash(grams: &[u64], i: usize, width: usize) -> u64 {
    grams[i].wrapping_add(grams[i + width - GRAM].rotate_left(21))
}

pub(crate) fn total_weight(tokens: &[u64]) -> u32 {
    tokens.iter().map(|token| weight(*token)).sum()
}
