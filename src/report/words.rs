//! The findings of a plan in English: the one place where their sentences are written.
//!
//! A finding says what happened, why it matters, and which flag helps where one does. Text and
//! JSON take the same sentences, so that what a person reads and what a program quotes are one.
//! Codes of warnings are part of the JSON contract: they never change, the sentences may.

use crate::footprint::{Killed, Topology};
use crate::plan::{Bend, Reason, Upgrade, Warning};
use crate::units::{Bytes, Megapixels, Seconds};

/// A warning's stable code, in `snake_case`, and its sentences.
pub fn warning(warning: &Warning) -> (&'static str, String) {
    match warning {
        Warning::SyntheticWeights => ("synthetic_weights", synthetic_weights()),
        Warning::Partial => ("partial_measurement", partial()),
        Warning::Killed { concurrency, signal } => {
            ("process_killed", killed(*concurrency, *signal))
        }
        Warning::TopologyKilled { topology, killed } => {
            ("topology_killed", topology_killed(*topology, *killed))
        }
        Warning::NotALine(bend) => ("not_a_line", not_a_line(bend)),
        Warning::NotFlat { concurrency } => ("not_flat", not_flat(*concurrency)),
        Warning::NotChecked => ("not_checked", not_checked()),
        Warning::Extrapolated { measured } => ("extrapolated", extrapolated(*measured)),
        Warning::Disturbed(what) => ("disturbed", sentence(what)),
        Warning::NoRoom { concurrency } => ("no_room", no_room(*concurrency)),
        Warning::AssumedShape(dims) => ("assumed_shape", assumed_shape(dims)),
        Warning::OtherCpu { measured_on } => ("other_cpu", other_cpu(measured_on)),
        Warning::LargestImage { sizes } => ("largest_image", largest_image(sizes)),
        Warning::MoreCpus { measured_on } => ("more_cpus", more_cpus(*measured_on)),
        Warning::ThreadsAboveCpus { threads } => ("threads_above_cpus", threads_above(*threads)),
    }
}

fn more_cpus(measured_on: u32) -> String {
    let cpus = if measured_on == 1 { "1 CPU".to_owned() } else { format!("{measured_on} CPUs") };
    format!(
        "Measured on {cpus}: that requests a second grow with the CPUs beyond that is an assumption, \
         as memory bandwidth and caches are shared. Measure on a machine of that size to know."
    )
}

fn largest_image(sizes: &[Megapixels]) -> String {
    let words: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    format!(
        "Requests may carry images of {}: everything here is for the largest.",
        words.join(", ")
    )
}

/// Why the verdict is what it is, in one sentence.
pub fn reason(reason: &Reason) -> String {
    match *reason {
        Reason::RamNeed { concurrency, need, has } => ram_need(concurrency, need, has),
        Reason::LoadPeak { peak, has } => load_peak(peak, has),
        Reason::RamHolds(holds) => ram_holds(holds.low, holds.typical),
        Reason::RamBinds { holds, useful } => format!(
            "RAM is the limit: it holds {}, and the CPUs have use for {useful}.",
            in_flight(holds)
        ),
        Reason::CpuBinds { holds, useful } => format!(
            "The CPUs are the limit: RAM holds {}, and beyond {useful} they only queue.",
            in_flight(holds)
        ),
        Reason::QuotaBelowOne { alone } => quota_below_one(alone),
    }
}

/// The boxes that would do, and the flag that asks about the roomier one.
pub fn upgrade(upgrade: &Upgrade) -> String {
    let Upgrade { comfortable, least, concurrency } = *upgrade;
    let requests = in_flight(concurrency);
    let flag = comfortable.as_argument();
    if comfortable == least {
        format!("For {requests}, a box with {comfortable} of RAM is enough: --ram {flag}.")
    } else {
        format!(
            "For {requests}, {least} of RAM is just enough and {comfortable} leaves room: --ram {flag}."
        )
    }
}

/// Where the line of a topology begins, and what holds before that; `None` where it is one line.
pub fn from_the_knee_on(topology: Topology) -> Option<String> {
    let knee = topology.knee();
    let text = match topology {
        _ if knee < 2 => return None,
        Topology::Workers(..) => format!(
            "Base and buffer are of all {knee} processes together, from {knee} requests on: one in \
             each. Fewer take as much as {knee}, as each process keeps what its first took."
        ),
        _ => format!(
            "The line is of {knee} requests and more, when every session has one and the others \
             wait. Fewer take no more than the line says."
        ),
    };
    Some(text)
}

/// What warming up before serving saves where `concurrency` requests come at once.
pub fn warm_up(saves: Bytes, concurrency: u32) -> String {
    if saves == Bytes::ZERO {
        return format!(
            "Warming up before serving saves no RAM at {}: a burst on a service that had served \
             nothing took no more than one on a warm service.",
            in_flight(concurrency)
        );
    }
    format!(
        "Warming up before serving saves {saves} at {}: first requests that come all at once after a restart need that much more. --warmed leaves it out.",
        in_flight(concurrency)
    )
}

fn synthetic_weights() -> String {
    "The weights are random, made for the architecture and not trained. That changes neither RAM \
     nor CPU, because shapes, operators and element types are those of the trained model, dense \
     32-bit float kernels take the same time whatever the values, and no value is a denormal \
     number, which would be slow. Only the meaning of the answers is lost. --model FILE sizes \
     your own weights."
        .to_owned()
}

