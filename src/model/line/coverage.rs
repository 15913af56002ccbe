//! Whether the intervals hold what they say, by drawing processes whose line is known.

use super::{Interval, Line, Sample};

/// Draws, each a campaign and what it did not see.
const DRAWS: u32 = 2000;
/// The line that is planted, MiB.
const BASE: f64 = 300.0;
const SLOPE: f64 = 20.0;
/// Standard deviations of both kinds together, MiB.
const SCATTER: f64 = 5.0;

/// What is measured: the concurrencies of each process.
type Protocol = [&'static [f64]];

const LADDER: &[f64] = &[1.0, 2.0, 4.0, 8.0];
const LADDERS: &Protocol = &[LADDER; 3];
const SHORT_LADDERS: &Protocol = &[LADDER.split_at(3).0; 3];
const WITH_CHECKS: &Protocol = &[LADDER, LADDER, LADDER, &[16.0], &[16.0], &[16.0]];

struct World {
    random: fastrand::Rng,
    between: f64,
    within: f64,
}

impl World {
    /// `share` of the variance is between processes.
    fn new(share: f64) -> Self {
        let sd = |share: f64| SCATTER * share.sqrt();
        Self { random: fastrand::Rng::with_seed(11), between: sd(share), within: sd(1.0 - share) }
    }

    /// From the standard normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.random.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.random.f64()).cos()
    }

    fn process(&mut self, xs: &[f64], process: u32) -> Vec<Sample> {
        let offset = self.between * self.normal();
        let mut point = |&x: &f64| {
            let y = BASE + SLOPE * x + offset + self.within * self.normal();
            Sample { x, y, process }
        };
        xs.iter().map(&mut point).collect()
    }

    fn campaign(&mut self, protocol: &Protocol) -> Line {
        let samples: Vec<Sample> =
            (0..).zip(protocol).flat_map(|(i, xs)| self.process(xs, i)).collect();
        Line::fit(&samples).unwrap()
    }

    /// A new process at x.
    fn new_at(&mut self, x: f64) -> f64 {
        self.process(&[x], 99)[0].y
    }
}

/// Shares of draws in which the stated 95 % intervals held what they are about: slope, intercept, a
/// new process at 16, the median of three there.
fn coverage(protocol: &Protocol, share: f64) -> [f64; 4] {
    let mut world = World::new(share);
    let mut held = [0.0; 4];
    for _ in 0..DRAWS {
        let line = world.campaign(protocol);
        let three = [16.0; 3].map(|x| world.new_at(x));
        let truths = [
            (line.slope_interval(0.95), SLOPE),
            (line.intercept_interval(0.95), BASE),
            (line.prediction_interval(16.0, 0.95), world.new_at(16.0)),
            (line.median_interval(16.0, 3, 0.95), crate::model::sample::median(three)),
        ];
        for (held, (Interval { low, high }, truth)) in held.iter_mut().zip(truths) {
            *held += f64::from(u8::from(low <= truth && truth <= high)) / f64::from(DRAWS);
        }
    }
    held
}

const SHARES: [f64; 6] = [0.0, 0.1, 0.5, 0.9, 0.99, 0.9999];

/// Between coverage of 2000 draws at 95 % and 95 % lie 1.5 points by chance. Satterthwaite's degrees
/// of freedom are those of the estimated variances: where the estimate of one of them is often 0,
/// the intervals of the line itself are 2 to 3 points short; what decides, a new process, is not.
#[test]
fn intervals_hold_as_often_as_they_say() {
    for protocol in [LADDERS, SHORT_LADDERS, WITH_CHECKS] {
        for share in SHARES {
            let [slope, intercept, new, median] = coverage(protocol, share);
            let said = format!("{protocol:?}, {share} between processes");
            assert!((0.93..=0.99).contains(&new), "a new process: {new}: {said}");
            assert!((0.92..=0.99).contains(&median), "a median: {median}: {said}");
            assert!((0.90..=0.97).contains(&slope), "the slope: {slope}: {said}");
            assert!((0.91..=0.995).contains(&intercept), "the intercept: {intercept}: {said}");
        }
    }
}

/// How wide the interval of a new process at 16 is, in standard deviations of one: where processes
/// do not differ, the points within count; where they do, three of them give t = 4.3, six 2.6.
#[test]
fn intervals_are_as_wide_as_processes_are_few() {
    let width = |protocol: &Protocol, share: f64| {
        let mut world = World::new(share);
        let half = |_| {
            let line = world.campaign(protocol);
            (line.prediction_interval(16.0, 0.95).high - line.at(16.0)) / SCATTER
        };
        crate::model::sample::median((0..500).map(half))
    };
    for (protocol, share, widths) in [
        (LADDERS, 0.0, 3.4..4.0),
        (LADDERS, 0.9999, 3.8..4.8),
        (WITH_CHECKS, 0.0, 2.2..2.6),
        (WITH_CHECKS, 0.9999, 2.3..2.8),
    ] {
        let found = width(protocol, share);
        assert!(widths.contains(&found), "{found}: {protocol:?}, {share}");
    }
}

/// What pooling all points says where processes differ, so that this test would see it.
#[test]
fn pooled_points_do_not_hold_what_they_say() {
    let mut world = World::new(0.99);
    let held = (0..DRAWS)
        .filter(|_| {
            let samples = (0..).zip(LADDERS).flat_map(|(i, xs)| world.process(xs, i));
            let pooled: Vec<Sample> = samples.map(|s| Sample { process: 0, ..s }).collect();
            let Interval { low, high } = Line::fit(&pooled).unwrap().intercept_interval(0.95);
            (low..=high).contains(&BASE)
        })
        .count();
    assert!(held < 1800, "{held} of {DRAWS}");
}
