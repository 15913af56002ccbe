//! What was tried in a box, for a person at a terminal.

mod json;
mod load;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use super::tables::{BOLD, DIM, Layout, cells, grid, heading, keep_words, listed, titled, wrap};
use crate::footprint::{Ending, Phase, Temper};
use crate::plan::verification::{Found, MOST, Outcome, Soak, THRASHED, Tried, Verification};
use crate::units::Bytes;

pub use json::verification_json;

/// The verdict, the trials, and what was searched for. Contains colours; whoever prints it strips
/// them where they do not belong.
pub fn verification_text(seen: &Verification, layout: Layout) -> String {
    let sections = [
        header(seen, layout),
        verdict(seen, layout),
        trials(&seen.trials, layout),
        listed("What the kernel counted", &counted(seen), layout),
        listed("Where it turns over", &found(seen), layout),
        load::loads(&seen.loads, layout),
        listed("Kept busy", &seen.soak.iter().map(soak).collect::<Vec<_>>(), layout),
    ];
    sections.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("\n")
}

fn header(seen: &Verification, layout: Layout) -> String {
    let cpus = seen.cpus.map_or_else(|| "all CPUs".to_owned(), |cpus| cpus.to_string());
    let facts = format!(
        "Run in control groups (version {}) of {} of RAM without swap and {cpus}; topology {}.",
        seen.version, seen.ram, seen.topology,
    );
    format!("{}{DIM}{}{DIM:#}\n", heading(&seen.title), wrap(&facts, layout, 0))
}

fn verdict(seen: &Verification, layout: Layout) -> String {
    let n = seen.promise.concurrency;
    let (mark, word) = match seen.outcome() {
        Some(Outcome::Held) => ("✔", "HELD"),
        Some(Outcome::Thrashed) => ("✘", "THRASHED"),
        Some(Outcome::Killed) | None => ("✘", "KILLED"),
    };
    let foreseen = seen.planned == 0 && n == 1 && seen.outcome() != Some(Outcome::Held);
    let foreseen = if foreseen { ", as the plan says" } else { "" };
    let mut out = format!("{mark} {BOLD}{word}{BOLD:#}: {n} at once in {}{foreseen}\n", seen.ram);
    let mut lines = vec![match (seen.planned, seen.outcome()) {
        (0, _) => format!(
            "The plan promises nothing in this box: loading, or one request, needs up to {}.",
            seen.promise.one
        ),
        (planned, _) if planned < n => format!(
            "The plan promises {planned} in this box; {n} need up to {}.",
            seen.promise.limit.high()
        ),
        (planned, outcome) => {
            let held = if outcome == Some(Outcome::Held) { "It held" } else { "It did not hold" };
            format!(
                "The plan promises {planned} in this box; {n} need up to {}. {held}.",
                seen.promise.limit.high()
            )
        }
    }];
    if seen.planned > n && n == MOST {
        lines.push(format!("No more than {MOST} are tried at once: threads would be the limit."));
    }
    lines.push(format!(
        "Below {} the kernel is expected to kill ({} to {}).",
        seen.promise.kill_limit.typical(),
        seen.promise.kill_limit.low(),
        seen.promise.kill_limit.high()
    ));
    if seen.accumulated_over > 0 {
        lines.push(format!(
            "Each warm trial answered {} requests first, as many as it takes for all to be there that they \
             leave behind.",
            seen.accumulated_over
        ));
    }
    for line in lines {
        let _ = writeln!(out, "  • {}", wrap(&line, layout, 4));
    }
    out
}

fn trials(trials: &[Tried], layout: Layout) -> String {
    let header = ["Requests", "Ended", "Time", "No limit", "Anon.", "File"];
    let mut table = grid(layout, &header);
    let rows: Vec<Vec<String>> = trials.iter().map(row).collect();
    for row in &rows {
        table.add_row(cells(row.iter().cloned()));
    }
    keep_words(&mut table, &header, rows.into_iter(), layout);
    let legend = format!(
        "Time: from the start of the process to the last answer; beyond {THRASHED} times that \
         without a limit it thrashes. Anon., File: when anonymous memory was highest, of looks 5 ms \
         apart."
    );
    format!("{}{}\n", titled("Trials", &table), wrap(&legend, layout, 0))
}

fn row(tried: &Tried) -> Vec<String> {
    let bytes = |bytes: Option<Bytes>| bytes.map_or_else(|| "–".to_owned(), |b| b.to_string());
    let seen = &tried.observation;
    vec![
        named(tried),
        ended(tried),
        seen.wall.to_string(),
        tried.unlimited.to_string(),
        bytes(seen.highest.map(|h| h.0)),
        bytes(seen.highest.map(|h| h.1)),
    ]
}

fn named(tried: &Tried) -> String {
    format!("{} {}", tried.concurrency, temper(tried.temper))
}

/// Of each trial what its control group says; what that does not tell is left out.
fn counted(seen: &Verification) -> Vec<String> {
    seen.trials.iter().map(|tried| of_trial(seen, tried)).collect()
}

