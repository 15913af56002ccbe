//! `measure` of a service that runs by itself: attached to, started, or only watched.

mod spec;
mod watched;

use std::fmt::Write as _;

use anyhow::{Context, bail};

use super::Exit;
use super::answer::finished;
use super::file::can_be_written;
use super::footprint::Interrupted;
use super::measure::write_profile;
use super::output::How;
use super::printer::Printer;
use super::size::rendered;
use crate::cli::{Format, GlobalArgs, MeasureArgs};
use crate::footprint::{Environment, LiveRecord, Settings};
use crate::measure::cache::KeyParts;
use crate::measure::host::{HostBox, conditions};
use crate::measure::interrupt::Interrupt;
use crate::measure::live::LiveError;
use crate::measure::live::campaign::{Campaign, Measured, UP_TO};
use crate::measure::live::client::{Address, Client};
use crate::measure::live::owner::answers;
use crate::measure::live::record::{LiveFacts, footprint};
use crate::measure::live::secrets::Secrets;
use crate::measure::live::tree::Root;
use crate::measure::memory::Interference;
use crate::plan::{Question, plan};
use crate::profile::{Live, Profile};
use crate::report::{self, Provenance};
use crate::text::line;
use crate::units::Seconds;

/// How long measuring may take where the user does not say.
const DEFAULT_BUDGET: Seconds = Seconds::new(60.0);

/// Runs the verb for a live service; `None` where none is named.
pub fn run(
    args: &MeasureArgs,
    global: &GlobalArgs,
    printer: &Printer,
) -> anyhow::Result<Option<Exit>> {
    let Some(mut profile) = spec::profile(args)? else { return Ok(None) };
    if let Some(live) = &profile.live {
        printer.hide(Secrets::of(live));
    }
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let attached = spec::root(&args.live);
    if let Some(time) = args.live.watch {
        return watched::watch(args, &profile, attached, time, as_json, printer).map(Some);
    }
    let live = profile.live.clone().context("a live service has its section")?;
    if attached.is_none() && !live.is_startable() {
        bail!(
            "nothing says which processes serve {}: add --pid PID of a running service, or the command that starts it behind --",
            live.url
        );
    }
    // What is sent is read before anything is started.
    let sent = Client::new(&live)?;
    if let Some(root) = &attached {
        root.check()?;
        let unknown = answers(&Address::parse(&live.url)?.endpoint(), root, &named(root))?;
        if let Some(unknown) = unknown {
            printer.warning(&format!("{unknown}; what is measured may be something else"));
        }
    }
    if args.service.dry_run {
        printer.answer(&dry_run(&live, attached.as_ref(), args, &sent))?;
        return Ok(Some(Exit::Answered));
    }
    if let Some(output) = &args.output {
        can_be_written(output)?;
    }
    let interrupt =
        Interrupt::listen_for(attached.is_none()).context("cannot listen for Ctrl-C")?;
    let watch = Interference::start();
    let measured = Campaign {
        live: &live,
        attached: attached.clone(),
        budget: args.service.max_time.unwrap_or(DEFAULT_BUDGET),
        up_to: args.live.up_to.unwrap_or(UP_TO),
        ram: args.variants.ram,
        interrupt: &interrupt,
        tell: &|text| printer.info(text),
        warn: &|text| printer.warning(text),
    }
    .run();
    printer.clear();
    let measured = measured.map_err(ended)?;
    let facts = LiveFacts {
        target: target(&live, attached.as_ref()),
        attached: attached.is_some(),
        environment: environment()?,
        // What the service itself uses is not ours where we did not start it.
        disturbances: if attached.is_some() || measured.facts.service.is_some() {
            drop(watch);
            Vec::new()
        } else {
            watch.finish().iter().map(ToString::to_string).collect()
        },
    };
    let Some(found) = footprint(facts, &measured) else {
        bail!("not a single round was measured");
    };
    profile.topology = found.topology;
    let did_nothing = found.live.as_ref().is_some_and(LiveRecord::did_nothing);
    answer(args, profile, found, &measured, as_json, global, printer)?;
    if did_nothing {
        bail!(
            "the processes that were measured used neither CPU time nor memory while requests were \
             answered, so others answered them: name what serves with --cgroup DIR (of a container \
             below /sys/fs/cgroup) or --pid PID"
        );
    }
    Ok(Some(if measured.is_partial { Exit::Interrupted } else { Exit::Answered }))
}

