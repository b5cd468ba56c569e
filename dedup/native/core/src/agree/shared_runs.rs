//! Runs of words that two texts have in common, wherever they are in each.

use crate::sketch::{FirstSeen, Grams, Run, Runs, width, window_hash};

/// Runs of at least `min_words` words of `later` that appear in `earlier`, in the order of `later`.
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
    let mut found = Runs::new(later, width, min_words, runs);
    for i in 0..=later.len() - width {
        let window = &later[i..i + width];
        // Where the open run continues, a later place is preferred to the first place.
        if let Some(run) = found.open {
            // The run may start after this window, if it was cut where one before it ends.
            let next = (run.source as usize + i).saturating_sub(run.start as usize);
            if i < run.end as usize && earlier.get(next..next + width) == Some(window) {
                found.add(i as u32, next as u32);
                continue;
            }
        }
        let same = |j: u32| earlier[j as usize..j as usize + width] == *window;
        if let Some(source) = seen.find(window_hash(later_grams, i, width), same) {
            found.add(i as u32, source);
        }
    }
    found.close();
}

/// Buffers of `find_shared_runs`, reused from pair to pair.
#[derive(Default)]
pub struct SharedScratch {
    earlier: Grams,
    later: Grams,
    seen: FirstSeen,
}
