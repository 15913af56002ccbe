//! A service that was only looked at, for a person and for a program.

use std::fmt::Write;

use serde::Serialize;

use super::json::span::S;
use super::live::told;
use super::tables::{Layout, heading, wrap};
use crate::plan::watched::Watched;
use crate::units::Bytes;

/// What was seen, in sentences. Contains colours; whoever prints it strips them where they do not
/// belong.
pub fn watched_text(watched: &Watched, layout: Layout) -> String {
    let (Some(high), Some(low)) = (watched.highest(), watched.lowest()) else {
        return "Nothing was seen.\n".to_owned();
    };
    let mut lines = vec![
        format!(
            "Watched for {}, {} looks; its CPU time meanwhile {}.",
            watched.elapsed,
            watched.looks.len(),
            watched.cpu
        ),
        format!(
            "Anonymous memory between {} and {}, highest {} after {}; file pages up to {}; {}.",
            low.anon,
            watched.looks.iter().map(|l| l.anon).max().unwrap_or_default(),
            high.peak,
            high.at,
            watched.looks.iter().map(|l| l.file).max().unwrap_or_default(),
            match high.processes {
                1 => "one process".to_owned(),
                n => format!("{n} processes"),
            }
        ),
    ];
    match watched.growth() {
        Some(slope) => {
            let each = Bytes::from_f64(slope.typical * 3600.0);
            lines.push(format!(
                "It grew by {each} an hour. Traffic that rose meanwhile does that too; at the same traffic \
                 it is a leak."
            ));
            if let Some((limit, time)) = watched.limit.zip(watched.until_limit()) {
                lines.push(format!("At this pace it reaches {limit} in {}.", told(time.get())));
            }
        }
        None => lines.push("It did not grow steadily.".to_owned()),
    }
    lines.push(format!(
        "A look every {}, for {:.1} % of a core. Heights in between are the kernel's high-water marks; a \
         process that comes and goes between two looks is not seen.",
        watched.interval(),
        watched.cost() * 100.0
    ));
    if let Some(peak) = watched.group_peak {
        lines.push(format!(
            "The most that the kernel charged its control group in all the time that the group has been \
             there: {peak}, files that it read included."
        ));
    }
    if watched.looks.iter().any(|l| l.in_flight.is_some()) {
        lines.push(match watched.line() {
            Some((base, each)) => format!(
                "With up to {} in flight: base {} ({}–{}), each request {} ({}–{}).",
                watched.looks.iter().filter_map(|l| l.in_flight).max().unwrap_or(0),
                base.typical(),
                base.low(),
                base.high(),
                each.typical(),
                each.low(),
                each.high()
            ),
            None => {
                "The number in flight did not vary: what a request adds is not known.".to_owned()
            }
        });
    }
    if watched.ended {
        lines.push("The service ended before the time was over.".to_owned());
    }
    let mut out = heading(&watched.name);
    for line in lines {
        let _ = writeln!(out, "  • {}", wrap(&line, layout, 4));
    }
    out
}

/// The name of the contract.
const SCHEMA: &str = "mediscope-size/watch/1";

#[derive(Debug, Serialize)]
struct Json {
    schema: &'static str,
    name: String,
    elapsed_seconds: f64,
    cpu_seconds: f64,
    interval_seconds: f64,
    sampler_cpu: f64,
    ended: bool,
    highest_anon_bytes: Option<u64>,
    lowest_anon_bytes: Option<u64>,
    group_peak_bytes: Option<u64>,
    growth_bytes_per_second: Option<f64>,
    limit_bytes: Option<u64>,
    seconds_until_limit: Option<f64>,
    base_bytes: Option<S<u64>>,
    buffer_bytes: Option<S<u64>>,
    looks: Vec<Look>,
}

#[derive(Debug, Serialize)]
struct Look {
    at_seconds: f64,
    anon_bytes: u64,
    peak_bytes: u64,
    file_bytes: u64,
    processes: u32,
    in_flight: Option<u32>,
}

/// The same for programs.
///
/// # Errors
/// Where it cannot be serialised, which nothing is known to cause.
pub fn watched_json(watched: &Watched) -> serde_json::Result<String> {
    let line = watched.line();
    let mut text = serde_json::to_string_pretty(&Json {
        schema: SCHEMA,
        name: watched.name.clone(),
        elapsed_seconds: watched.elapsed.get(),
        cpu_seconds: watched.cpu.get(),
        interval_seconds: watched.interval().get(),
        sampler_cpu: watched.cost(),
        ended: watched.ended,
        highest_anon_bytes: watched.highest().map(|l| l.peak.get()),
        lowest_anon_bytes: watched.lowest().map(|l| l.anon.get()),
        group_peak_bytes: watched.group_peak.map(Bytes::get),
        growth_bytes_per_second: watched.growth().map(|g| g.typical),
        limit_bytes: watched.limit.map(Bytes::get),
        seconds_until_limit: watched.until_limit().map(crate::units::Seconds::get),
        base_bytes: line.as_ref().map(|l| S::from(&l.0)),
        buffer_bytes: line.as_ref().map(|l| S::from(&l.1)),
        looks: watched
            .looks
            .iter()
            .map(|l| Look {
                at_seconds: l.at.get(),
                anon_bytes: l.anon.get(),
                peak_bytes: l.peak.get(),
                file_bytes: l.file.get(),
                processes: l.processes,
                in_flight: l.in_flight,
            })
            .collect(),
    })?;
    text.push('\n');
    Ok(text)
}
