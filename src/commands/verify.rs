//! `verify`: the service inside the limits of the box, and whether the plan held.

mod bench;
mod load;
mod rights;
mod search;
mod soak;

use anyhow::{Context, bail};

use self::bench::Bench;
use super::Exit;
use super::footprint::{DEFAULT_BUDGET, Request, Runnable};
use super::printer::Printer;
use crate::cli::{FindArg, GlobalArgs, VerifyArgs};
use crate::footprint::{Footprint, Temper};
use crate::measure::control_group::{ControlGroup, Limits, Place, Watcher};
use crate::measure::host::HostBox;
use crate::measure::host::files::Files;
use crate::measure::interrupt::Interrupt;
use crate::measure::trial::Trials;
use crate::plan::verification::{Loads, MOST, Promise, Verification, promise};
use crate::plan::{Plan, Question};
use crate::report;
use crate::units::{Bytes, Convention, Cpus, Rate, Seconds};

/// Runs the verb.
pub fn run(args: &VerifyArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let request = Request::new(&args.service, global, printer)?;
    printer.hide(request.secrets());
    if args.service.dry_run {
        request.dry_run()?;
        return Ok(Exit::Answered);
    }
    let (ram, cpus) = target(args, &request)?;
    // Before minutes are spent on measuring.
    let place = Place::find(&Files::real()).map_err(|error| rights::explained(&error))?;
    let mut watcher = Watcher::start()?;
    let limits = Limits { ram: Some(ram), cpus };
    drop(ControlGroup::make(&place, limits, &mut watcher).map_err(|e| rights::explained(&e))?);
    let interrupt = Interrupt::listen_for(request.is_live()).context("cannot listen for Ctrl-C")?;
    let obtained = request.obtain_until(&interrupt)?;
    if obtained.interrupted {
        return Ok(Exit::Interrupted);
    }
    let warmed = args.warmed;
    let question = Question { ram: Some(ram), cpus, warmed, ..Question::default() };
    let plan = obtained.plan(&question)?;
    let budget = args.service.max_time.unwrap_or(DEFAULT_BUDGET);
    let Runnable { subject, files, .. } =
        &request.runnable(&interrupt)?.in_program_of(&obtained.footprint);
    let trials = Trials {
        subject: subject.clone(),
        topology: plan.topology,
        files: files.iter().cloned().collect(),
        place: &place,
        watcher,
        interrupt: &interrupt,
        // A quota makes loading as much longer.
        allowed: Seconds::new(budget.get() / cpus.map_or(1.0, |cpus| cpus.get().min(1.0))),
        rate: capacity(&plan, cpus.unwrap_or(HostBox::this()?.cpus.value)),
    };
    let planned = plan.ram.max_concurrency.map_or(0, |capacity| capacity.low);
    let concurrency = args.concurrency.unwrap_or_else(|| planned.clamp(1, MOST));
    has_room(&plan, concurrency, ram)?;
    if args.load.is_some() {
        load::can_be_driven(&plan)?;
    }
    let promised = |n| promise(&plan, n).context("the plan says nothing of the kernel's charge");
    let mut bench = Bench::new(trials, cpus, printer, !warmed);
    let mut verification = Verification {
        name: plan.name.clone(),
        title: plan.title.clone(),
        topology: plan.topology,
        ram,
        cpus,
        version: place.version.number(),
        planned,
        promise: promised(concurrency)?,
        accumulated_over: plan.footprint.as_ref().map_or(0, Footprint::requests_to_accumulate),
        trials: Vec::new(),
        most: None,
        least: None,
        searched: Vec::new(),
        soak: None,
        loads: Loads::default(),
    };
    for temper in bench.tempers() {
        bench.judge(concurrency, *temper, ram)?;
    }
    verification.trials = std::mem::take(&mut bench.judged);
    match args.find {
        Some(FindArg::N) => {
            verification.most = Some(search::most(&mut bench, &plan, ram, planned)?);
        }
        Some(FindArg::Limit) => {
            verification.least = Some(search::least(&mut bench, &verification.promise)?);
        }
        None => {}
    }
    verification.searched = std::mem::take(&mut bench.judged);
    if let Some(time) = args.soak {
        verification.soak = Some(soak::soak(&mut bench, concurrency, ram, time)?);
    }
    if let Some(shares) = &args.load {
        let limit = planned.clamp(1, concurrency);
        let asked = load::Asked { shares, requests: args.requests, limit, ram, cpus };
        verification.loads = load::loads(&mut bench, &plan, &asked, printer)?;
    }
    printer.clear();
    printer.answer(&if as_json {
        report::verification_json(&verification)?
    } else {
        report::verification_text(&verification, Printer::layout())
    })?;
    Ok(if verification.is_refuted() { Exit::Found } else { Exit::Answered })
}

/// Requests a second that the plan expects of these CPUs.
fn capacity(plan: &Plan, cpus: Cpus) -> Rate {
    plan.cpu_model.throughput(cpus).typical()
}

/// The box that the options name, or that the profile means.
fn target(args: &VerifyArgs, request: &Request) -> anyhow::Result<(Bytes, Option<Cpus>)> {
    let service = request.service();
    let convention = service.units.map_or(Convention::Binary, |u| u.boxes);
    let meant = service.target.as_ref();
    let Some(ram) = args.ram.or(meant.and_then(|t| t.ram)) else {
        bail!("no box is named to try the service in: add --ram 512M --cpus 1");
    };
    let cpus = args.cpus.or(meant.and_then(|t| t.cpus));
    let cores = HostBox::this()?.cpus.value;
    if let Some(cpus) = cpus.filter(|c| *c > cores) {
        bail!(
            "{cpus} cannot be tried on this machine, which has {cores}: give --cpus {}",
            cores.get()
        );
    }
    Ok((ram.bytes(convention), cpus))
}

/// What is tried must not take the machine down.
fn has_room(plan: &Plan, concurrency: u32, ram: Bytes) -> anyhow::Result<()> {
    let need = promise(plan, concurrency).map_or(ram, |p: Promise| p.limit.high()).min(ram);
    if let Some(free) = HostBox::this()?.available_ram.filter(|free| *free < need) {
        bail!("trying {concurrency} at once takes {need}, and this machine has {free} free");
    }
    Ok(())
}

/// The tempers that are tried.
const BOTH: [Temper; 2] = [Temper::Warm, Temper::Cold];

/// What an interrupted trial is to whoever ran it.
fn ended(error: crate::measure::trial::TrialError) -> anyhow::Error {
    use crate::measure::child::ChildError;
    use crate::measure::trial::TrialError;
    match error {
        TrialError::Child(ChildError::Interrupted) => super::footprint::Interrupted.into(),
        TrialError::Group(error) => rights::explained(&error),
        other => other.into(),
    }
}
