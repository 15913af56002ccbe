//! The processes that serve together: one, or the workers of a service, asked as one.
//!
//! Requests are dealt in turn, so each worker gets its share of a wave, the first ones one more
//! where it does not divide. All get their command at once and live until the group is done.
//! Anonymous peaks add up: each process has its own heap, and the sum of their high-water marks is
//! the most that all can hold together. Pages of files that all of them map are in memory once.

use std::time::Duration;

use super::child::{Bounds, Child, ChildError};
use super::interrupt::Interrupt;
use super::memory::{self, Process};
use super::protocol::{
    ArenaSample, Command, Job, Loaded, LoadedModel, Mark, Reply, TouchedSample, Warm, WaveSample,
};
use crate::units::{Bytes, Seconds};

/// Sets the numbers of workers of one group apart from those of the next groups.
const NUMBERS_OF_A_GROUP: u32 = 1000;

/// One process or several that serve the same requests. Dropping it ends them all.
#[derive(Debug)]
pub struct Group {
    members: Vec<Child>,
    /// Planted costs are not in the memory of the processes.
    planted: bool,
}

impl Group {
    /// Starts `processes` children, at least one, as number `number` of a measurement.
    ///
    /// # Errors
    /// Where no process can be started.
    pub fn start(
        job: &Job,
        processes: u32,
        number: u32,
        bounds: Bounds<'_>,
        interrupt: &Interrupt,
    ) -> Result<Self, ChildError> {
        let members = (0..processes.max(1))
            .map(|worker| {
                let number = number.wrapping_add(worker * NUMBERS_OF_A_GROUP);
                Child::start(job, number, bounds, interrupt)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { members, planted: matches!(job, Job::Synthetic(_)) })
    }

    /// From now on an answer is waited for so long.
    pub fn set_patience(&mut self, patience: Duration) {
        for member in &mut self.members {
            member.set_patience(patience);
        }
    }

    /// Gives a command to all of them and adds up what they reply. Stages are of one request, and
    /// are asked of one process.
    ///
    /// # Errors
    /// Where one of them has ended: the service is not what it was, and cannot be asked again.
    pub fn ask(&mut self, command: Command) -> Result<Reply, ChildError> {
        if let ([only], _) | ([only, ..], Command::Stages { .. }) =
            (self.members.as_mut_slice(), command)
        {
            return only.ask(command);
        }
        let processes = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        for (worker, member) in (0..).zip(&mut self.members) {
            member.send(dealt(command, worker, processes))?;
        }
        let replies = self.members.iter_mut().map(Child::receive).collect::<Result<Vec<_>, _>>()?;
        let files = self.file_pages()?;
        sum(replies, files).ok_or_else(|| {
            ChildError::Failed("the workers gave replies that do not match the command".into())
        })
    }

    /// The file pages of all processes, each page once: the sum of the shares that the kernel
    /// divides them in. What this process or another one maps too counts in part only, so the sum
    /// is a lower bound, as is what one of them maps: [`sum`] takes the larger.
    fn file_pages(&self) -> Result<Bytes, ChildError> {
        if self.planted {
            return Ok(Bytes::ZERO);
        }
        self.members
            .iter()
            .map(|member| memory::proportional(Process::Id(member.id())).map(|p| p.pss_file))
            .sum::<Result<Bytes, _>>()
            .map_err(|e| ChildError::Failed(format!("the memory of a worker is not known: {e}")))
    }
}

/// The part of a command that one worker gets. A wave that has no request for it leaves it idle.
fn dealt(command: Command, worker: u32, processes: u32) -> Command {
    let share = |requests: u32| requests / processes + u32::from(worker < requests % processes);
    match command {
        Command::Waves { concurrency, max_blocks, kinds } => match share(concurrency) {
            0 => Command::Idle,
            concurrency => Command::Waves { concurrency, max_blocks, kinds },
        },
        Command::ColdBurst { concurrency } => match share(concurrency) {
            0 => Command::Idle,
            concurrency => Command::ColdBurst { concurrency },
        },
        other => other,
    }
}

/// The replies to one command as one; `None` where they are not of one kind.
fn sum(replies: Vec<Reply>, files: Bytes) -> Option<Reply> {
    Some(match replies.first()? {
        Reply::Loaded(_) => Reply::Loaded(loaded(&all(replies, |reply| match reply {
            Reply::Loaded(loaded) => Some(loaded),
            _ => None,
        })?)?),
        Reply::LoadedLazy(_) => {
            Reply::LoadedLazy(loaded_models(&all(replies, |reply| match reply {
                Reply::LoadedLazy(models) => Some(models),
                _ => None,
            })?)?)
        }
        Reply::Warm(_) => Reply::Warm(warm(
            &all(replies, |reply| match reply {
                Reply::Warm(warm) => Some(warm),
                _ => None,
            })?,
            files,
        )?),
        Reply::Waves(_) => Reply::Waves(waves(
            &all(replies, |reply| match reply {
                Reply::Waves(wave) => Some(wave),
                Reply::Idle(mark) => Some(without_a_request(mark)),
                _ => None,
            })?,
            files,
        )),
        Reply::Idle(_) => Reply::Idle(marks(
            all(replies, |reply| match reply {
                Reply::Idle(mark) => Some(mark),
                _ => None,
            })?,
            files,
        )),
        Reply::Stages(_) | Reply::Driven(_) | Reply::Failed(_) => return None,
    })
}

fn all<T>(replies: Vec<Reply>, kind: fn(Reply) -> Option<T>) -> Option<Vec<T>> {
    replies.into_iter().map(kind).collect()
}

/// A worker that got no request of a wave holds what it held.
const fn without_a_request(mark: Mark) -> WaveSample {
    WaveSample {
        peak: mark.total,
        after: mark,
        flat: true,
        requests: 0,
        wall: Seconds::ZERO,
        cpu: Seconds::ZERO,
        touched: None,
    }
}

/// What no process shares adds up; file pages count once.
fn marks(marks: impl IntoIterator<Item = Mark>, files: Bytes) -> Mark {
    let (mut own, mut kernel, mut file) = (Bytes::ZERO, Bytes::ZERO, files);
    for mark in marks {
        own += mark.total.saturating_sub(mark.file);
        kernel += mark.kernel;
        file = file.max(mark.file);
    }
    Mark { total: own + file, file, kernel }
}

/// All workers load at the same time, as they do when a service starts.
fn loaded(each: &[Loaded]) -> Option<Loaded> {
    let models: Vec<_> = each.iter().map(|l| l.models.clone()).collect();
    Some(Loaded {
        start: marks(each.iter().map(|l| l.start), Bytes::ZERO),
        runtime: marks(each.iter().map(|l| l.runtime), Bytes::ZERO),
        models: loaded_models(&models)?,
    })
}

fn loaded_models(each: &[Vec<LoadedModel>]) -> Option<Vec<LoadedModel>> {
    let models = each.first()?.len();
    let model = |index: usize| {
        let of = || each.iter().filter_map(move |l| l.get(index));
        let after = marks(of().map(|m| m.after), Bytes::ZERO);
        let own: Bytes = of().map(|m| m.peak.saturating_sub(m.after.file)).sum();
        let seconds = longest(of().map(|m| m.seconds));
        let touched = of().filter_map(|m| m.touched).max();
        LoadedModel { seconds, peak: own + after.file, after, touched }
    };
    Some((0..models).map(model).collect())
}

fn warm(each: &[Warm], files: Bytes) -> Option<Warm> {
    let arenas: Option<Vec<ArenaSample>> = each.iter().map(|w| w.arena).collect();
    Some(Warm {
        after: marks(each.iter().map(|w| w.after), files),
        // One request alone takes as long as in the fastest of those that share the CPUs now.
        request_seconds: each
            .iter()
            .map(|w| w.request_seconds)
            .reduce(|a, b| if b < a { b } else { a })?,
        arena: arenas.map(|arenas| ArenaSample {
            in_use: arenas.iter().map(|a| a.in_use).sum(),
            per_run: arenas.iter().map(|a| a.per_run).max().unwrap_or_default(),
            max_in_use: arenas.iter().map(|a| a.max_in_use).sum(),
        }),
        heap: each.iter().map(|w| w.heap).sum(),
    })
}

/// The last worker to end sets the time: until then the others had work or left it the CPUs.
fn waves(each: &[WaveSample], files: Bytes) -> WaveSample {
    let after = marks(each.iter().map(|w| w.after), files);
    let own: Bytes = each.iter().map(|w| w.peak.saturating_sub(w.after.file)).sum();
    WaveSample {
        peak: own + after.file,
        after,
        flat: each.iter().all(|w| w.flat),
        requests: each.iter().map(|w| w.requests).sum(),
        wall: longest(each.iter().map(|w| w.wall)),
        cpu: each.iter().fold(Seconds::ZERO, |sum, w| sum + w.cpu),
        // All run the same code; what each reads of other files is its own.
        touched: each
            .iter()
            .filter_map(|w| w.touched)
            .reduce(|a, b| TouchedSample { code: a.code.max(b.code), data: a.data + b.data }),
    }
}

fn longest(times: impl Iterator<Item = Seconds>) -> Seconds {
    times.fold(Seconds::ZERO, |a, b| if b > a { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::protocol::Kinds;

    fn mark(own: u64, file: u64) -> Mark {
        Mark { total: Bytes::mib(own + file), file: Bytes::mib(file), kernel: Bytes::mib(1) }
    }

    fn wave(own: u64, file: u64, requests: u32, wall: f64) -> Reply {
        Reply::Waves(WaveSample {
            peak: Bytes::mib(own + file),
            after: mark(own - 5, file),
            flat: true,
            requests,
            wall: Seconds::new(wall),
            cpu: Seconds::new(1.0),
            touched: None,
        })
    }

    #[test]
    fn requests_are_dealt_in_turn() {
        let shares = |concurrency| {
            (0..4)
                .map(|w| {
                    match dealt(
                        Command::Waves { concurrency, max_blocks: 2, kinds: Kinds::Mixed },
                        w,
                        4,
                    ) {
                        Command::Waves { concurrency, max_blocks: 2, .. } => concurrency,
                        Command::Idle => 0,
                        other => panic!("{other:?}"),
                    }
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(shares(10), [3, 3, 2, 2]);
        assert_eq!(shares(2), [1, 1, 0, 0]);
        assert_eq!(dealt(Command::ColdBurst { concurrency: 1 }, 1, 2), Command::Idle);
        assert_eq!(dealt(Command::WarmUp, 1, 2), Command::WarmUp);
    }

    #[test]
    fn heaps_add_up_and_files_count_once() {
        let replies = vec![wave(100, 30, 8, 2.0), wave(110, 28, 6, 3.0)];
        let Some(Reply::Waves(wave)) = sum(replies.clone(), Bytes::mib(20)) else { panic!() };
        assert_eq!((wave.peak, wave.after.file), (Bytes::mib(240), Bytes::mib(30)));
        assert_eq!(wave.after.total, Bytes::mib(95 + 105 + 30));
        assert_eq!(
            (wave.requests, wave.wall, wave.cpu),
            (14, Seconds::new(3.0), Seconds::new(2.0))
        );
        // They map different files: the shares say that there are more pages than one maps.
        let Some(Reply::Waves(wave)) = sum(replies, Bytes::mib(45)) else { panic!() };
        assert_eq!((wave.peak, wave.after.file), (Bytes::mib(255), Bytes::mib(45)));
    }

    #[test]
    fn a_worker_without_a_request_still_holds_its_memory() {
        let replies = vec![wave(100, 30, 8, 2.0), Reply::Idle(mark(70, 25))];
        let Some(Reply::Waves(wave)) = sum(replies, Bytes::ZERO) else { panic!() };
        assert_eq!((wave.peak, wave.requests), (Bytes::mib(200), 8));
    }

    #[test]
    fn replies_of_two_kinds_are_no_answer() {
        assert_eq!(sum(vec![Reply::Idle(mark(1, 1)), wave(9, 1, 1, 1.0)], Bytes::ZERO), None);
        assert_eq!(sum(vec![Reply::Stages(vec![])], Bytes::ZERO), None);
        assert_eq!(sum(vec![], Bytes::ZERO), None);
    }
}
