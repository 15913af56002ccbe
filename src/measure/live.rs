//! A service that runs by itself, measured from outside: its processes, its requests, its start and
//! its end.
//!
//! [`owner`] tells who answers, [`tree`] which processes belong to them and what they hold, [`usage`] what is
//! charged besides, [`watch`] samples both in between, [`client`] and [`load`] ask it, [`start`] starts and stops it, and [`campaign`] puts
//! these together to one measurement, of which [`record`] makes a footprint.

pub mod campaign;
pub mod client;
pub mod headroom;
pub mod heap;
pub mod load;
pub mod owner;
pub mod ready;
pub mod record;
pub mod secrets;
pub mod serving;
pub mod start;
pub mod tmpfs;
pub mod tree;
pub mod usage;
pub mod watch;

use super::memory::MemoryError;
use crate::text::QUOTED;
use crate::units::{Bytes, Seconds};

/// Why a live service is not measured.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The process is not there.
    #[error(
        "there is no process {0}: give the id of the service's first process, as `pgrep -f` tells"
    )]
    NoProcess(u32),
    /// It was there.
    #[error(
        "process {0} has ended while it was measured: a service that changes its id is found by its \
         control group (--cgroup), or let this tool start it (-- COMMAND)"
    )]
    Gone(u32),
    /// Somebody else's.
    #[error("process {0} belongs to somebody else: run this as that user, or as root")]
    Forbidden(u32),
    /// It is not there.
    #[error(
        "there is no control group {0}: name its folder, as /sys/fs/cgroup/system.slice/app.service"
    )]
    NoGroup(std::path::PathBuf),
    /// No process in it.
    #[error("the control group {0} holds no process")]
    EmptyGroup(std::path::PathBuf),
    /// Its memory is not known.
    #[error("the memory of the service is not known: {0}")]
    Memory(#[from] MemoryError),
    /// The command is not there.
    #[error("`{program}` cannot be started: {reason}")]
    NotStarted {
        /// As it was typed.
        program: String,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It ended before it could be asked.
    #[error("`{program}` ended before it was ready ({status}){}", said(.output))]
    EndedEarly {
        /// As it was typed.
        program: String,
        /// How.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// It cannot be asked in time.
    #[error("`{program}` was not ready after {limit}: {waited_for}{}", said(.output))]
    NotReady {
        /// As it was typed.
        program: String,
        /// How long it was given.
        limit: Seconds,
        /// What did not happen, and what to do.
        waited_for: String,
        /// The end of its output.
        output: String,
    },
    /// Somebody else serves there.
    #[error(
        "{0} is in use already, so what answers there would not be the service that is started: \
         stop the other one, or choose another"
    )]
    InUse(client::Endpoint),
    /// Others answer than those that would be measured, or nobody knows.
    #[error(transparent)]
    Owner(Box<owner::OwnerError>),
    /// Not even a lone request is answered.
    #[error("the service does not answer a lone request: {0}")]
    NoAnswer(String),
    /// What is asked cannot be sent.
    #[error("{0}")]
    Request(String),
    /// It was killed while it started.
    #[error(
        "the kernel killed the service while it started in a control group of {0}: it needs more than \
         that"
    )]
    NeedsMore(crate::units::Bytes),
    /// Nothing is known of the machine.
    #[error(transparent)]
    Host(#[from] super::host::HostError),
    /// The user asked for an end.
    #[error("interrupted")]
    Interrupted,
    /// It was given a time, and that is over.
    #[error("the service took longer than it was given")]
    Late,
    /// The machine would have run out of memory.
    #[error(
        "the measurement was stopped because only {0} of RAM were free: measure with fewer requests at once \
         (--up-to), or on a machine with more"
    )]
    NoRoom(Bytes),
    /// Anything else of the system.
    #[error("{what}: {reason}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        reason: std::io::Error,
    },
}

impl From<owner::OwnerError> for LiveError {
    fn from(error: owner::OwnerError) -> Self {
        Self::Owner(Box::new(error))
    }
}

impl LiveError {
    /// What it says without the output of the service, in which anything can be: for what is kept.
    pub fn brief(&self) -> String {
        let text = self.to_string();
        text.split(SAID).next().unwrap_or_default().to_owned()
    }

    /// Whether it says that the service is gone.
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::EmptyGroup(_))
    }
}

/// Between a message and the output of the service.
const SAID: &str = "; it said:";

fn said(output: &str) -> String {
    let output = output.trim();
    if output.is_empty() {
        return String::new();
    }
    output.lines().fold(SAID.to_owned(), |text, line| text + QUOTED + line)
}
