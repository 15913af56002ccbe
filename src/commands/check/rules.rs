//! What is to be held: typed, or in a file.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::cli::{CheckArgs, ServiceArgs};
use crate::profile::{Budget, Budgeted, DEFAULT_PROFILE, Subject, line_of};
use crate::service::{Limit, Line, Rule};
use crate::units::Share;

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

/// All that is asked.
pub fn tasks(args: &CheckArgs) -> anyhow::Result<Vec<Task>> {
    if let Some(path) = &args.budget_file {
        if args.has_rules() && args.baseline.is_none() {
            bail!(
                "rules stand in {} or on the command line: leave out one of them",
                path.display()
            );
        }
        return of_file(path, args);
    }
    if args.has_rules() {
        return Ok(vec![typed(args)]);
    }
    if args.update_baseline {
        bail!(
            "nothing says where the baseline is kept: add --baseline FILE, or name a budget file"
        );
    }
    if Path::new(DEFAULT_FILE).exists() {
        return of_file(Path::new(DEFAULT_FILE), args);
    }
    bail!(
        "there is no rule to hold: type one, as in --max-ram 512M --concurrency 10, or write {DEFAULT_FILE}"
    )
}

fn of_file(path: &Path, args: &CheckArgs) -> anyhow::Result<Vec<Task>> {
    if args.service.profile.is_some() || args.service.model.is_some() {
        bail!("{} names its services: leave out --profile and --model", path.display());
    }
    Ok(Budget::read(path)?.services.into_iter().map(|service| of_budget(service, args)).collect())
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
    let limits = [
        args.max_ram
            .zip(args.concurrency)
            .map(|(most, concurrency)| Limit::Ram { most, concurrency }),
        args.max_buffer.map(Limit::Buffer),
        args.max_load_peak.map(Limit::LoadPeak),
        args.max_cpu_seconds.map(Limit::CpuSeconds),
        args.min_rps.zip(args.cpus).map(|(least, cpus)| Limit::Rps { least, cpus }),
        args.max_model_file.map(Limit::ModelFile),
        growth.map(Limit::Growth),
    ];
    let line = line_of_service(&args.service);
    let rule =
        |limit: Limit| Rule { name: limit.default_name(), reason: None, limit, line: line.clone() };
    Task {
        name: name(&args.service),
        service: args.service.clone(),
        baseline: args.baseline.clone(),
        warmed: args.warmed,
        rules: limits.into_iter().flatten().map(rule).collect(),
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
    let text = std::fs::read_to_string(file).ok()?;
    let number = ["models", "declared", "live"].into_iter().find_map(|key| line_of(&text, key));
    Some(Line { file: file.clone(), number: number.unwrap_or(1) })
}
