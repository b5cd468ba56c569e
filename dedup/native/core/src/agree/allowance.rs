//! A bound on comparing one text with earlier ones, so that time is linear in the size of a corpus.

use super::lcs::{MAX_WORK, work};

/// Word operations per token that all comparisons of one text with earlier ones may take, which is
/// some 10 microseconds, so that a scan's time is linear in the size of its corpus. That is 80
/// comparisons with texts of the same length at 10,000 tokens, and 20 at 50,000.
const EFFORT_PER_TOKEN: u64 = 1 << 14;
/// Texts of up to a thousand tokens may take this much, far more than all their candidates need.
const MIN_ALLOWANCE: u64 = 1 << 24;
/// Reading a token and looking up its grams takes as long as this many word operations.
const READ_EFFORT: u64 = 16;

/// The cost of comparing two texts, alignment included, in word operations.
pub fn effort(left: u32, right: u32) -> u64 {
    let work = work(left as usize, right as usize).min(MAX_WORK);
    work + READ_EFFORT * (u64::from(left) + u64::from(right))
}

/// The total cost that comparing one text with earlier ones may have, in word operations.
///
/// It depends on the text alone, so what is cut short does not depend on threads, memory or turns,
/// and later texts change nothing for earlier ones.
pub fn allowance(tokens: u32) -> u64 {
    MIN_ALLOWANCE.max(u64::from(tokens) * EFFORT_PER_TOKEN)
}

/// The remaining cost that comparing the current text may have, one text after another.
#[derive(Default)]
pub struct Allowance {
    text: Option<u32>,
    left: u64,
}

impl Allowance {
    /// Deduct the cost of comparing `text`, of `tokens` tokens, with an earlier one of `other`
    /// tokens; false if that is too much. Comparisons of one text must follow each other.
    pub fn take(&mut self, text: u32, tokens: u32, other: u32) -> bool {
        if self.text.replace(text) != Some(text) {
            self.left = allowance(tokens);
        }
        let needed = effort(tokens, other);
        let is_enough = needed <= self.left;
        if is_enough {
            self.left -= needed;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_for_one_text() {
        let mut allowance = Allowance::default();
        let taken = (0..1000).filter(|_| allowance.take(1, 50_000, 50_000));
        assert_eq!(taken.count(), 20);
        assert!(
            allowance.take(1, 50_000, 10),
            "a short one fits in what is left"
        );
        assert!(
            allowance.take(2, 50_000, 50_000),
            "another text has its own"
        );
    }
}
