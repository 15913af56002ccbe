//! `calibrate`: how fast this CPU is at a fixed mix of work.

use std::fmt::Write;

use anyhow::{Context, bail};
use serde::Serialize;

use super::footprint::{DEFAULT_BUDGET, Request, Runnable};
use super::printer::Printer;
use super::{Exit, cache};
use crate::cli::{CalibrateArgs, Cli, GlobalArgs};
use crate::measure::child::{Bounds, Child};
use crate::measure::host::HostBox;
use crate::measure::interrupt::Interrupt;
use crate::measure::protocol::{Command, Job, Reply, StageSample};
use crate::measure::trial::Subject;
use crate::model::sample::median;
use crate::profile::Profile;
use crate::units::{CpuScore, Seconds};

/// The mix: an image of two megapixels decoded, resized, run through `ResNet-18` on one thread,
/// and answered with a heatmap. What services do, in the same code and library as theirs.
const MIX: &str = "name: calibration\nmodels:\n  net: {architecture: resnet18}\n";

/// Processes, each with its own layout of memory; the middle one counts.
const PROCESSES: u32 = 3;
/// Of each.
const BUDGET: Seconds = Seconds::new(1.0);

/// Runs the verb.
pub fn run(_: &CalibrateArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let as_json = global.is_json().map_err(anyhow::Error::msg)?;
    let host = HostBox::this()?;
    let options = Cli::plain_size().context("the options of `size` have no defaults")?;
    let profile = Profile::parse(MIX, "the calibration")?;
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let request = Request::of(profile, &options.service, global, printer)?;
    let Runnable { subject, .. } = &request.runnable(&interrupt)?;
    let Subject::Models(job) = subject else { bail!("the mix is of models") };
    let mut runs = Vec::new();
    for number in 0..PROCESSES {
        printer.info(&format!("calibrating, process {} of {PROCESSES}", number + 1));
        runs.push(stages(job, number, &interrupt)?);
    }
    printer.clear();
    let found = Calibration::of(&runs, &host);
    let cache = cache::open(global, printer)?;
    if let Err(reason) = cache.keep_calibration(&host.cpu_model, found.score) {
        printer.warning(&format!(
            "the score cannot be kept in {} ({reason}): footprints that are measured here will not \
             know it",
            cache.root().display()
        ));
    }
    printer.answer(&if as_json {
        format!("{}\n", serde_json::to_string_pretty(&found)?)
    } else {
        found.text()
    })?;
    Ok(Exit::Answered)
}

fn stages(job: &Job, number: u32, interrupt: &Interrupt) -> anyhow::Result<Vec<StageSample>> {
    let mut child = Child::start(job, number, Bounds::of_time(DEFAULT_BUDGET, BUDGET), interrupt)?;
    child.ask(Command::Load)?;
    child.ask(Command::WarmUp)?;
    match child.ask(Command::Stages { budget: BUDGET, kind: 0 })? {
        Reply::Stages(stages) if !stages.is_empty() => Ok(stages),
        _ => bail!("the calibrating process measured nothing"),
    }
}

#[derive(Debug, Serialize)]
struct Calibration {
    schema: &'static str,
    score: CpuScore,
    cpu_seconds: f64,
    low_cpu_seconds: f64,
    high_cpu_seconds: f64,
    network_cpu_seconds: f64,
    image_cpu_seconds: f64,
    cpu_model: String,
    cores: u32,
}

impl Calibration {
    fn of(runs: &[Vec<StageSample>], host: &HostBox) -> Self {
        let is_network = |stage: &&StageSample| stage.name.starts_with("infer");
        let total = |stages: &Vec<StageSample>| stages.iter().map(|s| s.cpu.get()).sum::<f64>();
        let network = |stages: &Vec<StageSample>| {
            stages.iter().filter(is_network).map(|s| s.cpu.get()).sum::<f64>()
        };
        let totals: Vec<f64> = runs.iter().map(total).collect();
        let cpu_seconds = median(totals.iter().copied());
        let network_cpu_seconds = median(runs.iter().map(network));
        Self {
            schema: "mediscope-size/calibration/1",
            score: CpuScore::of(cpu_seconds),
            cpu_seconds,
            low_cpu_seconds: totals.iter().copied().fold(f64::INFINITY, f64::min),
            high_cpu_seconds: totals.iter().copied().fold(0.0, f64::max),
            network_cpu_seconds,
            image_cpu_seconds: (cpu_seconds - network_cpu_seconds).max(0.0),
            cpu_model: host.cpu_model.clone(),
            cores: host.cores,
        }
    }

    fn text(&self) -> String {
        let ms = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
        let mut out =
            format!("CPU score {} on {} ({} cores)\n", self.score, self.cpu_model, self.cores);
        let _ = writeln!(
            out,
            "  {} of CPU time for one request of a fixed mix, {} to {} in {PROCESSES} processes",
            ms(self.cpu_seconds),
            ms(self.low_cpu_seconds),
            ms(self.high_cpu_seconds)
        );
        let _ = writeln!(
            out,
            "    {} the network: ResNet-18, 224², one thread",
            ms(self.network_cpu_seconds)
        );
        let _ = writeln!(
            out,
            "    {} the image: decoding, resizing, heatmap, encoding",
            ms(self.image_cpu_seconds)
        );
        let _ = writeln!(
            out,
            "To size for this CPU elsewhere: mediscope-size --ram 1G --cpus 1 --cpu-score {}",
            self.score
        );
        out
    }
}
