//! Was the machine ours while we measured?
//!
//! Times and throughput are worth nothing when another process, another virtual machine or a
//! quota took the CPUs. The kernel's counters are read before and after; what was busy and is
//! not the work of our own processes is somebody else's.

use std::fmt;
use std::path::{Path, PathBuf};

use super::counters::{Throttling, Ticks, own_ticks, parse_load, parse_throttling, parse_ticks};
use crate::measure::host::cgroup::Groups;
use crate::measure::host::files::{Files, Process};
use crate::units::Seconds;

/// Other processes may use up to this share of the CPUs. A run on every CPU loses what they use;
/// less than this is what an idle system's own services take now and then.
const OTHERS: f64 = 0.05;

/// The hypervisor may take up to this share. It takes from running threads only, where other
/// processes may have used a CPU that was idle, so less of it does the same harm.
const STOLEN: f64 = 0.02;

/// A group may wait for its quota for up to this share of the CPU time. Below it is a single
/// period at the start, when loading uses more threads than serving.
const THROTTLED: f64 = 0.01;

/// Ticks by which the counters of one CPU may be off: they and those of the processes are
/// rounded down, at either end.
const SLACK: u64 = 2;

/// Something that makes measured times worse than the program deserves. Shares are of all CPUs
/// of the machine over the measured time, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Disturbance {
    /// Processes that are not ours used the CPUs.
    OthersBusy {
        /// How much of the CPUs they used.
        share: f64,
        /// The load average of the last minute, ours included, where it is known.
        load: Option<f64>,
    },
    /// The hypervisor gave the CPUs to somebody else.
    Stolen {
        /// How much of the CPUs it took.
        share: f64,
    },
    /// A CPU quota was used up.
    Throttled {
        /// How often.
        periods: u64,
        /// How long threads waited, added up over the CPUs.
        seconds: Seconds,
        /// The file that counts it.
        from: PathBuf,
    },
    /// Nobody knows, because the counters could not be read.
    Unwatched {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OthersBusy { share, load } => {
                write!(
                    f,
                    "other processes used {:.0} % of the CPUs during the measurement",
                    share * 100.0
                )?;
                if let Some(load) = load {
                    write!(f, " (load average {load:.1})")?;
                }
                f.write_str(
                    ": times read too long and throughput too low; stop them and measure again",
                )
            }
            Self::Stolen { share } => write!(
                f,
                "the hypervisor took {:.0} % of the CPUs during the measurement: times read too long and throughput too low; measure on a machine with CPUs of its own, or again at a quieter time",
                share * 100.0
            ),
            Self::Throttled { periods, seconds, from } => write!(
                f,
                "a CPU quota stopped the measurement in {periods} period{} for {seconds} ({}): times read too long and throughput too low; measure without a quota, the plan adds the one of the box",
                if *periods == 1 { "" } else { "s" },
                from.display()
            ),
            Self::Unwatched { file, why } => write!(
                f,
                "{} could not be used ({why}): other load on this machine would go unseen; make sure that there is none",
                file.display()
            ),
        }
    }
}

/// Watches the machine from [`Interference::start`] to [`Interference::finish`].
///
/// Ours are this process and all that descend from it, those that ended and were waited for
/// included. A process whose parent ended before it counts as another's.
#[derive(Debug)]
pub struct Interference {
    files: Files,
    process: Process,
    before: Result<Snapshot, Disturbance>,
}

impl Interference {
    /// Takes the counters: one small file for each process of the machine.
    pub fn start() -> Self {
        Self::watch(Files::real(), Process::This)
    }

    fn watch(files: Files, process: Process) -> Self {
        let before = Snapshot::take(&files, process);
        Self { files, process, before }
    }

    /// What happened since the start; empty if nothing did.
    pub fn finish(self) -> Vec<Disturbance> {
        let pair = self.before.and_then(|b| Ok((b, Snapshot::take(&self.files, self.process)?)));
        match pair {
            Ok((before, after)) => {
                let load = self.files.read(Path::new("/proc/loadavg")).ok().flatten();
                compare(&before, &after, load.as_deref().and_then(parse_load))
            }
            Err(unwatched) => vec![unwatched],
        }
    }
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Snapshot {
    machine: Ticks,
    /// Ticks used by our processes.
    own: u64,
    /// Ticks a second.
    rate: u64,
    /// Own group first.
    throttling: Vec<(PathBuf, Throttling)>,
}

impl Snapshot {
    fn take(files: &Files, process: Process) -> Result<Self, Disturbance> {
        let file = PathBuf::from("/proc/stat");
        let text = match files.read(&file) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(unwatched(file, "there is no such file")),
            Err(error) => return Err(unwatched(file, &error.to_string())),
        };
        let own = own_ticks(files, process.id());
        Ok(Self {
            machine: parse_ticks(&text).ok_or_else(|| unwatched(file, "it is not understood"))?,
            own: own.ok_or_else(|| unwatched(process.file("stat"), "it is not to be found"))?,
            rate: rustix::param::clock_ticks_per_second(),
            throttling: throttling(files, process),
        })
    }
}

fn unwatched(file: PathBuf, why: &str) -> Disturbance {
    Disturbance::Unwatched { file, why: why.to_owned() }
}

