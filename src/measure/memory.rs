//! What the kernel says of a process: its memory, its CPU time, and what disturbed it.
//!
//! Linux only, from `/proc`. A reading that failed is an error and never a zero, because a zero
//! would be fitted like any other number. Anonymous and file-backed pages are kept apart: the
//! kernel kills for the first and can drop the second.
//! Present values are exact on recent kernels and peaks nearly so: [`counter_error`] says by how
//! much they may be off and why, [`proportional`] is exact on every kernel, and slow.

mod counters;
mod interference;
mod mapped;
mod paging;
mod touched;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::time::{ClockId, clock_gettime};

pub use self::counters::{Descent, Relative, children, family, lists_children, relatives};
pub use self::interference::{Disturbance, Interference};
pub use self::mapped::mapped_files;
pub use self::paging::small_pages_of_data;
pub use self::touched::{Touched, forget_touched, touched};
pub use super::host::files::Process;

use super::host::files::Files;
use crate::units::{Bytes, Seconds};

/// Why the memory of a process is not known.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Not Linux.
    #[error(
        "memory can be measured on Linux only: use a profile with a declared or an already measured footprint"
    )]
    Unsupported,
    /// The process has ended, or never was.
    #[error("process {0} has ended: its memory can no longer be read")]
    Ended(String),
    /// A file of the kernel could not be read or written.
    #[error("{file} could not be used: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The kernel does not state a number that is needed.
    #[error("{file} has no `{field}`: this kernel is too old, or is built without it")]
    Missing {
        /// The file.
        file: PathBuf,
        /// The name of the line.
        field: &'static str,
    },
    /// A line is there and is no number.
    #[error("{file} says `{text}` for `{field}`, which is no number that can be used")]
    Garbled {
        /// The file.
        file: PathBuf,
        /// The name of the line.
        field: &'static str,
        /// What it says.
        text: String,
    },
}

/// The memory of a process now, and the most that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// All resident pages: `anon + file + shmem` (`VmRSS`).
    pub total: Bytes,
    /// Heap, stacks, private mappings: what cannot be dropped (`RssAnon`).
    pub anon: Bytes,
    /// Mapped files, such as libraries and models: what can be dropped and read again (`RssFile`).
    pub file: Bytes,
    /// Shared memory, which cannot be dropped either (`RssShmem`).
    pub shmem: Bytes,
    /// The most that `total` was since the start or the last [`reset_high_water`] (`VmHWM`);
    /// within [`counter_error`].
    pub high_water: Bytes,
    /// Page tables of every level but the top one (`VmPTE`).
    pub page_tables: Bytes,
    /// Threads, 1 or more.
    pub threads: u32,
}

/// The exact memory of a process, with shared pages divided among those who share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pss {
    /// All resident pages, each counted whole.
    pub rss: Bytes,
    /// All resident pages, each divided by the number of processes that map it: what one of
    /// several workers costs.
    pub pss: Bytes,
    /// The anonymous part of `pss`.
    pub pss_anon: Bytes,
    /// The file-backed part of `pss`.
    pub pss_file: Bytes,
    /// The shared-memory part of `pss`.
    pub pss_shmem: Bytes,
    /// Pages that nobody else maps: what comes back when the process ends.
    pub private: Bytes,
    /// Those of them that were written to: anonymous memory, mostly.
    pub private_dirty: Bytes,
}

/// The memory of this process. Takes some 20 µs, whatever the size of the process.
///
/// # Errors
/// Where the system is not Linux, or a line is missing (before Linux 4.5).
pub fn resident() -> Result<Resident, MemoryError> {
    resident_of(Process::This)
}

/// The memory of any process (`/proc/<pid>/status`).
///
/// # Errors
/// As [`resident`], and where the process has ended.
pub fn resident_of(process: Process) -> Result<Resident, MemoryError> {
    let (file, text) = read(process, "status")?;
    // One that is ending has given its memory back before its state says so.
    if has_ended(&text) || !text.contains("\nVmRSS:") {
        return Err(MemoryError::Ended(process.to_string()));
    }
    parse_resident(Table { file: &file, text: &text })
}

