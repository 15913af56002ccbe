//! What the kernel counts of a group.

use std::path::Path;

use super::{Charge, Version};
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

/// What the kernel charges the group now; `None` where it does not tell.
///
/// Sources: Documentation/admin-guide/cgroup-v1/memory.rst (5.2) and cgroup-v2.rst (`memory.stat`). In
/// both versions the cache of files counts the pages of tmpfs and of shared memory, too. In version 2
/// `kernel` is in `memory.stat` since Linux 5.18; before, its parts are added up.
pub(super) fn charge(files: &Files, version: Version, memory: &Path) -> Option<Charge> {
    let text = files.read(&memory.join("memory.stat")).ok().flatten()?;
    let line = |field: &str| value(&text, field).map(Bytes::new);
    let or_zero = |field: &str| line(field).unwrap_or_default();
    let number = |name: &str| {
        let text = files.read(&memory.join(name)).ok().flatten()?;
        text.trim().parse().ok().map(Bytes::new)
    };
    Some(match version {
        Version::One => {
            let shmem = or_zero("total_shmem");
            Charge {
                anon: line("total_rss")?,
                shmem,
                file: line("total_cache")?.saturating_sub(shmem),
                kernel: number("memory.kmem.usage_in_bytes").unwrap_or_default(),
                kernel_can_be_reclaimed: true,
                sockets: number("memory.kmem.tcp.usage_in_bytes").unwrap_or_default(),
            }
        }
        Version::Two => {
            let shmem = or_zero("shmem");
            let parts = ["kernel_stack", "pagetables", "sec_pagetables", "percpu", "slab"];
            let kernel = line("kernel").unwrap_or_else(|| parts.map(or_zero).into_iter().sum());
            Charge {
                anon: line("anon")?,
                shmem,
                file: line("file")?.saturating_sub(shmem),
                kernel: kernel.saturating_sub(or_zero("slab_reclaimable")),
                kernel_can_be_reclaimed: false,
                sockets: or_zero("sock"),
            }
        }
    })
}

/// The number behind a name at the start of a line.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[expect(clippy::cast_precision_loss, reason = "a duration")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
