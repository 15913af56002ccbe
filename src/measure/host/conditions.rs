//! What else changes how much memory the same service takes here: the allocator, huge pages, and the
//! limits that the tool itself runs in.

use std::ffi::OsStr;
use std::path::Path;

use super::files::Files;
use super::{HostBox, HostNote};
use crate::text::line;

/// Which of a page's sizes the kernel picks for anonymous memory.
const HUGE_PAGES: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Variables by which an allocator is put in the place of the C library's, or told how to work.
const VARIABLES: [&str; 2] = ["LD_PRELOAD", "GLIBC_TUNABLES"];
/// The same of those with many: of glibc and jemalloc, of mimalloc, of tcmalloc.
const PREFIXES: [&str; 3] = ["MALLOC_", "MIMALLOC_", "TCMALLOC_"];

/// In words, each with its value: `MALLOC_TRIM_THRESHOLD_=0`, `transparent huge pages: always`,
/// `RAM limit here: 512 MiB`.
pub fn conditions(host: &HostBox) -> Vec<String> {
    let mut conditions = allocator();
    conditions
        .extend(huge_pages(&Files::real()).map(|how| format!("transparent huge pages: {how}")));
    if host.ram.value < host.total_ram {
        conditions.push(format!("RAM limit here: {} bytes", host.ram.value.get()));
    }
    let slowed = host.notes.iter().find_map(|note| match note {
        HostNote::SlowedAbove(high) => Some(high.value),
        HostNote::Unreadable { .. } => None,
    });
    conditions.extend(slowed.map(|high| format!("slowed above: {} bytes", high.get())));
    if host.cpus.value.get() < f64::from(host.cores) {
        conditions.push(format!("CPU quota here: {}", host.cpus.value.get()));
    }
    conditions
}

/// What the environment says to the allocator of every process that is started.
pub fn allocator() -> Vec<String> {
    let is_one = |name: &str| {
        VARIABLES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut set: Vec<String> = std::env::vars_os()
        .filter(|(name, value)| name.to_str().is_some_and(is_one) && !value.is_empty())
        .map(|(name, value)| format!("{}={}", shown(&name), shown(&value)))
        .collect();
    set.sort();
    set
}

fn shown(text: &OsStr) -> String {
    line(&text.to_string_lossy()).into_owned()
}

/// `always`, `madvise` or `never`; nothing where the kernel has none.
fn huge_pages(files: &Files) -> Option<String> {
    let text = files.read(Path::new(HUGE_PAGES)).ok()??;
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}
