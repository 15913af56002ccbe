//! The parent's end of a measured child: start it, ask, and notice whatever becomes of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::control_group::ControlGroup;
use super::interrupt::Interrupt;
use super::probe::{ENTER_ARGUMENT, PROBE_ARGUMENT};
use super::protocol::{Command, Job, Reply, Start};
use crate::footprint::Count;

/// How often a waiting parent looks whether it was interrupted.
const POLL: Duration = Duration::from_millis(20);

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
}

/// Where a child runs, and for how long it is waited for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds<'a> {
    /// The limits that it runs in, if any.
    pub group: Option<&'a ControlGroup>,
    /// When waiting for it ends, if it does.
    pub until: Option<Instant>,
}

fn told(stderr: &str) -> String {
    if stderr.trim().is_empty() { String::new() } else { format!(": {}", stderr.trim()) }
}

/// A running child. Dropping it ends and reaps the process.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    commands: ChildStdin,
    replies: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    interrupt: Interrupt,
    until: Option<Instant>,
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
        let mut process = command
            .arg(PROBE_ARGUMENT)
            .env(NO_TELEMETRY, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal reaches the parent, which decides.
            .process_group(0)
            .spawn()
            .map_err(ChildError::Start)?;
        let pipe = || ChildError::Start(std::io::Error::other("a pipe to it is missing"));
        let commands = process.stdin.take().ok_or_else(pipe)?;
        let stdout = process.stdout.take().ok_or_else(pipe)?;
        let stderr = process.stderr.take().ok_or_else(pipe)?;
        let (send, replies) = mpsc::channel();
        thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            while matches!(stdout.by_ref().take(LONGEST_REPLY).read_line(&mut line), Ok(1..)) {
                if send.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        let stderr = Some(thread::spawn(move || tail(stderr)));
        let (interrupt, until) = (interrupt.clone(), bounds.until);
        let mut child = Self { process, commands, replies, stderr, interrupt, until };
        child.say(&Start { job: job.clone(), child: number })?;
        Ok(child)
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
        loop {
            match self.replies.recv_timeout(POLL) {
                Ok(line) => {
                    return match serde_json::from_str(&line) {
                        Ok(Reply::Failed(reason)) => Err(ChildError::Failed(reason)),
                        Ok(reply) => Ok(reply),
                        Err(e) => Err(ChildError::Failed(format!("unreadable reply: {e}"))),
                    };
                }
                Err(RecvTimeoutError::Timeout) if self.interrupt.is_set() => {
                    return Err(ChildError::Interrupted);
                }
                Err(RecvTimeoutError::Timeout)
                    if self.until.is_some_and(|until| Instant::now() > until) =>
                {
                    return Err(ChildError::Late);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.ending()),
            }
        }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn say(&mut self, message: &impl serde::Serialize) -> Result<(), ChildError> {
        let line = serde_json::to_string(message).map_err(|e| ChildError::Failed(e.to_string()))?;
        // A broken pipe means that the child has ended; why, its status tells.
        if writeln!(self.commands, "{line}").is_err() { Err(self.ending()) } else { Ok(()) }
    }

    fn ending(&mut self) -> ChildError {
        let status = match self.process.wait() {
            Ok(status) => status,
            Err(e) => return ChildError::Failed(format!("the measured process is lost: {e}")),
        };
        match status.signal() {
            Some(signal) => ChildError::Killed { signal },
            None => {
                let stderr = self.stderr.take().and_then(|t| t.join().ok()).unwrap_or_default();
                ChildError::Ended { status, stderr }
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has nothing left to tell, and unloading models takes time that nobody waits for.
        let _ = self.process.kill();
        let _ = self.process.wait();
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
