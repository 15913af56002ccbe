use proptest::prelude::*;

use super::*;

const MIB: f64 = 1_048_576.0;

fn trial(copies: u32, requests: &[u32], peak: impl Fn(u32) -> f64) -> Trial {
    let peaks = requests.iter().map(|&n| (n, Bytes::from_f64(peak(n) * MIB))).collect();
    Trial { copies, peaks, heap: None }
}

/// 40 once, 80 a session, 10 a running request, 6 a waiting one, in MiB.
fn pool_at(k: u32, n: u32) -> f64 {
    let running = n.min(k);
    40.0 + 80.0 * f64::from(k) + 10.0 * f64::from(running) + 6.0 * f64::from(n - running)
}

/// Processes whose levels differ by these, with one and two sessions.
fn pools(one: &[f64], two: &[f64]) -> Vec<Trial> {
    let of = |k: u32, offsets: &[f64]| -> Vec<Trial> {
        offsets.iter().map(|o| trial(k, &[1, 2, 4, 8], |n| pool_at(k, n) + o)).collect()
    };
    [of(1, one), of(2, two)].concat()
}

fn near(bytes: Bytes, mib: f64) {
    assert!((bytes.as_mib() - mib).abs() < 1e-3, "{} is not {mib}", bytes.as_mib());
}

#[test]
fn one_and_two_sessions_tell_all_costs_of_a_pool_apart() {
    let model = PoolModel::fit(&pools(&[0.0; 3], &[0.0; 3])).unwrap();
    near(model.process().typical(), 40.0);
    near(model.session().typical(), 80.0);
    near(model.running().typical(), 10.0);
    near(model.waiting().typical(), 6.0);
    near(model.total(4, 16).typical(), pool_at(4, 16));
    near(model.total(8, 3).high(), pool_at(8, 3));
    assert_eq!(model.total(2, 8).source(), Source::Fitted);
    assert_eq!(model.total(2, 9).source(), Source::Extrapolated);
    assert_eq!(model.total(3, 8).source(), Source::Extrapolated);
}

#[test]
fn one_process_that_loading_left_otherwise_does_not_count_for_all() {
    let model = PoolModel::fit(&pools(&[0.0, -18.0, 0.0], &[0.0, 9.0, 0.0])).unwrap();
    near(model.total(4, 16).typical(), pool_at(4, 16));
    let span = model.total(4, 16);
    assert!(
        span.high().saturating_sub(span.low()) > Bytes::mib(60),
        "it is not known for sure: {span:?}"
    );
}

/// The interval by hand: deviations 0, -3, 3 and 0, -3, 3 around the medians have the variance
/// 36 / 4; the medians count -2 and 3 at four sessions, each with 1.571 / 3 of that variance.
#[test]
fn the_interval_of_a_new_process_is_that_of_the_formula() {
    let model = PoolModel::fit(&pools(&[0.0, -3.0, 3.0], &[0.0, -3.0, 3.0])).unwrap();
    let half = 2.776_445 * (9.0 * (1.0 + 13.0 * MEDIAN_VARIANCE / 3.0)).sqrt();
    near(model.total(4, 4).high(), pool_at(4, 4) + half);
    near(model.total(4, 4).low(), pool_at(4, 4) - half);
}

/// Of 120 that a session takes of the heap, 40 are never touched.
#[test]
fn a_heap_that_nothing_has_touched_is_not_taken_for_the_session() {
    let of = |k: u32| {
        let heap = Some(Bytes::from_f64((20.0 + 120.0 * f64::from(k)) * MIB));
        Trial { heap, ..trial(k, &[1, 2, 4, 8], |n| pool_at(k, n)) }
    };
    let trials: Vec<Trial> = [1, 1, 1, 2, 2, 2].map(of).to_vec();
    let model = PoolModel::fit(&trials).unwrap();
    near(model.session().typical(), 80.0);
    near(model.total(8, 16).typical(), pool_at(8, 16));
}

/// One session leaves 30 of what loading took, two or more leave 70; the heap says 80 a session.
#[test]
fn what_loading_leaves_is_not_taken_for_the_session() {
    let of = |k: u32, o: f64| {
        let left = if k == 1 { 30.0 } else { 70.0 };
        let heap = Some(Bytes::from_f64((20.0 + 80.0 * f64::from(k)) * MIB));
        Trial { heap, ..trial(k, &[1, 2, 4, 8], |n| pool_at(k, n) + left + o) }
    };
    let trials: Vec<Trial> = [1, 1, 1, 2, 2, 2].iter().map(|&k| of(k, 0.0)).collect();
    let model = PoolModel::fit(&trials).unwrap();
    near(model.session().high(), 80.0);
    near(model.process().typical(), 40.0 + 30.0);
    near(model.total(1, 8).typical(), pool_at(1, 8) + 30.0);
    near(model.total(2, 8).high(), pool_at(2, 8) + 70.0);
    near(model.total(8, 16).low(), pool_at(8, 16) + 70.0);
    // 40 more for each session beyond those that were run, or nothing, or in between.
    near(model.total(8, 16).typical(), pool_at(8, 16) + 70.0 + 3.0 * 40.0);
    near(model.total(8, 16).high(), pool_at(8, 16) + 70.0 + 6.0 * 40.0);
    // Between those that were run: halfway.
    let more = [trials, vec![of(4, 0.0)]].concat();
    near(PoolModel::fit(&more).unwrap().total(3, 16).high(), pool_at(3, 16) + 70.0);
}

