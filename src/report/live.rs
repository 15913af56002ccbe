//! A live service that was measured, for a person at a terminal: what it does with its requests, in
//! a sentence, and what was seen in each round.

use std::fmt::Write;

use comfy_table::{ColumnConstraint, Width};

use super::tables::{DIM, Layout, cells, grid, heading, listed, titled, wrap};
use crate::footprint::{
    Accumulated, During, Failure, Footprint, LeftBehind, LiveRecord, PeaksBy, Round, ToldBy,
};
use crate::model::live::FEWEST_LEVELS;
use crate::plan::Plan;
use crate::units::Bytes;

/// What the footprint says of a live service, and `plan` where a line could be made; nothing where
/// it is of another. Contains colours; whoever prints it strips them where they do not belong.
pub fn live_text(
    title: &str,
    footprint: &Footprint,
    plan: Option<&Plan>,
    layout: Layout,
) -> String {
    let Some(live) = &footprint.live else { return String::new() };
    let sections = [
        header(title, live, layout),
        findings(plan, live, layout),
        rounds(&live.rounds, layout),
        listed("How it was measured", &means(live), layout),
    ];
    sections.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("\n")
}

fn header(title: &str, live: &LiveRecord, layout: Layout) -> String {
    let processes = match live.processes {
        1 => "one process".to_owned(),
        n => format!("{n} processes"),
    };
    let how = if live.attached { "ran before and goes on" } else { "was started and stopped" };
    let facts = format!("Measured from outside: {} ({processes}); it {how}.", live.target);
    format!("{}{DIM}{}{DIM:#}\n", heading(title), wrap(&facts, layout, 0))
}

/// What it does with requests that come at the same time.
pub fn topology_sentence(live: &LiveRecord) -> String {
    let workers = live.workers;
    let of = if workers == 1 { "One process".to_owned() } else { format!("{workers} processes") };
    let serves = if workers == 1 { "serves" } else { "serve" };
    let told = match live.told_by {
        ToldBy::Memory => "its memory",
        ToldBy::Throughput => "its throughput",
        ToldBy::Nothing => "",
    };
    let rises = |n: u32| format!("{told} rises up to {n} in flight and no further");
    let more = "more wait, hold little and are served no sooner";
    match (live.at_once, live.told_by) {
        (Some(1), _) => {
            format!("{of} {serves} one request at a time ({}): {more}.", stays(live.told_by))
        }
        (Some(n), _) if n == workers => {
            format!(
                "{of} {serve} one request each at a time ({}): {more}.",
                rises(n),
                serve = serves
            )
        }
        (Some(n), _) => format!("{of} {serves} up to {n} requests at once ({}): {more}.", rises(n)),
        (None, ToldBy::Memory) => format!(
            "{of} {serves} all requests at once: each one in flight took memory of its own, up to {}.",
            most(live)
        ),
        (None, ToldBy::Throughput) => format!(
            "{of} {serves} all requests at once: throughput rose with each one in flight, up to {}, \
             and a request takes no memory to speak of.",
            most(live)
        ),
        (None, ToldBy::Nothing) => format!(
            "{of} {serves} up to {} at once or more: how many it works on is not known. A request \
             takes no memory to speak of, and throughput has no end that is not that of the CPUs or \
             of the driver.",
            most(live)
        ),
    }
}

fn stays(told: ToldBy) -> &'static str {
    match told {
        ToldBy::Throughput => "throughput stays as with one in flight, and the CPUs are not full",
        _ => "memory stays as with one in flight",
    }
}

fn most(live: &LiveRecord) -> u32 {
    live.rounds.iter().map(|r| r.concurrency).max().unwrap_or(1)
}

