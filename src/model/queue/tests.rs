//! The simulation against what is known exactly.

use super::*;

/// Exponential gaps or times with this mean.
fn exponential(random: &mut fastrand::Rng, mean: f64) -> f64 {
    -mean * (1.0 - random.f64()).ln()
}

fn work(cpu: f64) -> Work {
    Work { cpu, wait: 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

const MANY: usize = 1_500_000;

/// First come first served on as many cores as are admitted: M/M/c, within 1 % of Erlang.
#[test]
fn exponential_times_behind_a_limit_are_erlangs() {
    for (servers, load, seed) in [(1u32, 0.5, 1), (2, 1.2, 2), (4, 3.0, 3)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let times = poisson(load, MANY, &mut random);
        let work: Vec<Work> = times.iter().map(|_| work(exponential(&mut random, 1.0))).collect();
        let cores = f64::from(servers);
        let server = Server { cpus: cores, cores, limit: Some(servers), ..Server::of(1.0) };
        let played = simulate(&work, Arrivals::Open(&times), &server);
        let waits: Vec<f64> = played.served.iter().map(|s| s.begun - s.arrived).collect();
        let expected = erlang::mean_wait(servers, load, 1.0);
        assert!((mean(&waits) / expected - 1.0).abs() < 0.01, "{servers}: {}", mean(&waits));
    }
}

/// Constant service times, one server: Pollaczek and Khinchine, `W = ρ S / 2 (1 − ρ)`.
#[test]
fn constant_times_on_one_server_are_pollaczeks() {
    for (load, seed) in [(0.3, 4), (0.5, 5), (0.6, 6)] {
        let times = poisson(load, 2 * MANY, &mut fastrand::Rng::with_seed(seed));
        let work = vec![work(1.0); 2 * MANY];
        let server = Server { cpus: 1.0, cores: 1.0, limit: Some(1), ..Server::of(1.0) };
        let played = simulate(&work, Arrivals::Open(&times), &server);
        let waits: Vec<f64> = played.served.iter().map(|s| s.begun - s.arrived).collect();
        let expected = load / 2.0 / (1.0 - load);
        assert!((mean(&waits) / expected - 1.0).abs() < 0.01, "{load}: {}", mean(&waits));
    }
}

/// Who finds all places and the queue taken is refused: Erlang's loss formula where nobody may wait
/// (two servers at 1.4 erlang lose 0.98 / 3.38), M/M/1/K where some may.
#[test]
fn a_bounded_queue_refuses_what_the_formulas_say() {
    let geometric = 0.3 * 0.7f64.powi(4) / (1.0 - 0.7f64.powi(5));
    for (limit, queue, load, lost) in [(2, 0, 1.4, 0.98 / 3.38), (1, 3, 0.7, geometric)] {
        let mut random = fastrand::Rng::with_seed(21);
        let times = poisson(load, MANY, &mut random);
        let work: Vec<Work> = times.iter().map(|_| work(exponential(&mut random, 1.0))).collect();
        let server =
            Server { limit: Some(limit), queue: Some(queue), ..Server::of(f64::from(limit)) };
        let played = simulate(&work, Arrivals::Open(&times), &server);
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let refused = played.refused as f64 / MANY as f64;
        assert!((refused / lost - 1.0).abs() < 0.01, "{limit}: {refused} of {lost}");
    }
    let patient = Server { limit: Some(1), queue: Some(0), ..Server::of(1.0) };
    let closed = simulate(&[work(1.0); 9], Arrivals::Closed(3), &patient);
    assert_eq!((closed.refused, closed.served[8].ended), (0, 9.0));
}

/// Everything admitted: the number in flight is that of M/M/c whatever the service times are, here
/// constant, and of two kinds.
#[test]
fn shared_cpus_have_in_flight_what_the_closed_form_says() {
    for (kinds, cpus, seed) in [([1.0, 1.0], 1.0, 7), ([0.2, 1.8], 2.0, 8)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let rate = 0.7 * cpus;
        let times = poisson(rate, MANY / 3, &mut random);
        let work: Vec<Work> =
            times.iter().map(|_| work(kinds[usize::from(random.bool())])).collect();
        let server = Server { cpus, cores: cpus, ..Server::of(1.0) };
        let played = simulate(&work, Arrivals::Open(&times), &server);
        let closed = sharing::InFlight::new(rate, 1.0, 0.0, cpus, 0.0).unwrap();
        let seen = seen(&played.served);
        assert!((seen.mean_in_flight() / closed.mean() - 1.0).abs() < 0.015);
        for n in [1, 3, 6] {
            let beyond = seen.more_than(n);
            let expected = closed.more_than(u32::try_from(n).unwrap());
            assert!((beyond / expected - 1.0).abs() < 0.05, "{n}: {beyond} of {expected}");
        }
    }
}

/// With a quota that is spent in periods more are in flight than with CPUs that are slower by as much,
/// and no more than with the arrivals of a whole stall besides.
#[test]
fn stalls_are_bounded_by_the_closed_form() {
    for (rate, cpu, cpus, cores) in [(60.0, 0.005, 0.5, 1.0), (30.0, 0.02, 1.0, 4.0)] {
        let times = poisson(rate, 300_000, &mut fastrand::Rng::with_seed(12));
        let server = Server { cpus, cores, ..Server::of(1.0) };
        let played = simulate(&vec![work(cpu); times.len()], Arrivals::Open(&times), &server);
        let seen = seen(&played.served);
        let bound = sharing::InFlight::new(rate, cpu, 0.0, cpus, server.longest_stall()).unwrap();
        for n in 1..15 {
            let bound = bound.more_than(u32::try_from(n).unwrap());
            assert!(seen.more_than(n) <= bound * 1.02 + 1e-6, "{n}: {} {bound}", seen.more_than(n));
        }
    }
}

/// 30 ms of work at 130 millicores take 204 ms; 300 ms on one thread of two CPUs take 300.
#[test]
fn a_quota_is_spent_in_periods() {
    let alone = |cpu, cpus, cores| {
        let server = Server { cpus, cores, ..Server::of(1.0) };
        simulate(&[work(cpu)], Arrivals::Open(&[5.0]), &server).served[0].latency()
    };
    assert!((alone(0.030, 0.13, 1.0) - 0.204).abs() < 1e-9);
    assert!((alone(0.300, 2.0, 4.0) - 0.300).abs() < 1e-9);
    assert!((alone(0.300, 2.0, 2.0) - 0.300).abs() < 1e-9);
    // Two threads on half a CPU: 25 ms each and then a break, four times over.
    let server = Server { cpus: 0.5, cores: 2.0, ..Server::of(1.0) };
    let both = simulate(&[work(0.1); 2], Arrivals::Open(&[0.0, 0.0]), &server);
    assert!((both.served[1].latency() - 0.325).abs() < 1e-9, "{both:?}");
}

/// 100 s of work on a hundredth of a CPU take `S/k + floor((S − ε)/Q) × (P − Q/k)`; and a small quota is
/// played as fast as a large one.
#[test]
fn a_small_quota_takes_no_more_events() {
    let server = |cpus| Server { cpus, cores: 1.0, ..Server::of(1.0) };
    let alone = simulate(&[work(100.0)], Arrivals::Open(&[5.0]), &server(0.01));
    let expected = 100.0 + 99_999.0 * 0.099;
    assert!((alone.served[0].latency() / expected - 1.0).abs() < 1e-9, "{alone:?}");
    let events = |cpus: f64| {
        let times = poisson(0.8 * cpus, 10_000, &mut fastrand::Rng::with_seed(3));
        let work = vec![work(1.0); times.len()];
        simulate(&work, Arrivals::Open(&times), &server(cpus)).events
    };
    let (small, large) = (events(0.01), events(0.9));
    // Nor do few requests in many years, or such as take years.
    for (rate, cpu) in [(1e-9, 0.3), (1e-9, 1e7), (1.0, 1e12)] {
        let times = poisson(rate, 1000, &mut fastrand::Rng::with_seed(3));
        let server = Server { cpus: 0.5, cores: 1.0, ..Server::of(1.0) };
        let played = simulate(&vec![work(cpu); 1000], Arrivals::Open(&times), &server);
        assert!(played.events < 20_000, "{rate} {cpu}: {}", played.events);
        assert!(played.served.iter().all(|s| s.ended >= s.arrived && s.ended.is_finite()));
    }
    assert!(small < 2 * large && large < 200_000, "{small} and {large} events");
}

/// As many users as cores keep all of them busy; more only wait.
#[test]
fn a_closed_system_has_the_throughput_of_its_bottleneck() {
    let rate = |users, wait| {
        let work = vec![Work { cpu: 0.1, wait }; 20_000];
        let server = Server { cpus: 2.0, cores: 2.0, ..Server::of(1.0) };
        let played = simulate(&work, Arrivals::Closed(users), &server);
        seen(&played.served).rate
    };
    assert!((rate(1, 0.0) - 10.0).abs() < 0.01);
    assert!((rate(2, 0.0) - 20.0).abs() < 0.01);
    assert!((rate(8, 0.0) - 20.0).abs() < 0.01);
    // Each is away for 0.3 s and here for 0.1.
    assert!((rate(2, 0.3) - 5.0).abs() < 0.1);
}

/// Who waits for others holds a place and no CPU.
#[test]
fn waiting_for_others_holds_a_place() {
    let pair = [Work { cpu: 0.1, wait: 1.0 }; 2];
    let latency = |limit| {
        let server = Server { cpus: 1.0, cores: 1.0, limit, ..Server::of(1.0) };
        simulate(&pair, Arrivals::Open(&[0.0, 0.0]), &server).served[1].latency()
    };
    assert!((latency(None) - 1.2).abs() < 1e-9);
    assert!((latency(Some(1)) - 2.2).abs() < 1e-9);
}

/// Who waits elsewhere leaves its place to the next.
#[test]
fn waiting_elsewhere_holds_none() {
    let server =
        Server { cpus: 1.0, cores: 1.0, limit: Some(1), waits_in_place: false, ..Server::of(1.0) };
    let pair = [Work { cpu: 0.1, wait: 1.0 }; 2];
    let second = simulate(&pair, Arrivals::Open(&[0.0, 0.0]), &server).served[1];
    assert!((second.begun - 0.1).abs() < 1e-9 && (second.latency() - 1.2).abs() < 1e-9);
    let closed = simulate(&[Work { cpu: 0.1, wait: 0.3 }; 1000], Arrivals::Closed(4), &server);
    assert!((seen(&closed.served).rate - 10.0).abs() < 0.1, "four users keep the one place busy");
}

#[test]
fn nothing_to_do_takes_no_time() {
    let server = Server { cpus: 1.0, cores: 1.0, limit: Some(0), ..Server::of(1.0) };
    assert_eq!(simulate(&[], Arrivals::Closed(3), &server), Played::default());
    let none = simulate(&[work(0.0)], Arrivals::Open(&[1.0]), &server);
    assert_eq!(none.served[0].latency(), 0.0);
}

#[test]
fn percentiles_are_of_the_nearest_rank() {
    let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    assert_eq!(
        [0.5, 0.95, 0.99, 1.0].map(|s| percentile(&mut values, s)),
        [50.0, 95.0, 99.0, 100.0]
    );
    assert_eq!(percentile(&mut [], 0.5), 0.0);
    assert_eq!(percentile(&mut [7.0], 0.0), 7.0);
}

#[test]
fn what_is_in_flight_is_counted_by_time() {
    let served = |arrived, ended| Served { arrived, begun: arrived, ended };
    let one = seen(&[served(0.0, 2.0), served(1.0, 4.0)]);
    assert_eq!(one.in_flight, [0.0, 0.75, 0.25]);
    assert_eq!((one.rate, one.latency), (0.5, [2.0, 3.0, 3.0]));
    let other = seen(&[served(0.0, 1.0), served(1.0, 2.0)]);
    assert!((one.distance(&other) - 0.25).abs() < 1e-12);
    assert_eq!(seen(&[]).rate, 0.0);
}

/// Late on a clock a tiny rest of a quota is no time at all; it must not be waited for for ever.
#[test]
fn a_late_clock_goes_on() {
    let mut random = fastrand::Rng::with_seed(9);
    let times: Vec<f64> = poisson(5.0, 100_000, &mut random).iter().map(|t| t + 9e5).collect();
    let work: Vec<Work> = times.iter().map(|_| work(0.1 + 0.1 * random.f64())).collect();
    let server = Server { cpus: 0.9, cores: 2.0, limit: Some(7), ..Server::of(1.0) };
    let played = simulate(&work, Arrivals::Open(&times), &server);
    assert!(played.served.iter().all(|s| s.ended > s.arrived));
    assert!(played.events < 10 * 100_000, "{}", played.events);
}
