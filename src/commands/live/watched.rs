//! A service under its own traffic: looked at and left alone.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::{ended, target};
use crate::cli::MeasureArgs;
use crate::commands::Exit;
use crate::commands::printer::Printer;
use crate::measure::interrupt::Interrupt;
use crate::measure::live::client::Counter;
use crate::measure::live::tree::{CpuClock, Root};
use crate::measure::live::usage::{Usage, peak_of};
use crate::plan::watched::{Look, Watched};
use crate::profile::Profile;
use crate::report;
use crate::units::Seconds;

/// Between two looks: each reads where every page of the service is, which takes milliseconds.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks at the service for so long, or until it is told to stop.
pub fn watch(
    args: &MeasureArgs,
    profile: &Profile,
    root: Option<Root>,
    time: Seconds,
    as_json: bool,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let Some(root) = root else {
        bail!("nothing says what to watch: add --pid PID or --cgroup DIR")
    };
    if args.output.is_some() {
        bail!(
            "what is watched is not enough for a profile: leave out --output, or drive it without --watch"
        );
    }
    root.check().map_err(ended)?;
    let usage = Usage::new(root, None);
    let root = &usage.root;
    let live = profile.live.clone().unwrap_or_default();
    let counter =
        args.live.inflight_url.as_deref().map(|url| Counter::new(url, &live)).transpose()?;
    let (mut untold, mut why) = (0_u32, None);
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(time.get()));
    let mut looks = Vec::new();
    let before = CpuClock::read(&root.ids().map_err(ended)?);
    let mut now = before.clone();
    let (mut own, mut group_peak) = (0.0, None);
    while begun.elapsed() < length && !interrupt.is_set() {
        // One answer that does not come is no reason to lose the others.
        let in_flight = match counter.as_ref().map(Counter::count) {
            Some(Err(reason)) => {
                (untold, why) = (untold + 1, Some(reason));
                None
            }
            told => told.and_then(Result::ok),
        };
        let cpu = crate::measure::memory::process_cpu().get();
        let standing = match usage.standing() {
            Ok(standing) => standing,
            // What was seen until then is told.
            Err(_) if looks.len() > 1 => break,
            Err(error) => return Err(ended(error)),
        };
        now = CpuClock::read(&root.ids().unwrap_or_default());
        root.reset_marks();
        let peak = standing.peak();
        looks.push(Look {
            at: begun.elapsed().into(),
            anon: standing.level.anon_bytes,
            peak: peak.anon_bytes,
            file: standing.level.file_bytes,
            processes: u32::try_from(standing.members.len()).unwrap_or(u32::MAX),
            in_flight,
        });
        // What a service has no more once it has ended.
        group_peak = peak_of(root).or(group_peak);
        own += crate::measure::memory::process_cpu().get() - cpu;
        let left = length.saturating_sub(begun.elapsed());
        printer.info(&format!("{} anonymous, {} left", peak.anon_bytes, Seconds::from(left)));
        pause(left.min(INTERVAL), &interrupt);
    }
    printer.clear();
    if let Some(why) = why {
        printer.warning(&format!("{untold} of {} looks: {why}", looks.len()));
    }
    let elapsed: Seconds = begun.elapsed().into();
    let watched = Watched {
        // Where nothing is asked, there is no address to call it by.
        name: match args.live.url {
            None if args.service.profile.is_none() => target(&live, Some(root)),
            _ => profile.name.clone(),
        },
        looks,
        elapsed,
        cpu: now.since(&before),
        own_cpu: Seconds::new(own),
        group_peak,
        ended: root.ids().is_err(),
        limit: args.variants.ram,
    };
    printer.answer(&if as_json {
        report::watched_json(&watched)?
    } else {
        report::watched_text(&watched, Printer::layout())
    })?;
    Ok(if interrupt.is_set() { Exit::Interrupted } else { Exit::Answered })
}

fn pause(time: Duration, interrupt: &Interrupt) {
    let until = Instant::now() + time;
    while Instant::now() < until && !interrupt.is_set() {
        thread::sleep(
            Duration::from_millis(20).min(until.saturating_duration_since(Instant::now())),
        );
    }
}
