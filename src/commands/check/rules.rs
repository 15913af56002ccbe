//! What is to be held: typed, or in a file.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::cli::{CheckArgs, ServiceArgs};
use crate::files;
use crate::profile::{Budget, Budgeted, DEFAULT_PROFILE, MOST_BYTES, Subject, line_of};
use crate::service::{Limit, Line, Rule};
use crate::units::{Convention, Share, Size};

/// The file that is taken where nothing else is said.
const DEFAULT_FILE: &str = "budget.yaml";

/// One service and its rules.
pub struct Task {
    /// What it is called.
    pub name: String,
    /// What is measured, and how.
    pub service: ServiceArgs,
    /// Where its baseline is kept.
    pub baseline: Option<PathBuf>,
    /// Whether it is warmed up before it gets traffic.
    pub warmed: bool,
    /// What must hold; may be empty where only a baseline is written.
    pub rules: Vec<Rule>,
}

/// What is to be held.
pub struct Asked {
    /// One at least.
    pub tasks: Vec<Task>,
    /// Whether it was typed, and not read from a file.
    pub is_typed: bool,
}

/// All that is asked.
pub fn tasks(args: &CheckArgs) -> anyhow::Result<Asked> {
    if let Some(path) = &args.budget_file {
        if args.has_rules() {
            bail!(
                "rules and baselines stand in {} or on the command line: leave out one of them",
                path.display()
            );
        }
        return of_file(path, args);
    }
    if args.has_rules() {
        return Ok(Asked { tasks: vec![typed(args)], is_typed: true });
    }
    if Path::new(DEFAULT_FILE).exists() {
        return of_file(Path::new(DEFAULT_FILE), args);
    }
    if args.update_baseline {
        bail!(
            "nothing says where the baseline is kept: add --baseline FILE, or name a budget file with \
             `baseline:` in it"
        );
    }
    bail!(
        "there is no rule to hold: type one, as in --max-ram 512M --concurrency 10, or write {DEFAULT_FILE}"
    )
}

fn of_file(path: &Path, args: &CheckArgs) -> anyhow::Result<Asked> {
    if args.service.profile.is_some() || args.service.model.is_some() {
        bail!("{} names its services: leave out --profile and --model", path.display());
    }
    let services = Budget::read(path)?.services;
    let tasks: Vec<Task> = services.into_iter().map(|s| of_budget(s, args)).collect();
    if args.update_baseline && tasks.iter().all(|task| task.baseline.is_none()) {
        bail!(
            "no service in {} says where its baseline is kept: add `baseline: footprint.yaml` to it",
            path.display()
        );
    }
    Ok(Asked { tasks, is_typed: false })
}

fn of_budget(budgeted: Budgeted, args: &CheckArgs) -> Task {
    let mut service = args.service.clone();
    match budgeted.subject {
        Subject::Profile(profile) => service.profile = Some(profile),
        Subject::Model(path) => service.model = Some(path),
    }
    Task {
        name: budgeted.name,
        service,
        baseline: budgeted.baseline,
        warmed: budgeted.warmed || args.warmed,
        rules: budgeted.rules,
    }
}

/// The default share of growth, where a baseline is named and no share.
const GROWTH: f64 = 0.05;

fn typed(args: &CheckArgs) -> Task {
    let default = || if args.update_baseline { None } else { Share::new(GROWTH) };
    let growth = args.max_growth.or_else(|| args.baseline.as_ref().and_then(|_| default()));
    let limits = |convention: Convention| {
        let size = |size: Size| size.bytes(convention);
        [
            args.max_ram
                .zip(args.concurrency)
                .map(|(most, concurrency)| Limit::Ram { most: size(most), concurrency }),
            args.max_buffer.map(|most| Limit::Buffer(size(most))),
            args.max_load_peak.map(|most| Limit::LoadPeak(size(most))),
            args.max_cpu_seconds.map(Limit::CpuSeconds),
            args.min_rps.zip(args.cpus).map(|(least, cpus)| Limit::Rps { least, cpus }),
            // Files are of a disk.
            args.max_model_file.map(|most| Limit::ModelFile(most.bytes(Convention::Decimal))),
            growth.map(Limit::Growth),
        ]
    };
    let line = line_of_service(&args.service);
    let rule = |(limit, decimal): (Limit, Limit)| Rule {
        name: limit.default_name(),
        reason: None,
        limit,
        decimal,
        line: line.clone(),
    };
    let both = limits(Convention::Binary).into_iter().zip(limits(Convention::Decimal));
    Task {
        name: name(&args.service),
        service: args.service.clone(),
        baseline: args.baseline.clone(),
        warmed: args.warmed,
        rules: both.filter_map(|(a, b)| a.zip(b)).map(rule).collect(),
    }
}

/// What a service is called that was typed.
fn name(service: &ServiceArgs) -> String {
    let stem = |path: &Path| {
        path.file_stem().map_or_else(|| "model".to_owned(), |s| s.to_string_lossy().into_owned())
    };
    match (&service.model, &service.profile) {
        (Some(model), _) => stem(model),
        (None, Some(profile)) if profile.contains(['/', '.']) => stem(Path::new(profile)),
        (None, Some(profile)) => profile.clone(),
        (None, None) => DEFAULT_PROFILE.to_owned(),
    }
}

/// Where what is typed may be pointed at: the models of the profile, or the file of the model.
fn line_of_service(service: &ServiceArgs) -> Option<Line> {
    if let Some(model) = &service.model {
        return Some(Line { file: model.display().to_string(), number: 1 });
    }
    let file = service.profile.as_ref()?;
    // A pipe was read to its end before.
    let text = files::read_text(Path::new(file), MOST_BYTES).ok()?;
    let number = ["models", "declared", "live"].into_iter().find_map(|key| line_of(&text, key));
    Some(Line { file: file.clone(), number: number.unwrap_or(1) })
}
