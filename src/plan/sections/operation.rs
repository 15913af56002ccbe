//! What can go wrong on the box, and what to watch.

use super::service::flag;
use crate::footprint::ManagedRuntime;
use crate::plan::Warning;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Phrase, RowKind, Section, Table, says};
use crate::service::Thresholds;
use crate::units::{Bytes, Convention, Seconds, Share, Source, Span};

/// `warnings`.
pub(super) fn warnings(maker: &mut Maker<'_>) -> Option<Section> {
    let mut blocks = Vec::new();
    let critical = critical(maker);
    if !critical.is_empty() {
        blocks.push(Block::Heading(says!("warnings-critical")));
        blocks.extend(critical);
    }
    let of_measurement: Vec<_> = maker.plan.warnings.iter().map(|w| (None, warning(w))).collect();
    if !of_measurement.is_empty() {
        blocks.push(Block::Heading(says!("warnings-notes")));
        blocks.push(Block::List(of_measurement));
    }
    (!blocks.is_empty()).then_some(Section { id: "warnings", blocks })
}

/// How much slower a request is that lives in swap: a rule of thumb.
const SWAPPING: f64 = 10.0;

/// What happens in a box that is too small.
fn critical(maker: &mut Maker<'_>) -> Vec<Block> {
    let Some(ram) = maker.plan.question.ram else { return Vec::new() };
    let fixed = maker.fixed();
    let served = maker.users(ram);
    let last = maker.last();
    let one = last.curve.limit(1, !maker.plan.question.warmed).high();
    if one <= ram && served.least > 1.0 {
        return Vec::new();
    }
    let shown = Shown::plain(Value::Box(ram));
    let mut blocks = Vec::new();
    let (models, runtime) = parts(maker);
    let used = fixed.value.ends()[2] / ram.as_f64().max(1.0);
    let used = maker.figures.put(
        "warnings.fixed_share",
        Value::Share(exact(used, fixed.value.source())),
        "fixed / RAM",
        &[("fixed", &fixed), ("RAM", &shown)],
    );
    let mut oom = Vec::new();
    if let Some(models) = models {
        oom.push((None, says!("warning-models", bytes = models)));
    }
    if let Some(runtime) = runtime {
        oom.push((None, says!("warning-runtime", bytes = runtime)));
    }
    oom.push((None, says!("warning-fixed", bytes = fixed.clone(), share = used)));
    if one > ram {
        let needed = Shown::plain(Value::Bytes(exact(one, Source::Fitted)));
        oom.push((
            Some(Status::Insufficient),
            says!("warning-first", need = needed, ram = shown.clone()),
        ));
        blocks.push(Block::Heading(says!("warning-oom")));
        blocks.push(Block::List(oom));
        blocks.push(Block::Heading(says!("warning-swap")));
        let alone = maker.cpus_here();
        let slow = alone.value.ends();
        let slow = Span::around(
            Seconds::new(slow[0] * SWAPPING),
            Seconds::new(slow[1] * SWAPPING),
            Seconds::new(slow[2] * SWAPPING),
            Source::Assumed,
        );
        let slow = maker.figures.put_range(
            "warnings.swap_seconds",
            Value::Seconds(slow),
            "response × 10 (a rule of thumb)",
            &[("response", &alone)],
        );
        blocks.push(Block::List(vec![
            (None, says!("warning-swap-slow", time = slow)),
            (None, says!("warning-swap-busy")),
        ]));
    }
    blocks.push(Block::Heading(says!("warning-users")));
    let users = says!("warning-users-most", users = served.users);
    blocks.push(Block::List(vec![
        (Some(Status::Insufficient), users),
        (None, says!("warning-no-degradation")),
    ]));
    if one > ram {
        blocks.push(Block::Heading(says!("warning-unstable")));
        blocks.push(Block::List(vec![
            (None, says!("warning-restarts")),
            (None, says!("warning-experience")),
        ]));
    }
    blocks
}

impl Maker<'_> {
    /// Response time on the CPUs that were asked about, else alone.
    pub fn cpus_here(&mut self) -> Shown {
        match self.plan.question.cpus {
            Some(cpus) => self.cpus(cpus).response,
            None => self.alone(),
        }
    }
}

