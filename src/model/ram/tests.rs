//! What the line through measured peaks answers.

use proptest::prelude::*;

use super::*;
use crate::model::Sample;

fn model(base: f64, slope: f64, noise: f64) -> RamModel {
    let mut random = fastrand::Rng::with_seed(3);
    let samples: Vec<Sample> = [1.0, 2.0, 4.0, 8.0, 16.0]
        .iter()
        .cycle()
        .take(15)
        .zip(0..)
        .map(|(&x, i): (&f64, u32)| Sample {
            x,
            y: (base + slope * x) * (1.0 + noise * (random.f64() - 0.5)),
            process: i / 5,
        })
        .collect();
    let line = line_of_peaks(&samples).unwrap();
    let cold = vec![(16, Bytes::from_f64(base + slope * 20.0))];
    RamModel::new(line, &cold, Bytes::from_f64(base * 1.1), Bytes::mib(1))
}

const MIB: f64 = 1_048_576.0;

#[test]
fn base_and_buffer_are_those_that_were_planted() {
    let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
    assert_eq!(model.base().typical(), Bytes::mib(300));
    assert_eq!(model.buffer().typical(), Bytes::mib(20));
    assert_eq!(model.total(10).typical(), Bytes::mib(500));
    assert_eq!(model.limit(10, false).typical(), Bytes::mib(501));
    assert_eq!(model.total(16).source(), Source::Fitted);
    assert_eq!(model.total(17).source(), Source::Extrapolated);
    // 4 requests' worth of excess at 16.
    assert_eq!(model.cold(16).unwrap().typical(), Bytes::mib(300 + 320 + 80));
    // Loading decides where few requests run.
    assert_eq!(model.limit(0, true).high(), Bytes::mib(331));
}

#[test]
fn a_limit_below_the_load_peak_holds_nothing() {
    let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
    assert_eq!(model.max_concurrency(Bytes::mib(325), false).high, 0);
    assert_eq!(model.max_concurrency(Bytes::mib(341), false).low, 2);
    assert_eq!(model.max_concurrency(Bytes::mib(501), false).low, 10);
    assert_eq!(model.max_concurrency(Bytes::new(501 * 1_048_576 - 1), false).low, 9);
}

#[test]
fn workers_multiply_the_base_and_share_the_files() {
    let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
    let total = model.workers(4, 10, Bytes::mib(30)).typical();
    assert_eq!(total, Bytes::mib(4 * 300 + 10 * 20 - 3 * 30));
}

#[test]
fn no_workers_are_one_and_any_number_of_requests_is_answered() {
    let model = model(300.0 * MIB, 20.0 * MIB, 0.0);
    assert_eq!(model.workers(0, 3, Bytes::mib(30)).typical(), model.total(3).typical());
    assert!(model.workers(1, u32::MAX, Bytes::ZERO).typical() > Bytes::GIB);
    // 10 on 4 are 3, 3, 2, 2: the sum of their totals at each end.
    let noisy = self::model(300.0 * MIB, 20.0 * MIB, 0.1);
    let high = noisy.total(3).high() * 2 + noisy.total(2).high() * 2;
    assert_eq!(noisy.workers(4, 10, Bytes::ZERO).high(), high);
    assert_eq!(noisy.workers(4, 10, Bytes::ZERO).source(), Source::Assumed);
}

#[test]
fn of_several_cold_bursts_the_largest_counts() {
    let samples = [(1.0, 110.0), (2.0, 120.0), (16.0, 260.0)];
    let line = Line::fit(&samples.map(|(x, y)| Sample { x, y: y * MIB, process: 0 })).unwrap();
    let peaks = |peaks: &[(u32, u64)]| {
        let cold: Vec<_> = peaks.iter().map(|&(n, mib)| (n, Bytes::mib(mib))).collect();
        RamModel::new(line, &cold, Bytes::ZERO, Bytes::ZERO)
    };
    let two = peaks(&[(4, 160), (8, 220), (8, 212), (8, 204)]);
    let eight = two.cold(8).unwrap();
    assert_eq!(eight.typical(), Bytes::mib(212));
    // Nothing is uncertain but the bursts: the highest, and as much again as they are apart.
    assert_eq!([eight.low(), eight.high()], [204, 220 + 16].map(Bytes::mib));
    assert_eq!(two.cold(4).unwrap().typical(), Bytes::mib(140 + 16));
    assert_eq!(two.cold(8).unwrap().source(), Source::Fitted);
    assert_eq!(two.cold(9).unwrap().source(), Source::Extrapolated);
    assert_eq!(two.limit(9, true).source(), Source::Extrapolated);
    assert_eq!(two.limit(9, false).source(), Source::Fitted);
    // A burst below the line saves nothing.
    assert_eq!(peaks(&[(8, 90)]).cold(8).unwrap().typical(), Bytes::mib(180));
    assert_eq!(peaks(&[]).cold(8), None);
    assert_eq!(peaks(&[(0, 90)]).cold(8), None);
}

