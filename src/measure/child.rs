//! The parent's end of a measured child: start it, ask, and notice whatever becomes of it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionbio;

use super::control_group::ControlGroup;
use super::interrupt::Interrupt;
use super::probe::{ENTER_ARGUMENT, PROBE_ARGUMENT};
use super::protocol::{Command, Job, Reply, Start};
use super::{ending, threads};
use crate::footprint::Count;
use crate::units::Seconds;

/// How often a waiting parent looks whether it was interrupted.
const POLL: Duration = Duration::from_millis(20);

/// Between two tries to write to a child that has not read what it got before.
const REWRITE: Duration = Duration::from_millis(1);

/// A child may take this many times as long for an answer as is expected, and this long at the least,
/// before it counts as stuck.
const PATIENCE: f64 = 10.0;
const LEAST_PATIENCE: f64 = 30.0;

/// How long a child that has closed its output may take to end, and its error output to be read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The longest reply is that of a million requests, about a hundred bytes each. A library that writes to
/// standard output without an end is not waited for.
const LONGEST_REPLY: u64 = 256 << 20;

/// What is kept of the child's error output.
const STDERR_KEPT: usize = 4096;

/// From 1.31 on, ONNX Runtime's own builds for Linux report to their vendor, write an identifier
/// below the user's cache directory and start threads for it, unless this variable is set when the
/// library is initialised; its API call comes too late. A tool that measures must not.
pub const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

/// The variable that limits the heaps of glibc's malloc.
const HEAPS: &str = "MALLOC_ARENA_MAX";

/// How a child can end a conversation.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The system allows no new process.
    #[error("cannot start the process to be measured: {0}")]
    Start(std::io::Error),
    /// It was killed from outside, as by the kernel's OOM killer.
    #[error("the measured process was killed by signal {signal}")]
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It said why it cannot go on.
    #[error("{0}")]
    Failed(String),
    /// It ended without a word.
    #[error("the measured process ended unexpectedly ({status}){}", told(.stderr))]
    Ended {
        /// Its exit status.
        status: process::ExitStatus,
        /// The end of what it wrote to its error output.
        stderr: String,
    },
    /// The user asked for an end.
    #[error("interrupted")]
    Interrupted,
    /// It was given a time, and that is over.
    #[error("the measured process took longer than it was given")]
    Late,
    /// It does not answer.
    #[error(
        "the measured process did not answer within {0} and was given up: it is stopped, waits for a \
         disk or a server that does not answer, or needs longer; it is waited for ten times as long as \
         --max-time says"
    )]
    Stuck(Seconds),
}

/// Where a child runs, and for how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The limits that it runs in, if any.
    pub group: Option<&'a ControlGroup>,
    /// When waiting for all of its answers ends, if it does.
    pub until: Option<Instant>,
    /// How long a single answer is waited for.
    pub patience: Duration,
}

impl Bounds<'_> {
    /// No limits, for a child whose answers are waited for as [`patience`] says.
    pub fn of_time(allowed: Seconds, expected: Seconds) -> Self {
        Self { group: None, until: None, patience: patience(allowed, expected) }
    }
}

/// How long an answer is waited for, where all is `allowed` so long, and this is `expected` to take so
/// long, 0 where that is not known.
pub fn patience(allowed: Seconds, expected: Seconds) -> Duration {
    let seconds = allowed.get().max(expected.get()) * PATIENCE;
    Duration::try_from_secs_f64(seconds.max(LEAST_PATIENCE)).unwrap_or(Duration::MAX)
}

fn told(stderr: &str) -> String {
    if stderr.trim().is_empty() { String::new() } else { format!(": {}", stderr.trim()) }
}

/// A running child. Dropping it ends and reaps the process.
#[derive(Debug)]
pub struct Child {
    process: Ended,
    commands: ChildStdin,
    replies: Receiver<String>,
    stderr: Receiver<String>,
    interrupt: Interrupt,
    until: Option<Instant>,
    patience: Duration,
}

