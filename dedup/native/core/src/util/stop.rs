//! Asking the work of one scan to end early.
//!
//! Whatever takes long calls `check` ten times a second or more, on any of its threads. Once its
//! scan was asked to stop, `check` unwinds the thread up to `Stop::run`, without a message:
//! returning a result from every loop, sort and closure would do the same with more code.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::Error;

/// Tells all work of one scan to stop. Clones are the same one.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

/// What a thread that stops unwinds with.
struct Stopped;

thread_local! {
    /// The scan that this thread works for.
    static CURRENT: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

impl Stop {
    /// Stop what runs, and whatever would be run later.
    pub fn set(&self) {
        self.0.store(true, Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Do work that can be stopped.
    ///
    /// # Errors
    /// `Interrupted` if it was stopped; the work is then half done.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, Error> {
        let before = CURRENT.replace(Some(self.clone()));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            check();
            work()
        }));
        CURRENT.set(before);
        outcome.or_else(|panic| match panic.downcast::<Stopped>() {
            Ok(_) => Err(Error::Interrupted),
            Err(panic) => resume_unwind(panic),
        })
    }
}

/// Return, unless the work of this thread was asked to stop.
#[inline]
pub fn check() {
    CURRENT.with_borrow(|stop| check_for(stop.as_ref()));
}

#[inline]
fn check_for(stop: Option<&Stop>) {
    if stop.is_some_and(Stop::is_set) {
        resume_unwind(Box::new(Stopped));
    }
}

/// The order of items, for a sort long enough that it must be stoppable in the middle.
pub fn checked_order<T: Ord>() -> impl Fn(&T, &T) -> Ordering {
    let stop = current();
    move |a, b| {
        check_for(stop.as_ref());
        a.cmp(b)
    }
}

/// The scan that this thread works for, to pass to a thread that helps it.
pub fn current() -> Option<Stop> {
    CURRENT.with_borrow(Clone::clone)
}

/// Let this new thread work for the scan of the thread that it helps.
pub fn adopt(stop: Option<Stop>) {
    CURRENT.set(stop);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::util::parallel;

    #[test]
    fn work_stops_on_all_its_threads() {
        for threads in [1, 3] {
            let stop = Stop::default();
            let done = AtomicUsize::new(0);
            let outcome = stop.run(|| {
                parallel::map(threads, 1000, |piece| {
                    if piece == 10 {
                        stop.set();
                    }
                    done.fetch_add(1, Relaxed);
                })
            });
            assert!(matches!(outcome, Err(Error::Interrupted)));
            assert!(done.into_inner() < 1000);
        }
    }

    #[test]
    fn one_scan_does_not_stop_another() {
        let (one, other) = (Stop::default(), Stop::default());
        one.set();
        assert!(other.run(|| parallel::map(2, 10, |piece| piece)).is_ok());
        let nested = other.run(|| (one.run(check).is_err(), check()));
        assert!(nested.unwrap().0);
        check(); // under none of them
    }

    #[test]
    fn a_panic_stays_one() {
        let stop = Stop::default();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            stop.run(|| parallel::map(2, 4, |_| resume_unwind(Box::new("mine"))))
        }));
        let payload = panic.err().unwrap();
        assert_eq!(payload.downcast_ref(), Some(&"mine"));
    }
}
