//! What the kernel counts of a group.

use std::path::Path;

use super::Version;
use crate::footprint::{Counters, Throttled};
use crate::measure::host::files::Files;
use crate::units::{Bytes, Seconds};

pub(super) fn read(files: &Files, version: Version, memory: &Path, cpu: &Path) -> Counters {
    let file = |directory: &Path, name: &str| files.read(&directory.join(name)).ok().flatten();
    let number = |name: &str| file(memory, name)?.trim().parse::<u64>().ok();
    let line = |directory: &Path, name: &str, field: &str| value(&file(directory, name)?, field);
    let throttled = |field: &str, unit: f64| {
        Some(Throttled {
            periods: line(cpu, "cpu.stat", "nr_throttled")?,
            time: Seconds::new(as_f64(line(cpu, "cpu.stat", field)?) / unit),
        })
    };
    match version {
        Version::One => Counters {
            peak: number("memory.max_usage_in_bytes").map(Bytes::new),
            kernel_peak: number("memory.kmem.max_usage_in_bytes").map(Bytes::new),
            oom_kills: line(memory, "memory.oom_control", "oom_kill"),
            major_faults: line(memory, "memory.stat", "total_pgmajfault"),
            // Of two equal limits, that of memory with swap is met first, where the kernel has it.
            reclaims: number("memory.failcnt")
                .map(|count| count + number("memory.memsw.failcnt").unwrap_or(0)),
            throttled: throttled("throttled_time", 1e9),
        },
        Version::Two => Counters {
            peak: number("memory.peak").map(Bytes::new),
            kernel_peak: None,
            oom_kills: line(memory, "memory.events", "oom_kill"),
            major_faults: line(memory, "memory.stat", "pgmajfault"),
            reclaims: line(memory, "memory.events", "max"),
            throttled: throttled("throttled_usec", 1e6),
        },
    }
}

/// Anonymous and file bytes now.
pub(super) fn sample(files: &Files, version: Version, memory: &Path) -> Option<(Bytes, Bytes)> {
    let text = files.read(&memory.join("memory.stat")).ok().flatten()?;
    let (anonymous, file) = match version {
        Version::One => ("total_rss", "total_cache"),
        Version::Two => ("anon", "file"),
    };
    Some((Bytes::new(value(&text, anonymous)?), Bytes::new(value(&text, file)?)))
}

/// The number behind a name at the start of a line.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[expect(clippy::cast_precision_loss, reason = "a duration")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
