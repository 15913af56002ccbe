//! A footprint as it would be on another CPU.

use super::{Footprint, KindRecord, StageRecord, Throughput, TopologyRun};
use crate::units::{Rate, Seconds, Source, Span};

/// How far another CPU may be from what one score says of it, either way: assumed. A score is of
/// one mix of work, and no two programs use the parts of a CPU alike.
const UNSURE: f64 = 0.1;

impl Footprint {
    /// The same where every CPU-second becomes `factor` of them. RAM does not change.
    #[must_use]
    pub fn on_another_cpu(mut self, factor: f64) -> Self {
        let seconds = |span: &Span<Seconds>| slower(span, factor);
        self.cpu_seconds = seconds(&self.cpu_seconds);
        self.wall_seconds = seconds(&self.wall_seconds);
        if let Some(times) = &mut self.service_times {
            times.mean = seconds(&times.mean);
            for share in &mut times.shares {
                *share = Seconds::new(share.get() * factor);
            }
        }
        for StageRecord { cpu, wall, .. } in &mut self.stages {
            (*cpu, *wall) = (seconds(cpu), seconds(wall));
        }
        for KindRecord { cpu_seconds, .. } in self.mix.iter_mut().flat_map(|m| &mut m.others) {
            *cpu_seconds = seconds(cpu_seconds);
        }
        for TopologyRun { cpu_seconds, throughput, .. } in &mut self.runs {
            *cpu_seconds = seconds(cpu_seconds);
            fewer(throughput, factor);
        }
        fewer(&mut self.throughput, factor);
        self
    }
}

fn slower(span: &Span<Seconds>, factor: f64) -> Span<Seconds> {
    let times = |s: Seconds, more: f64| Seconds::new(s.get() * factor * more);
    Span::around(
        times(span.low(), 1.0 - UNSURE),
        times(span.typical(), 1.0),
        times(span.high(), 1.0 + UNSURE),
        span.source().max(Source::Extrapolated),
    )
}

fn fewer(throughput: &mut [Throughput], factor: f64) {
    for at in throughput {
        at.rps = Rate::per_second(at.rps.get() / factor);
    }
}