impl Child {
    /// Starts child number `number` for this job.
    ///
    /// # Errors
    /// Where no process can be started.
    pub fn start(
        job: &Job,
        number: u32,
        bounds: Bounds<'_>,
        interrupt: &Interrupt,
    ) -> Result<Self, ChildError> {
        let program = std::env::current_exe().map_err(ChildError::Start)?;
        let mut command = process::Command::new(program);
        // Read by the C library before the first line of the program runs.
        match job.malloc_arenas() {
            Some(Count::Given(heaps)) => command.env(HEAPS, heaps.to_string()),
            Some(Count::Default) => command.env_remove(HEAPS),
            None => &mut command,
        };
        if let Some(group) = bounds.group {
            command.arg(ENTER_ARGUMENT).args(group.directories());
        }
        let process = command
            .arg(PROBE_ARGUMENT)
            .env(NO_TELEMETRY, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal reaches the parent, which decides.
            .process_group(0)
            .spawn()
            .map_err(ChildError::Start)?;
        // From here on it ends with what is returned, or not returned.
        let process = Ended(process);
        Self::of(process, bounds, interrupt).map_err(ChildError::Start).and_then(|mut child| {
            child.say(&Start { job: job.clone(), child: number })?;
            Ok(child)
        })
    }

    fn of(mut process: Ended, bounds: Bounds<'_>, interrupt: &Interrupt) -> std::io::Result<Self> {
        let pipe = || std::io::Error::other("a pipe to it is missing");
        let commands = process.0.stdin.take().ok_or_else(pipe)?;
        let stdout = process.0.stdout.take().ok_or_else(pipe)?;
        let stderr = process.0.stderr.take().ok_or_else(pipe)?;
        // One that is stopped reads nothing, and must not stop who tells it something.
        ioctl_fionbio(&commands, true)?;
        let (send, replies) = mpsc::channel();
        threads::start("replies", move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            while matches!(stdout.by_ref().take(LONGEST_REPLY).read_line(&mut line), Ok(1..)) {
                if send.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        })?;
        let (send, last_words) = mpsc::channel();
        threads::start("stderr", move || send.send(tail(stderr)))?;
        Ok(Self {
            process,
            commands,
            replies,
            stderr: last_words,
            interrupt: interrupt.clone(),
            until: bounds.until,
            patience: bounds.patience,
        })
    }

    /// From now on an answer is waited for so long.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Gives a command and waits for the reply.
    ///
    /// # Errors
    /// [`ChildError`] says what became of the child; it cannot be asked again.
    pub fn ask(&mut self, command: Command) -> Result<Reply, ChildError> {
        self.send(command)?;
        self.receive()
    }

    /// Gives a command and does not wait, so that others get theirs at the same time.
    ///
    /// # Errors
    /// As [`Child::ask`].
    pub fn send(&mut self, command: Command) -> Result<(), ChildError> {
        self.say(&command)
    }

    /// Waits for the reply to what was sent.
    ///
    /// # Errors
    /// As [`Child::ask`].
    pub fn receive(&mut self) -> Result<Reply, ChildError> {
        let begun = Instant::now();
        loop {
            match self.replies.recv_timeout(POLL) {
                Ok(line) => {
                    return match serde_json::from_str(&line) {
                        Ok(Reply::Failed(reason)) => Err(ChildError::Failed(reason)),
                        Ok(reply) => Ok(reply),
                        Err(e) => Err(ChildError::Failed(format!("unreadable reply: {e}"))),
                    };
                }
                Err(RecvTimeoutError::Timeout) => self.goes_on(begun)?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.ending()),
            }
        }
    }

    /// Whether there is a reason to wait no longer for what was asked when it had `begun`.
    fn goes_on(&self, begun: Instant) -> Result<(), ChildError> {
        if self.interrupt.is_set() {
            Err(ChildError::Interrupted)
        } else if self.until.is_some_and(|until| Instant::now() > until) {
            Err(ChildError::Late)
        } else if begun.elapsed() > self.patience {
            Err(ChildError::Stuck(self.patience.into()))
        } else {
            Ok(())
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }

    fn say(&mut self, message: &impl serde::Serialize) -> Result<(), ChildError> {
        let mut line =
            serde_json::to_vec(message).map_err(|e| ChildError::Failed(e.to_string()))?;
        line.push(b'\n');
        let (begun, mut left) = (Instant::now(), &line[..]);
        while !left.is_empty() {
            match self.commands.write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.goes_on(begun)?;
                    thread::sleep(REWRITE);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A broken pipe means that the child has ended; why, its status tells.
                Err(_) => return Err(self.ending()),
            }
        }
        Ok(())
    }

    fn ending(&mut self) -> ChildError {
        let status = match ending::wait(&mut self.process.0, LAST_WORDS) {
            Ok(Some(status)) => status,
            Ok(None) => {
                return ChildError::Failed("the measured process goes on without a word".into());
            }
            Err(e) => return ChildError::Failed(format!("the measured process is lost: {e}")),
        };
        match status.signal() {
            Some(signal) => ChildError::Killed { signal },
            None => {
                let stderr = self.stderr.recv_timeout(LAST_WORDS).unwrap_or_default();
                ChildError::Ended { status, stderr }
            }
        }
    }
}

/// A process that ends when this is dropped.
#[derive(Debug)]
struct Ended(process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has nothing left to tell, and unloading models takes time that nobody waits for.
        ending::kill(&mut self.0);
    }
}

/// The last bytes of a stream, read to its end so that the writer never blocks.
fn tail(mut stream: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        let excess = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
