//! Answers to bodies that were answered before: a service may keep them, and then what a later one takes
//! says nothing of a new one.

use super::{History, span};
use crate::footprint::{Point, Repeated, Round};
use crate::measure::live::campaign::{Measured, Run};
use crate::model::{Line, Sample};
use crate::units::{Bytes, Seconds, Source, Span};

/// A first answer that takes this many times what later ones do is not as they are.
const MANY: f64 = 5.0;
/// Memory beyond that: less is the noise of a start, as a share of the level and in bytes.
const NOISE_SHARE: f64 = 0.05;
const NOISE_BYTES: f64 = (4 << 20) as f64;
/// CPU time beyond that, seconds.
const NOISE_CPU: f64 = 0.02;
/// What is made once for all, such as an import, is made once for a burst, too, in each process that
/// answers; an answer is made for each. A burst that takes so many times what was made once is of the
/// latter kind.
const ONCE: f64 = 1.5;

/// Whether the same bodies were sent again and again, and the first answers took many times what later
/// ones did.
pub(super) fn found(measured: &Measured, history: &History, points: &[Point]) -> Option<Repeated> {
    let run = measured.runs.first()?;
    // Where bodies were left that had not been sent, what was seen is what they take.
    if !run.has_sent_all {
        return None;
    }
    let bodies = measured.different?;
    let first = run.answers.first()?;
    let later = lone(run, history)?;
    let cpu = run.rounds.iter().map(|r| r.cpu_seconds.get()).filter(|s| *s > 0.0);
    let later_cpu = cpu.reduce(f64::min)?;
    let samples: Vec<Sample> = points
        .iter()
        .map(|p| Sample {
            x: f64::from(p.concurrency),
            y: p.anon_bytes.as_f64(),
            process: p.repeat,
        })
        .collect();
    let line = Line::fit(&samples).ok()?;
    let each = line.slope().max(0.0);
    let first_cpu = first.cpu.get();
    let excess = first.peak.anon_bytes.as_f64() - later;
    let noise = NOISE_BYTES.max(later * NOISE_SHARE);
    let has_memory = excess > MANY * each + noise;
    let has_cpu = first_cpu > MANY * later_cpu + NOISE_CPU;
    let once = ONCE * f64::from(run.workers.max(1));
    let of_bursts = |what: &dyn Fn(&crate::measure::live::campaign::Burst) -> f64| {
        measured.bursts.iter().map(what).reduce(f64::max)
    };
    let burst = of_bursts(&|b| {
        b.cold.anon_bytes.as_f64() - line.at(f64::from(b.cold.concurrency)).min(later)
    });
    let burst_cpu = of_bursts(&|b| b.cpu.get());
    let is_kept = match (burst, burst_cpu) {
        (Some(burst), Some(cpu)) => {
            has_memory && burst > once * excess || has_cpu && cpu > once * first_cpu
        }
        _ => has_memory && has_cpu,
    };
    is_kept.then(|| Repeated {
        bodies,
        first_bytes: Bytes::from_f64(excess.max(0.0) + each),
        later_bytes: Bytes::from_f64(each),
        first_cpu_seconds: first.cpu,
        later_cpu_seconds: Seconds::new(later_cpu),
    })
}

/// The highest that a later lone request reached, without what was left behind before it.
fn lone(run: &Run, history: &History) -> Option<f64> {
    let is_lone = |r: &&Round| r.concurrency == 1 && r.stood();
    run.rounds.iter().filter(is_lone).map(|r| history.without(run, r)).reduce(f64::max)
}

/// Peaks of requests that nobody had answered before: the first of each start, and bursts.
pub(super) fn points(measured: &Measured) -> Vec<Point> {
    let point = |repeat: usize, concurrency, peak_bytes: Bytes, anon_bytes: Bytes| Point {
        concurrency,
        peak_bytes,
        anon_bytes,
        file_bytes: peak_bytes.saturating_sub(anon_bytes),
        file_in_use_bytes: None,
        repeat: u32::try_from(repeat).unwrap_or(u32::MAX),
        held_out: false,
        flat: true,
    };
    let firsts = measured.runs.iter().filter_map(|run| run.answers.first());
    let firsts = firsts.map(|a| (1, a.peak.total(), a.peak.anon_bytes));
    let bursts = measured.bursts.iter().map(|burst| burst.cold);
    let bursts = bursts.map(|cold| (cold.concurrency, cold.peak_bytes, cold.anon_bytes));
    let all = firsts.chain(bursts).enumerate();
    all.map(|(start, (n, peak, anon))| point(start, n, peak, anon)).collect()
}

/// CPU time of such requests, and how long a lone one took.
pub(super) fn times(measured: &Measured) -> (Option<Span<Seconds>>, Span<Seconds>) {
    let firsts = || measured.runs.iter().filter_map(|run| run.answers.first());
    let bursts = measured.bursts.iter();
    let of_bursts = bursts.map(|b| b.cpu.get() / f64::from(b.cold.concurrency.max(1)));
    let cpu = span(firsts().map(|a| a.cpu.get()).chain(of_bursts));
    let wall = span(firsts().map(|a| a.latency.get()));
    (cpu, wall.unwrap_or(Span::exact(Seconds::ZERO, Source::Measured)))
}
