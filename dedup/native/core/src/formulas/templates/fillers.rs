//! When what fills a slot differs enough.

use std::collections::HashMap;

/// Different fillers of a slot, at least.
pub const MIN_FILLERS: usize = 3;
/// Share of the most frequent filler, at most.
pub const MAX_FILLER: f64 = 0.5;
/// Bits of a continuation's entropy, where there are enough places for them.
const MIN_ENTROPY: f64 = 2.5;

/// Whether fillers differ enough to make a slot: three at least, none of them half of all.
pub fn is_varied(fillers: impl Iterator<Item = u64>) -> bool {
    let counts = count(fillers);
    let total: usize = counts.values().sum();
    let top = counts.values().max().copied().unwrap_or(0);
    counts.len() >= MIN_FILLERS && top as f64 <= MAX_FILLER * total as f64
}

/// Whether sentences continue in so many ways that their beginning does not predict their end.
pub fn is_open(next: impl Iterator<Item = u64> + Clone) -> bool {
    let counts = count(next.clone());
    let total: usize = counts.values().sum();
    let share = |n: &usize| *n as f64 / total as f64;
    let mut entropies: Vec<f64> = counts
        .values()
        .map(|n| -share(n) * share(n).log2())
        .collect();
    // Sums of floats depend on their order, and a map has none.
    entropies.sort_by(f64::total_cmp);
    let entropy: f64 = entropies.iter().sum();
    // Five places have 2.3 bits at most.
    let possible = 0.8 * (total as f64).log2();
    is_varied(next) && entropy >= MIN_ENTROPY.min(possible)
}

fn count(values: impl Iterator<Item = u64>) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}
