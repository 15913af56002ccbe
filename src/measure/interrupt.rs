//! Ctrl-C and its kin: a flag that long work looks at, so that it ends in order.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level};

/// Set once the user has asked for an end. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    counter: Option<Arc<Counter>>,
}

/// Counts signals: each writes a byte.
#[derive(Debug)]
struct Counter {
    bytes: Mutex<UnixStream>,
    count: AtomicUsize,
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
    /// signal does not end the program, but is counted by [`Interrupt::times`].
    ///
    /// # Errors
    /// Where the system allows no handler.
    fn listen_and_stop_first() -> std::io::Result<Self> {
        let (bytes, told) = UnixStream::pair()?;
        bytes.set_nonblocking(true)?;
        let counter = Counter { bytes: Mutex::new(bytes), count: AtomicUsize::new(0) };
        let interrupt = Self { counter: Some(Arc::new(counter)), ..Self::default() };
        for signal in signals() {
            low_level::pipe::register(signal, told.try_clone()?)?;
            flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// Whether an end was asked for.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// How often an end was asked for, where the program goes on after the first time; else 0.
    pub fn times(&self) -> usize {
        self.counter.as_deref().map_or(0, Counter::read)
    }

    /// The flag itself, for code that polls it.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }
}

/// Has this process go on when it is asked to end: it cleans up after another one, and ends with it.
/// It also gets a name of its own, by which whoever ends the other one by its name does not meet it.
/// What it starts can be asked to end as usual.
///
/// # Errors
/// Where the system allows no handler.
pub fn outlive_requests_to_end() -> std::io::Result<()> {
    // No more than a name in lists.
    let _ = fs::write("/proc/self/comm", "mediscope-watch");
    for signal in signals() {
        // A handler and not `SIG_IGN`, which a program that is started would inherit.
        flag::register(signal, Arc::default())?;
    }
    Ok(())
}

/// Has a file that grows beyond what is allowed (`ulimit -f`) be an error of its writing, and no end
/// of this process (SIGXFSZ); and has memory that is refused (`ulimit -v`), where Rust says so and
/// aborts, end it as whatever could not be decided (`code`).
///
/// # Errors
/// Where the system allows no handler.
pub fn outlive_limits(code: u8) -> std::io::Result<()> {
    flag::register(SIGXFSZ, Arc::default())?;
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGABRT, i32::from(code), always).map(drop)
}

impl Counter {
    fn read(&self) -> usize {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut some = [0; 64];
        while let Ok(read @ 1..) = bytes.read(&mut some) {
            self.count.fetch_add(read, Ordering::Relaxed);
        }
        self.count.load(Ordering::Relaxed)
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
