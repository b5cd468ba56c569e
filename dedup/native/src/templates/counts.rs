//! How often something came, for more things than memory could name.
//!
//! A count sketch of one row (Deng and Rafiei 2007): a slot's count less what a slot has on average.
//! Sums do not depend on their order, so neither threads nor files show, and sketches add up.

use std::sync::atomic::{AtomicU32, Ordering};

/// Fewer counters than this, 4 MiB, say nothing.
const LEAST_BITS: u32 = 20;

/// Counters, by the upper bits of a hash.
pub struct Counts {
    slots: Vec<AtomicU32>,
    shift: u32,
    /// What a slot has on average.
    noise: u32,
}

impl Counts {
    /// Room for `things` in at most `bytes`.
    pub fn new(things: usize, bytes: usize) -> Self {
        let most = (bytes / size_of::<AtomicU32>()).max(2).ilog2();
        let bits = things
            .next_power_of_two()
            .ilog2()
            .clamp(10, most.max(LEAST_BITS));
        Self {
            slots: (0..1_usize << bits).map(|_| AtomicU32::new(0)).collect(),
            shift: 64 - bits,
            noise: 0,
        }
    }

    #[inline]
    fn slot(&self, hash: u64) -> &AtomicU32 {
        &self.slots[(hash >> self.shift) as usize]
    }

    /// Count each of some things once. Threads may call this at once.
    pub fn add(&self, hashes: &[u64]) {
        // A processor waits for many reads at a time, but for each addition alone.
        let met = |sum: u32, hash: &u64| sum ^ self.slot(*hash).load(Ordering::Relaxed);
        std::hint::black_box(hashes.iter().fold(0, met));
        for hash in hashes {
            self.slot(*hash).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All is counted, so many in all.
    pub fn settle(&mut self, total: u64) {
        self.noise = (total / self.slots.len() as u64) as u32;
    }

    /// How often a hash came, or a little more or less where others share its slot.
    #[inline]
    pub fn get(&self, hash: u64) -> u32 {
        let count = self.slot(hash).load(Ordering::Relaxed);
        count.saturating_sub(self.noise)
    }
}
