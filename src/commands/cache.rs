//! `cache`: what is kept, and clearing it.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context;
use serde::Serialize;
use tempfile::TempDir;

use super::Exit;
use super::printer::Printer;
use crate::cli::{CacheArgs, GlobalArgs, Plain};
use crate::measure::cache::{Cache, CacheError, Entry};
use crate::text::line;
use crate::units::{Bytes, Seconds};

/// Runs the verb.
pub fn run(args: &CacheArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let cache = Cache::locate(global.cache_dir.as_deref())?;
    let entries = if args.clear {
        cache.clear().with_context(|| format!("cannot clear {}", cache.root().display()))?
    } else {
        cache.entries()
    };
    let place = cache.root().display().to_string();
    printer.answer(&match global.plain().map_err(anyhow::Error::msg)? {
        Plain::Json => {
            format!(
                "{}\n",
                serde_json::to_string_pretty(&Contract::of(&place, &entries, args.clear))?
            )
        }
        Plain::Text => listing(&cache, &entries, args.clear),
    })?;
    Ok(Exit::Answered)
}

/// The cache of this run where its user has none that is safe, as long as the run lasts.
static TEMPORARY: Mutex<Option<TempDir>> = Mutex::new(None);

/// The user's cache; where there is none that nobody else can write to, and none was named, one of this
/// run's own.
///
/// # Errors
/// Where the one that was named is refused, or none can be made.
pub fn open(global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Cache> {
    let refused = match Cache::locate(global.cache_dir.as_deref()) {
        Ok(cache) => return Ok(cache),
        Err(error @ CacheError::Refused { is_named: true, .. }) => return Err(error.into()),
        Err(error) => error,
    };
    let mut temporary = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = match &mut *temporary {
        Some(folder) => folder,
        none => {
            printer.warning(&format!("{refused}. Nothing of this run is kept"));
            let made = TempDir::with_prefix("mediscope-size-")
                .context("cannot make a temporary folder for this run")?;
            none.insert(made)
        }
    };
    Ok(Cache::at(folder.path()))
}

/// Removes the cache of this run, if it has one of its own.
pub fn close() {
    let temporary = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).take();
    // What cannot be removed takes space, nothing else.
    let _ = temporary.map(TempDir::close);
}

fn listing(cache: &Cache, entries: &[Entry], cleared: bool) -> String {
    let total: Bytes = entries.iter().map(|e| e.bytes).sum();
    let verb = if cleared { "Removed" } else { "Kept" };
    if entries.is_empty() {
        return format!("Nothing is kept in {}\n", line(&cache.root().display().to_string()));
    }
    let place = cache.root().display().to_string();
    let mut out = format!("{verb} {}, {total}, in {}\n", files(entries.len()), line(&place));
    for entry in entries {
        let name = entry.path.strip_prefix(cache.root()).unwrap_or(&entry.path);
        let what = cache.described(entry).unwrap_or_default();
        let name = format!("{}{what}", name.display());
        let _ = writeln!(out, "  {:>9}  {:<10} {}", entry.bytes, age(entry), line(&name));
    }
    out
}

fn files(n: usize) -> String {
    format!("{n} file{}", if n == 1 { "" } else { "s" })
}

fn age(entry: &Entry) -> String {
    let age = entry.modified.and_then(|m| SystemTime::now().duration_since(m).ok());
    match age.map(|a| Seconds::from(a).get()) {
        None => String::new(),
        Some(s) if s < 3600.0 => format!("{:.0} min ago", s / 60.0),
        Some(s) if s < 172_800.0 => format!("{:.0} h ago", s / 3600.0),
        Some(s) => format!("{:.0} d ago", s / 86_400.0),
    }
}

/// The verb's JSON, a type of its own.
#[derive(Serialize)]
struct Contract<'a> {
    schema: &'static str,
    directory: &'a str,
    cleared: bool,
    entries: Vec<EntryContract>,
}

#[derive(Serialize)]
struct EntryContract {
    kind: &'static str,
    path: String,
    bytes: Bytes,
}

impl<'a> Contract<'a> {
    fn of(directory: &'a str, entries: &[Entry], cleared: bool) -> Self {
        let entries = entries
            .iter()
            .map(|e| EntryContract {
                kind: e.kind.folder(),
                path: e.path.display().to_string(),
                bytes: e.bytes,
            })
            .collect();
        Self { schema: "mediscope-size/cache/1", directory, cleared, entries }
    }
}
