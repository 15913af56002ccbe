//! Ctrl-C and its kin: a flag that long work looks at, so that it ends in order.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Set once the user has asked for an end. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    repeated: Arc<AtomicBool>,
}

impl Interrupt {
    /// Exit code of a program that was interrupted: 128 and the signal's number.
    pub const EXIT_CODE: u8 = 130;

    /// Listens for SIGINT, SIGTERM and SIGHUP. The first one sets the flag; a second one ends the
    /// program at once, for whoever does not want to wait.
    ///
    /// # Errors
    /// Where the system allows no handler.
    pub fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        for signal in signals() {
            // The order matters: the shutdown acts only if the flag was set by an earlier signal.
            flag::register_conditional_shutdown(
                signal,
                i32::from(Self::EXIT_CODE),
                Arc::clone(&interrupt.asked),
            )?;
            flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// For whoever starts something that must not be left behind, or does not.
    ///
    /// # Errors
    /// Where the system allows no handler.
    pub fn listen_for(starts_a_service: bool) -> std::io::Result<Self> {
        if starts_a_service { Self::listen_and_stop_first() } else { Self::listen() }
    }

    /// Like [`Interrupt::listen`], for whoever has started what must not be left behind: a second
    /// signal does not end the program, but is seen by [`Interrupt::is_repeated`].
    ///
    /// # Errors
    /// Where the system allows no handler.
    fn listen_and_stop_first() -> std::io::Result<Self> {
        let interrupt = Self::default();
        for signal in signals() {
            flag::register(signal, Arc::clone(&interrupt.asked))?;
            flag::register(signal, Arc::clone(&interrupt.repeated))?;
        }
        Ok(interrupt)
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// From now on, [`Interrupt::is_repeated`] tells of new signals alone.
    pub fn forget_repeated(&self) {
        self.repeated.store(false, Ordering::Relaxed);
    }

    /// Whether an end was asked for since that was forgotten.
    pub fn is_repeated(&self) -> bool {
        self.repeated.load(Ordering::Relaxed)
    }

    /// The flag itself, for code that polls it.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }
}

/// What asks for an end. A terminal that is closed does, unless the program was started not to mind
/// (`nohup`).
fn signals() -> impl Iterator<Item = i32> {
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|s| *s != SIGHUP || !is_ignored(SIGHUP))
}

/// Whether this process ignores the signal, as `/proc/self/status` tells (`proc_pid_status(5)`).
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}