fn of_trial(seen: &Verification, tried: &Tried) -> String {
    let counters = &tried.observation.counters;
    let mut parts = Vec::new();
    if let Some(peak) = counters.peak {
        let kernel = counters.kernel_peak.map(|k| format!(", {k} of it kernel memory at most"));
        parts.push(format!("charged up to {peak}{}", kernel.unwrap_or_default()));
    }
    let mut count = |n: Option<u64>, what: &str| {
        parts.extend(n.map(|n| format!("{n} {what}")));
    };
    count(counters.oom_kills, "killed");
    count(counters.major_faults, "pages read from files");
    count(counters.reclaims, "times at the limit");
    if let Some(throttled) = counters.throttled {
        parts.push(format!(
            "CPU quota used up in {} periods of 100 ms, {} of waiting",
            throttled.periods, throttled.time
        ));
    }
    if let Some(error) = seen.promise.error(tried) {
        parts.push(format!("anonymous memory predicted {:+.1} % off", error * 100.0));
    }
    format!("{}: {}.", named(tried), parts.join("; "))
}

const fn temper(temper: Temper) -> &'static str {
    match temper {
        Temper::Warm => "warm",
        Temper::Cold => "cold",
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Loading => "loading",
        Phase::Warming => "at the first requests",
        Phase::Serving => "serving",
    }
}

fn ended(tried: &Tried) -> String {
    match (tried.outcome, tried.observation.ending) {
        (Outcome::Held, _) => "✔ held".to_owned(),
        (Outcome::Thrashed, Ending::Late(at)) => format!("✘ thrashed, given up {}", phase(at)),
        (Outcome::Thrashed, _) => "✘ thrashed".to_owned(),
        (Outcome::Killed, Ending::Killed(at)) => format!("✘ killed {}", phase(at)),
        (Outcome::Killed, _) => "✘ killed".to_owned(),
    }
}

fn found(seen: &Verification) -> Vec<String> {
    let mut lines = Vec::new();
    if !seen.searched.is_empty() {
        lines.push(format!("{} trials; --format json lists them.", seen.searched.len()));
    }
    if let Some(most) = &seen.most {
        lines.push(format!(
            "In {}: {} at once {}; the plan promises {}.",
            seen.ram,
            most.held.map_or_else(|| "not even one".to_owned(), |n| n.to_string()),
            if most.held.is_some() { "still held" } else { "held" },
            most.planned
        ));
        lines.push(turning(most, |n| format!("{n} at once"), "from", "up to"));
    }
    if let Some(least) = &seen.least {
        let n = seen.promise.concurrency;
        lines.push(format!(
            "{n} at once held {}; the plan asks for {}.",
            least
                .held
                .map_or_else(|| "in no limit that was tried".to_owned(), |b| format!("in {b}")),
            least.planned
        ));
        lines.push(turning(least, |b| b.to_string(), "in", "in any limit down to"));
    }
    lines
}

/// Where the kernel kills.
fn turning<T: Copy>(
    found: &Found<T>,
    shown: impl Fn(T) -> String,
    killed: &str,
    unharmed: &str,
) -> String {
    let predicted = shown(found.predicted_kill);
    match (found.killed, found.survived) {
        (Some(at), Some(survived)) => {
            let error = found.error.map_or_else(String::new, |e| format!(", {:+.1} %", e * 100.0));
            format!(
                "Killed, or crawling without an end, {killed} {}; through with {}; predicted: \
                 {predicted}{error}.",
                shown(at),
                shown(survived)
            )
        }
        (Some(at), None) => {
            format!("Killed, or crawling, all the way to {}; predicted: {predicted}.", shown(at))
        }
        (None, Some(survived)) => {
            format!("Not killed {unharmed} {}; predicted: {predicted}.", shown(survived))
        }
        (None, None) => "Nothing was tried.".to_owned(),
    }
}

fn soak(soak: &Soak) -> String {
    let done = format!("{} requests in {}", soak.requests, soak.time);
    let killed = if soak.killed { ", then killed or stuck" } else { "" };
    let Some(trend) = &soak.trend else {
        return format!("{done}{killed}, too soon to tell whether memory grows.");
    };
    let mib = |bytes: f64| bytes / 1_048_576.0;
    let (low, typical, high) = trend.growth;
    let grows = format!(
        "it grows by {:.1} MiB an hour ({:.1} to {:.1})",
        mib(typical),
        mib(low),
        mib(high)
    );
    let told = if let Some(left) = trend.full_after {
        format!("{grows}; the limit is reached in {left}")
    } else if high < 0.0 {
        format!("it falls by {:.1} MiB an hour", -mib(typical))
    } else if low > 0.0 && soak.killed {
        grows
    } else {
        format!("no growth is to be seen ({:+.1} to {:+.1} MiB an hour)", mib(low), mib(high))
    };
    format!(
        "{done}{killed}; anonymous memory {} after the first tenth, {} at the end: {told}.",
        trend.held.0, trend.held.1
    )
}