fn findings(plan: Option<&Plan>, live: &LiveRecord, layout: Layout) -> String {
    let mut lines: Vec<String> = other_service(live).into_iter().collect();
    lines.extend(plan.iter().flat_map(|plan| found(plan, live)));
    lines.extend(live.failures.iter().map(|failure| failed(failure, plan.is_some())));
    lines.extend(unanswered(live));
    lines.extend(unknown_growth(live));
    lines.extend(left_behind(live));
    let bound = live.driver_bound();
    if !bound.is_empty() {
        let at: Vec<String> = bound.iter().map(u32::to_string).collect();
        lines.push(format!(
            "The driver of the load, not the service, set the pace with {} in flight: throughput is a \
             lower bound there. Drive it from a machine of its own, or measure on one with more CPUs.",
            at.join(", ")
        ));
    }
    lines.extend(live.driver_competed().map(|(n, share)| {
        format!(
            "The driver of the load took {:.0} % of the CPU time while all CPUs were busy (with {n} in \
             flight): driven from another machine, the service answers up to that much more.",
            share * 100.0
        )
    }));
    let mut out = String::new();
    for line in lines {
        let _ = writeln!(out, "  • {}", wrap(&line, layout, 4));
    }
    out
}

/// Who serves, where that is not what was started.
fn other_service(live: &LiveRecord) -> Option<String> {
    let service = live.service.as_ref()?;
    Some(format!(
        "The command only asks others to serve: what answers, and was measured, is {service}."
    ))
}

/// A load that it could not stand, and what that means for the numbers.
fn failed(failure: &Failure, has_line: bool) -> String {
    let Failure { concurrency: n, what, .. } = failure;
    let start = match failure.start {
        0 => String::new(),
        start => format!(", when it was started again (start {})", start + 1),
    };
    let rests = if has_line { " What follows rests on fewer." } else { "" };
    match failure.phase {
        During::Round => format!("It could not stand {n} at once{start}: {what}.{rests}"),
        During::FirstRequests => {
            format!("It could not stand its first requests, {n} at once{start}: {what}.")
        }
        During::Growth => format!(
            "It could not stand being asked on and on, {n} at once{start}: {what}. Whether its memory \
             grows is not known."
        ),
        During::ColdBurst => format!(
            "It could not stand {n} at once as its first requests after a start: {what}. Warm it up \
             before it gets traffic."
        ),
        During::Start => {
            format!("It could not be started again (start {}): {what}.", failure.start + 1)
        }
    }
}

/// Rounds in which a few requests were not answered, and which count all the same.
fn unanswered(live: &LiveRecord) -> Option<String> {
    let few = live.rounds.iter().filter(|r| live.stood(r) && !r.errors.is_empty());
    let told: Vec<String> =
        few.map(|r| format!("{} at {} in flight", r.errors_told(), r.concurrency)).collect();
    (!told.is_empty()).then(|| format!("A few requests were not answered: {}.", told.join("; ")))
}

/// What is concluded.
fn found(plan: &Plan, live: &LiveRecord) -> Vec<String> {
    let mut lines = vec![topology_sentence(live)];
    lines.push(format!(
        "Base {} ({}–{}), each request at work {} ({}–{}), CPU time of a request {}.",
        plan.ram.base.typical(),
        plan.ram.base.low(),
        plan.ram.base.high(),
        plan.ram.buffer.typical(),
        plan.ram.buffer.low(),
        plan.ram.buffer.high(),
        plan.cpu.seconds_per_request.typical(),
    ));
    lines.extend(behind(plan, live));
    if live.workers > 1 {
        let [low, typical, high] = per_worker(plan, live);
        lines.push(format!(
            "Workers multiply the base: each of the {} takes about {typical} ({low}–{high}).",
            live.workers
        ));
    }
    lines.extend(accumulated(live));
    if let Some(growth) = &live.growth {
        lines.push(format!(
            "Its memory grows and does not come back: {} ({}–{}) a request over {} requests. That is \
             no part of what a request needs, and no box holds it for ever.",
            growth.bytes_per_request.typical(),
            growth.bytes_per_request.low(),
            growth.bytes_per_request.high(),
            growth.requests,
        ));
        lines.extend(until(plan, live).map(Until::told));
    }
    lines
}

/// What accumulates, and how it was told.
fn accumulated(live: &LiveRecord) -> Option<String> {
    let found = live.accumulated.as_ref()?;
    let Accumulated { bytes, requests, .. } = found;
    let end = match (found.bodies_used_up, found.levelled_off) {
        (true, _) => format!(
            "until its bodies were used up, after {requests} requests: with more of them (--body FOLDER) it \
             may rise further"
        ),
        (false, true) => format!("and levels off after {requests} requests"),
        (false, false) => format!("over {requests} requests, and had not levelled off by then"),
    };
    Some(format!(
        "Its memory rises by {bytes} with the requests that it answers, however many at once, {end}. That is \
         part of the base, as a service that runs for long holds it."
    ))
}