fn partial() -> String {
    "The measurement was stopped before its end: fewer processes and fewer requests in flight \
     stand behind these numbers, so they are less certain. --remeasure measures again."
        .to_owned()
}

fn killed(concurrency: u32, signal: i32) -> String {
    let when = match concurrency {
        0 => "while it loaded the models".to_owned(),
        n => format!("with {}", in_flight(n)),
    };
    // The signal of the kernel's out-of-memory killer.
    let who = if signal == 9 { ", as the kernel does where memory runs out" } else { "" };
    format!(
        "A measured process was killed {when} (signal {signal}{who}): the numbers rest on what was \
         measured before. On a machine with more free RAM, --remeasure measures further."
    )
}

fn topology_killed(topology: Topology, killed: Killed) -> String {
    let when = match killed.concurrency {
        0 => "while it loaded the models".to_owned(),
        n => format!("with {}", in_flight(n)),
    };
    format!(
        "Topology {topology} was killed {when} (signal {}): this machine has no room for it, and \
         what is said of it rests on what was measured before.",
        killed.signal
    )
}

fn not_a_line(bend: &Bend) -> String {
    let (step, error) = if bend.upward { ("more", "low") } else { ("less", "high") };
    format!(
        "RAM does not grow along a straight line: each further request costs {step} than the one \
         before, and the curve is up to {:.0} % of the increment away from the line. Beyond the \
         measured requests in flight the plan is likely too {error}. A larger --budget with \
         --remeasure measures more of them.",
        bend.share_of_increment * 100.0
    )
}

fn not_flat(concurrency: u32) -> String {
    format!(
        "The peak at {} still rose when its time was up: the true one may be higher than planned \
         for. A larger --budget with --remeasure waits until it stays.",
        in_flight(concurrency)
    )
}

fn not_checked() -> String {
    "The prediction was not checked against requests in flight that it was not made from: its \
     error is not known. A larger --budget with --remeasure buys that check."
        .to_owned()
}

fn extrapolated(measured: u32) -> String {
    format!(
        "The answer goes beyond the {measured} requests in flight that were measured: from there on \
         RAM is taken to grow along the same line. A larger --budget with --remeasure measures \
         further."
    )
}

fn no_room(concurrency: u32) -> String {
    format!(
        "{} would have taken more memory than the measuring machine had free, so fewer were \
         measured and the rest is extrapolated. A larger machine measures more of them.",
        in_flight(concurrency)
    )
}

fn assumed_shape(dims: &[String]) -> String {
    format!(
        "The model leaves shapes open and nobody gave them, so these are assumed: {}. RAM and time \
         follow the shape: give what requests have with --shape, or under `inputs:` in a profile.",
        dims.join("; ")
    )
}

fn other_cpu(measured_on: &str) -> String {
    format!(
        "The footprint was measured on another processor ({measured_on}): bytes carry over, but \
         times and requests a second may not. --remeasure measures on this one."
    )
}

fn threads_above(threads: u16) -> String {
    format!(
        "A run uses {threads} threads, more than the box has CPUs: they use up its quota together \
         and then all wait for the kernel's next period, so answers take longer. Fewer threads or \
         a larger --cpus avoids that."
    )
}

fn ram_need(concurrency: u32, need: Bytes, has: Bytes) -> String {
    let requests = in_flight(concurrency);
    let verb = if concurrency > 1 { "need" } else { "needs" };
    let (amount, of) = apart(need, has);
    if need > has {
        return format!("{requests} {verb} up to {amount}, more than the {of} of the box.");
    }
    let share = 100.0 * need.as_f64() / has.as_f64().max(1.0);
    format!("{requests} {verb} up to {amount} of the box's {of} ({share:.0} %).")
}

fn load_peak(peak: Bytes, has: Bytes) -> String {
    let (amount, of) = apart(peak, has);
    format!(
        "Loading the models alone reaches {amount}, more than the {of} of the box: the service \
         would not live to its first request."
    )
}

fn ram_holds(low: u32, typical: u32) -> String {
    match (low, typical) {
        (0, 0) => "RAM holds not even one request in flight.".to_owned(),
        (0, _) => {
            format!("At the high end of cost RAM holds no request in flight, typically {typical}.")
        }
        _ if low == typical => format!("RAM holds {}.", in_flight(low)),
        _ => format!("RAM holds {} at the high end of cost, typically {typical}.", in_flight(low)),
    }
}

fn quota_below_one(alone: Seconds) -> String {
    format!(
        "The box has less than one CPU: once its share of each 100 ms is used up the kernel makes \
         the service wait, so that even a lone request takes {alone}."
    )
}

fn in_flight(requests: u32) -> String {
    match requests {
        0 => "no request in flight".to_owned(),
        1 => "1 request in flight".to_owned(),
        n => format!("{n} requests in flight"),
    }
}

/// Two sizes as texts that differ where the sizes do: "512 MiB, more than 512 MiB" explains
/// nothing.
fn apart(a: Bytes, b: Bytes) -> (String, String) {
    let plain = (a.to_string(), b.to_string());
    if a == b || plain.0 != plain.1 {
        return plain;
    }
    (1..=3)
        .map(|digits| (format!("{a:.digits$}"), format!("{b:.digits$}")))
        .find(|(a, b)| a != b)
        .unwrap_or_else(|| (format!("{} bytes", a.get()), format!("{} bytes", b.get())))
}

/// Text from elsewhere as a sentence: a capital at its start and a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), chars.as_str())
}

#[cfg(test)]
mod tests;
