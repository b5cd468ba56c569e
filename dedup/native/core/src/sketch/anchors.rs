//! Anchors: chosen grams, the same in two texts wherever they share enough words in a row.

use crate::util::{Kernel, dispatch};

/// Grams in a window, of which the smallest is an anchor. Every run of `GRAM + WINDOW - 1` = 12
/// shared tokens holds a shared anchor (Schleimer, Wilkerson and Aiken 2003, winnowing).
const WINDOW: usize = 5;

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
