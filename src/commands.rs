//! One file a verb: the only room where the world and the thinking meet.

mod answer;
mod cache;
mod calibrate;
mod check;
mod diff;
mod explain;
mod file;
mod footprint;
mod init;
mod inspect;
mod lint;
mod live;
mod measure;
mod output;
mod pages;
mod printer;
mod profiles;
mod runtime;
mod service;
mod size;
mod synthetic;
mod vary;
mod verify;

use std::io;
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::measure::interrupt::{Interrupt, outlive_limits};
use printer::Printer;

/// How a command ended, beyond errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// There is an answer, whatever it is.
    Answered,
    /// There is an answer, and it is a finding.
    Found,
    /// What was asked cannot be told.
    Undecided,
    /// The user stopped it.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Answered => Self::SUCCESS,
            Exit::Found => Self::from(FOUND),
            Exit::Undecided => Self::from(UNDECIDED),
            Exit::Interrupted => Self::from(Interrupt::EXIT_CODE),
        }
    }
}

/// Exit code of a command that found what it looks for.
const FOUND: u8 = 1;

/// Exit code of a command that could not decide: bad input, I/O, internal.
const UNDECIDED: u8 = 2;

/// Runs what was typed and returns the exit code: 0 answered, 2 could not answer, 130 interrupted.
pub fn run(cli: Cli) -> ExitCode {
    let printer = Printer::new(&cli.global);
    // Where they are not allowed, a limit ends this process as it would any other.
    let _ = outlive_limits(UNDECIDED);
    let result = match cli.command.unwrap_or(Command::Size(cli.size)) {
        Command::Size(args) => size::run(&args, &cli.global, &printer),
        Command::Measure(args) => measure::run(&args, &cli.global, &printer),
        Command::Verify(args) => verify::run(&args, &cli.global, &printer),
        Command::Check(args) => check::run(&args, &cli.global, &printer),
        Command::Diff(args) => diff::run(&args, &cli.global, &printer),
        Command::Inspect(args) => inspect::run(&args, &cli.global, &printer),
        Command::Profiles(args) => profiles::run(&args, &cli.global, &printer),
        Command::Init(args) => init::run(&args, &cli.global, &printer),
        Command::Lint(args) => lint::run(&args, &cli.global, &printer),
        Command::Runtime(args) => runtime::run(&args, &cli.global, &printer),
        Command::Calibrate(args) => calibrate::run(&args, &cli.global, &printer),
        Command::Cache(args) => cache::run(&args, &cli.global, &printer),
        Command::Completions(args) => pages::shell(&args, &printer),
        Command::Man(args) => pages::man(&args, &printer),
    };
    cache::close();
    match result {
        Ok(exit) => exit.into(),
        Err(error) if error.is::<footprint::Interrupted>() => Exit::Interrupted.into(),
        // A reader that has seen enough is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            ExitCode::from(UNDECIDED)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
