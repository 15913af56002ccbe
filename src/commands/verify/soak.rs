//! A service that is kept busy in its box: does its memory grow?

use std::time::Instant;

use super::ended;
use crate::commands::verify::bench::Bench;
use crate::footprint::{Ending, Temper};
use crate::measure::protocol::Reply;
use crate::model::{CONFIDENCE, Line, Sample};
use crate::plan::verification::{Soak, Trend};
use crate::units::{Bytes, Seconds};

/// What the first requests allocate is not growth: so much of the time is not looked at.
const SETTLING: f64 = 0.1;

/// Less is not growth: the kernel charges in batches, and each CPU keeps one back.
const LEAST_GROWTH: Bytes = Bytes::mib(1);

const HOUR: f64 = 3600.0;

/// Keeps `n` requests in flight for `time`, in wave after wave.
pub fn soak(bench: &mut Bench<'_>, n: u32, limit: Bytes, time: Seconds) -> anyhow::Result<Soak> {
    let limits = bench.limits(Some(limit));
    let waves = bench.trials.waves(n);
    let patience = bench.patience(n, Temper::Warm, time)?;
    let mut samples = Vec::new();
    let (seen, ()) = bench
        .trials
        .run_then(n, Temper::Warm, limits, Some(patience), |service, group| {
            let begun = Instant::now();
            while begun.elapsed().as_secs_f64() < time.get() {
                let Reply::Waves(wave) = service.ask(waves)? else { break };
                if let Some(charge) = group.charge() {
                    let held = charge.anon + charge.shmem;
                    samples.push((begun.elapsed().as_secs_f64(), held, wave.requests));
                }
            }
            Ok(())
        })
        .map_err(ended)?;
    let killed = seen.ending != Ending::Finished;
    let trend = trend(&samples, limit, time, killed);
    if trend.is_none() && !killed {
        anyhow::bail!("no wave was over in {time}: soak for longer");
    }
    Ok(Soak {
        time: samples.last().map_or(seen.wall, |last| Seconds::new(last.0)),
        requests: samples.iter().map(|(.., requests)| u64::from(*requests)).sum(),
        killed,
        trend,
    })
}

/// From looks after each wave: when, anonymous bytes, requests; `None` of fewer than two that count.
fn trend(
    samples: &[(f64, Bytes, u32)],
    limit: Bytes,
    time: Seconds,
    killed: bool,
) -> Option<Trend> {
    let settled = || samples.iter().filter(|(at, ..)| *at >= time.get() * SETTLING);
    let (first, last) = (settled().next()?, settled().next_back()?);
    let points: Vec<Sample> =
        settled().map(|(at, held, _)| Sample { x: *at, y: held.as_f64(), process: 0 }).collect();
    let (low, typical, high) = Line::fit(&points).map_or((0.0, 0.0, 0.0), |line| {
        let interval = line.slope_interval(CONFIDENCE);
        (interval.low * HOUR, line.slope() * HOUR, interval.high * HOUR)
    });
    let grown = typical / HOUR * (last.0 - first.0);
    let is_growth = low > 0.0 && grown >= LEAST_GROWTH.as_f64();
    let left = limit.saturating_sub(last.1).as_f64();
    Some(Trend {
        held: (first.1, last.1),
        growth: (low, typical, high),
        full_after: (is_growth && !killed).then(|| Seconds::new(left / typical * HOUR)),
    })
}