/// What it left in file systems in memory, which is not this tool's to delete.
fn left_behind(live: &LiveRecord) -> Option<String> {
    let LeftBehind { bytes, paths } = live.left_behind.as_ref()?;
    let place =
        if paths.is_empty() { "file systems in memory".to_owned() } else { paths.join(", ") };
    Some(format!(
        "It left {bytes} of files behind in {place} after it was stopped, all starts together. They take RAM \
         until somebody deletes them."
    ))
}

/// That nobody knows whether its memory grows, and what would tell.
fn unknown_growth(live: &LiveRecord) -> Option<String> {
    let is_told = live.failures.iter().any(|f| f.phase == During::Growth);
    let is_known = live.growth.is_some() || live.growth_looks as usize >= FEWEST_LEVELS;
    (!is_known && !is_told).then(|| {
        let why = match live.growth_looks {
            0 => "it was not watched for long enough at rest".to_owned(),
            n => format!("{n} looks at rest are too few ({FEWEST_LEVELS} are needed)"),
        };
        format!("Whether its memory grows is not known: {why}. A longer --max-time tells.")
    })
}

/// What each worker takes of the base: the ends of its interval and the middle.
pub(super) fn per_worker(plan: &Plan, live: &LiveRecord) -> [Bytes; 3] {
    let base = &plan.ram.base;
    [base.low(), base.typical(), base.high()]
        .map(|bytes| Bytes::new(bytes.get() / u64::from(live.workers.max(1))))
}
/// That more requests took less than in step, where the line is made of fewer.
fn behind(plan: &Plan, live: &LiveRecord) -> Option<String> {
    let points = &plan.footprint.as_ref()?.points;
    let used = points.iter().map(|p| p.concurrency).max()?;
    let well = live.rounds.iter().filter(|r| live.stood(r)).map(|r| r.concurrency).max()?;
    (used < well).then(|| {
        format!(
            "With more than {used} in flight memory rose by less than before, while answers took \
             longer: they waited for each other and did not all hold theirs at one moment. Another \
             machine may bring them together, so the line is that of up to {used}."
        )
    })
}

/// When memory that grows reaches a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Until {
    /// The RAM that was asked about, or an example.
    pub limit: Bytes,
    pub was_asked: bool,
    pub requests: f64,
    /// At the fastest that was seen.
    pub seconds: f64,
    rate: f64,
}

impl Until {
    fn told(self) -> String {
        let Self { limit, requests, rate, .. } = self;
        let other = if self.was_asked { "" } else { " (--ram asks about another)" };
        format!(
            "A limit of {limit}{other} is reached after about {requests:.0} requests: {} at {rate:.0} a \
             second, as fast as it was driven.",
            told(self.seconds)
        )
    }
}

/// When a limit is hit, at the fastest that was seen.
pub(super) fn until(plan: &Plan, live: &LiveRecord) -> Option<Until> {
    let growth = live.growth.as_ref()?;
    let each = growth.bytes_per_request.typical().as_f64();
    let rate = live.rounds.iter().map(|r| r.throughput.get()).fold(0.0, f64::max);
    let limit = plan.question.ram.unwrap_or(Bytes::mib(1024));
    let room = limit.saturating_sub(plan.ram.base.typical()).as_f64();
    let requests = room / each;
    (each > 0.0 && rate > 0.0).then(|| Until {
        limit,
        was_asked: plan.question.ram.is_some(),
        requests,
        seconds: requests / rate,
        rate,
    })
}

