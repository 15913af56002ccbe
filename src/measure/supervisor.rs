//! The process between this one and a service that it starts: the service's parent, which ends all
//! of it.
//!
//! A process whose parent ends becomes a child of the nearest ancestor that has asked for that
//! (`PR_SET_CHILD_SUBREAPER`, prctl(2)). The supervisor has: daemons of the service come to it,
//! whatever session, process group or control group they are in. So it finds all of them without
//! any rights, reaps them as they end, and knows that none is left when it has no child (`ECHILD`).
//!
//! A socket connects it with the tool. When that is closed, because the tool is done or was killed,
//! the supervisor ends what is left and then itself.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use rustix::time::Timespec;
use serde::{Deserialize, Serialize};

use super::control_group::ControlGroup;
use super::ending;
use super::interrupt;
use super::memory::{self, Descent};
use super::probe::{ENTER_ARGUMENT, RUN_ARGUMENT};

/// The hidden first argument of the supervisor.
pub const SUPERVISE_ARGUMENT: &str = "__supervise";

/// How long the supervisor may take to start the service.
const START: Duration = Duration::from_secs(30);

/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two rounds of ending what is left, where nothing ends meanwhile.
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// What ends the service in order. Anything else that the tool could say is the end of the line.
const END_IN_ORDER: &[u8] = b"e";

/// What the supervisor tells the tool, a line each.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    /// The service's first process.
    Started(u32),
    /// It could not be started.
    Failed(String),
    /// The first process has ended, with this status (wait(2)).
    Ended(i32),
}

/// The tool's end: a service with its supervisor. Dropping it ends both.
#[derive(Debug)]
pub struct Supervised {
    supervisor: Child,
    line: UnixStream,
    unread: Vec<u8>,
    ended: Option<ExitStatus>,
}

impl Supervised {
    /// Starts a command in a folder and a control group, with a process group of its own.
    ///
    /// # Errors
    /// Where the supervisor or the command cannot be started.
    pub fn start(
        command: &[String],
        folder: Option<&Path>,
        group: Option<&ControlGroup>,
    ) -> io::Result<Self> {
        let (line, end) = UnixStream::pair()?;
        let mut supervisor = Command::new(std::env::current_exe()?);
        supervisor
            .arg(SUPERVISE_ARGUMENT)
            .stdin(OwnedFd::from(end))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(folder.unwrap_or(Path::new(".")))
            .process_group(0);
        let mut started =
            Self { supervisor: supervisor.spawn()?, line, unread: Vec::new(), ended: None };
        // It holds the other end, which has to be the supervisor's alone.
        drop(supervisor);
        started.hand_over(command, group)?;
        Ok(started)
    }

    /// Says what is to be started. Not as arguments: whoever ends processes by the name of the service
    /// must not meet the supervisor.
    fn hand_over(&mut self, command: &[String], group: Option<&ControlGroup>) -> io::Result<()> {
        let mut arguments = vec![OsString::from(ENTER_ARGUMENT)];
        arguments.extend(group.into_iter().flat_map(ControlGroup::directories).map(OsString::from));
        arguments.push(RUN_ARGUMENT.into());
        arguments.extend(command.iter().map(OsString::from));
        let mut text = serde_json::to_vec(&arguments)?;
        text.push(b'\n');
        self.line.set_write_timeout(Some(START))?;
        self.line.set_read_timeout(Some(START))?;
        self.line.write_all(&text)?;
        let report = loop {
            if let Some(report) = self.next_report() {
                break report;
            }
            if self.read()? == 0 {
                return Err(io::Error::other("the process that starts it has ended"));
            }
        };
        self.line.set_nonblocking(true)?;
        match report {
            Report::Failed(reason) => Err(io::Error::other(reason)),
            Report::Started(_) | Report::Ended(_) => Ok(()),
        }
    }

    /// The supervisor's id: all that descends from it is the service.
    pub fn id(&self) -> u32 {
        self.supervisor.id()
    }

