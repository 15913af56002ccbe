//! Looks at the processes while they are driven: for what comes and goes between two high-water
//! marks, such as a worker that ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::tree::Root;
use crate::measure::memory::{self, Process};
use crate::units::{Bytes, Seconds};

/// Between two looks: reading a process takes some 30 µs, so ten of them take 0.6 % of a core.
pub const INTERVAL: Duration = Duration::from_millis(50);

/// Between two looks for processes that have come: reading all of a machine takes milliseconds.
const NEW: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Seen {
    /// The most anonymous and shared memory, pages of several processes counted in each.
    most: Bytes,
    /// The most processes.
    processes: usize,
    /// CPU time of the looking.
    cpu: f64,
    looks: u64,
}

/// A thread that looks until it is dropped.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    begun: Instant,
}

impl Watch {
    /// Begins to look at these processes.
    pub fn begin(root: Root) -> Self {
        let (seen, is_over) = (Arc::new(Mutex::new(Seen::default())), Arc::default());
        let (shared, over) = (Arc::clone(&seen), Arc::clone(&is_over));
        let thread = thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || look(&root, &shared, &over))
            .ok();
        Self { seen, is_over, thread, begun: Instant::now() }
    }

    /// The most that was seen since the last time that this was asked, pages of several processes
    /// counted in each; 0 where there was no look.
    pub fn take_most(&self) -> Bytes {
        std::mem::take(&mut self.lock().most)
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn look(root: &Root, seen: &Mutex<Seen>, is_over: &AtomicBool) {
    let (mut ids, mut found) = (Vec::new(), None::<Instant>);
    while !is_over.load(Ordering::Acquire) {
        if found.is_none_or(|at| at.elapsed() >= NEW) {
            ids = root.ids().unwrap_or_default();
            found = Some(Instant::now());
        }
        let (mut total, mut count) = (Bytes::ZERO, 0);
        for id in &ids {
            if let Ok(resident) = memory::resident_of(Process::Id(*id)) {
                total += resident.anon + resident.shmem;
                count += 1;
            }
        }
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.most = seen.most.max(total);
            seen.processes = seen.processes.max(count);
            seen.cpu = memory::thread_cpu().get();
            seen.looks += 1;
        }
        thread::sleep(INTERVAL);
    }
}