/// A length of time in the unit that fits.
pub(super) fn told(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// What a narrow terminal does without, the least needed first.
const OPTIONAL: [&str; 3] = ["File", "p99", "Anon."];

/// Numbers keep their units beside them: where there is no room for all columns, some are left out,
/// and only errors are broken into lines.
fn rounds(rounds: &[Round], layout: Layout) -> String {
    let rows: Vec<Vec<String>> = rounds.iter().filter(|r| r.start == 0).map(row).collect();
    let width = |text: &String| textwrap::core::display_width(text);
    let widths: Vec<usize> = HEADER
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let word = |text: &String| text.split(' ').map(str::len).max().unwrap_or(0);
            let is_last = column + 1 == HEADER.len();
            let cells = rows.iter().map(|row| &row[column]);
            let widest = cells.map(|c| if is_last { word(c) } else { width(c) }).max();
            widest.unwrap_or(0).max(name.len())
        })
        .collect();
    let mut shown: Vec<usize> = (0..HEADER.len()).collect();
    for least in OPTIONAL {
        // A border and a blank at each side.
        if shown.iter().map(|c| widths[*c] + 3).sum::<usize>() < usize::from(layout.width) {
            break;
        }
        shown.retain(|column| HEADER[*column] != least);
    }
    let mut table = grid(layout, &shown.iter().map(|c| HEADER[*c]).collect::<Vec<_>>());
    for row in &rows {
        table.add_row(cells(shown.iter().map(|c| row[*c].clone())));
    }
    for (column, index) in table.column_iter_mut().zip(&shown) {
        let width = u16::try_from(widths[*index] + 2).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    titled("Rounds", &table)
}

const HEADER: [&str; 9] =
    ["At once", "Peak", "Anon.", "File", "Requests/s", "p50", "p95", "p99", "Errors"];

fn row(round: &Round) -> Vec<String> {
    let errors: Vec<String> =
        round.errors.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    vec![
        if round.control {
            format!("{} again", round.concurrency)
        } else {
            round.concurrency.to_string()
        },
        round.peak.total().to_string(),
        round.peak.anon_bytes.to_string(),
        round.peak.file_bytes.to_string(),
        round.throughput.to_string(),
        round.latency[0].to_string(),
        round.latency[1].to_string(),
        round.latency[2].to_string(),
        if errors.is_empty() { "–".to_owned() } else { errors.join(", ") },
    ]
}

fn means(live: &LiveRecord) -> Vec<String> {
    let starts = live.rounds.iter().map(|r| r.start).max().unwrap_or(0) + 1;
    let mut lines = vec![match live.peaks_by {
        PeaksBy::Marks => format!(
            "Peaks are the kernel's high-water marks of each process, reset before each wave; \
             looks every {} find processes that come and go, and miss what one that lives shorter held.",
            live.sampling_seconds
        ),
        PeaksBy::Looks => format!(
            "The kernel does not let the high-water marks be reset: peaks are the highest of looks \
             every {}, and what comes and goes between two is missed.",
            live.sampling_seconds
        ),
    }];
    lines.push(format!(
        "Looking took {:.1} % of a CPU core, driving the load up to {:.0} %.",
        live.sampler_cpu * 100.0,
        live.driver_cpu * 100.0
    ));
    let besides = if live.charged {
        ", and what its control group is charged besides: files in a tmpfs, buffers of sockets"
    } else {
        ""
    };
    lines.push(format!(
        "Anonymous and shared memory counts, pages that processes share once{besides}; latencies from \
         when a request was sent to the last byte of its answer."
    ));
    if live.rounds.iter().any(|round| round.control) {
        lines.push(
            "Rounds with fewer at once again tell what requests leave behind from what concurrency takes; \
             they are no part of the line unless they contradict it."
                .to_owned(),
        );
    }
    if live.different_requests == Some(1) {
        lines.push(
            "All requests were alike: what a service does with those that differ, such as keeping answers \
             to each, was not seen (--body FOLDER)."
                .to_owned(),
        );
    }
    lines.push(format!(
        "At rest {} before the first request, {} after the first ones, {} after all.",
        live.idle.total(),
        live.first.total(),
        live.after.total()
    ));
    if let Some(peak) = live.group_peak_bytes {
        let when =
            if live.attached { " in all the time that the group has been there" } else { "" };
        lines.push(format!(
            "The most that the kernel charged its control group{when}: {peak}, files that it read \
             included."
        ));
    }
    if starts > 1 {
        lines.push(format!("The service was started {starts} times; the table is of the first."));
    }
    if live.attached {
        lines.push(
            "It ran before: how high it was while it started is not known. Let this tool start it \
             (-- COMMAND) to know."
                .to_owned(),
        );
    }
    lines
}
