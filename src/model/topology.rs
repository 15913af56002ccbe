//! What a process, a session and a request cost, told apart by running one and two of them; and
//! from that, what any number of them costs.
//!
//! | topology    | RAM with N requests in flight                                              |
//! | ----------- | -------------------------------------------------------------------------- |
//! | `pool:K`    | process + K × session + min(N, K) × running + max(0, N − K) × waiting      |
//! | `workers:W` | file pages + W × private + N × buffer, for N of W or more                  |
//!
//! A pool is one process: code, heap and what loading left behind are there once, weights and
//! arena once a session. All sessions are warm, so an arena that keeps its memory is part of the
//! session; what a running request needs beyond it comes once for each that runs, and a request
//! that waits keeps its decoded input. Workers share nothing that is written to: only pages of
//! files that all of them map are in memory once. Each gets its share of the requests, and the
//! shares add up to N whatever W is. With fewer requests than workers, a worker without one keeps
//! what its warm-up took: it counts as having one.
//!
//! What a session takes of the heap is read off the C library: it is the same in every process, and
//! a straight line in K. Resident is that and what loading gave back and the library kept. The
//! second load uses again what the first left, and so on: beyond the largest K that was run, the
//! leftover may stay as it is or go on growing as between those that were run. The interval holds
//! both, and the value to expect is the middle. A heap that hands out more than becomes resident is
//! no witness: regions of an arena that no run has touched are in it. Two ResNet-50 sessions left some 40 MiB more than
//! one, and eight no more than two; of ResNet-18 each left some 10 to 20 MiB more. Where the heap
//! was not asked, a session is the slope of the resident bytes.
//!
//! Processes differ from each other by more than waves within one do: loading leaves the heap in
//! one of several states. So slopes are found within processes (the fixed-effects or "within"
//! estimator; Wooldridge, Econometric Analysis of Cross Section and Panel Data, 2nd ed., 10.5),
//! and how processes differ sets the interval of a new one.

mod within;

use within::Within;

use super::line::{FitError, student_t};
use super::ram::CONFIDENCE;
use super::sample::median;
use crate::units::{Bytes, Source, Span};

/// The variance of a median of normal values over that of their mean, for many of them; fewer
/// have less (Kendall and Stuart, The Advanced Theory of Statistics, vol. 1, 10.10).
const MEDIAN_VARIANCE: f64 = std::f64::consts::FRAC_PI_2;

/// The peaks of one process, or of one group of workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Sessions of each model, or workers: 1 or more.
    pub copies: u32,
    /// Requests in flight, and the peak with them.
    pub peaks: Vec<(u32, Bytes)>,
    /// What its heap had handed out when it was warm, where that is known.
    pub heap: Option<Bytes>,
}

/// What a pool costs, for any number of sessions and requests.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolModel {
    slopes: Within,
    levels: Levels,
    largest: (u32, u32),
}

/// The level of processes by their number of sessions: the median of each number.
#[derive(Debug, Clone, PartialEq)]
struct Levels {
    /// Number of sessions, median level, processes measured with it; by number.
    measured: Vec<(f64, f64, f64)>,
    /// What one session more takes of the heap, where the heap was asked.
    of_heap: Option<f64>,
    /// How far processes are from the median of their number.
    sd: f64,
    degrees_of_freedom: f64,
}

impl PoolModel {
    /// From processes with at least two numbers of sessions, each with waves of two or more
    /// concurrencies.
    ///
    /// A median, and not a mean, stands for the processes of one number: with few of them, one
    /// that loading left in another state would be carried on to all larger numbers. To tell
    /// running from waiting requests, one process has to have waves of fewer requests than
    /// sessions; without, both are taken to cost the same.
    ///
    /// # Errors
    /// Where there are fewer than three processes, or all have as many sessions.
    pub fn fit(trials: &[Trial]) -> Result<Self, FitError> {
        let slopes = Within::fit(trials, running_and_waiting)?;
        let levels = Levels::fit(&slopes.levels(trials, running_and_waiting), trials)?;
        Ok(Self { largest: largest(trials), slopes, levels })
    }

    /// What is there once: code, libraries, heap, and what the first load left.
    pub fn process(&self) -> Span<Bytes> {
        self.levels.at(0.0, 0.0)
    }

    /// What each session of all models adds: weights, and the arena that it keeps.
    pub fn session(&self) -> Span<Bytes> {
        let half = match self.levels.of_heap {
            Some(_) => 0.0,
            None => self.levels.half_of(&self.levels.rise(), 0.0),
        };
        let at = self.levels.session();
        span(at - half, at, at + half, Source::Fitted)
    }

    /// What a request in `Run` adds, beyond what its session keeps.
    pub fn running(&self) -> Span<Bytes> {
        self.slopes.at([1.0, 0.0])
    }

    /// What a request that waits for a session adds.
    pub fn waiting(&self) -> Span<Bytes> {
        self.slopes.at([0.0, 1.0])
    }

