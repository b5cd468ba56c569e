//! Pairs worth comparing, whoever proposes them.

use serde::{Deserialize, Serialize};

use crate::agree::Allowance;
use crate::util::stop;

/// Two distincts, the earlier seen first.
pub type Candidate = (u32, u32);

/// By the later distinct, then by the earlier one: all comparisons of a text are together, and
/// texts that were seen later come after it.
pub fn by_later((left, right): Candidate) -> (u32, u32) {
    (right, left)
}

#[derive(Default, Serialize, Deserialize)]
pub struct Candidates {
    /// Sorted by the later distinct, without repeats.
    pub pairs: Vec<Candidate>,
    /// Buckets with more members than leaders, where not every two were paired.
    pub capped_buckets: u64,
    /// Pairs left out, as comparing the later text with all of its candidates takes too long.
    pub costly: u64,
}

impl Candidates {
    pub fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.capped_buckets += other.capped_buckets;
        self.costly += other.costly;
    }

    /// Put the pairs in order, each once.
    pub fn sort(&mut self) {
        // A stable sort detects what is sorted already, and merges the rest into it.
        let order = stop::checked_order();
        self.pairs
            .sort_by(|a, b| order(&by_later(*a), &by_later(*b)));
        self.pairs.dedup();
    }

    /// Leave out what takes too long to compare, the earliest seen first being compared.
    pub fn bound(&mut self, tokens: impl Fn(u32) -> u32) {
        let all = self.pairs.len();
        let mut allowance = Allowance::default();
        self.pairs
            .retain(|(left, right)| allowance.take(*right, tokens(*right), tokens(*left)));
        self.costly += (all - self.pairs.len()) as u64;
        self.pairs.shrink_to_fit();
    }

    /// Whether two distincts are among them.
    pub fn has(&self, candidate: &Candidate) -> bool {
        let key = by_later(*candidate);
        self.pairs
            .binary_search_by_key(&key, |c| by_later(*c))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_left_out_and_counted() {
        let tokens = |distinct| [50_000, 20, 50_000][distinct as usize % 3];
        let pairs: Vec<Candidate> = (0..90).map(|left| (left, 92)).collect();
        let mut candidates = Candidates {
            pairs: pairs.clone(),
            ..Candidates::default()
        };
        candidates.bound(tokens);
        let kept = candidates.pairs.len();
        assert!((10..60).contains(&kept), "{kept} of 90 were kept");
        assert_eq!(candidates.costly, (90 - kept) as u64);
        assert!(candidates.has(&(0, 92)) && candidates.has(&(88, 92)));
        assert!(
            !candidates.has(&(89, 92)),
            "a long one does not fit any more"
        );
    }

    #[test]
    fn later_texts_change_nothing_for_earlier_ones() {
        let tokens = |distinct| 30_000 + distinct;
        let pairs = |items: u32| (0..items).flat_map(|right| (0..right).map(move |l| (l, right)));
        let bound = |items| {
            let mut candidates = Candidates {
                pairs: pairs(items).collect(),
                ..Candidates::default()
            };
            candidates.bound(tokens);
            candidates.pairs
        };
        let (few, many) = (bound(80), bound(100));
        assert_eq!(many[..few.len()], few);
        assert!(few.len() < pairs(80).count());
    }
}
