//! A question about a profile, answered: measured where its models run, else from what it declares.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::bail;

use super::footprint::{Obtained, Request};
use super::printer::Printer;
use crate::cli::{GlobalArgs, ServiceArgs, SizeArgs};
use crate::measure::cache::Cache;
use crate::measure::host::HostBox;
use crate::plan::assess::{Assessment, assess_plan};
use crate::plan::{Book, Plan, Question, Subject, Warning, book, declared};
use crate::profile::Profile;
use crate::report::{Frame, Provenance, frame};
use crate::units::{Convention, TargetScore};

/// A plan with all that a report needs of it.
pub struct Answer {
    /// The service.
    pub profile: Profile,
    /// What it was made from, and the tables of the long report.
    pub plan: Plan,
    /// The answer.
    pub assessment: Assessment,
    /// Its figures and sections.
    pub book: Book,
    /// What stands around them.
    pub frame: Frame,
    /// Whether the user stopped the measurement.
    pub interrupted: bool,
}

/// Answers for `profile`; `ask` is given what a megabyte is to it.
pub fn answer(
    profile: Profile,
    service: &ServiceArgs,
    global: &GlobalArgs,
    printer: &Printer,
    ask: impl Fn(&Profile) -> anyhow::Result<(Question, Option<String>, Vec<Warning>)>,
) -> anyhow::Result<Answer> {
    let (question, found_box, mut warnings) = ask(&profile)?;
    let (mut plan, told, interrupted, profile) = match &profile.declared {
        Some(costs) => {
            let measuring = service.remeasure || service.image.is_some();
            if measuring || !service.settings.is_empty() || question.cpu_score.is_some() {
                bail!(
                    "the profile `{}` declares what its parts cost, and nothing of it is measured: \
                     leave out the options of measuring",
                    profile.name
                );
            }
            let convention = profile.service.units.map_or(Convention::Binary, |u| u.boxes);
            let plan = declared(&profile.name, profile.title(), costs, convention, &question)?;
            (plan, String::new(), false, profile)
        }
        None => {
            let mut obtained = Request::of(profile, service, global, printer)?.obtain()?;
            if let Some(score) = question.cpu_score {
                on_another_cpu(&mut obtained, score, global)?;
            }
            let plan = obtained.plan(&question)?;
            let Obtained { profile, footprint, provenance, interrupted, .. } = obtained;
            warnings.retain(|w| match w {
                Warning::OtherCpu { measured_on } => {
                    *measured_on != footprint.environment.cpu_model
                }
                _ => true,
            });
            for warning in &mut warnings {
                if let Warning::OtherCpu { measured_on } = warning {
                    measured_on.clone_from(&footprint.environment.cpu_model);
                }
            }
            (plan, provenance, interrupted, profile)
        }
    };
    if plan.footprint.is_some() {
        plan.warnings.extend(warnings);
    }
    Ok(finished(profile, plan, &Provenance { footprint: told, found_box }, interrupted))
}

/// The footprint as it would be on the CPU that is asked about.
fn on_another_cpu(
    obtained: &mut Obtained,
    score: TargetScore,
    global: &GlobalArgs,
) -> anyhow::Result<()> {
    let environment = &obtained.footprint.environment;
    let kept = || {
        let cache = Cache::locate(global.cache_dir.as_deref()).ok()?;
        cache.calibration(&environment.cpu_model)
    };
    let Some(measured) = score.measured.or(environment.cpu_score).or_else(kept) else {
        bail!(
            "how fast the CPU is that this was measured on ({}) is not known: run `mediscope-size \
             calibrate` there, and give both scores, as in --cpu-score {}/1600",
            environment.cpu_model,
            score.target
        );
    };
    let factor = f64::from(measured.get()) / f64::from(score.target.get());
    obtained.footprint = obtained.footprint.clone().on_another_cpu(factor);
    let _ = write!(
        obtained.provenance,
        ". CPU times are extrapolated: {factor:.2} × those measured, for a CPU score of {} instead of \
         {measured}",
        score.target
    );
    Ok(())
}

/// The report of a plan.
pub fn finished(
    profile: Profile,
    plan: Plan,
    provenance: &Provenance,
    interrupted: bool,
) -> Answer {
    let today = today();
    let subject = Subject {
        service: &profile.service,
        declared: profile.declared.as_ref(),
        today: today.as_deref(),
    };
    let mut plan = plan.completed(&subject);
    let assessment = assess_plan(&plan, None);
    plan.adopt(&assessment);
    let book = book(&plan, &assessment, &subject);
    let frame = frame(&plan, &subject, provenance);
    Answer { profile, plan, assessment, book, frame, interrupted }
}

/// What is asked of the box that the options name, or that the profile means.
pub fn question(args: &SizeArgs, here: Option<&HostBox>, profile: &Profile) -> Question {
    let convention = profile.service.units.map_or(Convention::Binary, |u| u.boxes);
    let target = profile.service.target.clone().unwrap_or_default();
    let nothing =
        args.ram.is_none() && args.cpus.is_none() && here.is_none() && args.concurrency.is_none();
    let meant =
        |size: Option<crate::units::Size>| size.filter(|_| nothing).map(|s| s.bytes(convention));
    let sold = |size: Option<crate::units::Size>| size.map(|s| s.bytes(Convention::Decimal));
    Question {
        ram: args
            .ram
            .map(|size| size.bytes(convention))
            .or(here.map(|host| host.ram.value))
            .or(meant(target.ram)),
        cpus: args.cpus.or(here.map(|host| host.cpus.value)).or(target.cpus.filter(|_| nothing)),
        concurrency: args.concurrency,
        warmed: args.warmed,
        disk: sold(args.disk).or(sold(target.disk)),
        bandwidth: sold(args.bandwidth).or(sold(target.bandwidth)),
        users: args.users.map(f64::from),
        rps: args.load.rps,
        objective: args.load.slo,
        cpu_score: args.load.cpu_score,
        convention,
    }
}

/// The day, as 2026-01-31, in UTC. `SOURCE_DATE_EPOCH` sets it, as in reproducible builds.
fn today() -> Option<String> {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.trim().parse::<u64>().ok()?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs(),
    };
    let stamp = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

/// What was found of the box, and in which file; not what the user gave.
pub fn found_box(args: &SizeArgs, host: &HostBox) -> String {
    let ram = format!("{} RAM ({})", host.ram.value, host.ram.from);
    let cpus = format!("{} ({})", host.cpus.value, host.cpus.from);
    let found: Vec<String> = [(args.ram.is_none(), ram), (args.cpus.is_none(), cpus)]
        .into_iter()
        .filter_map(|(found, text)| found.then_some(text))
        .collect();
    found.join(", ")
}