fn answer(
    args: &MeasureArgs,
    mut profile: Profile,
    found: crate::footprint::Footprint,
    measured: &Measured,
    as_json: bool,
    global: &GlobalArgs,
    printer: &Printer,
) -> anyhow::Result<()> {
    let question = Question { ram: args.variants.ram, ..Question::default() };
    let plan = match plan(&profile.name, profile.title(), &found, &question) {
        Ok(plan) => plan,
        // What was seen is an answer, if not the one that was asked for.
        Err(error) => {
            printer.answer(&if as_json {
                report::footprint_json(None, &found)?
            } else {
                report::live_text(profile.title(), &found, None, Printer::layout())
            })?;
            return Err(too_little(&found, anyhow::Error::from(error)));
        }
    };
    if as_json {
        printer.answer(&report::footprint_json(Some(&plan), &found)?)?;
    } else if args.output.is_none() || !global.quiet {
        let mut text = report::live_text(profile.title(), &found, Some(&plan), Printer::layout());
        let provenance = Provenance { footprint: "Measured now".to_owned(), found_box: None };
        let finished = finished(profile.clone(), plan, &provenance, measured.is_partial);
        let _ = write!(text, "\n{}", rendered(&finished, Format::Text, &How::short(None))?);
        printer.answer(&text)?;
    }
    if let Some(output) = &args.output {
        profile.footprint = Some(found);
        write_profile(&profile, output, printer)?;
    }
    Ok(())
}

/// A service that failed before there was a line is told with what it said.
fn too_little(found: &crate::footprint::Footprint, error: anyhow::Error) -> anyhow::Error {
    let failure = found.live.as_ref().and_then(|live| live.failure());
    match failure {
        Some(failure) => anyhow::anyhow!(
            "the service could not stand {} at once ({}), and fewer give no line of memory",
            failure.concurrency,
            failure.what
        ),
        None => error,
    }
}

fn environment() -> anyhow::Result<Environment> {
    let host = HostBox::this()?;
    Ok(Environment {
        conditions: conditions(&host),
        cpu_model: host.cpu_model,
        cores: host.cores,
        kernel: host.kernel,
        onnxruntime: "not known".to_owned(),
        library_sha256: None,
        tool: KeyParts::tool_version(),
        settings: Settings::default(),
        default_threads: None,
        cpu_score: None,
    })
}

fn target(live: &Live, attached: Option<&Root>) -> String {
    match attached {
        Some(Root::Started(id)) => format!("process {id}"),
        Some(Root::Processes(ids)) => {
            let all: Vec<String> = ids.iter().map(u32::to_string).collect();
            format!("process {}", all.join(", "))
        }
        Some(Root::Group(path)) => format!("control group {}", path.display()),
        None => crate::footprint::checked::made_one_line(&live.command.join(" ")),
    }
}

/// What was typed.
fn named(root: &Root) -> String {
    match root {
        Root::Group(path) => format!("--cgroup {}", path.display()),
        Root::Started(id) => format!("process {id}"),
        Root::Processes(ids) => {
            ids.iter().map(|id| format!("--pid {id}")).collect::<Vec<_>>().join(" ")
        }
    }
}

fn dry_run(live: &Live, attached: Option<&Root>, args: &MeasureArgs, sent: &Client) -> String {
    let budget = args.service.max_time.unwrap_or(DEFAULT_BUDGET);
    let up_to = args.live.up_to.unwrap_or(UP_TO);
    let how = match attached {
        Some(_) => format!("{} is looked at and goes on afterwards", target(live, attached)),
        None => format!("`{}` would be started, up to five times", line(&live.command.join(" "))),
    };
    format!(
        "{how}.\nRequests go to {} alone: 1, 2, 4 … {up_to} in flight together, for about {budget}; each carries {}.\n\
         Nothing is downloaded.{}\n",
        line(&live.url),
        sent.request_bytes(),
        args.output.as_ref().map_or_else(String::new, |path| format!(
            " The profile is written to {}.",
            line(&path.display().to_string())
        ))
    )
}

fn ended(error: LiveError) -> anyhow::Error {
    match error {
        LiveError::Interrupted => Interrupted.into(),
        other => other.into(),
    }
}
