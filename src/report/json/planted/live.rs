//! A live service made by hand.

use crate::footprint::{
    Accumulated, During, Failure, Growth, LeftBehind, Level, LiveRecord, ManagedHeap,
    ManagedRuntime, PeaksBy, Repeated, Round, TmpfsUse, ToldBy, Unexplained,
};
use crate::units::{Bytes, Rate, Seconds, Source, Span};

/// A live service: two workers that leak, and fail under load.
pub fn live() -> LiveRecord {
    let level = |mib| Level { anon_bytes: Bytes::mib(mib), file_bytes: Bytes::mib(20) };
    let round = |n: u32, errors: &[(&str, u64)]| Round {
        concurrency: n,
        start: 0,
        before: 10 * u64::from(n),
        peak: level(100 + 10 * u64::from(n.min(4))),
        control: false,
        answered: 200,
        errors: errors.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
        throughput: Rate::per_second(50.0 * f64::from(n.min(4))),
        cpu_seconds: Seconds::new(0.01),
        latency: [0.02, 0.03, 0.04, 0.05].map(Seconds::new),
        driver_bound: n == 4,
        driver_share: if n == 2 { 0.2 } else { 0.0 },
    };
    let span = |low, typical, high| {
        Span::around(Bytes::new(low), Bytes::new(typical), Bytes::new(high), Source::Fitted)
    };
    LiveRecord {
        target: "uvicorn app:app --port 8000".to_owned(),
        service: Some("process 71 (gunicorn) of the docker container 3f2a8c1d3f2a".to_owned()),
        managed_heap: Some(ManagedHeap { runtime: ManagedRuntime::Go, ram_bytes: Bytes::mib(512) }),
        attached: false,
        workers: 2,
        processes: 3,
        at_once: Some(4),
        told_by: ToldBy::Memory,
        request_bytes: Bytes::new(200_000),
        idle: level(90),
        first: level(100),
        after: level(120),
        group_peak_bytes: Some(Bytes::mib(200)),
        rounds: vec![
            round(1, &[("timeout", 1)]),
            round(2, &[]),
            round(4, &[]),
            round(8, &[("reset", 3), ("status 500", 1)]),
        ],
        growth: Some(Growth { bytes_per_request: span(60_000, 65_536, 70_000), requests: 800 }),
        growth_looks: 16,
        failures: vec![Failure {
            concurrency: 8,
            start: 0,
            phase: During::Round,
            what: "3 × reset, 1 × status 500".to_owned(),
        }],
        peaks_by: PeaksBy::Marks,
        sampling_seconds: Seconds::new(0.05),
        sampler_cpu: 0.01,
        driver_cpu: 0.1,
        accumulated: Some(Accumulated {
            bytes: Bytes::mib(30),
            requests: 300,
            levelled_off: true,
            bodies_used_up: false,
        }),
        unexplained: Some(unexplained()),
        repeated: Some(repeated()),
        different_requests: Some(1),
        charged: true,
        tmpfs: vec![TmpfsUse {
            path: "/dev/shm".to_owned(),
            peak_bytes: Bytes::mib(60),
            left_bytes: Bytes::mib(20),
        }],
        left_behind: Some(LeftBehind { bytes: Bytes::mib(40), paths: vec!["/dev/shm".to_owned()] }),
    }
}

pub fn unexplained() -> Unexplained {
    let [low, typical, high] = [100, 110, 120].map(Bytes::mib);
    Unexplained {
        concurrency: 1,
        anon_bytes: Bytes::mib(150),
        expected_bytes: Span::around(low, typical, high, Source::Fitted),
    }
}

pub fn repeated() -> Repeated {
    Repeated {
        bodies: 1,
        first_bytes: Bytes::mib(78),
        later_bytes: Bytes::new(83 << 10),
        first_cpu_seconds: Seconds::new(0.08),
        later_cpu_seconds: Seconds::new(0.0007),
    }
}
