//! Memory that requests leave behind, told from memory that concurrency takes.
//!
//! A cache of answers, a heap that fills up, pages that become private after a fork: memory rises with
//! the number of requests answered, and levels off. A heap may keep what many requests at once took,
//! too, and that has nothing to do with their number. What a service holds at rest is therefore taken
//! to be
//!
//! `level(r, M) = c + A(r) + h × M`
//!
//! after `r` requests of which at most `M` were in flight together, with `h ≥ 0` and `A` one of
//! `a × min(r, R)`, as of a cache with room for R answers, and `a × (1 − exp(−r / τ))`, as where each
//! request touches some of what is left. `M` moves in steps, and `r` with every request: within a step
//! only `A` can rise.
//!
//! What is fitted are the changes from one reading to the next, and their deviations in absolute value
//! (Koenker and Bassett, Econometrica 46 (1978), for the median): a heap that fragments wanders, by more
//! at one time than all that accumulates, and squares of such levels would decide alone. They are made
//! the least by iteratively reweighted least squares (Schlossmacher, JASA 68 (1973)), R and τ by trying
//! many.

use super::NOISE_BYTES;

/// What was held at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Requests answered before.
    pub requests: f64,
    /// Those of them that were unlike all before: a cache keeps nothing of the others.
    pub different: f64,
    /// The most of them that were in flight together, 1 or more.
    pub most: f64,
    /// Bytes.
    pub level: f64,
}

/// Memory that has accumulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accumulation {
    shape: Shape,
    follows: Follows,
    /// What it comes to in the end, bytes.
    total: f64,
    /// Requests over which it was watched.
    watched: f64,
}

/// What it rises with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    Requests,
    Different,
}

impl Follows {
    const fn of(self, reading: &Reading) -> f64 {
        match self {
            Self::Requests => reading.requests,
            Self::Different => reading.different,
        }
    }
}

/// How it rises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// In step with requests, up to so many.
    UpTo(f64),
    /// By less and less: so many requests take it to 63 % of its end.
    Decaying(f64),
}

impl Shape {
    /// The share of the end that is reached, 0 to 1.
    fn at(self, requests: f64) -> f64 {
        match self {
            Self::UpTo(most) => (requests / most).min(1.0),
            Self::Decaying(scale) => 1.0 - (-requests / scale).exp(),
        }
    }

    /// Requests after which no more than a twentieth is missing.
    fn end(self) -> f64 {
        match self {
            Self::UpTo(most) => most,
            Self::Decaying(scale) => 3.0 * scale,
        }
    }
}

/// What accumulates is told where it is more than this share of the level, besides the noise of any
/// level.
const LEAST_SHARE: f64 = 0.01;
const LEAST_BYTES: f64 = 2.0 * NOISE_BYTES;
/// And where it leaves no more than this share of the deviations: of all of them, or of those while it
/// still rises, if these are so many. A heap that wanders later does not hide what was plain before.
///
/// Of simulated services without any, and with a noise of up to a sixth of the level or steps at random,
/// none left less than 0.93 of all and, of ten or more, 0.78 of those while it was said to rise; of those
/// with some that were not drowned in noise, most left 0.1 to 0.6.
const BETTER: f64 = 0.8;
const BETTER_RISING: f64 = 0.7;
const FEWEST_RISING: usize = 10;
/// So many readings at least.
const FEWEST: usize = 8;
/// Of the requests, those that must follow the end, for it to be one.
const LEVEL: f64 = 0.2;
/// Candidates for the end, from the first to the last request.
const CANDIDATES: i32 = 200;
/// Rounds of reweighting, and a deviation that is none, bytes.
const ROUNDS: u32 = 30;
const EXACT: f64 = 16.0 * 1024.0;

impl Accumulation {
    /// What so many requests have left behind, of which so many were different, bytes.
    pub fn at(&self, requests: f64, different: f64) -> f64 {
        self.total
            * self.shape.at(match self.follows {
                Follows::Requests => requests,
                Follows::Different => different,
            })
    }

    /// What is left behind in the end, or by the last request that was watched.
    pub fn bytes(&self) -> f64 {
        let reached = if self.has_levelled_off() { 1.0 } else { self.shape.at(self.watched) };
        self.total * reached
    }

    /// Whether it rises with requests that differ, and not with others.
    pub fn follows_different(&self) -> bool {
        self.follows == Follows::Different
    }

    /// Requests after which it rises no further; the last that was watched where it still rose.
    pub fn requests(&self) -> f64 {
        self.shape.end().min(self.watched)
    }

    /// Whether it was watched long enough to see that it rises no further.
    pub fn has_levelled_off(&self) -> bool {
        self.shape.end() <= self.watched * (1.0 - LEVEL)
    }
}