/// Differences only: nothing here depends on when the counters started.
#[expect(clippy::cast_precision_loss, reason = "ticks and nanoseconds of a measurement are few")]
fn compare(before: &Snapshot, after: &Snapshot, load: Option<f64>) -> Vec<Disturbance> {
    let passed = |of: fn(&Ticks) -> u64| of(&after.machine).saturating_sub(of(&before.machine));
    let (busy, stolen) = (passed(|t| t.busy), passed(|t| t.stolen));
    let all = busy + stolen + passed(|t| t.idle);
    if all == 0 {
        return Vec::new();
    }
    let slack = SLACK * after.machine.cpus;
    let share = |ticks: u64| ticks as f64 / all as f64;
    let others = busy.saturating_sub(after.own.saturating_sub(before.own));

    let mut found = Vec::new();
    if share(others.saturating_sub(slack)) > OTHERS {
        found.push(Disturbance::OthersBusy { share: share(others), load });
    }
    if share(stolen.saturating_sub(slack)) > STOLEN {
        found.push(Disturbance::Stolen { share: share(stolen) });
    }
    let capacity = all as f64 / after.rate as f64;
    for (from, now) in &after.throttling {
        let Some((_, then)) = before.throttling.iter().find(|(file, _)| file == from) else {
            continue;
        };
        let periods = now.periods.saturating_sub(then.periods);
        let seconds = now.nanoseconds.saturating_sub(then.nanoseconds) as f64 / 1e9;
        if periods > 0 && seconds / capacity > THROTTLED {
            let (seconds, from) = (Seconds::new(seconds), from.clone());
            found.push(Disturbance::Throttled { periods, seconds, from });
        }
    }
    found
}

/// Every group on the way up may have a quota of its own, so each is counted.
fn throttling(files: &Files, process: Process) -> Vec<(PathBuf, Throttling)> {
    // Without groups there is no quota; what cannot be read is not known to have one.
    let groups = Groups::of(files, process).unwrap_or_default();
    groups
        .unified
        .iter()
        .chain(&groups.cpu)
        .filter_map(|directory| {
            let file = directory.join("cpu.stat");
            let text = files.read(&file).ok().flatten()?;
            Some((file, parse_throttling(&text)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(busy: u64, stolen: u64, idle: u64, own: u64) -> Snapshot {
        let machine = Ticks { busy, stolen, idle, cpus: 2 };
        Snapshot { machine, own, rate: 100, throttling: Vec::new() }
    }

    fn throttled(mut snapshot: Snapshot, periods: u64, nanoseconds: u64) -> Snapshot {
        snapshot.throttling.push(("/g/cpu.stat".into(), Throttling { periods, nanoseconds }));
        snapshot
    }

    #[test]
    fn our_own_load_is_no_interference() {
        let before = snapshot(1000, 0, 5000, 300);
        assert_eq!(compare(&before, &snapshot(3000, 0, 5000, 2290), None), []);
        assert_eq!(compare(&before, &before, None), []);
    }

    #[test]
    fn the_load_of_others_is() {
        let before = snapshot(1000, 0, 5000, 300);
        let found = compare(&before, &snapshot(2500, 0, 5500, 1300), Some(2.13));
        assert_eq!(found, [Disturbance::OthersBusy { share: 0.25, load: Some(2.13) }]);
        assert_eq!(
            found[0].to_string(),
            "other processes used 25 % of the CPUs during the measurement (load average 2.1): times read too long and throughput too low; stop them and measure again"
        );
        assert_eq!(
            compare(&before, &snapshot(1100, 0, 6900, 300), None),
            [],
            "5 % is no disturbance"
        );
    }

    #[test]
    fn a_short_measurement_is_not_judged_by_rounding() {
        let before = snapshot(1000, 0, 5000, 300);
        assert_eq!(compare(&before, &snapshot(1004, 0, 5006, 300), None), []);
    }

    #[test]
    fn stolen_time_is_told() {
        let found = compare(&snapshot(0, 0, 0, 0), &snapshot(900, 100, 1000, 900), None);
        assert_eq!(found, [Disturbance::Stolen { share: 0.05 }]);
        assert!(found[0].to_string().starts_with("the hypervisor took 5 % of the CPUs"));
    }

    #[test]
    fn a_quota_that_bites_is_told_and_one_period_in_a_long_run_is_not() {
        let before = throttled(snapshot(0, 0, 0, 0), 2, 5_000_000);
        let after = |periods, ns| throttled(snapshot(1000, 0, 1000, 1000), periods, ns);
        let found = compare(&before, &after(52, 4_005_000_000), None);
        let seconds = Seconds::new(4.0);
        assert_eq!(
            found,
            [Disturbance::Throttled { periods: 50, seconds, from: "/g/cpu.stat".into() }]
        );
        assert!(found[0].to_string().starts_with(
            "a CPU quota stopped the measurement in 50 periods for 4.0 s (/g/cpu.stat)"
        ));
        assert_eq!(compare(&before, &after(3, 105_000_000), None), []);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let found = Interference::watch(Files::below("/nowhere/at/all"), Process::This).finish();
        assert!(matches!(&found[..], [Disturbance::Unwatched { .. }]), "{found:?}");
        assert!(
            found[0]
                .to_string()
                .starts_with("/proc/stat could not be used (there is no such file)")
        );
    }
}
