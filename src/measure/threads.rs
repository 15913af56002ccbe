//! Threads, where the system may give no more: then there is an error, and no panic.
//!
//! `thread::spawn` and `Scope::spawn` panic where no thread can be started, as under a low
//! `ulimit -u` or `pids.max`; `clippy.toml` forbids them.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

/// Starts a thread.
///
/// # Errors
/// Where the system allows no more, with the limits that may be the reason.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|e| explained(&e))
}

/// Starts a thread that may borrow what outlives `scope`.
///
/// # Errors
/// As [`start`].
pub fn start_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name(name.to_owned()).spawn_scoped(scope, work).map_err(|e| explained(&e))
}

fn explained(error: &io::Error) -> io::Error {
    let why = format!(
        "no thread can be started ({error}): a limit on processes (ulimit -u, pids.max) or on \
         memory (ulimit -v) is reached"
    );
    io::Error::new(error.kind(), why)
}