/// What has accumulated; `None` where the number of requests explains nothing that their concurrency
/// does not.
pub fn accumulation(readings: &[Reading]) -> Option<Accumulation> {
    if readings.len() < FEWEST {
        return None;
    }
    let without = Fit::of(readings, None);
    // Where all differ, both are the same, and the first is taken.
    let found = [Follows::Requests, Follows::Different]
        .into_iter()
        .filter_map(|follows| best(readings, follows))
        .min_by(|a, b| a.1.deviation.total_cmp(&b.1.deviation));
    let (found, fit) = found?;
    let level = readings.iter().map(|r| r.level).fold(0.0, f64::max);
    let is_more_than_noise = found.bytes() > LEAST_BYTES.max(level * LEAST_SHARE);
    let rising = readings.iter().take_while(|r| found.follows.of(r) < found.shape.end()).count();
    let rising = readings.get(..=rising).unwrap_or(readings);
    let shape = Some((found.shape, found.follows));
    let left = fit.deviation_of(rising, shape) / without.deviation_of(rising, None);
    let is_better = fit.deviation < BETTER * without.deviation
        || rising.len() > FEWEST_RISING && left < BETTER_RISING;
    (is_more_than_noise && is_better).then_some(found)
}

/// What fits best of what follows these, with its deviation.
fn best(readings: &[Reading], follows: Follows) -> Option<(Accumulation, Fit)> {
    let numbers = || readings.iter().map(|r| follows.of(r));
    let watched = numbers().fold(0.0, f64::max);
    let first = numbers().fold(f64::INFINITY, f64::min).max(1.0);
    if watched <= first {
        return None;
    }
    let ratio = (watched / first).powf(1.0 / f64::from(CANDIDATES));
    let ends = (0..=CANDIDATES).map(|n| first * ratio.powi(n));
    let shapes = ends.flat_map(|end| [Shape::UpTo(end), Shape::Decaying(end / 3.0)]);
    let fitted = shapes.map(|shape| (shape, Fit::of(readings, Some((shape, follows)))));
    let (shape, fit) = fitted.min_by(|a, b| a.1.deviation.total_cmp(&b.1.deviation))?;
    let [total, _] = fit.coefficients;
    Some((Accumulation { shape, follows, total, watched }, fit))
}

/// The coefficients with the least deviation, neither below 0: what accumulates in the end, and what each
/// request in flight leaves.
#[derive(Debug, Clone, Copy)]
struct Fit {
    coefficients: [f64; 2],
    deviation: f64,
}

/// A change from one reading to the next: of the share that has accumulated, of the most in flight, of
/// the level.
type Change = [f64; 3];

fn changes(readings: &[Reading], shape: Option<(Shape, Follows)>) -> Vec<Change> {
    let risen = |r: &Reading| shape.map_or(0.0, |(shape, follows)| shape.at(follows.of(r)));
    let change = |pair: &[Reading]| {
        let [a, b] = [&pair[0], &pair[1]];
        [risen(b) - risen(a), b.most - a.most, b.level - a.level]
    };
    readings.windows(2).map(change).collect()
}

impl Fit {
    /// Of readings with this shape of what accumulates, or without any.
    fn of(readings: &[Reading], shape: Option<(Shape, Follows)>) -> Self {
        let changes = changes(readings, shape);
        let free = [[true, true], [true, false], [false, true], [false, false]];
        let fits = free.into_iter().filter_map(|free| least_deviation(&changes, free));
        let best = fits.min_by(|a, b| a.deviation.total_cmp(&b.deviation));
        best.unwrap_or(Self { coefficients: [0.0; 2], deviation: f64::INFINITY })
    }

    /// What it leaves of other readings.
    fn deviation_of(&self, readings: &[Reading], shape: Option<(Shape, Follows)>) -> f64 {
        deviation(&changes(readings, shape), self.coefficients)
    }
}

/// What a change has that these coefficients do not explain.
fn left([a, h]: [f64; 2], [share, most, level]: &Change) -> f64 {
    level - a * share - h * most
}

fn deviation(changes: &[Change], coefficients: [f64; 2]) -> f64 {
    changes.iter().map(|change| left(coefficients, change).abs()).sum()
}

