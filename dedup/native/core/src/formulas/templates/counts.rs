//! How often things occur, for more things than memory could list.
//!
//! A count sketch of one row (Deng and Rafiei 2007): a slot's count less the average of all slots.
//! Sums do not depend on their order, so neither threads nor files change them, and sketches add
//! up.

use std::sync::atomic::{AtomicU16, Ordering};

/// Most counters, 64 MiB: enough for the words of all articles that are mined, and no more for
/// longer ones. The available memory must not change what is found.
const MOST_BITS: u32 = 25;

/// No count is higher: small counters stay in the processor's caches for longer. Several threads
/// may each add one more.
const MOST: u16 = u16::MAX - 1024;

/// Counters, by the upper bits of a hash.
pub struct Counts {
    slots: Vec<AtomicU16>,
    shift: u32,
    /// The average of a slot.
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

    /// Load the counters of some things into the cache: a processor can wait for many reads at the
    /// same time, but waits separately for each one that something depends on.
    pub fn fetch(&self, hashes: &[u64]) {
        let met = |sum: u16, hash: &u64| sum ^ self.slot(*hash).load(Ordering::Relaxed);
        std::hint::black_box(hashes.iter().fold(0, met));
    }

    /// End counting, after this many things in all.
    pub fn settle(&mut self, total: u64) {
        self.noise = (total / self.slots.len() as u64).min(u64::from(MOST)) as u16;
    }

    /// How often a hash occurred, or a little more or less where others share its slot.
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