/// The memory that a process saw in its own `/proc/self/status`.
///
/// # Errors
/// Where a line is missing.
pub fn resident_in(status: &str) -> Result<Resident, MemoryError> {
    parse_resident(Table { file: &Process::This.file("status"), text: status })
}

/// Reads `/proc/<pid>/smaps_rollup`: milliseconds for a large process, which stands still
/// meanwhile wherever it maps or unmaps memory.
///
/// # Errors
/// As [`resident_of`] (a line is missing before Linux 5.4), and where the process belongs to
/// someone else.
pub fn proportional(process: Process) -> Result<Pss, MemoryError> {
    let (file, text) = read(process, "smaps_rollup")?;
    // A process without memory of its own, such as an ended one, has an empty file.
    if text.is_empty() {
        return Err(MemoryError::Ended(process.to_string()));
    }
    parse_pss(Table { file: &file, text: &text })
}

/// Starts a new high-water mark at what is resident now (`clear_refs`, proc(5)), within
/// [`counter_error`].
///
/// # Errors
/// Where the kernel does not offer it, as in some sandboxes, or the system is not Linux.
pub fn reset_high_water() -> Result<(), MemoryError> {
    only_on_linux()?;
    let file = Process::This.file("clear_refs");
    fs::write(&file, "5").map_err(|source| MemoryError::Io { file, source })
}

/// The most by which a high-water mark, and on some kernels any resident value, may be wrong on a
/// machine with this many CPUs online, either way.
///
/// Since Linux 6.2 (commit f1a7941243c1) each of the three counters of a process is kept per CPU,
/// and a CPU's part joins the total when it reaches a batch of `max(32, 2 × CPUs)` pages
/// (`lib/percpu_counter.c`). So the total misses less than a batch a CPU: 744 KiB on 2 CPUs,
/// 95 MiB on 64, in pages of 4 KiB. Growth in steps of a batch or more, as with huge pages, joins
/// at once.
///
/// `/proc/<pid>/status` adds up the parts from Linux 6.16 on, and before it with the backport of
/// commit 82241a83cd15: present values are exact there. The mark is not, on any: it is taken from
/// the total alone when memory is given back and at a reset, and can even fall a little between
/// two readings. But the mark shown is never below the present value. On 2 CPUs with Linux 6.18,
/// 80 peaks that had passed read 120 to 380 KiB low. Before Linux 6.2 each thread kept up to 64
/// pages to itself instead.
pub fn counter_error(cpus: u32) -> Bytes {
    const COUNTERS: u64 = 3;
    let cpus = u64::from(cpus);
    let kept_back = cpus.saturating_mul(2).max(32) - 1;
    page_size() * cpus * kept_back * COUNTERS
}

/// What a memory cgroup is charged for the process beyond its pages: page tables, and a kernel
/// stack a thread.
///
/// A stack is 16 KiB on `x86_64` (`THREAD_SIZE_ORDER` 2 of `arch/x86/include/asm/page_64_types.h`)
/// and on `aarch64` (`MIN_THREAD_SHIFT` 14 of `arch/arm64/include/asm/memory.h`), where it is at
/// least a page. This is a lower bound: slab objects come on top, on Linux 6.18 about 30 KiB a
/// process and 7 KiB a thread.
pub fn kernel_share(resident: &Resident) -> Bytes {
    const STACK: Bytes = Bytes::new(16 << 10);
    resident.page_tables + STACK.max(page_size()) * u64::from(resident.threads)
}

/// The CPU time that all threads of this process have used, those that have ended included.
pub fn process_cpu() -> Seconds {
    clock(ClockId::ProcessCPUTime)
}

/// The CPU time that the calling thread has used.
pub fn thread_cpu() -> Seconds {
    clock(ClockId::ThreadCPUTime)
}

/// How long the calling thread has waited for its turn on a CPU.
#[derive(Debug)]
pub struct Turn(Option<fs::File>);

impl Turn {
    /// Opened once: reading it is a microsecond, opening it several.
    pub fn of_this_thread() -> Self {
        Self(fs::File::open("/proc/thread-self/schedstat").ok())
    }