#[test]
fn running_and_waiting_are_one_where_no_wave_tells_them_apart() {
    let waves = |k: u32| trial(k, &[2, 4, 8], |n| pool_at(k, n));
    let model = PoolModel::fit(&[waves(1), waves(2), waves(1), waves(2)]).unwrap();
    assert_eq!(model.running(), model.waiting());
    near(model.total(4, 16).typical(), pool_at(4, 16));
}

#[test]
fn too_little_is_refused() {
    let one = || trial(1, &[1, 2], |n| pool_at(1, n));
    let two = || trial(2, &[1, 2], |n| pool_at(2, n));
    assert_eq!(PoolModel::fit(&[one(), one(), one()]), Err(FitError::OneConcurrency));
    assert_eq!(PoolModel::fit(&[one(), two()]), Err(FitError::TooFew(2)));
    assert_eq!(PoolModel::fit(&[]), Err(FitError::OneConcurrency));
    let single = trial(2, &[4], |n| pool_at(2, n));
    assert_eq!(PoolModel::fit(&[single.clone(), single]), Err(FitError::OneConcurrency));
    assert_eq!(WorkersModel::fit(&[one(), two()], Bytes::ZERO), Err(FitError::TooFew(2)));
    let fewer_requests_than_workers = trial(4, &[1, 2], |_| 1.0);
    let all = [one(), two(), fewer_requests_than_workers];
    assert_eq!(WorkersModel::fit(&all, Bytes::ZERO), Err(FitError::TooFew(2)));
}

/// 100 a worker, 8 a request; files of 30 are there once.
fn workers_at(w: u32, n: u32) -> f64 {
    100.0 * f64::from(w) + 8.0 * f64::from(n)
}

#[test]
fn one_and_two_workers_tell_what_any_number_takes() {
    let one = |o: f64| trial(1, &[1, 2, 4, 8, 16], move |n| workers_at(1, n) + o);
    let two = |o: f64| trial(2, &[1, 2, 4, 8], move |n| workers_at(2, n) + o);
    let files = Bytes::mib(30);
    let model = WorkersModel::fit(&[one(0.0), one(0.0), two(0.0)], files).unwrap();
    near(model.private().typical(), 100.0);
    near(model.buffer().typical(), 8.0);
    near(model.total(4, 16).typical(), 30.0 + workers_at(4, 16));
    // Fewer requests than workers: each has had one.
    assert_eq!(model.total(4, 1), model.total(4, 4));
    // 101 + 99 + 2 × 100 over 4 processes; the squares are 1, 1 and 0 over 2 degrees of freedom.
    let noisy = WorkersModel::fit(&[one(1.0), one(-1.0), two(0.0)], files).unwrap();
    let half = 4.302_653 * (4.0_f64 + 16.0 / 4.0).sqrt();
    near(noisy.total(4, 16).high(), 30.0 + workers_at(4, 16) + half);
}

proptest! {
    #[test]
    fn planted_costs_come_back_and_more_never_takes_less(
        process in 10.0..500.0f64, session in 1.0..500.0f64, running in 0.0..80.0f64,
        waiting in 0.0..40.0f64, k in 1u32..32, n in 0u32..200,
    ) {
        let at = |k: u32, n: u32| {
            let r = n.min(k);
            process + session * f64::from(k) + running * f64::from(r) + waiting * f64::from(n - r)
        };
        let trials: Vec<Trial> =
            [1, 1, 2, 2].iter().map(|&k| trial(k, &[1, 2, 4, 8], |n| at(k, n))).collect();
        let model = PoolModel::fit(&trials).unwrap();
        let total = model.total(k, n);
        let error = (total.typical().as_mib() - at(k, n)).abs();
        prop_assert!(error < 1e-3 + 1e-6 * at(k, n), "{} {}", total.typical().as_mib(), at(k, n));
        prop_assert!(model.total(k, n + 1).typical() >= total.typical());
        if running >= waiting {
            prop_assert!(model.total(k + 1, n).typical() >= total.typical());
        }
    }

    #[test]
    fn noise_is_inside_the_interval_and_the_ends_are_in_order(
        offsets in prop::collection::vec(-20.0..20.0f64, 6), k in 1u32..16, n in 0u32..64,
    ) {
        let model = PoolModel::fit(&pools(&offsets[..3], &offsets[3..])).unwrap();
        let total = model.total(k, n);
        prop_assert!(total.low() <= total.typical() && total.typical() <= total.high());
        let workers: Vec<Trial> = offsets
            .iter()
            .enumerate()
            .map(|(i, o)| {
                let w = 1 + u32::from(i > 2);
                trial(w, &[2, 4, 8], |n| workers_at(w, n) + o)
            })
            .collect();
        let model = WorkersModel::fit(&workers, Bytes::mib(30)).unwrap();
        let (few, many) = (model.total(k, n), model.total(k + 1, n));
        prop_assert!(few.low() <= few.typical() && few.typical() <= few.high());
        prop_assert!(few.typical() <= many.typical());
    }
}
