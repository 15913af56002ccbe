//! What is concluded of services whose truth is known.

use super::*;

const MIB: f64 = (1 << 20) as f64;

/// A service with K at once: `idle` and `b` MiB a request, of `time` seconds.
fn seen(k: u32, b: f64) -> Vec<Seen> {
    [1u32, 2, 4, 8, 16]
        .into_iter()
        .map(|n| Seen {
            concurrency: n,
            peak: (100.0 + b * f64::from(n.min(k))) * MIB + f64::from(n % 3) * 0.1 * MIB,
            rate: 10.0 * f64::from(n.min(k)),
            busy: 0.1,
            driver_bound: false,
        })
        .collect()
}

#[test]
fn memory_tells_how_many_are_at_work() {
    for k in [2, 3, 4, 6, 8] {
        assert_eq!(at_once(100.0 * MIB, &seen(k, 10.0), 2.0, 1), AtOnce::ByMemory(k), "{k}");
    }
    assert_eq!(at_once(100.0 * MIB, &seen(1, 10.0), 2.0, 1), AtOnce::ByMemory(1));
    assert_eq!(at_once(100.0 * MIB, &seen(100, 10.0), 2.0, 1), AtOnce::NoEnd);
}

/// With up to 16 in flight, a pool of 12 has no 24 to show that more take nothing.
#[test]
fn an_end_near_the_most_needs_the_rate_as_a_witness() {
    let mut pool = seen(12, 10.0);
    assert_eq!(at_once(100.0 * MIB, &pool, 2.0, 1), AtOnce::ByMemory(12));
    // Where the CPUs were full, the rate is none.
    pool[4].busy = 2.0;
    assert_eq!(at_once(100.0 * MIB, &pool, 2.0, 1), AtOnce::NoEnd);
}

/// Of four in flight two came to the same process: three slots of memory, and a fourth with eight.
#[test]
fn processes_get_requests_by_chance() {
    let mut four = seen(4, 10.0);
    four[2].peak -= 10.0 * MIB;
    assert_eq!(at_once(100.0 * MIB, &four, 2.0, 1), AtOnce::ByMemory(6));
    assert_eq!(at_once(100.0 * MIB, &four, 2.0, 4), AtOnce::ByMemory(4));
    // Two processes of three threads each.
    assert_eq!(at_once(100.0 * MIB, &seen(6, 10.0), 2.0, 2), AtOnce::ByMemory(6));
}

#[test]
fn the_rate_tells_where_memory_does_not_move() {
    assert_eq!(at_once(100.0 * MIB, &seen(1, 0.0), 2.0, 1), AtOnce::ByRate(1));
    assert_eq!(at_once(100.0 * MIB, &seen(4, 0.0), 2.0, 1), AtOnce::ByRate(4));
    assert_eq!(at_once(100.0 * MIB, &seen(100, 0.0), 2.0, 1), AtOnce::NoEndByRate);
    // The driver was no faster: that is no end of the service.
    let mut driven = seen(1, 0.0);
    for s in &mut driven {
        s.driver_bound = true;
    }
    assert_eq!(at_once(100.0 * MIB, &driven, 2.0, 1), AtOnce::Unknown);
    // All CPUs busy: threads or not, two is what two CPUs give.
    let mut busy = seen(2, 0.0);
    for s in &mut busy {
        s.busy = f64::from(s.concurrency.min(2));
    }
    assert_eq!(at_once(100.0 * MIB, &busy, 2.0, 1), AtOnce::Unknown);
}

/// A heap that keeps what the first requests took rises less and less, and has no end.
#[test]
fn rising_more_slowly_is_not_an_end() {
    let mut bent = seen(100, 10.0);
    bent[4].peak -= 30.0 * MIB;
    assert_eq!(at_once(100.0 * MIB, &bent, 2.0, 1), AtOnce::NoEnd);
}

#[test]
fn memory_that_falls_behind_for_want_of_cpu_is_no_bound() {
    let mut short = seen(100, 10.0);
    short[4].peak -= 30.0 * MIB;
    // As fast as ever: that is what they take.
    assert_eq!(in_step(&short, FEWEST), 16);
    // Two CPUs' worth of answers: they waited for each other.
    for s in &mut short {
        s.rate = 10.0 * f64::from(s.concurrency.min(2));
    }
    assert_eq!(in_step(&short, FEWEST), 8);
    // One of sixteen came too late.
    short[4].peak += 20.0 * MIB;
    assert_eq!(in_step(&short, FEWEST), 8);
    short[4].peak += 7.0 * MIB;
    assert_eq!(in_step(&short, FEWEST), 16, "three in a hundred less is what peaks vary by");
    // Too few would be left for a line.
    short.truncate(3);
    short[2].peak -= 2.0 * MIB;
    assert_eq!(in_step(&short, FEWEST), 4);
    assert_eq!(in_step(&short, 1), 2, "others make the line");
    assert_eq!(in_step(&seen(100, 10.0)[..1], FEWEST), 1);
    assert_eq!(in_step(&[], FEWEST), 0);
}

#[test]
fn growth_goes_on_and_warming_up_does_not() {
    let level = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        (0..12).map(|i| f64::from(i) * 50.0).map(|x| (x, f(x))).collect()
    };
    let leak = growth(&level(&|x| 1e8 + 65536.0 * x + 1e5 * (x / 50.0).sin())).unwrap();
    assert!((leak.typical / 65536.0 - 1.0).abs() < 0.02, "{leak:?}");
    assert!(leak.low < 65536.0 && leak.high > 65536.0);
    assert_eq!(growth(&level(&|x| 1e8 + 2e7 * (1.0 - (-x / 60.0).exp()))), None, "warming up");
    assert_eq!(growth(&level(&|x| 1e8 + 1e5 * (x / 50.0).sin())), None, "noise");
}