/// The shares of models and of the rest in what is always there.
fn parts(maker: &mut Maker<'_>) -> (Option<Shown>, Option<Shown>) {
    let get =
        |maker: &Maker<'_>, key: &str| maker.figures.get(key).map(|f| f.shown.form(Form::High));
    if maker.subject.declared.is_some() {
        return (get(maker, "memory.models_bytes"), get(maker, "memory.runtime_bytes"));
    }
    let models: Bytes =
        maker.plan.footprint.iter().flat_map(|f| &f.models).map(|m| m.resident_bytes).sum();
    let shown = maker.figures.put(
        "warnings.models_bytes",
        Value::Bytes(exact(models, Source::Measured)),
        "RAM of the models",
        &[],
    );
    (Some(shown), None)
}

/// What the reader should know of the measurement.
#[expect(clippy::too_many_lines, reason = "an arm for each warning")]
pub fn warning(warning: &Warning) -> Phrase {
    let killed_when =
        |n: u32| if n == 0 { says!("while-loading") } else { says!("with-requests", n = n) };
    let signal = |signal: i32| Phrase::from(signal.to_string());
    let ram = |bytes| Shown::plain(Value::Bytes(exact(bytes, Source::Measured)));
    let time = |time| Shown::plain(Value::Seconds(exact(time, Source::Measured)));
    match warning {
        Warning::SyntheticWeights => says!("note-synthetic-weights"),
        Warning::Partial => says!("note-partial"),
        Warning::Killed { concurrency, signal: s } => {
            let by = if *s == 9 { says!("by-the-kernel") } else { Phrase::blank() };
            says!("note-killed", when = killed_when(*concurrency), signal = signal(*s), by = by)
        }
        Warning::TopologyKilled { topology, killed } => says!(
            "note-topology-killed",
            topology = topology.to_string(),
            when = killed_when(killed.concurrency),
            signal = signal(killed.signal)
        ),
        Warning::NotALine(bend) => {
            let share = Shown::plain(Value::Share(exact(bend.share_of_increment, Source::Fitted)));
            if bend.upward {
                says!("note-bends-up", share = share)
            } else {
                says!("note-bends-down", share = share)
            }
        }
        Warning::NotFlat { concurrency } => says!("note-not-flat", n = *concurrency),
        Warning::NotChecked => says!("note-not-checked"),
        Warning::NotTried => says!("note-not-tried"),
        Warning::Extrapolated { measured } => says!("note-extrapolated", n = *measured),
        Warning::Disturbed(what) => says!("note-disturbed", what = sentence(what)),
        Warning::NoRoom { concurrency } => says!("note-no-room", n = *concurrency),
        Warning::AssumedShape(dims) => says!("note-assumed-shape", dims = dims.join("; ")),
        Warning::AssumedValue(values) => says!("note-assumed-value", values = values.join("; ")),
        Warning::OneStep { model, port } => {
            says!("note-one-step", model = model.clone(), port = port.clone())
        }
        Warning::ModelAlone => says!("note-model-alone"),
        Warning::OtherCpu { measured_on } => says!("note-other-cpu", cpu = measured_on.clone()),
        Warning::LargestImage { sizes } => {
            let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            says!("note-largest-image", sizes = sizes.join(", "))
        }
        Warning::Grows { per_request, until_full } => says!(
            "note-grows",
            bytes = Shown::plain(Value::Bytes(exact(*per_request, Source::Fitted))),
            until = until_full
                .map_or_else(Phrase::blank, |n| says!("note-grows-until", n = n.to_string())),
        ),
        Warning::CouldNotStand { concurrency, what } => {
            says!("note-could-not-stand", n = *concurrency, what = what.clone())
        }
        Warning::BurstFailed { concurrency, what } => {
            says!("note-burst-failed", n = *concurrency, what = what.clone())
        }
        Warning::OneBurst { concurrency } => says!("note-one-burst", n = *concurrency),
        Warning::NotTheService => says!("note-not-the-service"),
        Warning::HeapFollowsRam { runtime, measured_with, asked } => {
            let ram = Shown::plain(Value::Box(*measured_with));
            let size = asked.map_or_else(|| "SIZE".to_owned(), |ram| flag(ram, Convention::Binary));
            match runtime {
                ManagedRuntime::Go => says!("note-heap-go", ram = ram, size = size),
                other => {
                    let runtime = other.name().to_owned();
                    says!("note-heap-follows-ram", runtime = runtime, ram = ram, size = size)
                }
            }
        }
        Warning::StillAccumulates { bytes, requests, bodies_used_up } => {
            let (bytes, n) = (ram(*bytes), requests.to_string());
            if *bodies_used_up {
                says!("note-bodies-used-up", bytes = bytes, n = n)
            } else {
                says!("note-still-accumulates", bytes = bytes, n = n)
            }
        }
        Warning::UnexplainedHistory(found) => says!(
            "note-unexplained",
            n = found.concurrency,
            seen = ram(found.anon_bytes),
            low = ram(found.expected_bytes.low()),
            high = ram(found.expected_bytes.high())
        ),
        Warning::RepeatedBodies(found) => says!(
            "note-repeated",
            first = ram(found.first_bytes),
            later = ram(found.later_bytes),
            firstcpu = time(found.first_cpu_seconds),
            latercpu = time(found.later_cpu_seconds)
        ),
        Warning::TmpfsGrew { path, bytes } => {
            says!("note-tmpfs", path = path.clone(), bytes = ram(*bytes))
        }
        Warning::DeclaredCosts => says!("note-declared-costs"),
        Warning::ValidationFailed { error } => {
            let error = Shown::plain(Value::Share(exact(*error, Source::Measured)));
            says!("note-validation-failed", error = Shown { form: Form::Signed, ..error })
        }
        Warning::WideMemory { half_width } => {
            let share = Shown::plain(Value::Share(exact(*half_width, Source::Fitted)));
            says!("note-wide-memory", share = share)
        }
        Warning::WideCpu { half_width } => {
            let share = Shown::plain(Value::Share(exact(*half_width, Source::Fitted)));
            says!("note-wide-cpu", share = share)
        }
        Warning::MoreCpus { measured_on, together: None } => {
            says!("note-more-cpus", n = *measured_on)
        }
        Warning::MoreCpus { measured_on, together: Some(together) } => {
            let times = exact((together * 100.0).round() / 100.0, Source::Measured);
            let times = Shown::plain(Value::Count(times));
            says!("note-more-cpus-scaled", n = *measured_on, times = times)
        }
        Warning::ThreadsAboveCpus { threads } => {
            says!("note-threads-above", n = u32::from(*threads))
        }
    }
}

