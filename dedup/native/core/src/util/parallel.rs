//! The same work on many pieces, by a given number of threads, with results in piece order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;

use crate::util::stop;

/// Call `work` for 0..pieces. Which thread does which piece never affects the result.
pub fn map<T: Send>(threads: usize, pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || pieces <= 1 {
        let work = |piece| {
            stop::check();
            work(piece)
        };
        return (0..pieces).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(pieces));
    let work_on = || {
        loop {
            stop::check();
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                break;
            }
            let result = work(piece);
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((piece, result));
        }
    };
    let (work_on, stop) = (&work_on, &stop::current());
    std::thread::scope(|scope| {
        // This thread is one of them.
        let spawn = |_| {
            scope.spawn(|| {
                stop::adopt(stop.clone());
                work_on();
            })
        };
        let others: Vec<_> = (1..threads.min(pieces)).map(spawn).collect();
        work_on();
        others.into_iter().for_each(join);
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Call `work` for consecutive ranges of at most `size` that cover 0..len.
pub fn map_ranges<T: Send>(
    threads: usize,
    len: usize,
    size: usize,
    work: impl Fn(std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    map(threads, len.div_ceil(size), |piece| {
        work(piece * size..len.min((piece + 1) * size))
    })
}

/// The results of `work` for consecutive ranges of at most `size` that cover 0..len, in one list.
pub fn collect<T: Send>(
    threads: usize,
    len: usize,
    size: usize,
    work: impl Fn(std::ops::Range<usize>) -> Vec<T> + Sync,
) -> Vec<T> {
    let parts = map_ranges(threads, len, size, work);
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for part in parts {
        all.extend(part);
    }
    all
}

/// Do two things, concurrently if there may be two threads.
pub fn both<A: Send, B: Send>(
    threads: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if threads <= 1 {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let stop = stop::current();
        let one = scope.spawn(|| {
            stop::adopt(stop);
            one()
        });
        let other = other();
        (join(one), other)
    })
}

/// The result of a thread; its panic becomes one of this thread.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let outcome = thread.join();
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
