//! Times that follow from times.

use proptest::prelude::*;

use super::*;

fn model(cpu: f64, wall: f64) -> CpuModel {
    let exact = |s| Span::exact(Seconds::new(s), Source::Measured);
    let wait = Seconds::new((wall - cpu).max(0.0));
    CpuModel::new(exact(cpu), exact(wall)).waiting_in_place(wait)
}

fn cpus(n: f64) -> Cpus {
    Cpus::new(n).unwrap()
}

/// 30 ms of work at 130 millicores takes 204 ms; 300 ms on one thread of two CPUs 300 ms.
#[test]
fn quotas_stretch_a_request() {
    assert!((under_quota(0.030, 1.0, 0.13) - 0.204).abs() < 1e-9);
    assert!((model(0.3, 0.3).seconds_alone(cpus(2.0)).get() - 0.3).abs() < 1e-9);
    assert!((model(0.04, 0.04).seconds_alone(cpus(0.5)).get() - 0.04).abs() < 1e-9);
}

#[test]
fn forty_milliseconds_are_twenty_five_a_second() {
    let model = model(0.04, 0.04);
    assert!((model.throughput(cpus(1.0)).typical().get() - 25.0).abs() < 1e-9);
    assert!((model.throughput(cpus(4.0)).typical().get() - 100.0).abs() < 1e-9);
    assert_eq!(model.best_concurrency(cpus(1.0)), (1, 2));
    assert_eq!(model.best_concurrency(cpus(4.0)), (4, 8));
    assert_eq!(model.max_useful_concurrency(cpus(4.0)), 20);
    assert!((model.seconds_at(cpus(4.0), 20).get() - 0.2).abs() < 1e-9);
}

#[test]
fn a_request_that_waits_half_its_time_wants_twice_as_many_in_flight() {
    assert_eq!(model(0.04, 0.08).best_concurrency(cpus(2.0)).0, 4);
}

/// 30 of 40 ms in the models, one request at a time: 33 a second at most, on 1.33 CPUs.
#[test]
fn a_lock_around_the_models_bounds_what_more_cpus_give() {
    let serial = model(0.04, 0.04).with_turns(1, Seconds::new(0.03));
    assert!((serial.throughput(cpus(1.0)).typical().get() - 25.0).abs() < 1e-9);
    assert!((serial.throughput(cpus(4.0)).typical().get() - 1.0 / 0.03).abs() < 1e-9);
    assert_eq!(serial.best_concurrency(cpus(4.0)), (2, 4));
    assert!((serial.seconds_at(cpus(4.0), 10).get() - 0.3).abs() < 1e-9);
    let pool = model(0.04, 0.04).with_turns(4, Seconds::new(0.03));
    assert_eq!(pool.throughput(cpus(4.0)), model(0.04, 0.04).throughput(cpus(4.0)));
}

#[test]
fn noise_and_rounding_add_no_request() {
    let exact = |s| Span::exact(Seconds::new(s), Source::Measured);
    let noisy = CpuModel::new(exact(0.04), exact(0.09));
    assert_eq!(noisy.best_concurrency(cpus(1.0)), (1, 2), "nobody was waited for");
    // 0.07 / 0.01 is 7.000000000000001.
    assert_eq!(model(0.01, 0.07).best_concurrency(cpus(1.0)), (7, 8));
    // Work of exactly two quotas waits once.
    assert!((under_quota(0.012, 1.0, 0.06) - (0.012 + 0.094)).abs() < 1e-9);
}

/// A request on two threads: 40 ms of CPU time in 20 ms.
#[test]
fn threads_of_one_request_spend_the_quota_faster() {
    let model = model(0.04, 0.02);
    assert!((model.seconds_alone(cpus(2.0)).get() - 0.02).abs() < 1e-9);
    // 20 ms a period: two threads use it in 10 ms and wait for 90.
    assert!((model.seconds_alone(cpus(0.2)).get() - 0.11).abs() < 1e-9);
}

#[test]
fn waiting_for_others_is_not_stretched() {
    let alone = model(0.03, 0.13).seconds_alone(cpus(0.13)).get();
    assert!((alone - 0.304).abs() < 1e-9, "{alone}");
}