/// The same in short, for the screen with the verdict, where there is a shorter way to say it.
pub(super) fn in_short(warning: &Warning) -> Option<Phrase> {
    Some(match warning {
        Warning::AssumedShape(what) | Warning::AssumedValue(what) => {
            says!("beside-assumed", what = what.join("; "))
        }
        Warning::OneStep { model, port } => {
            says!("beside-one-step", model = model.clone(), port = port.clone())
        }
        Warning::ModelAlone => says!("beside-model-alone"),
        Warning::NotChecked => says!("summary-not-checked"),
        _ => return None,
    })
}

/// Text from elsewhere as a sentence: a capital at its start and a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), chars.as_str())
}

/// What is watched where nobody says: what most services promise, an assumption.
fn thresholds(maker: &Maker<'_>) -> (Thresholds, bool) {
    let declared = maker.subject.service.thresholds.clone();
    let share = |text: &str| text.parse::<Share>().ok();
    let usual = || Thresholds {
        memory: share("80%"),
        cpu_average: share("70%"),
        cpu_peak: share("90%"),
        errors: share("1%"),
        uptime: share("99.5%"),
        response: None,
    };
    let is_declared = declared.is_some();
    (declared.unwrap_or_else(usual), is_declared)
}

/// `monitoring`.
pub(super) fn monitoring(maker: &mut Maker<'_>) -> Option<Section> {
    let project = maker.subject.service.project.clone().unwrap_or_default();
    let folder = project.folder.unwrap_or_else(|| "/srv/app".to_owned());
    let log = project.log.unwrap_or_else(|| "/var/log/app.log".to_owned());
    let comment = Phrase::word;
    let commands: Vec<Phrase> = vec![
        comment("watch-memory"),
        "free -h".into(),
        "htop".into(),
        Phrase::blank(),
        comment("watch-group"),
        "cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory.max".into(),
        Phrase::blank(),
        comment("watch-disk"),
        "df -h".into(),
        format!("du -sh {folder}").into(),
        Phrase::blank(),
        comment("watch-network"),
        "iftop".into(),
        "vnstat".into(),
        Phrase::blank(),
        comment("watch-log"),
        format!("tail -f {log}").into(),
    ];
    let (limits, declared) = thresholds(maker);
    let mut table = Table::new(
        says!("watch-thresholds"),
        &["column-metric", "#column-limit", "#column-predicted", "column-remark"],
    );
    let share = |s: Share| Shown::plain(Value::Share(exact(s.get(), Source::Declared)));
    let mut notes = Vec::new();
    if let Some(limit) = &limits.response {
        let here = maker.cpus_here();
        let limit_shown = maker.figures.put(
            "monitoring.response_seconds",
            Value::Seconds(limit.span()),
            "as declared",
            &[],
        );
        let slow = here.value.ends()[2] > limit.high().get();
        let remark = if slow { says!("watch-response-slow") } else { says!("watch-ok") };
        table.row(
            RowKind::Plain,
            [says!("watch-response"), limit_shown.into(), here.into(), remark],
        );
    }
    if let Some(limit) = limits.memory {
        let remark = match maker.plan.question.ram {
            None => says!("watch-memory-any"),
            Some(ram) => within(maker, ram, limit),
        };
        let used = used(maker);
        table.row(RowKind::Plain, [says!("watch-memory-share"), share(limit).into(), used, remark]);
    }
    for (id, limit) in [
        ("watch-cpu-average", limits.cpu_average),
        ("watch-cpu-peak", limits.cpu_peak),
        ("watch-errors", limits.errors),
    ] {
        if let Some(limit) = limit {
            table.row(
                RowKind::Plain,
                [Phrase::word(id), share(limit).into(), "–".into(), Phrase::blank()],
            );
        }
    }
    if let Some(uptime) = limits.uptime {
        let down = Seconds::new((1.0 - uptime.get()) * 30.0 * 86_400.0);
        let down = maker.figures.put(
            "monitoring.downtime_seconds",
            Value::Seconds(exact(down, Source::Declared)),
            "(1 − uptime) × 30 days",
            &[("uptime", &share(uptime))],
        );
        table.row(
            RowKind::Plain,
            [
                says!("watch-uptime"),
                share(uptime).into(),
                "–".into(),
                says!("watch-downtime", time = down),
            ],
        );
    }
    if !declared {
        notes.push(Block::Paragraph(says!("watch-assumed")));
    }
    let mut blocks = vec![Block::Code("bash", commands), Block::Table(table)];
    blocks.extend(notes);
    blocks.push(Block::Paragraph(says!("watch-prometheus")));
    Some(Section { id: "monitoring", blocks })
}

