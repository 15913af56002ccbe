//! Runs that are stopped until all of a wave are under way.
//!
//! N requests that are let go together are not in `Run` together: a run that is shorter than a
//! slice of the scheduler is over before the next thread gets a CPU, and on two CPUs two overlap,
//! however large N is. A service that runs for months meets every overlap at some time, so it is
//! brought about here: each thread starts a timer when it enters `Run`; the timer interrupts that
//! very thread in the middle of the run, and it waits in the signal's handler until the last one
//! has come so far. What each holds at that time is held together; then they go on, each with
//! memory of its own, to the end.
//!
//! The handler looks at atomics and sleeps, which is allowed in a signal handler
//! (signal-safety(7)), and keeps `errno`.
#![expect(unsafe_code, reason = "timers and signals of single threads, which no safe library has")]

use std::cell::Cell;
use std::io;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// The signal. Nothing else in the measured process uses it.
const SIGNAL: libc::c_int = libc::SIGUSR2;

/// One look of a thread that waits.
const LOOK: Duration = Duration::from_micros(50);
/// The same for the handler.
static PAUSE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };

/// Runs of this wave that are to meet.
static EXPECTED: AtomicU32 = AtomicU32::new(0);
/// Of them, those that have begun.
static ENTERED: AtomicU32 = AtomicU32::new(0);
/// Of them, those that have been stopped, or were over before.
static ARRIVED: AtomicU32 = AtomicU32::new(0);
/// Grows when all have.
static MEETINGS: AtomicU32 = AtomicU32::new(0);
/// Looks until a thread gives up: another one waits for a lock that it holds.
static PATIENCE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread is in a run that can be stopped. A constant without a destructor: it is
    /// read in a signal handler, where nothing may be set up.
    static STOPPABLE: Cell<bool> = const { Cell::new(false) };
    static TIMER: Cell<libc::timer_t> = const { Cell::new(ptr::null_mut()) };
}

extern "C" fn stopped(_signal: libc::c_int) {
    if !STOPPABLE.get() {
        return;
    }
    STOPPABLE.set(false);
    // SAFETY: the location of errno is valid for as long as the thread lives.
    let errno = unsafe { *libc::__errno_location() };
    let meeting = MEETINGS.load(Ordering::SeqCst);
    arrive();
    for _ in 0..PATIENCE.load(Ordering::SeqCst) {
        if MEETINGS.load(Ordering::SeqCst) != meeting {
            break;
        }
        // SAFETY: the first pointer is to a valid time, and the second may be null.
        unsafe { libc::nanosleep(&raw const PAUSE, ptr::null_mut()) };
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// One more has come. The last lets all go, and the next wave begins to count.
fn arrive() {
    if ARRIVED.fetch_add(1, Ordering::SeqCst) + 1 >= EXPECTED.load(Ordering::SeqCst) {
        ARRIVED.store(0, Ordering::SeqCst);
        ENTERED.store(0, Ordering::SeqCst);
        MEETINGS.fetch_add(1, Ordering::SeqCst);
    }
}

/// The runs that come now shall meet: so many of them, each of which takes about `run` alone.
/// Called while none is under way.
///
/// # Errors
/// Where the system takes no handler for the signal.
pub fn expect(runs: usize, run: Duration) -> io::Result<()> {
    install()?;
    ARRIVED.store(0, Ordering::SeqCst);
    ENTERED.store(0, Ordering::SeqCst);
    let runs = u32::try_from(runs).unwrap_or(u32::MAX);
    EXPECTED.store(runs, Ordering::SeqCst);
    // One after the other on a single CPU, twice as long as alone, and some more.
    let longest = Duration::from_millis(50) + run * 2 * runs;
    let looks = longest.as_nanos() / LOOK.as_nanos();
    PATIENCE.store(u64::try_from(looks).unwrap_or(u64::MAX), Ordering::SeqCst);
    Ok(())
}

/// Does `work`, and stops it `after` it has begun until all that are expected have come so far.
pub fn inside<T>(after: Duration, work: impl FnOnce() -> T) -> T {
    wait_for_turn();
    let timer = timer();
    STOPPABLE.set(true);
    set(timer, after.max(Duration::from_micros(1)));
    let result = work();
    set(timer, Duration::ZERO);
    if STOPPABLE.replace(false) {
        arrive();
    }
    result
}

/// One begins when the one before has been stopped: alone, so that the time since it began says how
/// far it has come.
fn wait_for_turn() {
    for _ in 0..PATIENCE.load(Ordering::SeqCst) {
        let arrived = ARRIVED.load(Ordering::SeqCst);
        let next = arrived + 1;
        if ENTERED.compare_exchange(arrived, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
        thread::sleep(LOOK);
    }
    ENTERED.fetch_add(1, Ordering::SeqCst);
}

/// This thread's timer, made once: a kept thread serves many requests. Null where the system gives
/// none, and then nothing is stopped.
fn timer() -> libc::timer_t {
    if TIMER.get().is_null() {
        let mut timer = ptr::null_mut();
        // SAFETY: all zero is a valid `sigevent`; the fields that are set are those that
        // SIGEV_THREAD_ID reads, and the thread is this one.
        unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            event.sigev_notify_thread_id = libc::gettid();
            libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer);
        }
        TIMER.set(timer);
    }
    TIMER.get()
}

/// Sets a timer, or stops it where no time is given.
fn set(timer: libc::timer_t, after: Duration) {
    // SAFETY: all zero is a valid `itimerspec`; the timer is this thread's, or null, which the
    // system refuses; a duration's parts are in range.
    unsafe {
        let mut when: libc::itimerspec = mem::zeroed();
        when.it_value.tv_sec = libc::time_t::try_from(after.as_secs()).unwrap_or(1);
        when.it_value.tv_nsec = after.subsec_nanos().into();
        libc::timer_settime(timer, 0, &raw const when, ptr::null_mut());
    }
}

fn install() -> io::Result<()> {
    // SAFETY: all zero is a valid `sigaction`; the handler has the type that is expected without
    // SA_SIGINFO and is allowed in a signal's context, see the module's text.
    let result = unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = stopped as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(SIGNAL, &raw const action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::time::Instant;

    use super::*;
    use crate::measure::crew::Crew;

    /// What is counted is one for the process.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// Each run is over in a blink, so that on few CPUs they would not meet.
    #[test]
    fn runs_that_would_not_meet_are_all_under_way_together() {
        let _alone = ALONE.lock().unwrap();
        let run = Duration::from_millis(1);
        let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (barrier, seen) = (Barrier::new(12), Arc::clone(&most));
        let work = move |_| {
            for _ in 0..3 {
                if barrier.wait().is_leader() {
                    expect(12, run)?;
                }
                barrier.wait();
                inside(run / 4, || {
                    seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let begun = Instant::now();
                    while begun.elapsed() < run {}
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
            Ok(())
        };
        Crew::new().together(12, work).unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 12);
    }

    /// Of two that are expected one never comes.
    #[test]
    fn nobody_waits_for_ever() {
        let _alone = ALONE.lock().unwrap();
        Crew::new()
            .together(1, |_| {
                expect(2, Duration::from_millis(1))?;
                let begun = Instant::now();
                inside(Duration::from_micros(100), || std::thread::sleep(Duration::from_millis(2)));
                assert!(begun.elapsed() < Duration::from_secs(5));
                Ok(())
            })
            .unwrap();
    }
}
