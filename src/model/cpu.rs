//! What CPUs give: requests a second, time of a request, requests in flight that are of use.

use crate::units::{Cpus, Rate, Seconds, Source, Span};

/// The kernel's period for CPU quotas, `cpu.cfs_period_us` as container engines leave it.
const PERIOD: f64 = 0.1;

/// CPU cost of a request and the laws that follow from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuModel {
    cpu: Span<Seconds>,
    wall: Span<Seconds>,
}

impl CpuModel {
    /// From the CPU time of all threads a request under load, and the elapsed time of one alone.
    pub const fn new(cpu: Span<Seconds>, wall: Span<Seconds>) -> Self {
        Self { cpu, wall }
    }

    /// CPU time of a request, all threads.
    pub const fn seconds_per_request(&self) -> Span<Seconds> {
        self.cpu
    }

    /// Elapsed time of a request alone on the machine that measured it.
    pub const fn wall_seconds(&self) -> Span<Seconds> {
        self.wall
    }

    /// Requests a second that busy CPUs finish: the utilisation law with utilisation 1,
    /// `X = cpus / D` (Denning and Buzen, The Operational Analysis of Queueing Network Models,
    /// ACM Computing Surveys 10(3), 1978).
    pub fn throughput(&self, cpus: Cpus) -> Span<Rate> {
        self.cpu.map(|d| Rate::per_second(cpus.get() / d.get().max(f64::MIN_POSITIVE)))
    }

    /// Requests in flight that keep the CPUs busy. At least `cpus × residence / CPU time`, by
    /// Little's law (Little, Operations Research 9(3), 1961) at full utilisation; one more for
    /// each CPU covers the gap between one answer and the next request.
    pub fn best_concurrency(&self, cpus: Cpus) -> (u32, u32) {
        let d = self.cpu.typical().get().max(f64::MIN_POSITIVE);
        let stretch = (self.wall.typical().get() / d).max(1.0);
        // Measured times of a request that never waits differ from its CPU time by noise: less
        // than a twentieth is not taken for waiting.
        let stretch = if stretch < 1.05 { 1.0 } else { stretch };
        let least = count(cpus.get() * stretch);
        (least, least + count(cpus.get()))
    }

    /// Requests in flight beyond which only the queue grows: two and a half times what keeps the
    /// CPUs busy. The factor is a rule of thumb (source: assumed): arrivals are uneven, and some
    /// requests ready to run bridge the gaps; more of them wait longer and finish no earlier.
    pub fn max_useful_concurrency(&self, cpus: Cpus) -> u32 {
        count(f64::from(self.best_concurrency(cpus).1) * 2.5)
    }

    /// Elapsed time of one request alone under a quota. With quota Q a period P and k busy
    /// threads, work S takes `S/k + floor((S - ε)/Q) × max(0, P - Q/k)`, starting with a full
    /// quota (the kernel's CFS bandwidth control, Documentation/scheduler/sched-bwc.rst).
    pub fn seconds_alone(&self, cpus: Cpus) -> Seconds {
        let (work, wall) = (self.cpu.typical().get(), self.wall.typical().get());
        let threads = if wall > 0.0 { (work / wall).max(1.0) } else { 1.0 };
        let waiting = (wall - work / threads).max(0.0);
        Seconds::new(waiting + under_quota(work, threads, cpus.get()))
    }

    /// Elapsed time of each request when `n` are always in flight: the CPUs are shared, and none
    /// is faster than alone (asymptotic bounds, Denning and Buzen 1978).
    pub fn seconds_at(&self, cpus: Cpus, n: u32) -> Seconds {
        let shared = f64::from(n) * self.cpu.typical().get() / cpus.get();
        Seconds::new(shared.max(self.seconds_alone(cpus).get()))
    }

    /// Where the numbers come from.
    pub const fn source(&self) -> Source {
        self.cpu.source()
    }
}

fn under_quota(work: f64, threads: f64, cpus: f64) -> f64 {
    let quota = cpus * PERIOD;
    let waits = ((work - 1e-9) / quota).floor().max(0.0);
    work / threads + waits * (PERIOD - quota / threads).max(0.0)
}

/// At least one, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and the value is positive"
)]
fn count(value: f64) -> u32 {
    (value - 1e-9).ceil().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(cpu: f64, wall: f64) -> CpuModel {
        let exact = |s| Span::exact(Seconds::new(s), Source::Measured);
        CpuModel::new(exact(cpu), exact(wall))
    }

    fn cpus(n: f64) -> Cpus {
        Cpus::new(n).unwrap()
    }

    /// 30 ms of work at 130 millicores takes 204 ms; 300 ms on one thread of two CPUs 300 ms.
    #[test]
    fn quotas_stretch_a_request() {
        assert!((under_quota(0.030, 1.0, 0.13) - 0.204).abs() < 1e-9);
        assert!((model(0.3, 0.3).seconds_alone(cpus(2.0)).get() - 0.3).abs() < 1e-9);
        assert!((model(0.04, 0.04).seconds_alone(cpus(0.5)).get() - 0.04).abs() < 1e-9);
    }

    #[test]
    fn forty_milliseconds_are_twenty_five_a_second() {
        let model = model(0.04, 0.04);
        assert!((model.throughput(cpus(1.0)).typical().get() - 25.0).abs() < 1e-9);
        assert!((model.throughput(cpus(4.0)).typical().get() - 100.0).abs() < 1e-9);
        assert_eq!(model.best_concurrency(cpus(1.0)), (1, 2));
        assert_eq!(model.best_concurrency(cpus(4.0)), (4, 8));
        assert_eq!(model.max_useful_concurrency(cpus(4.0)), 20);
        assert!((model.seconds_at(cpus(4.0), 20).get() - 0.2).abs() < 1e-9);
    }

    #[test]
    fn a_request_that_waits_half_its_time_wants_twice_as_many_in_flight() {
        assert_eq!(model(0.04, 0.08).best_concurrency(cpus(2.0)).0, 4);
    }

    proptest! {
        #[test]
        fn more_cpus_never_give_less(cpu in 0.0001..10.0f64, wait in 0.0..5.0f64, a in 0.01..64.0f64, more in 0.0..64.0f64) {
            let model = model(cpu, cpu + wait);
            let (few, many) = (cpus(a), cpus(a + more));
            prop_assert!(model.throughput(few).low() <= model.throughput(many).low());
            prop_assert!(model.best_concurrency(few) <= model.best_concurrency(many));
            prop_assert!(model.max_useful_concurrency(few) <= model.max_useful_concurrency(many));
            prop_assert!(model.seconds_at(few, 8) >= model.seconds_at(many, 8));
        }
    }
}
