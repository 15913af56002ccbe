//! Ctrl-C and its kin: a flag that long work looks at, so that it ends in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Set once the user has asked for an end. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Exit code of a program that was interrupted: 128 and the signal's number.
    pub const EXIT_CODE: u8 = 130;

    /// Listens for SIGINT and SIGTERM. The first one sets the flag; a second one ends the program
    /// at once, for whoever does not want to wait.
    ///
    /// # Errors
    /// Where the system allows no handler.
    pub fn listen() -> std::io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the shutdown acts only if the flag was set by an earlier signal.
            flag::register_conditional_shutdown(
                signal,
                i32::from(Self::EXIT_CODE),
                Arc::clone(&flag),
            )?;
            flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for code that polls it.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }
}
