//! A load as it comes to a service, driven in the box and held against the prediction.

use anyhow::bail;

use super::{bench::Bench, capacity, ended};
use crate::commands::printer::Printer;
use crate::footprint::{Ending, Temper};
use crate::measure::child::ChildError;
use crate::measure::drive::{Answered, Arrivals, Load};
use crate::measure::host::HostBox;
use crate::measure::protocol::{Command, Reply};
use crate::model::queue::{Served, Work};
use crate::plan::Plan;
use crate::plan::verification::{Came, Driven, Loads};
use crate::units::{Bytes, Cpus, Rate, Seconds, Share};

/// More threads than this are not started to serve.
const MOST_AT_ONCE: u32 = 256;

/// What is asked of a load.
pub struct Asked<'a> {
    /// Shares of what the CPUs can do.
    pub shares: &'a [Share],
    /// Requests of each.
    pub requests: u32,
    /// Requests that are admitted at once: what the plan promises.
    pub limit: u32,
    /// RAM of the box.
    pub ram: Bytes,
    /// CPUs of the box.
    pub cpus: Option<Cpus>,
}

/// Whether requests can come to it at random; asked before minutes are spent on trials.
pub fn can_be_driven(plan: &Plan) -> anyhow::Result<()> {
    let is_live = plan.footprint.as_ref().is_some_and(|f| f.live.is_some());
    if plan.topology.processes() > 1 && !is_live {
        bail!("a load is driven through one process: leave out --load, or try another topology");
    }
    Ok(())
}

/// Drives each load in a box of its own: one from users that never pause, then those that come at
/// random; up to the first under which the service is killed.
pub fn loads(
    bench: &mut Bench<'_>,
    plan: &Plan,
    asked: &Asked<'_>,
    printer: &Printer,
) -> anyhow::Result<Loads> {
    let host = HostBox::this()?;
    let limit = asked.limit.min(MOST_AT_ONCE);
    let cpus = asked.cpus.unwrap_or(host.cpus.value);
    let (planned, server) = plan.queue(cpus, f64::from(host.cores), limit);
    let capacity = capacity(plan, cpus);
    let closed = Came::Closed(plan.cpu_model.best_concurrency(cpus).1.min(limit));
    let open = asked
        .shares
        .iter()
        .map(|share| Came::Open(*share, Rate::per_second(capacity.get() * share.get())));
    let mut driven = Vec::new();
    for (seed, came) in (1..).zip(std::iter::once(closed).chain(open)) {
        printer.info(&format!("load: {}", told(came, asked.requests, capacity)));
        let time = time_of(came, asked.requests, capacity);
        let Some(answered) = drive(bench, came, asked, limit, seed, time)? else {
            return Ok(Loads { driven, killed: Some(came) });
        };
        let turns: Vec<Served> = answered
            .iter()
            .map(|a| Served { arrived: a.arrived, begun: a.begun, ended: a.ended })
            .collect();
        let work: Vec<Work> =
            answered.iter().map(|a| Work { cpu: a.cpu, wait: a.waited }).collect();
        driven.push(Driven::new(came, &server, &turns, &work, &planned, seed));
    }
    Ok(Loads { driven, killed: None })
}

/// `None` where the service was killed.
fn drive(
    bench: &mut Bench<'_>,
    came: Came,
    asked: &Asked<'_>,
    limit: u32,
    seed: u64,
    time: Seconds,
) -> anyhow::Result<Option<Vec<Answered>>> {
    let limits = bench.limits(Some(asked.ram));
    let arrivals = match came {
        Came::Open(_, rate) => Arrivals::Open(rate),
        Came::Closed(users) => Arrivals::Closed(users),
    };
    let load = Load { arrivals, requests: asked.requests, limit, seed };
    let patience = Some(bench.patience(limit, Temper::Warm, time)?);
    let (observation, answered) = bench
        .trials
        .run_then(limit, Temper::Warm, limits, patience, |service, _| {
            match service.ask(Command::Drive(load))? {
                Reply::Driven(answered) => Ok(answered),
                _ => Err(ChildError::Failed("the measured process drove no load".into())),
            }
        })
        .map_err(ended)?;
    match observation.ending {
        Ending::Finished => Ok(Some(answered)),
        Ending::Killed(_) => Ok(None),
        Ending::Late(_) => bail!(
            "a load that takes about {time} could not be tried: it was not over after {}",
            observation.wall
        ),
    }
}

fn told(came: Came, requests: u32, capacity: Rate) -> String {
    let how = match came {
        Came::Open(share, rate) => format!("{share}, {rate}"),
        Came::Closed(users) => format!("{users} users"),
    };
    format!("{how}, {requests} requests, about {}", time_of(came, requests, capacity))
}

/// How long a load takes.
fn time_of(came: Came, requests: u32, capacity: Rate) -> Seconds {
    let rate = match came {
        Came::Open(_, rate) => rate,
        Came::Closed(_) => capacity,
    };
    Seconds::new(f64::from(requests) / rate.get().max(1e-6))
}
