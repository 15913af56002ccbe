//! Waiting for processes to end, for a while and not for ever: one that is stopped, or that waits
//! for a disk or a server which does not answer, may never.

use std::io;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to be gone after SIGKILL: giving gigabytes back takes a second. One
/// that takes longer waits in the kernel (state D); it is left to whoever inherits it.
const KILLED: Duration = Duration::from_secs(10);

/// Between two looks: short at first, as most processes end at once.
const SHORTEST: Duration = Duration::from_micros(500);
const LONGEST: Duration = Duration::from_millis(20);

/// Waits for the end of a process for `patience` at the most; `None` where it has not ended by then.
///
/// # Errors
/// Where the process cannot be waited for.
pub fn wait(process: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let (begun, mut pause) = (Instant::now(), SHORTEST);
    loop {
        let status = process.try_wait()?;
        if status.is_some() || begun.elapsed() > patience {
            return Ok(status);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST);
    }
}

/// Waits for the end of a helper that has been told to end, and kills it where it does not.
pub fn await_helper(process: &mut Child, patience: Duration) {
    // One that was stopped goes on, to do what it is for.
    let _ = kill_process(Pid::from_child(process), Signal::CONT);
    if !matches!(wait(process, patience), Ok(Some(_))) {
        kill(process);
    }
}

/// Kills a process and waits until it is gone; `None` where it does not go.
pub fn kill(process: &mut Child) -> Option<ExitStatus> {
    // One that has ended cannot be killed, and has a status all the same.
    let _ = process.kill();
    wait(process, KILLED).ok().flatten()
}