/// 40 ms of work and two seconds elsewhere: two slots keep a CPU busy, with 52 in flight.
#[test]
fn waiting_elsewhere_needs_no_slot() {
    let exact = |s| Span::exact(Seconds::new(s), Source::Declared);
    let outside = CpuModel::new(exact(0.04), exact(2.04)).waiting_outside(Seconds::new(2.0));
    assert_eq!(outside.best_running(cpus(1.0)), 2);
    assert_eq!(outside.best_concurrency(cpus(1.0)), (51, 52));
    assert_eq!(model(0.04, 2.04).best_running(cpus(1.0)), 52);
    assert!(!outside.server(cpus(1.0), 1.0, None).waits_in_place);
}

/// Two hyper-threads that do 1.2 times what one does: four lose as much again.
#[test]
fn beyond_the_measured_cpus_what_they_lost_goes_on() {
    let measured = model(0.1, 0.1).scaling(2, 0.6);
    assert_eq!(measured.throughput(cpus(2.0)), model(0.1, 0.1).throughput(cpus(2.0)));
    let four = measured.throughput(cpus(4.0));
    assert!((four.typical().get() - 40.0 * 0.6).abs() < 1e-9);
    assert!((four.low().get() - 40.0 * 0.6 * 0.95).abs() < 1e-9);
    assert!((four.high().get() - 40.0).abs() < 1e-9);
    assert_eq!(four.source(), Source::Extrapolated);
    let one = model(0.1, 0.1).scaling(1, 1.0).throughput(cpus(4.0));
    assert!((one.low().get() - 40.0 * 0.95f64.powi(2)).abs() < 1e-9);
}

/// One request at a time that mostly waits: a station with one server, not a CPU.
#[test]
fn a_whole_turn_is_a_place_and_not_a_cpu() {
    let blocking = model(0.03, 0.13).with_turns(1, Seconds::new(0.13));
    let server = blocking.server(cpus(2.0), 2.0, Some(8));
    assert_eq!((server.cpus, server.cores, server.limit), (2.0, 2.0, Some(1)));
    let rate = Rate::per_second(5.0);
    let in_flight = blocking.in_flight(rate, 0.03, &server).unwrap();
    assert!((in_flight.mean() - 0.65 / 0.35).abs() < 1e-6, "{}", in_flight.mean());
    assert_eq!(blocking.in_flight(Rate::per_second(8.0), 0.03, &server), None);
    // A lock around part of it bounds the CPUs that can be busy.
    let serial = model(0.04, 0.04).with_turns(1, Seconds::new(0.03));
    let server = serial.server(cpus(4.0), 4.0, None);
    assert!((server.cpus - 4.0 / 3.0).abs() < 1e-9 && !server.has_quota(), "{server:?}");
}

#[test]
fn a_request_that_costs_nothing_has_answers_too() {
    let free = model(0.0, 0.04);
    assert!(free.throughput(cpus(4096.0)).high().get().is_finite());
    let (low, high) = free.best_concurrency(cpus(4096.0));
    assert!(low <= high && high <= free.max_useful_concurrency(cpus(4096.0)));
    assert_eq!(model(0.04, 0.0).best_concurrency(cpus(2.0)), (2, 4));
    assert_eq!(model(0.0, 0.0).seconds_at(cpus(1.0), 8), Seconds::ZERO);
}

#[test]
fn the_worse_source_is_told() {
    let span = |source| Span::exact(Seconds::new(0.04), source);
    let mixed = CpuModel::new(span(Source::Measured), span(Source::Declared));
    assert_eq!(mixed.source(), Source::Declared);
}

proptest! {
    #[test]
    fn more_cpus_never_give_less(cpu in 0.0001..10.0f64, wait in 0.0..5.0f64, a in 0.01..64.0f64, more in 0.0..64.0f64) {
        let model = model(cpu, cpu + wait);
        let (few, many) = (cpus(a), cpus(a + more));
        prop_assert!(model.throughput(few).low() <= model.throughput(many).low());
        prop_assert!(model.best_concurrency(few) <= model.best_concurrency(many));
        prop_assert!(model.max_useful_concurrency(few) <= model.max_useful_concurrency(many));
        prop_assert!(model.seconds_at(few, 8) >= model.seconds_at(many, 8));
        let (low, high) = model.best_concurrency(few);
        prop_assert!(low <= high && high <= model.max_useful_concurrency(few));
    }
}
