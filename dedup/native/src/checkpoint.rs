//! Candidates and pairs in the spool, so that a scan that is interrupted need not find them again.
//!
//! Each is a row of numbers of 32 bits: first a few counts, low half before high half, then the
//! items.

use crate::align::Agreement;
use crate::candidates::Candidates;
use crate::error::Error;
use crate::grams::Run;
use crate::pairs::{Pair, SharedRun, Verified};
use crate::spool::{Extent, Spool};

/// Keep candidates.
///
/// # Errors
/// The disk is full or fails.
pub fn save_candidates(candidates: &Candidates, spool: &Spool) -> Result<Extent, Error> {
    let counts = halves([candidates.capped_buckets]);
    let pairs = candidates
        .pairs
        .iter()
        .flat_map(|(left, right)| [*left, *right]);
    save(counts.into_iter().chain(pairs), spool)
}

/// Have candidates back.
///
/// # Errors
/// The spool does not hold what was written.
pub fn restore_candidates(extent: Extent, spool: &Spool) -> Result<Candidates, Error> {
    let words = restore(extent, spool)?;
    let ([capped_buckets], pairs) = split_counts(&words);
    let (pairs, _) = pairs.as_chunks();
    Ok(Candidates {
        capped_buckets,
        pairs: pairs.iter().map(|[left, right]| (*left, *right)).collect(),
    })
}

/// Keep what one turn verified.
///
/// # Errors
/// The disk is full or fails.
pub fn save_verified(turn: &Verified, spool: &Spool) -> Result<Extent, Error> {
    let counts = [turn.done as u64, turn.too_long, turn.pairs.len() as u64];
    let pairs = turn.pairs.iter().flat_map(|pair| {
        let Agreement {
            shared,
            left,
            right,
        } = pair.agreement;
        [pair.left, pair.right, shared, left, right]
    });
    let runs = turn
        .runs
        .iter()
        .flat_map(|r| [r.left, r.right, r.run.start, r.run.end, r.run.source]);
    save(halves(counts).into_iter().chain(pairs).chain(runs), spool)
}

/// Have back what one turn verified.
///
/// # Errors
/// The spool does not hold what was written.
pub fn restore_verified(extent: Extent, spool: &Spool) -> Result<Verified, Error> {
    let words = restore(extent, spool)?;
    let ([done, too_long, pairs], items) = split_counts(&words);
    let (items, _) = items.as_chunks();
    let (pairs, runs) = items.split_at(items.len().min(pairs as usize));
    let to_pair = |[left, right, shared, l, r]: &[u32; 5]| Pair {
        left: *left,
        right: *right,
        agreement: Agreement {
            shared: *shared,
            left: *l,
            right: *r,
        },
    };
    let to_run = |[left, right, start, end, source]: &[u32; 5]| SharedRun {
        left: *left,
        right: *right,
        run: Run {
            start: *start,
            end: *end,
            source: *source,
        },
    };
    Ok(Verified {
        pairs: pairs.iter().map(to_pair).collect(),
        runs: runs.iter().map(to_run).collect(),
        too_long,
        done: done as usize,
        large_families: 0,
    })
}

fn save(words: impl Iterator<Item = u32>, spool: &Spool) -> Result<Extent, Error> {
    let bytes: Vec<[u8; 4]> = words.map(u32::to_le_bytes).collect();
    spool.append(&[bytes.as_flattened()])
}

fn restore(extent: Extent, spool: &Spool) -> Result<Vec<u32>, Error> {
    let bytes = spool.restore(extent)?;
    let (words, _) = bytes.as_chunks();
    Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

fn halves<const N: usize>(counts: [u64; N]) -> Vec<u32> {
    let halves = |count: u64| [count as u32, (count >> 32) as u32];
    counts.into_iter().flat_map(halves).collect()
}

/// The counts that `halves` put in front, and the rest.
fn split_counts<const N: usize>(words: &[u32]) -> ([u64; N], &[u32]) {
    let word = |i: usize| u64::from(words.get(i).copied().unwrap_or(0));
    let counts = std::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32);
    (counts, words.get(2 * N..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> Spool {
        Spool::temporary(&std::env::temp_dir()).unwrap()
    }

    #[test]
    fn candidates_come_back_as_they_were() {
        let candidates = Candidates {
            pairs: vec![(0, 1), (0, 7), (3, u32::MAX - 1)],
            capped_buckets: 5 << 32 | 2,
        };
        let spool = spool();
        let extent = save_candidates(&candidates, &spool).unwrap();
        let back = restore_candidates(extent, &spool).unwrap();
        assert_eq!(back.pairs, candidates.pairs);
        assert_eq!(back.capped_buckets, candidates.capped_buckets);
    }

    #[test]
    fn pairs_and_runs_come_back_as_they_were() {
        let agreement = Agreement {
            shared: 20,
            left: 21,
            right: 24,
        };
        let run = Run {
            start: 1,
            end: 14,
            source: 9,
        };
        let pair = |left, right| Pair {
            left,
            right,
            agreement,
        };
        let turn = Verified {
            pairs: vec![pair(4, 5), pair(4, 9)],
            runs: vec![SharedRun {
                left: 2,
                right: 3,
                run,
            }],
            too_long: 6,
            large_families: 0,
            done: 31,
        };
        let spool = spool();
        let extent = save_verified(&turn, &spool).unwrap();
        let back = restore_verified(extent, &spool).unwrap();
        assert_eq!((back.pairs, back.runs), (turn.pairs, turn.runs));
        assert_eq!((back.too_long, back.done), (6, 31));
    }

    #[test]
    fn what_was_changed_behind_our_back_is_refused() {
        let spool = spool();
        let extent = spool.append(&[b"twelve bytes"]).unwrap();
        assert_eq!(spool.restore(extent).unwrap(), b"twelve bytes");
        let check = extent.check ^ 1;
        assert!(spool.restore(Extent { check, ..extent }).is_err());
    }
}