    /// Bytes of a new process with this many sessions and `n` requests in flight. Extrapolated
    /// beyond the numbers that were measured.
    pub fn total(&self, sessions: u32, n: u32) -> Span<Bytes> {
        let requests = self.slopes.at(running_and_waiting(sessions, n));
        let level = self.levels.at(f64::from(sessions), 1.0);
        added(&level, &requests).with_source(source(self.largest, sessions, n))
    }
}

impl Levels {
    fn fit(levels: &[(f64, f64)], trials: &[Trial]) -> Result<Self, FitError> {
        let mut numbers: Vec<f64> = levels.iter().map(|(k, _)| *k).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        if numbers.len() < 2 {
            return Err(FitError::OneConcurrency);
        }
        if levels.len() < 3 {
            return Err(FitError::TooFew(levels.len()));
        }
        let of = |k: f64| levels.iter().filter(move |(number, _)| *number == k).map(|(_, y)| *y);
        let measured: Vec<(f64, f64, f64)> =
            numbers.iter().map(|&k| (k, median(of(k)), count(of(k).count()))).collect();
        let squares: f64 =
            measured.iter().flat_map(|&(k, m, _)| of(k).map(move |y| (y - m).powi(2))).sum();
        let degrees_of_freedom = count(levels.len()) - count(numbers.len());
        let mut levels = Self {
            measured,
            of_heap: None,
            sd: (squares / degrees_of_freedom.max(1.0)).sqrt(),
            degrees_of_freedom,
        };
        // A session cannot hold more of the heap than became resident with it: where it seems to,
        // the heap handed out memory that nothing has touched, as an arena's larger regions.
        let rise = levels.sum(&levels.rise());
        levels.of_heap = of_heap(trials).filter(|session| *session <= rise);
        Ok(levels)
    }

    /// How much each median counts in the slope through them, by least squares.
    fn rise(&self) -> Vec<f64> {
        let numbers = || self.measured.iter().map(|(k, ..)| *k);
        let mean = numbers().sum::<f64>() / count(self.measured.len());
        let squares: f64 = numbers().map(|k| (k - mean).powi(2)).sum();
        numbers().map(|k| (k - mean) / squares).collect()
    }

    fn session(&self) -> f64 {
        self.of_heap.unwrap_or_else(|| self.sum(&self.rise())).max(0.0)
    }

    fn sum(&self, weights: &[f64]) -> f64 {
        weights.iter().zip(&self.measured).map(|(w, (_, level, _))| w * level).sum()
    }

    /// How much each median counts at this number of sessions: those next to it by their distance,
    /// beyond all of them the last one; and how many sessions it is away from that.
    fn weights(&self, sessions: f64) -> (Vec<f64>, f64) {
        let number = |index: usize| self.measured[index].0;
        let last = self.measured.len() - 1;
        let above = (0..last).find(|&i| number(i) >= sessions).unwrap_or(last);
        let mut weights = vec![0.0; last + 1];
        if above == 0 || sessions >= number(last) {
            weights[above] = 1.0;
            return (weights, sessions - number(above));
        }
        let share = (number(above) - sessions) / (number(above) - number(above - 1));
        (weights[above - 1], weights[above]) = (share, 1.0 - share);
        (weights, 0.0)
    }

    /// Half of the interval of a weighted sum of the medians, and of `new` new processes' own
    /// deviation.
    fn half_of(&self, weights: &[f64], new: f64) -> f64 {
        let medians: f64 = weights
            .iter()
            .zip(&self.measured)
            .map(|(w, (.., n))| w * w * if *n > 2.0 { MEDIAN_VARIANCE } else { 1.0 } / n)
            .sum();
        half(self.sd * (medians + new).sqrt(), self.degrees_of_freedom)
    }

    /// The level at this number of sessions; of the mean where `new` is 0, of a process where 1.
    fn at(&self, sessions: f64, new: f64) -> Span<Bytes> {
        let (mut weights, away) = self.weights(sessions);
        let level = self.sum(&weights) + away * self.session();
        let mut more = 0.0;
        if self.of_heap.is_some() {
            // What loading leaves behind may go on growing as it did, or not at all.
            let (rise, session) = (self.sum(&self.rise()), self.session());
            more = away.max(0.0) * (rise - session).max(0.0);
        } else {
            weights.iter_mut().zip(self.rise()).for_each(|(w, rise)| *w += away * rise);
        }
        let half = self.half_of(&weights, new);
        span(level - half, level + more / 2.0, level + more + half, Source::Fitted)
    }
}

/// What one session more takes of the heap: the slope between the medians of the fewest and the
/// most sessions. It hardly varies: what is handed out does not depend on what was given back.
fn of_heap(trials: &[Trial]) -> Option<f64> {
    let asked = || trials.iter().filter_map(|t| Some((t.copies, t.heap?.as_f64())));
    let (fewest, most) = (asked().map(|(k, _)| k).min()?, asked().map(|(k, _)| k).max()?);
    let at = |k: u32| median(asked().filter(|(number, _)| *number == k).map(|(_, y)| y));
    (most > fewest).then(|| (at(most) - at(fewest)) / f64::from(most - fewest))
}

