//! Samples the processes while they are driven, for what comes and goes between two high-water marks,
//! such as a worker that ends; and their control group, for what no process has mapped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::LiveError;
use super::tmpfs;
use super::usage::Usage;
use crate::footprint::TmpfsUse;
use crate::measure::control_group::Charge;
use crate::measure::memory::{self, Process};
use crate::measure::threads;
use crate::units::{Bytes, Seconds};

/// Between two looks. It is longer where the same processes would take more than [`MOST_CPU`]; where
/// they come and go, looks are all that tells of them, and cost what they cost.
pub const INTERVAL: Duration = Duration::from_millis(50);

/// Between two readings of all processes of the machine, which take milliseconds.
const NEW: Duration = Duration::from_millis(500);
/// And where each process lists its children, only in case that one was not listed.
const UNLISTED: Duration = Duration::from_secs(5);

/// Of one core, what looking at the same processes again and again may take: less than 2 % with what
/// looks at a start take, when they are found one after the other.
const MOST_CPU: f64 = 0.018;

/// The longest pause that pays for earlier looks, as when all was read for the first time.
const PAYING: Duration = Duration::from_millis(250);

/// Of the time, what asking each thread of the service for its children may take: with hundreds of
/// them not each look does.
const FOR_NEW: f64 = 0.02;

/// Memory of some processes that moved by less than this share while it was read is that of one
/// moment.
const MOVED: f64 = 0.005;

/// A file system that filled up by less was not used to speak of.
const FILLED: Bytes = Bytes::mib(1);

/// Between two samples of a control group, which take some 50 µs.
const GROUP_INTERVAL: Duration = Duration::from_millis(10);

/// What was sampled for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sampled {
    /// The most anonymous and shared memory that processes had mapped, each page counted once; 0 where
    /// there was no look.
    pub mapped: Bytes,
    /// Of the control group, where the service has one.
    pub group: Option<SampledGroup>,
}

/// What was sampled of a control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampledGroup {
    /// The most that the kernel could not drop.
    pub fixed: Bytes,
    /// The fewest cached pages of files.
    pub least_file: Bytes,
    /// The most.
    most_file: Bytes,
    /// By how much they have gone up or down, the most of all times that were asked about: what is so
    /// once may be so between two samples.
    pub swing: Bytes,
}

