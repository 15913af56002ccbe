//! What a group is charged, at one moment and at its highest: memory that no process has mapped, such
//! as files in a tmpfs, is in it, too.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Version, counters};
use crate::measure::host::files::Files;
use crate::units::Bytes;

/// Pages that the kernel charges ahead for each CPU (`MEMCG_CHARGE_BATCH`), and within which it leaves
/// its statistics as they are. By so much what is read may be wrong.
const BATCH_PAGES: u64 = 64;

/// What the kernel charges a group and those below it at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charge {
    /// Anonymous pages.
    pub anon: Bytes,
    /// Pages of tmpfs and of shared memory, mapped or not.
    pub shmem: Bytes,
    /// Cached pages of other files.
    pub file: Bytes,
    /// Kernel memory: page tables, stacks, pipes, the buffers of local sockets.
    pub kernel: Bytes,
    /// Whether `kernel` holds caches that the kernel drops when memory is short; version 1 does not
    /// tell them apart.
    pub kernel_can_be_reclaimed: bool,
    /// Buffers of network sockets.
    pub sockets: Bytes,
}

impl Charge {
    /// All that the kernel cannot drop: everything but cached pages of files.
    pub fn fixed(&self) -> Bytes {
        self.anon + self.shmem + self.kernel + self.sockets
    }
}

/// Reads what a group is charged, and its high-water mark from a moment on.
#[derive(Debug)]
pub struct Meter {
    files: Files,
    version: Version,
    memory: PathBuf,
    /// Where the high-water mark can be reset: the file through which it is.
    mark: Option<File>,
    /// The most before the last reset.
    before: AtomicU64,
}

impl Meter {
    pub(super) fn new(files: Files, version: Version, memory: PathBuf, may_reset: bool) -> Self {
        let path = |name: &str| files.at(&memory.join(name));
        let open = |name: &str| OpenOptions::new().read(true).write(true).open(path(name)).ok();
        let mark = match version {
            // One mark for all who read it.
            Version::One if may_reset => open("memory.max_usage_in_bytes"),
            Version::One => None,
            // Since Linux 6.12 it can be written, and is then that of the open file alone.
            Version::Two => open("memory.peak"),
        };
        Self { files, version, memory, mark, before: AtomicU64::new(0) }
    }

    /// Of a group that somebody else has made, whose marks stay as they are; `None` where it has no
    /// memory controller.
    pub fn of(memory: &Path) -> Option<Self> {
        let version = match () {
            () if memory.join("memory.usage_in_bytes").is_file() => Version::One,
            () if memory.join("memory.current").is_file() => Version::Two,
            () => return None,
        };
        Some(Self::new(Files::real(), version, memory.to_owned(), false))
    }

    /// What it is charged now.
    pub fn charge(&self) -> Option<Charge> {
        counters::charge(&self.files, self.version, &self.memory)
    }

    /// The most that was charged in all the time that the group has been there, as far as is known.
    pub fn peak(&self) -> Option<Bytes> {
        let name = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        let text = self.files.read(&self.memory.join(name)).ok().flatten()?;
        let now: u64 = text.trim().parse().ok()?;
        Some(Bytes::new(now.max(self.before.load(Ordering::Relaxed))))
    }

    /// Starts a new high-water mark; false where the kernel does not let us.
    pub fn reset(&self) -> bool {
        if let Some(most) = self.highest() {
            self.before.fetch_max(most.get(), Ordering::Relaxed);
        }
        self.mark.as_ref().is_some_and(|file| file.write_all_at(b"0", 0).is_ok())
    }

    /// The most that was charged since the last reset, cached files included; `None` where it cannot be
    /// reset.
    pub fn highest(&self) -> Option<Bytes> {
        let mut text = [0; 32];
        let length = self.mark.as_ref()?.read_at(&mut text, 0).ok()?;
        std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok().map(Bytes::new)
    }

    /// By how much what is read here may be wrong.
    pub fn error() -> Bytes {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
        Bytes::new(BATCH_PAGES * page) * u64::try_from(cpus).unwrap_or(1)
    }
}
