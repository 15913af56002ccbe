//! Parse, run, exit code. The measured child is looked for first, see `measure::probe`.

use std::process::ExitCode;

use mediscope_size::measure::{counting::Counting, probe};
use mediscope_size::{cli, commands};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    probe::run_if_asked().unwrap_or_else(|| commands::run(cli::parse()))
}