    /// What the service writes; each can be taken once.
    pub fn output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.supervisor.stdout.take(), self.supervisor.stderr.take())
    }

    /// How the service's first process ended, if it has. Others may go on.
    pub fn status(&mut self) -> Option<ExitStatus> {
        while self.ended.is_none() {
            match self.read() {
                // A supervisor that is killed takes the first process along.
                Ok(0) => self.ended = Some(ExitStatus::from_raw(Signal::KILL.as_raw())),
                Ok(_) => {
                    while let Some(report) = self.next_report() {
                        if let Report::Ended(status) = report {
                            self.ended = Some(ExitStatus::from_raw(status));
                        }
                    }
                }
                Err(_) => break,
            }
        }
        self.ended
    }

    /// Has all of the service asked to end (SIGTERM). The supervisor ends when nothing is left.
    pub fn end_in_order(&mut self) {
        // Where it cannot be told it is gone, or will be made to go.
        let _ = self.line.write_all(END_IN_ORDER);
    }

    /// Whether the supervisor has ended, and with it the service.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.supervisor.try_wait(), Ok(None))
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 512];
        let read = self.line.read(&mut buffer)?;
        self.unread.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    fn next_report(&mut self) -> Option<Report> {
        let end = self.unread.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.unread.drain(..=end).collect();
        serde_json::from_slice(&line).ok()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = self.line.shutdown(Shutdown::Both);
        // It gives up by itself what it cannot end.
        ending::await_helper(&mut self.supervisor, PATIENCE * 2);
    }
}

/// The supervisor's own work.
pub fn supervise() -> ExitCode {
    match Supervisor::begin().and_then(Supervisor::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

/// The supervisor's end of the line.
struct Supervisor {
    line: UnixStream,
    /// Readable when a child has ended.
    endings: UnixStream,
    first: u32,
}

impl Supervisor {
    /// Starts the service that the tool names.
    fn begin() -> io::Result<Self> {
        interrupt::outlive_requests_to_end()?;
        set_child_subreaper(Some(rustix::process::getpid()))?;
        let (endings, notices) = UnixStream::pair()?;
        endings.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, notices)?;
        let mut line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut text = Vec::new();
        // The tool says nothing more before it is answered.
        BufReader::new(&line).read_until(b'\n', &mut text)?;
        let arguments: Vec<OsString> = serde_json::from_slice(&text)?;
        let started = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn();
        match started {
            Ok(service) => {
                release()?;
                report(&mut line, &Report::Started(service.id()));
                line.set_nonblocking(true)?;
                Ok(Self { line, endings, first: service.id() })
            }
            Err(error) => {
                report(&mut line, &Report::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    /// Until the tool has gone, or nothing is left of a service that it wants to end.
    fn run(mut self) -> io::Result<()> {
        let mut is_to_end = false;
        loop {
            if !self.reap() && is_to_end {
                return Ok(());
            }
            self.wait(None)?;
            let mut buffer = [0; 16];
            match self.line.read(&mut buffer) {
                Ok(1..) => {
                    is_to_end = true;
                    let own = std::process::id();
                    let all = memory::family(own);
                    send(all.into_iter().filter(|id| *id != own), Signal::TERM);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => return self.end_all(),
            }
        }
    }

    /// Waits for a word of the tool, or the end of a child.
    fn wait(&mut self, limit: Option<&Timespec>) -> io::Result<()> {
        let mut both =
            [PollFd::new(&self.line, PollFlags::IN), PollFd::new(&self.endings, PollFlags::IN)];
        // Once the tool has gone, its end of the line is always readable.
        let of = if limit.is_some() { &mut both[1..] } else { &mut both[..] };
        match poll(of, limit) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 64];
        while matches!(self.endings.read(&mut buffer), Ok(1..)) {}
        Ok(())
    }

    /// Waits for all children that have ended; false where there is no other.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((id, status))) => {
                    if Some(id) == pid(self.first) {
                        report(&mut self.line, &Report::Ended(status.as_raw()));
                    }
                }
                Ok(None) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Ends all that descends from this process. What is seen for the first time is stopped, so that it
    /// starts nothing while the others are found, and killed when it is seen again.
    fn end_all(mut self) -> io::Result<()> {
        let begun = Instant::now();
        let mut descent = Descent::of(std::process::id());
        let mut seen = BTreeSet::new();
        while self.reap() && begun.elapsed() < PATIENCE {
            let all = descent.look();
            let (again, new): (Vec<u32>, Vec<u32>) = all.iter().partition(|id| seen.contains(*id));
            send(new, Signal::STOP);
            send(again, Signal::KILL);
            seen = all;
            self.wait(Some(&ROUND))?;
        }
        Ok(())
    }
}

/// Lets go of what is the service's: its output, whose readers wait for the end of it, and its folder.
fn release() -> io::Result<()> {
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    dup2_stderr(&nowhere)?;
    std::env::set_current_dir("/")
}

/// A tool that is gone is noticed where the line is read.
fn report(line: &mut UnixStream, report: &Report) {
    if let Ok(mut text) = serde_json::to_vec(report) {
        text.push(b'\n');
        let _ = line.write_all(&text);
    }
}

fn send(ids: impl IntoIterator<Item = u32>, signal: Signal) {
    for id in ids.into_iter().filter_map(pid) {
        // One that has ended meanwhile needs none.
        let _ = kill_process(id, signal);
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}
