//! The process that cleans up, whatever happens to its parent.
//!
//! It reads the groups to guard from a pipe, one a line. When the pipe ends, because the parent is
//! done or dead, it ends what is in the groups and removes them. It is in none of them, in a process
//! group of its own, and minds no request to end, so that neither the kernel's killer nor Ctrl-C nor
//! the end of a session reaches it.

use std::ffi::OsStr;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::io::ioctl_fionbio;

use super::GroupError;
use super::remains;
use crate::measure::{ending, interrupt};

/// The hidden first argument of the watcher.
pub const WATCH_ARGUMENT: &str = "__watch";

/// How long it may take to clean up. It gives up by itself what cannot be removed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running watcher. Dropping it lets it clean up, and waits for that.
#[derive(Debug)]
pub struct Watcher {
    process: Child,
    groups: Option<ChildStdin>,
}

impl Watcher {
    /// Starts it.
    ///
    /// # Errors
    /// Where no process can be started.
    pub fn start() -> Result<Self, GroupError> {
        let start = || {
            let mut process = Command::new(std::env::current_exe()?)
                .arg(WATCH_ARGUMENT)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .current_dir("/")
                .process_group(0)
                .spawn()?;
            let groups = process.stdin.take();
            // One that is stopped reads nothing, and must not stop who tells it something.
            groups.as_ref().map_or(Ok(()), |groups| ioctl_fionbio(groups, true))?;
            Ok(Self { process, groups })
        };
        start().map_err(GroupError::Watcher)
    }

    /// Has it guard a group that is about to be made.
    pub(super) fn guard(&mut self, directory: &Path) -> io::Result<()> {
        let pipe = self.groups.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(directory.as_os_str().as_bytes())?;
        pipe.write_all(b"\n")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.groups.take());
        ending::await_helper(&mut self.process, PATIENCE);
    }
}

/// The watcher's own work: guards what `input` names until it ends.
pub fn watch(input: &mut impl BufRead) {
    // What it is for is done all the same where no handler is allowed.
    let _ = interrupt::outlive_requests_to_end();
    let mut guarded: Vec<PathBuf> = Vec::new();
    let mut line = Vec::new();
    while matches!(input.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        let name = line.strip_suffix(b"\n").unwrap_or(&line);
        guarded.push(PathBuf::from(OsStr::from_bytes(name)));
        line.clear();
    }
    for group in guarded.iter().rev() {
        remains::remove(group);
    }
}
