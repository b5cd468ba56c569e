//! How often something came, for more things than memory could name.
//!
//! A count sketch of one row (Deng and Rafiei 2007): a slot's count less what a slot has on average.
//! Sums do not depend on their order, so neither threads nor files show, and sketches add up.

use std::sync::atomic::{AtomicU16, Ordering};

/// Counters at most, 64 MiB: so many that the words of all articles that are mined find room, and
/// no more for longer ones. What memory there is must not show in what is found.
const MOST_BITS: u32 = 25;

/// No count is higher: small counters stay in the processor's caches for longer. Several threads
/// may each add one more.
const MOST: u16 = u16::MAX - 1024;

/// Counters, by the upper bits of a hash.
pub struct Counts {
    slots: Vec<AtomicU16>,
    shift: u32,
    /// What a slot has on average.
    noise: u16,
}

impl Counts {
    /// Room for `things`.
    pub fn new(things: usize) -> Self {
        let bits = things.next_power_of_two().ilog2().clamp(10, MOST_BITS);
        Self {
            slots: (0..1_usize << bits).map(|_| AtomicU16::new(0)).collect(),
            shift: 64 - bits,
            noise: 0,
        }
    }

    #[inline]
    fn slot(&self, hash: u64) -> &AtomicU16 {
        &self.slots[(hash >> self.shift) as usize]
    }

    /// Count each of some things once. Threads may call this at once.
    pub fn add(&self, hashes: &[u64]) {
        self.fetch(hashes);
        for hash in hashes {
            let slot = self.slot(*hash);
            if slot.load(Ordering::Relaxed) < MOST {
                slot.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Bring the counters of some things near: a processor waits for many reads at a time, but for
    /// each one alone that something depends on.
    pub fn fetch(&self, hashes: &[u64]) {
        let met = |sum: u16, hash: &u64| sum ^ self.slot(*hash).load(Ordering::Relaxed);
        std::hint::black_box(hashes.iter().fold(0, met));
    }

    /// All is counted, so many in all.
    pub fn settle(&mut self, total: u64) {
        self.noise = (total / self.slots.len() as u64).min(u64::from(MOST)) as u16;
    }

    /// How often a hash came, or a little more or less where others share its slot.
    #[inline]
    pub fn get(&self, hash: u64) -> u32 {
        let count = self.slot(hash).load(Ordering::Relaxed);
        // A counter that is full counts as more than any noise.
        u32::from(if count < MOST {
            count.saturating_sub(self.noise)
        } else {
            MOST
        })
    }
}