/// The least sum of deviations with the coefficients that are `free`, the others 0; `None` where one is
/// below 0.
fn least_deviation(changes: &[Change], free: [bool; 2]) -> Option<Fit> {
    let mut found = [0.0; 2];
    for _ in 0..ROUNDS {
        let [mut aa, mut ah, mut hh, mut ay, mut hy] = [0.0; 5];
        for change in changes {
            let weight = 1.0 / left(found, change).abs().max(EXACT);
            let [share, most, level] = change;
            aa += weight * share * share;
            ah += weight * share * most;
            hh += weight * most * most;
            ay += weight * share * level;
            hy += weight * most * level;
        }
        let alone = |product: f64, square: f64| if square > 0.0 { product / square } else { 0.0 };
        found = match free {
            [true, true] => {
                let determinant = aa * hh - ah * ah;
                if determinant <= 1e-9 * aa * hh {
                    return None;
                }
                [(ay * hh - hy * ah) / determinant, (hy * aa - ay * ah) / determinant]
            }
            [true, false] => [alone(ay, aa), 0.0],
            [false, true] => [0.0, alone(hy, hh)],
            [false, false] => break,
        };
    }
    let is_possible = found.iter().all(|c| *c >= 0.0);
    is_possible.then(|| Fit { coefficients: found, deviation: deviation(changes, found) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1024.0 * 1024.0;

    /// A ladder of rounds with so many waves and a load after each, and what is held at rest.
    fn readings(level: impl Fn(f64, f64) -> f64) -> Vec<Reading> {
        let (mut requests, mut most, mut all) = (3.0_f64, 1.0_f64, Vec::new());
        for n in [1.0, 2.0, 4.0, 1.0, 8.0, 16.0, 1.0] {
            most = most.max(n);
            for step in [n; 10].into_iter().chain([n * 10.0]) {
                requests += step;
                let noise = (requests * 7.3 + n).sin() * 0.2;
                all.push(Reading {
                    requests,
                    different: requests,
                    most,
                    level: (60.0 + level(requests, most) + noise) * MIB,
                });
            }
        }
        all
    }

    #[test]
    fn a_cache_that_fills_up_is_told() {
        let found = accumulation(&readings(|r, _| r.min(150.0))).unwrap();
        assert!(found.has_levelled_off(), "{found:?}");
        assert!((found.requests() / 150.0 - 1.0).abs() < 0.05, "{found:?}");
        assert!((found.bytes() / (150.0 * MIB) - 1.0).abs() < 0.02, "{found:?}");
        assert!((found.at(50.0, 0.0) / (50.0 * MIB) - 1.0).abs() < 0.05, "{found:?}");
    }

    /// Of the requests every second one was like one before.
    #[test]
    fn what_follows_different_requests_is_told() {
        let mut all = readings(|r, _| (r / 2.0).min(150.0));
        for reading in &mut all {
            reading.different =
                (reading.requests / 2.0).min(400.0) + (reading.requests * 0.9).sin();
            reading.level +=
                MIB * (reading.different.min(150.0) - (reading.requests / 2.0).min(150.0));
        }
        let found = accumulation(&all).unwrap();
        assert!(found.follows_different(), "{found:?}");
        assert!((found.requests() / 150.0 - 1.0).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn pages_that_become_private_are_told() {
        let found = accumulation(&readings(|r, _| 80.0 * (1.0 - (-r / 40.0).exp()))).unwrap();
        assert!(found.has_levelled_off(), "{found:?}");
        assert!((found.bytes() / (80.0 * MIB) - 1.0).abs() < 0.05, "{found:?}");
    }

    /// As a cache of a megabyte each was seen to, under sixteen requests at once.
    #[test]
    fn a_heap_that_wanders_does_not_hide_it() {
        let wanders = |r: f64, most: f64| {
            let far = if most > 8.0 { 60.0 * ((r * 0.37).sin() + (r * 0.11).cos()) } else { 0.0 };
            r.min(150.0) + far
        };
        let found = accumulation(&readings(wanders)).unwrap();
        assert!((found.bytes() / (150.0 * MIB) - 1.0).abs() < 0.05, "{found:?}");
        assert!((found.requests() / 150.0 - 1.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn what_a_burst_leaves_is_none_of_it() {
        assert_eq!(accumulation(&readings(|_, most| 9.0 * most)), None);
        // Beside what a cache keeps, it is told apart.
        let both = accumulation(&readings(|r, most| r.min(150.0) + 9.0 * most)).unwrap();
        assert!((both.bytes() / (150.0 * MIB) - 1.0).abs() < 0.05, "{both:?}");
    }

    #[test]
    fn noise_is_none_and_rising_for_ever_has_no_end() {
        assert_eq!(accumulation(&readings(|_, _| 0.0)), None);
        let leak = accumulation(&readings(|r, _| r * 0.5)).unwrap();
        assert!(!leak.has_levelled_off(), "{leak:?}");
        assert_eq!(accumulation(&[]), None);
    }
}