    /// Since the thread was started, waiting for a quota included (the second number of
    /// `schedstat`, Documentation/scheduler/sched-stats.rst); `None` where the kernel does not tell.
    pub fn queued(&self) -> Option<Seconds> {
        let mut text = [0; 64];
        let read = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..read)?).ok()?;
        let queued: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(Seconds::new(queued / 1e9))
    }
}

/// How long each thread of this process has waited for its turn on a CPU, seconds by its id; empty
/// where the kernel does not tell.
pub fn queued_threads() -> BTreeMap<u32, f64> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let queued = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        let nanoseconds: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, nanoseconds / 1e9))
    };
    threads.filter_map(queued).collect()
}

#[expect(clippy::cast_precision_loss, reason = "exact to the nanosecond for a hundred days")]
fn clock(id: ClockId) -> Seconds {
    let time = clock_gettime(id);
    Seconds::new(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

fn page_size() -> Bytes {
    Bytes::new(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
}

fn only_on_linux() -> Result<(), MemoryError> {
    if cfg!(target_os = "linux") { Ok(()) } else { Err(MemoryError::Unsupported) }
}

fn read(process: Process, name: &str) -> Result<(PathBuf, String), MemoryError> {
    only_on_linux()?;
    let file = process.file(name);
    match Files::real().read(&file) {
        Ok(Some(text)) => Ok((file, text)),
        // The status tells a process that is gone from a file that the kernel does not have.
        Ok(None) => match Files::real().read(&process.file("status")) {
            Ok(Some(status)) if !has_ended(&status) => {
                Err(MemoryError::Io { file, source: std::io::ErrorKind::NotFound.into() })
            }
            _ => Err(MemoryError::Ended(process.to_string())),
        },
        Err(source) => Err(MemoryError::Io { file, source }),
    }
}

/// What is left of a process until it is waited for has a state and no memory.
fn has_ended(status: &str) -> bool {
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|s| s.trim_start().starts_with(['Z', 'X']))
}

fn parse_resident(table: Table) -> Result<Resident, MemoryError> {
    Ok(Resident {
        total: table.kib("VmRSS")?,
        anon: table.kib("RssAnon")?,
        file: table.kib("RssFile")?,
        shmem: table.kib("RssShmem")?,
        high_water: table.kib("VmHWM")?,
        page_tables: table.kib("VmPTE")?,
        threads: table.threads()?,
    })
}

fn parse_pss(table: Table) -> Result<Pss, MemoryError> {
    Ok(Pss {
        rss: table.kib("Rss")?,
        pss: table.kib("Pss")?,
        pss_anon: table.kib("Pss_Anon")?,
        pss_file: table.kib("Pss_File")?,
        pss_shmem: table.kib("Pss_Shmem")?,
        private: table.kib("Private_Clean")? + table.kib("Private_Dirty")?,
        private_dirty: table.kib("Private_Dirty")?,
    })
}

/// Lines of `Name:  number kB`.
#[derive(Clone, Copy)]
struct Table<'a> {
    file: &'a PathBuf,
    text: &'a str,
}

impl Table<'_> {
    fn kib(self, field: &'static str) -> Result<Bytes, MemoryError> {
        let text = self.line(field)?;
        // The kernel writes "kB" and means 1024 bytes.
        text.strip_suffix(" kB")
            .and_then(|number| number.trim().parse::<u64>().ok()?.checked_mul(1024))
            .map(Bytes::new)
            .ok_or_else(|| self.garbled(field, text))
    }

    fn threads(self) -> Result<u32, MemoryError> {
        let text = self.line("Threads")?;
        text.parse().ok().filter(|n| *n > 0).ok_or_else(|| self.garbled("Threads", text))
    }

    fn line(&self, field: &'static str) -> Result<&str, MemoryError> {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .map(str::trim)
            .ok_or_else(|| MemoryError::Missing { file: self.file.clone(), field })
    }

    fn garbled(self, field: &'static str, text: &str) -> MemoryError {
        MemoryError::Garbled { file: self.file.clone(), field, text: text.to_owned() }
    }
}

#[cfg(test)]
mod tests;
