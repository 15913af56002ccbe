//! A library's version, asked in another process: opening one runs its code, which may crash or
//! hang, and would count its pages to this process.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::command::{Ran, last_lines, run};
use super::header;
use crate::measure::probe::VERSION_ARGUMENT;

/// Opening takes milliseconds; a cold network folder takes seconds.
const LIMIT: Duration = Duration::from_mins(1);

/// The version that the library gives for itself.
///
/// # Errors
/// Why it cannot be opened, in words that follow the path.
pub fn ask_version(path: &Path, interrupt: &AtomicBool) -> Result<String, String> {
    header::check(path)?;
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(this);
    match run(command.arg(VERSION_ARGUMENT).arg(path), LIMIT, interrupt, &|| {}) {
        // A library may print while it is opened: the version comes last.
        Ran::Well(text) => text
            .lines()
            .next_back()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .ok_or_else(|| "it gives no version".to_owned()),
        Ran::Badly(text) => Err(without_path(&last_lines(&text), path)),
        Ran::NotStarted(why) => Err(format!("no process can be started to open it: {why}")),
        Ran::TimedOut => Err(format!("opening it took more than {} s", LIMIT.as_secs())),
        Ran::Interrupted => Err("interrupted".into()),
    }
}

/// The loader begins with the path, which the reader has just been told.
fn without_path(text: &str, path: &Path) -> String {
    let prefix = format!("{}: ", path.display());
    text.strip_prefix(&prefix).unwrap_or(text).to_owned()
}
