//! Work that may take long, while Python's signal handlers still run.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;

use crate::failure::{Failure, Outcome};
use dedup_core::util::Stop;

/// How often waiting threads check for signals, which Python handles in its main thread only.
const POLL: Duration = Duration::from_millis(50);

/// Do work that may take long on a separate thread, while this one handles signals. An exception
/// raised by a handler stops the work, and is raised here once the work has ended.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over lifetimes"
)]
pub fn interruptible<T: Send, E: Send>(
    py: Python<'_>,
    stop: &Stop,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> Outcome<T>
where
    Failure: From<E>,
{
    py.detach(|| {
        std::thread::scope(|scope| {
            let (finished, waiting) = channel::<()>();
            let worker = scope.spawn(move || {
                let _finished = finished; // dropped at the end, which ends the waiting
                stop.run(work)
            });
            let mut raised: PyResult<()> = Ok(());
            while raised.is_ok() && waiting.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                raised = Python::attach(|py| py.check_signals());
            }
            if raised.is_err() {
                stop.set();
            }
            let outcome = worker.join();
            raised?;
            Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))??)
        })
    })
}
