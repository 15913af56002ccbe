//! Where trials turn over: along requests in one box, along limits for one number of requests.

use super::has_room;
use crate::commands::verify::bench::Bench;
use crate::measure::host::HostBox;
use crate::model::{Search, Side};
use crate::plan::Plan;
use crate::plan::verification::{Found, MOST, Promise, promise};
use crate::units::Bytes;

/// Along limits: a share of the limit.
const RESOLUTION: f64 = 0.005;

/// Of the free memory, what a trial may be given.
const SHARE: f64 = 0.8;

/// The most requests that the box holds.
pub fn most(
    bench: &mut Bench<'_>,
    plan: &Plan,
    ram: Bytes,
    planned: u32,
) -> anyhow::Result<Found<u32>> {
    let cold = !plan.question.warmed;
    let charge = plan.charge.as_ref().zip(plan.states.last());
    let predicted = charge.map_or(planned, |(c, state)| c.most(&state.curve, ram, cold)) + 1;
    // Beyond four times what is expected, the answer is: none killed up to there.
    let upper = predicted.saturating_mul(4).saturating_add(16).min(MOST);
    has_room(plan, upper, ram)?;
    let resolution = u64::from(predicted / 100);
    let stride = u64::from(predicted / 25);
    let mut kill = Search::new(1, u64::from(upper), stride);
    let mut held = Search::new(1, u64::from(upper), 1);
    while let Some(n) = kill.next(u64::from(predicted), resolution) {
        let fate = bench.fate(narrow(n), ram)?;
        kill.learn(n, if fate.came_through { Side::Low } else { Side::High });
        held.learn(n, if fate.held { Side::Low } else { Side::High });
    }
    while let Some(n) = held.next(u64::from(planned.max(1)), resolution) {
        let fate = bench.fate(narrow(n), ram)?;
        held.learn(n, if fate.held { Side::Low } else { Side::High });
    }
    let (survived, killed) = kill.bracket();
    // In bytes, as one request more or less is no measure of how well a limit is known.
    let error = survived.zip(killed).and_then(|(survived, _)| {
        let line = promise(plan, narrow(survived))?.kill_limit.typical().as_f64();
        let next = promise(plan, narrow(killed?))?.kill_limit.typical().as_f64();
        Some(f64::midpoint(line, next) / ram.as_f64() - 1.0)
    });
    Ok(Found {
        survived: survived.map(narrow),
        killed: killed.map(narrow),
        held: held.bracket().0.map(narrow),
        predicted_kill: predicted,
        planned,
        error,
    })
}

/// The least RAM in which the requests are answered.
pub fn least(bench: &mut Bench<'_>, promise: &Promise) -> anyhow::Result<Found<Bytes>> {
    let n = promise.concurrency;
    let (predicted, planned) = (promise.kill_limit.typical(), promise.limit.high());
    let free =
        HostBox::this()?.available_ram.map_or(planned.as_f64() * 4.0, |f| f.as_f64() * SHARE);
    let upper = Bytes::from_f64((planned.as_f64() * 4.0).min(free)).get();
    let resolution = Bytes::from_f64(predicted.as_f64() * RESOLUTION).get();
    let floor = Bytes::mib(1).get();
    let mut kill = Search::new(floor, upper, resolution * 4);
    let mut held = Search::new(floor, upper, resolution * 4);
    while let Some(limit) = kill.next(predicted.get(), resolution) {
        let fate = bench.fate(n, Bytes::new(limit))?;
        // Along limits, the small ones are where it is killed.
        kill.learn(limit, if fate.came_through { Side::High } else { Side::Low });
        held.learn(limit, if fate.held { Side::High } else { Side::Low });
    }
    while let Some(limit) = held.next(promise.limit.typical().get(), resolution) {
        let fate = bench.fate(n, Bytes::new(limit))?;
        held.learn(limit, if fate.held { Side::High } else { Side::Low });
    }
    let (killed, survived) = kill.bracket();
    let error = killed.zip(survived).map(|(killed, survived)| {
        predicted.as_f64() / Bytes::new(killed.midpoint(survived)).as_f64() - 1.0
    });
    Ok(Found {
        survived: survived.map(Bytes::new),
        killed: killed.map(Bytes::new),
        held: held.bracket().1.map(Bytes::new),
        predicted_kill: predicted,
        planned,
        error,
    })
}

fn narrow(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
