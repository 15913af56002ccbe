//! The child process that is measured. It is this same program, started with a hidden first
//! argument that is looked at before anything else, so that a footprint holds as little of the
//! tool as possible: no argument parser, no profile, no report.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, ExitCode};

use rustix::process::{Signal, set_parent_process_death_signal};

use super::control_group::{WATCH_ARGUMENT, watch};
use super::protocol::{Command, Job, Reply};
use super::service::Service;
use super::subject::Subject;
use super::supervisor::{SUPERVISE_ARGUMENT, supervise};
use super::synthetic::Synthetic;
use super::{ffi, protocol};

/// The hidden first argument of the measured child.
pub const PROBE_ARGUMENT: &str = "__probe";
/// The hidden first argument of a process that enters the control groups whose directories follow,
/// up to [`PROBE_ARGUMENT`], and then becomes the measured child, or up to [`RUN_ARGUMENT`], and then
/// becomes the command behind it.
pub const ENTER_ARGUMENT: &str = "__enter";
/// See [`ENTER_ARGUMENT`].
pub const RUN_ARGUMENT: &str = "__run";
/// The hidden first argument of the child that asks a library for its version.
pub const VERSION_ARGUMENT: &str = "__library-version";

/// Runs this process as a child of the tool, if its arguments say so.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    if first == PROBE_ARGUMENT {
        // A parent that is killed takes its child along. Failing that, the child ends at the
        // next reply, when the pipe is found closed.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let served = serve(&mut io::stdin().lock(), &mut io::stdout().lock());
        return Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) });
    }
    if first == ENTER_ARGUMENT {
        let mut is_service = false;
        let groups: Vec<OsString> = arguments
            .by_ref()
            .take_while(|a| {
                is_service = a == RUN_ARGUMENT;
                !is_service && a != PROBE_ARGUMENT
            })
            .collect();
        let command: Vec<OsString> = arguments.collect();
        let error = enter(&groups, is_service.then_some(&command));
        let _ = writeln!(io::stderr(), "{error}");
        return Some(ExitCode::from(2));
    }
    if first == SUPERVISE_ARGUMENT {
        return Some(supervise());
    }
    if first == WATCH_ARGUMENT {
        watch(&mut io::stdin().lock());
        return Some(ExitCode::SUCCESS);
    }
    if first == VERSION_ARGUMENT {
        return Some(tell_version(Path::new(&arguments.next()?)));
    }
    None
}

/// Enters the groups, then becomes the measured child, or this command; returns only where that
/// fails. As a program of its own and not between fork and exec, so that each page of the child is
/// charged to them.
fn enter(groups: &[OsString], command: Option<&[OsString]>) -> io::Error {
    for group in groups {
        let entry = Path::new(group).join("cgroup.procs");
        // 0 is the process that writes.
        if let Err(error) = fs::write(&entry, "0") {
            let said = format!("{} cannot be entered: {error}", entry.display());
            return io::Error::new(error.kind(), said);
        }
    }
    if let Some((program, arguments)) = command.and_then(<[_]>::split_first) {
        // A supervisor that is killed takes at least the first process of the service along.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        return process::Command::new(program).args(arguments).exec();
    }
    match std::env::current_exe() {
        Ok(program) => process::Command::new(program).arg(PROBE_ARGUMENT).exec(),
        Err(error) => error,
    }
}

fn tell_version(path: &Path) -> ExitCode {
    let (text, code) = match ffi::library_version(path) {
        Ok(version) => (version, ExitCode::SUCCESS),
        Err(reason) => (reason, ExitCode::from(2)),
    };
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::from(2),
    }
}

/// Reads the job, then answers one command after the other until the input ends.
fn serve(input: &mut impl BufRead, output: &mut impl Write) -> anyhow::Result<()> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let protocol::Start { job, child } = serde_json::from_str(&line)?;
    let mut subject: Box<dyn Subject> = match job {
        Job::Service(job) => Box::new(Service::new(job)),
        Job::Synthetic(job) => Box::new(Synthetic::new(job, u64::from(child))),
    };
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = serde_json::from_str(&line)?;
        let reply =
            obey(subject.as_mut(), command).unwrap_or_else(|e| Reply::Failed(format!("{e:#}")));
        let failed = matches!(reply, Reply::Failed(_));
        writeln!(output, "{}", serde_json::to_string(&reply)?)?;
        output.flush()?;
        if failed {
            return Ok(());
        }
    }
}

fn obey(subject: &mut dyn Subject, command: Command) -> anyhow::Result<Reply> {
    Ok(match command {
        Command::Load => Reply::Loaded(subject.load()?),
        Command::WarmUp => Reply::Warm(subject.warm_up()?),
        Command::Stages { budget, kind } => Reply::Stages(subject.stages(budget, kind)?),
        Command::LoadLazy => Reply::LoadedLazy(subject.load_lazy()?),
        Command::Waves { concurrency, max_blocks, kinds } => {
            Reply::Waves(subject.waves(concurrency, max_blocks, kinds)?)
        }
        Command::ColdBurst { concurrency } => Reply::Waves(subject.cold_burst(concurrency)?),
        Command::Drive(load) => Reply::Driven(subject.drive(load)?),
        Command::Idle => Reply::Idle(subject.idle()?),
    })
}
