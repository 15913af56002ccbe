//! Parse, run, exit code. The measured child is looked for first, see `measure::probe`.

use std::io::Write;
use std::process::ExitCode;

use mediscope_size::measure::{counting::Counting, probe};
use mediscope_size::text::{Form, guarded, message};
use mediscope_size::{cli, commands};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    // The message of a panic may quote what others wrote, as any error does.
    std::panic::set_hook(Box::new(|panic| {
        let text = format!("internal error, please report it: {panic}");
        let _ = writeln!(std::io::stderr(), "error: {}", guarded(&message(&text), Form::Page));
    }));
    probe::run_if_asked().unwrap_or_else(|| commands::run(cli::parse()))
}
