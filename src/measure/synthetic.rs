//! A subject with planted costs, so that everything above it is tested against known truth: the
//! same child process, protocol and signals, without ONNX Runtime. Where the job says so it really
//! takes the memory, for trials against the kernel's limits.

use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::crew::Crew;
use super::drive::{Answered, Load, drive};
use super::memory;
use super::protocol::{
    ArenaSample, Kinds, Loaded, LoadedModel, Mark, StageSample, SyntheticJob, Warm, WaveSample,
};
use super::subject::Subject;
use crate::units::{Bytes, Seconds};

/// File pages that every mark contains, out of its total.
const FILE: Bytes = Bytes::mib(12);

/// How long a wave that really takes memory holds it.
const HELD: Duration = Duration::from_millis(30);

/// See the module.
#[derive(Debug)]
pub struct Synthetic {
    job: SyntheticJob,
    noise: fastrand::Rng,
    /// What is really held, where the job says so.
    held: Vec<u8>,
    leaked: Vec<Vec<u8>>,
}

impl Synthetic {
    /// `child` sets the noise of different children apart.
    pub fn new(job: SyntheticJob, child: u64) -> Self {
        let noise = fastrand::Rng::with_seed(job.seed.wrapping_add(child));
        Self { job, noise, held: Vec::new(), leaked: Vec::new() }
    }

    fn pause(&self) {
        thread::sleep(Duration::from_secs_f64(self.job.delay.get()));
    }

    /// With all sessions loaded and no request.
    fn idle_bytes(&self) -> Bytes {
        self.job.base + self.job.session * u64::from(self.job.sharing.sessions() - 1)
    }

    /// One planted reading. Noise is the sum of twelve uniform numbers: close to normal.
    fn reading(&mut self, concurrency: u32, extra: Bytes) -> Bytes {
        let (job, n) = (&self.job, f64::from(concurrency));
        let running = n.min(job.sharing.most_in_run().map_or(n, f64::from));
        let line = self.idle_bytes().as_f64()
            + running * job.buffer.as_f64()
            + (n - running) * job.held.as_f64()
            + n * extra.as_f64()
            + n * n * job.bend;
        let normal: f64 = (0..12).map(|_| self.noise.f64()).sum::<f64>() - 6.0;
        Bytes::from_f64(line * (1.0 + self.job.noise * normal))
    }

    /// Ends the process as the kernel's OOM killer does, where that is planted; if it may not, it
    /// goes on.
    fn killed_at(&self, concurrency: u32) {
        if self.job.kill_at.is_some_and(|at| concurrency >= at) {
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }

    /// File pages are said to be there, and are not where memory is really taken.
    fn mark(&self, total: Bytes) -> Mark {
        let file = if self.job.touched.is_some() { Bytes::ZERO } else { FILE };
        Mark { total, file, kernel: Bytes::mib(1) }
    }

    /// Takes real memory, so that this process has `total`, times the factor.
    /// What is held already is taken into account.
    fn taken(&self, total: Bytes) -> Vec<u8> {
        let (Some(factor), Ok(now)) = (self.job.touched, memory::resident()) else {
            return Vec::new();
        };
        let wanted = Bytes::from_f64(total.as_f64() * factor);
        let leaked = self.job.leak * u64::try_from(self.leaked.len()).unwrap_or_default();
        let missing = (wanted + leaked).saturating_sub(now.anon);
        // Written and not only reserved: a page exists when it is touched.
        vec![1; usize::try_from(missing.get()).unwrap_or_default()]
    }

    fn wave(&mut self, concurrency: u32, extra: Bytes) -> WaveSample {
        self.pause();
        self.killed_at(concurrency);
        let peak = self.reading(concurrency, extra);
        let taken = self.taken(peak);
        if self.job.touched.is_some() {
            thread::sleep(HELD);
        }
        std::hint::black_box(&taken);
        // Before what was taken goes, or it would move in there and show for a while nowhere.
        if self.job.touched.is_some() && self.job.leak > Bytes::ZERO {
            self.leaked.push(vec![1; usize::try_from(self.job.leak.get()).unwrap_or_default()]);
        }
        let requests = concurrency * 3;
        let cpu = self.job.cpu.get() * f64::from(requests);
        WaveSample {
            peak,
            after: self.mark(peak),
            flat: true,
            requests,
            wall: Seconds::new(cpu / self.busy_cpus(concurrency)),
            cpu: Seconds::new(cpu),
            touched: None,
        }
    }
}

impl Synthetic {
    /// The planted machine has two CPUs, and a request is all `Run`.
    fn busy_cpus(&self, concurrency: u32) -> f64 {
        let running = concurrency.min(self.job.sharing.most_in_run().unwrap_or(concurrency));
        f64::from(running).min(2.0 / f64::from(self.job.processes.max(1)))
    }
}

impl Subject for Synthetic {
    fn load(&mut self) -> anyhow::Result<Loaded> {
        self.pause();
        self.killed_at(0);
        let peak = self.job.load_peak + self.idle_bytes().saturating_sub(self.job.base);
        std::hint::black_box(self.taken(peak));
        self.held = self.taken(self.idle_bytes());
        std::hint::black_box(&self.held);
        Ok(Loaded {
            start: self.mark(Bytes::mib(4)),
            runtime: self.mark(Bytes::mib(21)),
            models: vec![LoadedModel {
                seconds: Seconds::new(0.1),
                peak,
                after: self.mark(self.idle_bytes()),
                touched: None,
            }],
        })
    }

    fn warm_up(&mut self) -> anyhow::Result<Warm> {
        self.pause();
        let after = self.mark(self.idle_bytes());
        let arena = ArenaSample {
            in_use: self.idle_bytes(),
            per_run: self.job.buffer,
            max_in_use: self.idle_bytes() + self.job.buffer,
        };
        Ok(Warm {
            after,
            request_seconds: self.job.cpu,
            arena: Some(arena),
            heap: Some(self.idle_bytes()),
        })
    }

    fn stages(&mut self, _budget: Seconds, _kind: usize) -> anyhow::Result<Vec<StageSample>> {
        self.pause();
        Ok(vec![StageSample {
            name: "infer planted".into(),
            ram: self.job.buffer,
            cpu: self.job.cpu,
            wall: self.job.cpu,
        }])
    }

    fn load_lazy(&mut self) -> anyhow::Result<Vec<LoadedModel>> {
        self.pause();
        Ok(Vec::new())
    }

    fn waves(
        &mut self,
        concurrency: u32,
        _max_blocks: u32,
        _kinds: Kinds,
    ) -> anyhow::Result<WaveSample> {
        Ok(self.wave(concurrency, Bytes::ZERO))
    }

    fn cold_burst(&mut self, concurrency: u32) -> anyhow::Result<WaveSample> {
        let extra = self.job.cold_extra;
        Ok(self.wave(concurrency, extra))
    }

    fn drive(&mut self, load: Load) -> anyhow::Result<Vec<Answered>> {
        let cpu = self.job.cpu.get();
        drive(&mut Crew::new(), load, &[1.0], move |_, _| {
            // Work, and not a pause: the kernel's quota counts it.
            let begun = memory::thread_cpu().get();
            while memory::thread_cpu().get() - begun < cpu {
                std::hint::spin_loop();
            }
            Ok(())
        })
    }

    fn idle(&mut self) -> anyhow::Result<Mark> {
        Ok(self.mark(self.idle_bytes()))
    }
}