/// The share of the RAM at what is planned for.
fn used(maker: &mut Maker<'_>) -> Phrase {
    let Some(ram) = maker.plan.question.ram else { return "–".into() };
    let n = maker.plan.design_concurrency;
    let need = maker.last().curve.limit(n, !maker.plan.question.warmed).high().as_f64();
    let shown = Shown::plain(Value::Box(ram));
    maker
        .figures
        .put(
            "monitoring.memory_share",
            Value::Share(exact(need / ram.as_f64().max(1.0), Source::Fitted)),
            "limit needed at the planned concurrency / RAM",
            &[("RAM", &shown)],
        )
        .into()
}

/// How many requests stay within the share that is watched.
fn within(maker: &mut Maker<'_>, ram: Bytes, limit: Share) -> Phrase {
    let most = Bytes::from_f64(ram.as_f64() * limit.get());
    let curve = &maker.last().curve;
    let quiet = curve.max_concurrency(most, !maker.plan.question.warmed);
    let all = curve.max_concurrency(ram, !maker.plan.question.warmed).low;
    let full =
        curve.limit(all, !maker.plan.question.warmed).high().as_f64() / ram.as_f64().max(1.0);
    let full = maker.figures.put(
        "monitoring.full_share",
        Value::Share(exact(full, Source::Fitted)),
        "limit at the most requests that fit / RAM",
        &[],
    );
    let n = maker.figures.put(
        "monitoring.quiet_concurrency",
        Value::count(quiet.low),
        "the most N within the watched share of the RAM",
        &[],
    );
    says!("watch-memory-within", n = n, most = all, full = full)
}