/// What workers cost, for any number of them and of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkersModel {
    slopes: Within,
    file_pages: Bytes,
    private: f64,
    /// Standard deviation of one process.
    sd: f64,
    /// Processes in all groups together, and groups.
    processes: f64,
    groups: f64,
    largest: (u32, u32),
}

impl WorkersModel {
    /// From the anonymous peaks of groups of workers, of which single shared processes are groups
    /// of one; and the file pages that they map, which are in memory once. Waves of fewer requests
    /// than workers are left out.
    ///
    /// `private` is the ratio estimate `sum of levels / sum of workers`, the best linear one where
    /// the variance of a group grows with its workers (Cochran, Sampling Techniques, 3rd ed., 6.7).
    ///
    /// # Errors
    /// Where there are fewer than three groups.
    pub fn fit(trials: &[Trial], file_pages: Bytes) -> Result<Self, FitError> {
        let trials: Vec<Trial> = trials
            .iter()
            .map(|t| Trial {
                copies: t.copies,
                heap: t.heap,
                peaks: t.peaks.iter().copied().filter(|(n, _)| *n >= t.copies).collect(),
            })
            .filter(|t| !t.peaks.is_empty())
            .collect();
        let slopes = Within::fit(&trials, in_flight)?;
        let levels = slopes.levels(&trials, in_flight);
        if levels.len() < 3 {
            return Err(FitError::TooFew(levels.len()));
        }
        let processes: f64 = levels.iter().map(|(w, _)| w).sum();
        let private = levels.iter().map(|(_, y)| y).sum::<f64>() / processes;
        let squares: f64 = levels.iter().map(|(w, y)| (y - w * private).powi(2) / w).sum();
        let groups = count(levels.len());
        let sd = (squares / (groups - 1.0)).sqrt();
        let largest = largest(&trials);
        Ok(Self { slopes, file_pages, private, sd, processes, groups, largest })
    }

    /// What each worker has for itself.
    pub fn private(&self) -> Span<Bytes> {
        let half = half(self.sd / self.processes.sqrt(), self.groups - 1.0);
        span(self.private - half, self.private, self.private + half, Source::Fitted)
    }

    /// What each request adds, in whichever worker it is.
    pub fn buffer(&self) -> Span<Bytes> {
        self.slopes.at([1.0, 0.0])
    }

    /// Bytes of a new group of `workers` with `n` requests dealt among them. Extrapolated beyond
    /// the numbers that were measured.
    ///
    /// The deviations of W processes add up to `sd × sqrt(W)`, and an error of `private` counts W
    /// times: `sd × sqrt(W + W² / processes)`.
    pub fn total(&self, workers: u32, n: u32) -> Span<Bytes> {
        let w = f64::from(workers);
        let level = self.file_pages.as_f64() + w * self.private;
        let half = half(self.sd * (w + w * w / self.processes).sqrt(), self.groups - 1.0);
        let level = span(level - half, level, level + half, Source::Fitted);
        let requests = self.slopes.at(in_flight(workers, n.max(workers)));
        added(&level, &requests).with_source(source(self.largest, workers, n))
    }
}

/// Requests in `Run`, and those that wait for a session.
fn running_and_waiting(sessions: u32, n: u32) -> [f64; 2] {
    let running = n.min(sessions);
    [f64::from(running), f64::from(n - running)]
}

/// Requests, all of one kind.
fn in_flight(_workers: u32, n: u32) -> [f64; 2] {
    [f64::from(n), 0.0]
}

/// The largest number of copies and of requests that were measured.
fn largest(trials: &[Trial]) -> (u32, u32) {
    let copies = trials.iter().map(|t| t.copies).max().unwrap_or(0);
    let requests = trials.iter().flat_map(|t| &t.peaks).map(|(n, _)| *n).max().unwrap_or(0);
    (copies, requests)
}

fn source((copies, requests): (u32, u32), k: u32, n: u32) -> Source {
    if k > copies || n > requests { Source::Extrapolated } else { Source::Fitted }
}

/// The sum of two quantities whose errors have nothing to do with each other: half-widths add in
/// squares.
fn added(a: &Span<Bytes>, b: &Span<Bytes>) -> Span<Bytes> {
    let typical = a.typical() + b.typical();
    let below = |s: &Span<Bytes>| s.typical().as_f64() - s.low().as_f64();
    let above = |s: &Span<Bytes>| s.high().as_f64() - s.typical().as_f64();
    let middle = typical.as_f64();
    span(
        middle - below(a).hypot(below(b)),
        middle,
        middle + above(a).hypot(above(b)),
        a.source().max(b.source()),
    )
}

/// Half of the interval of a value with this standard deviation.
fn half(sd: f64, degrees_of_freedom: f64) -> f64 {
    if sd == 0.0 { 0.0 } else { student_t(CONFIDENCE, degrees_of_freedom.max(1.0)) * sd }
}

fn span(low: f64, typical: f64, high: f64, source: Source) -> Span<Bytes> {
    Span::around(Bytes::from_f64(low), Bytes::from_f64(typical), Bytes::from_f64(high), source)
}

#[expect(clippy::cast_precision_loss, reason = "a handful of processes")]
const fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