#[test]
fn a_line_that_falls_by_noise_costs_nothing_a_request() {
    let model = model(300.0 * MIB, -2.0 * MIB, 0.05);
    assert_eq!(model.buffer().typical(), Bytes::ZERO);
    assert_eq!(model.total(0).typical(), model.total(1000).typical());
}

/// A line whose noise is larger than its slope: by itself its upper bound falls at first and
/// its lower bound falls later.
#[test]
fn bounds_do_not_fall_where_those_of_the_line_do() {
    let model = model(300.0 * MIB, 0.1 * MIB, 0.2);
    let line = |n: u32| model.line.prediction_interval(f64::from(n), CONFIDENCE);
    assert!(line(1).high < line(0).high && line(2000).low < line(20).low);
    for n in 0..2000 {
        let (few, many) = (model.total(n), model.total(n + 1));
        assert!(few.low() <= many.low() && few.typical() <= many.typical(), "{n}");
        assert!(few.high() <= many.high(), "{n}");
    }
}

#[test]
fn requests_that_cost_nothing_are_capped() {
    assert_eq!(
        model(300.0 * MIB, 0.0, 0.0).max_concurrency(Bytes::GIB, false).low,
        MAX_CONCURRENCY
    );
}

proptest! {
    #[test]
    fn more_ram_never_holds_less(
        base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
        ram in 16u64..8192, more in 0u64..4096, cold: bool,
    ) {
        let model = model(base * MIB, slope * MIB, noise);
        let few = model.max_concurrency(Bytes::mib(ram), cold);
        let many = model.max_concurrency(Bytes::mib(ram + more), cold);
        prop_assert!(few.low <= few.typical && few.typical <= few.high);
        prop_assert!(few.low <= many.low && few.typical <= many.typical && few.high <= many.high);
    }

    #[test]
    fn capacity_and_limit_agree_to_the_request(
        base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
        ram in 16u64..65536, cold: bool,
    ) {
        let model = model(base * MIB, slope * MIB, noise);
        let has = Bytes::mib(ram);
        let capacity = model.max_concurrency(has, cold);
        let agrees = |n: u32, need: fn(&Span<Bytes>) -> Bytes| {
            (n == 0 || need(&model.limit(n, cold)) <= has)
                && (n == MAX_CONCURRENCY || need(&model.limit(n + 1, cold)) > has)
        };
        prop_assert!(agrees(capacity.low, Span::high));
        prop_assert!(agrees(capacity.typical, Span::typical));
        prop_assert!(agrees(capacity.high, Span::low));
    }

    #[test]
    fn one_request_more_never_needs_less(
        base in 50.0..2000.0f64, slope in -20.0..200.0f64, noise in 0.0..0.5f64,
        n in 0u32..=MAX_CONCURRENCY, more in 1u32..100, cold: bool,
    ) {
        let model = model(base * MIB, slope * MIB, noise);
        let (few, many) = (model.limit(n, cold), model.limit(n + more, cold));
        // A byte for rounding, where the curve is level.
        let at_most = |a: Bytes, b: Bytes| a <= b + Bytes::new(1);
        prop_assert!(at_most(few.low(), many.low()));
        prop_assert!(at_most(few.typical(), many.typical()));
        prop_assert!(at_most(few.high(), many.high()));
        let warm = model.total(n);
        let line = model.line.prediction_interval(f64::from(n), CONFIDENCE);
        prop_assert!(warm.high() >= Bytes::from_f64(line.high));
    }
}
