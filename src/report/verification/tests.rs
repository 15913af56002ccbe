//! What is written of trials that nobody made.

use super::*;
use crate::footprint::{Counters, Observation, Throttled, Topology};
use crate::plan::verification::{Came, Loads, Promise, Trend};
use crate::report::{Layout, Lines};
use crate::units::{Cpus, Seconds, Source, Span};

fn tried(temper: Temper, outcome: Outcome, ending: Ending) -> Tried {
    let counters = Counters {
        peak: Some(Bytes::mib(512)),
        kernel_peak: Some(Bytes::mib(3)),
        oom_kills: Some(u64::from(outcome == Outcome::Killed)),
        major_faults: Some(1932),
        reclaims: None,
        throttled: Some(Throttled { periods: 42, time: Seconds::new(3.2) }),
    };
    let wall = Seconds::new(4.7);
    let highest = Some((Bytes::mib(470), Bytes::mib(21)));
    Tried {
        temper,
        concurrency: 8,
        limit: Bytes::mib(512),
        observation: Observation { ending, wall, counters, highest },
        unlimited: Seconds::new(4.1),
        outcome,
    }
}

fn verification(trials: Vec<Tried>) -> Verification {
    let span = |low, typical, high| {
        Span::new(Bytes::mib(low), Bytes::mib(typical), Bytes::mib(high), Source::Fitted).unwrap()
    };
    Verification {
        accumulated_over: 330,
        name: "scan".into(),
        title: "Scans".into(),
        topology: Topology::Shared,
        ram: Bytes::mib(512),
        cpus: Cpus::new(1.0),
        version: 1,
        planned: 8,
        promise: Promise {
            concurrency: 8,
            limit: span(480, 490, 505),
            kill_limit: span(455, 465, 480),
            anonymous: [span(440, 452, 465), span(450, 462, 475)],
            one: Bytes::mib(230),
        },
        trials,
        most: None,
        least: None,
        searched: vec![],
        soak: None,
        loads: Loads::default(),
    }
}

fn plain(seen: &Verification) -> String {
    let mut text = verification_text(seen, Layout { width: 100, lines: Lines::Unicode });
    for style in [BOLD, DIM] {
        text = text.replace(&style.render().to_string(), "");
        text = text.replace(&style.render_reset().to_string(), "");
    }
    text
}

#[test]
fn a_plan_that_held() {
    let mut seen = verification(vec![
        tried(Temper::Warm, Outcome::Held, Ending::Finished),
        tried(Temper::Cold, Outcome::Held, Ending::Finished),
    ]);
    seen.most = Some(Found {
        survived: Some(11),
        killed: Some(12),
        held: Some(9),
        predicted_kill: 12,
        planned: 8,
        error: Some(0.012),
    });
    seen.soak = Some(Soak {
        time: Seconds::new(600.0),
        requests: 5120,
        killed: false,
        trend: Some(Trend {
            held: (Bytes::mib(470), Bytes::mib(471)),
            growth: (-1e6, 2e5, 3e6),
            full_after: None,
        }),
    });
    insta::assert_snapshot!(plain(&seen));
    insta::assert_snapshot!("a_plan_that_held_json", verification_json(&seen).unwrap());
    assert!(!seen.is_refuted());
}

#[test]
fn a_plan_that_did_not_hold() {
    let mut seen = verification(vec![
        tried(Temper::Warm, Outcome::Thrashed, Ending::Late(Phase::Serving)),
        tried(Temper::Cold, Outcome::Killed, Ending::Killed(Phase::Loading)),
    ]);
    seen.least = Some(Found {
        survived: Some(Bytes::mib(520)),
        killed: Some(Bytes::mib(518)),
        held: Some(Bytes::mib(540)),
        predicted_kill: Bytes::mib(465),
        planned: Bytes::mib(505),
        error: Some(-0.104),
    });
    seen.soak = Some(Soak {
        time: Seconds::new(60.0),
        requests: 512,
        killed: true,
        trend: Some(Trend {
            held: (Bytes::mib(470), Bytes::mib(490)),
            growth: (1.1e9, 1.25e9, 1.4e9),
            full_after: None,
        }),
    });
    seen.searched = vec![
        tried(Temper::Warm, Outcome::Held, Ending::Finished),
        tried(Temper::Warm, Outcome::Killed, Ending::Killed(Phase::Serving)),
    ];
    seen.loads.killed = Some(Came::Closed(3));
    insta::assert_snapshot!(plain(&seen));
    assert!(seen.is_refuted());
}

#[test]
fn a_service_that_was_killed_at_once_tells_no_growth() {
    let mut seen = verification(vec![tried(Temper::Warm, Outcome::Held, Ending::Finished)]);
    let time = Seconds::new(0.4);
    seen.soak = Some(Soak { time, requests: 0, killed: true, trend: None });
    seen.planned = 4000;
    seen.promise.concurrency = MOST;
    insta::assert_snapshot!(plain(&seen));
    assert!(seen.is_refuted());
}

#[test]
fn a_plan_that_promised_nothing_is_not_refuted_by_nothing() {
    let killed = tried(Temper::Warm, Outcome::Killed, Ending::Killed(Phase::Loading));
    let mut seen = verification(vec![killed]);
    seen.planned = 0;
    seen.promise.concurrency = 1;
    assert!(!seen.is_refuted());
    insta::assert_snapshot!(plain(&seen));
}