impl SampledGroup {
    fn with(self, other: Self) -> Self {
        let least_file = self.least_file.min(other.least_file);
        let most_file = self.most_file.max(other.most_file);
        Self {
            fixed: self.fixed.max(other.fixed),
            least_file,
            most_file,
            swing: self.swing.max(most_file.saturating_sub(least_file)),
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    sampled: Sampled,
    /// The most processes.
    processes: usize,
    /// CPU time of the looking.
    cpu: f64,
    looks: u64,
    /// File systems in memory: what of each was used when this began, and since.
    tmpfs: BTreeMap<PathBuf, Filled>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Filled {
    before: Bytes,
    most: Bytes,
    now: Bytes,
    /// The service had files open on it.
    is_used: bool,
}

/// Threads that look until this is dropped.
#[derive(Debug)]
pub struct Watch {
    usage: Arc<Usage>,
    seen: Arc<Mutex<Seen>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    begun: Instant,
}

impl Watch {
    /// Begins to look at a service.
    ///
    /// # Errors
    /// Where the system gives no thread for it.
    pub fn begin(usage: Arc<Usage>) -> Result<Self, LiveError> {
        let is_metered = usage.is_metered();
        let mut watch = Self {
            usage,
            seen: Arc::default(),
            is_over: Arc::default(),
            threads: Vec::new(),
            begun: Instant::now(),
        };
        watch.start("watch", look)?;
        if is_metered {
            watch.start("meter", meter)?;
        }
        Ok(watch)
    }

    fn start(
        &mut self,
        name: &str,
        work: fn(&Usage, &Mutex<Seen>, &AtomicBool),
    ) -> Result<(), LiveError> {
        let (usage, seen) = (Arc::clone(&self.usage), Arc::clone(&self.seen));
        let over = Arc::clone(&self.is_over);
        let failed = |reason| LiveError::Io { what: "nobody can look at it".to_owned(), reason };
        let thread = threads::start(name, move || work(&usage, &seen, &over)).map_err(failed)?;
        self.threads.push(thread);
        Ok(())
    }

    /// What was sampled since the last time that this was asked, and what is so now.
    pub fn take(&self) -> Sampled {
        let now = self.usage.charge().map(SampledGroup::from);
        let mut seen = self.lock();
        seen.add(now);
        let swing = seen.sampled.group.map(|group| group.swing).unwrap_or_default();
        let group = now.map(|now| SampledGroup { swing, ..now });
        std::mem::replace(&mut seen.sampled, Sampled { mapped: Bytes::ZERO, group })
    }

    /// The most processes that were seen at once.
    pub fn processes(&self) -> usize {
        self.lock().processes
    }

    /// The share of one core that the looking took.
    pub fn cost(&self) -> f64 {
        let cpu = self.lock().cpu;
        cpu / self.begun.elapsed().as_secs_f64().max(1e-9)
    }

    /// The mean time between two looks.
    pub fn interval(&self) -> Seconds {
        let looks = self.lock().looks.max(1);
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let mean = self.begun.elapsed().as_secs_f64() / looks as f64;
        Seconds::new(mean.max(INTERVAL.as_secs_f64()))
    }

    /// File systems in memory on which the service had files open, and that filled up meanwhile. Where a
    /// control group tells what is charged, this is not looked for.
    pub fn tmpfs(&self) -> Vec<TmpfsUse> {
        let grown = |(path, filled): (&PathBuf, &Filled)| {
            let Filled { before, most, now, is_used } = *filled;
            let more = |bytes: Bytes| bytes.saturating_sub(before);
            (is_used && more(most) >= FILLED).then(|| TmpfsUse {
                path: path.display().to_string(),
                peak_bytes: more(most),
                left_bytes: more(now),
            })
        };
        self.lock().tmpfs.iter().filter_map(grown).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn fill(&mut self, path: PathBuf, used: Bytes, is_used: bool) {
        let new = Filled { before: used, ..Filled::default() };
        let filled = self.tmpfs.entry(path).or_insert(new);
        filled.now = used;
        filled.most = filled.most.max(used);
        filled.is_used |= is_used;
    }

    fn add(&mut self, group: Option<SampledGroup>) {
        let Some(now) = group else { return };
        let so_far = self.sampled.group.get_or_insert(now);
        *so_far = so_far.with(now);
    }
}

impl From<Charge> for SampledGroup {
    fn from(charge: Charge) -> Self {
        Self {
            fixed: charge.fixed(),
            least_file: charge.file,
            most_file: charge.file,
            swing: Bytes::ZERO,
        }
    }
}

/// What the processes use of file systems in memory, as far as that can be told from their open files.
fn fill(ids: &[u32], seen: &Mutex<Seen>) {
    let Some(first) = ids.first() else { return };
    let (mut at, mut nameless, mut mapped) = (BTreeSet::new(), Bytes::ZERO, Bytes::ZERO);
    for id in ids {
        let (on, bytes) = tmpfs::open_files(Process::Id(*id));
        at.extend(on);
        // Processes share what they hand to each other.
        nameless = nameless.max(bytes);
        mapped += memory::resident_of(Process::Id(*id)).map(|r| r.shmem).unwrap_or_default();
    }
    let used = tmpfs::used(Process::Id(*first));
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for (path, used) in used {
        let is_used = at.contains(&path);
        seen.fill(path, used, is_used);
    }
    // What is mapped is seen already.
    seen.fill(PathBuf::from("memfd"), nameless.saturating_sub(mapped), true);
}

/// Samples the control group.
fn meter(usage: &Usage, seen: &Mutex<Seen>, is_over: &AtomicBool) {
    let mut before = 0.0;
    while !is_over.load(Ordering::Acquire) {
        let now = usage.charge().map(SampledGroup::from);
        let cpu = memory::thread_cpu().get();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.add(now);
        seen.cpu += cpu - std::mem::replace(&mut before, cpu);
        drop(seen);
        thread::park_timeout(GROUP_INTERVAL);
    }
}

/// What is counted more than once where it is added up process by process.
#[derive(Debug, Default)]
struct Shared {
    ids: Vec<u32>,
    bytes: Bytes,
}

fn look(usage: &Usage, seen: &Mutex<Seen>, is_over: &AtomicBool) {
    let root = &usage.root;
    let mut spent = 0.0;
    let (mut ids, mut before, mut found) = (Vec::new(), Vec::new(), None::<Instant>);
    let mut shared = Shared::default();
    let (begun, mut finding) = (Instant::now(), Duration::ZERO);
    let new = if memory::lists_children() { UNLISTED } else { NEW };
    while !is_over.load(Ordering::Acquire) {
        // A child is listed by its parent from its first moment on; what is not found in this way,
        // where the kernel does not tell, is found by reading all.
        if found.is_none_or(|at| at.elapsed() >= new) {
            ids = root.ids().unwrap_or_default();
            found = Some(Instant::now());
        } else if finding < begun.elapsed().mul_f64(FOR_NEW) {
            let now = Instant::now();
            ids = root.ids_from(&ids);
            finding += now.elapsed();
        }
        let total = sum(&mut ids);
        let count = ids.len();
        if !usage.is_metered() {
            fill(&ids, seen);
        }
        let highest = seen.lock().unwrap_or_else(PoisonError::into_inner).sampled.mapped;
        // Reading who shares which page takes milliseconds: only where it may be a new height.
        let is_known = count < 2 || shared.ids == ids;
        let mut least = Bytes::ZERO;
        if !is_known && total > highest {
            let parts = parts(&ids);
            // Where one has ended meanwhile, or taken more, these are not of one moment.
            let mut left = ids.clone();
            let moved = sum(&mut left).as_f64() - total.as_f64();
            let is_same = left == ids && moved.abs() < MOVED * total.as_f64();
            if is_same {
                let once: Bytes = parts.iter().map(|part| part.proportional).sum();
                shared = Shared { ids: ids.clone(), bytes: total.saturating_sub(once) };
            } else {
                least = at_least(&parts, &left);
            }
        }
        let total = match (count, shared.ids == ids) {
            (0 | 1, _) => total,
            (_, true) => total.saturating_sub(shared.bytes),
            (_, false) => least,
        };
        let cpu = memory::thread_cpu().get();
        let cost = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.sampled.mapped = seen.sampled.mapped.max(total);
            seen.processes = seen.processes.max(count);
            seen.looks += 1;
            let cost = cpu - std::mem::replace(&mut spent, cpu);
            seen.cpu += cost;
            cost
        };
        let is_same = ids == before;
        before.clone_from(&ids);
        // Woken when it is over.
        thread::park_timeout(if is_same { pause(cost, cpu, begun.elapsed()) } else { INTERVAL });
    }
}

/// Until the next look at the same processes, so that all looks since the first, `elapsed` ago, which
/// took `cpu` seconds, come to [`MOST_CPU`]; the last took `cost`.
fn pause(cost: f64, cpu: f64, elapsed: Duration) -> Duration {
    let time = |cpu: f64| Duration::from_secs_f64(cpu.max(0.0) / MOST_CPU);
    let due = time(cpu).saturating_sub(elapsed);
    due.clamp(INTERVAL, PAYING.max(time(cost)))
}

/// Anonymous and shared memory of the processes that are still there, pages of several counted in
/// each.
fn sum(ids: &mut Vec<u32>) -> Bytes {
    let mut total = Bytes::ZERO;
    ids.retain(|id| {
        let resident = memory::resident_of(Process::Id(*id));
        total += resident.as_ref().map_or(Bytes::ZERO, |r| r.anon + r.shmem);
        resident.is_ok()
    });
    total
}

/// Anonymous and shared memory of a process.
struct Part {
    id: u32,
    /// Each page whole.
    all: Bytes,
    /// Each page divided among those who have it.
    proportional: Bytes,
    /// Pages that nobody else has.
    own: Bytes,
}

fn parts(ids: &[u32]) -> Vec<Part> {
    let part = |&id: &u32| {
        let process = Process::Id(id);
        let resident = memory::resident_of(process).ok()?;
        let pss = memory::proportional(process).ok()?;
        Some(Part {
            id,
            all: resident.anon + resident.shmem,
            proportional: pss.pss_anon + pss.pss_shmem,
            own: pss.private_dirty,
        })
    };
    ids.iter().filter_map(part).collect()
}

/// What they take at the least, of processes that come and go while they are read, as where each
/// request has one of its own: all of the largest, and of the others what is theirs alone; of those
/// that were there until the end, and so at the same time.
fn at_least(parts: &[Part], left: &[u32]) -> Bytes {
    let there = || parts.iter().filter(|part| left.contains(&part.id));
    let Some(largest) = there().max_by_key(|part| part.all) else { return Bytes::ZERO };
    there().map(|part| if part.id == largest.id { part.all } else { part.own }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_paid_for() {
        let milliseconds = Duration::from_millis;
        assert_eq!(pause(0.0005, 0.01, milliseconds(1000)), INTERVAL, "half of what may be");
        let due = pause(0.002, 1.1 * MOST_CPU, milliseconds(1000));
        assert!(due.abs_diff(milliseconds(100)) < milliseconds(1), "{due:?}");
        assert_eq!(pause(0.002, 0.2, milliseconds(1000)), PAYING, "an expensive first one");
        let due = pause(MOST_CPU, 0.2, milliseconds(1000));
        assert!(due.abs_diff(milliseconds(1000)) < milliseconds(1), "hundreds of them: {due:?}");
    }

    #[test]
    fn what_comes_and_goes_is_counted_at_the_least() {
        let part = |id, all, own| Part {
            id,
            all: Bytes::mib(all),
            proportional: Bytes::ZERO,
            own: Bytes::mib(own),
        };
        // A parent of 30 MiB, all of it shared with three children, each with 10 MiB of its own.
        let parts = [part(1, 30, 0), part(2, 40, 10), part(3, 40, 10), part(4, 40, 10)];
        assert_eq!(at_least(&parts, &[1, 2, 3, 4]), Bytes::mib(60));
        assert_eq!(at_least(&parts, &[1, 2, 4]), Bytes::mib(50), "one has ended");
        assert_eq!(at_least(&parts, &[]), Bytes::ZERO);
    }
}
