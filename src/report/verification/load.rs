//! Loads that were driven, beside what was predicted of them.

use std::fmt::Write;

use crate::plan::verification::{Came, Driven, Loads, error};
use crate::report::tables::{Layout, cells_of_lines, grid, keep_words, titled, wrap};
use crate::units::{Rate, Seconds};

/// A table of loads; nothing where there are none.
pub fn loads(loads: &Loads, layout: Layout) -> String {
    let killed = loads.killed.map_or_else(String::new, |came| {
        format!("✘ Killed under a load of {}.\n", how(came).replace('\n', ", "))
    });
    let Some(first) = loads.driven.first() else { return killed };
    let header = ["Load", "", "Requests/s", "p50", "p95", "p99", "In flight"];
    let mut table = grid(layout, &header);
    let rows: Vec<Vec<String>> = loads.driven.iter().flat_map(rows).collect();
    for row in &rows {
        table.add_row(cells_of_lines(row.iter().cloned()));
    }
    keep_words(&mut table, &header, rows.into_iter(), layout);
    let legend = format!(
        "{} requests each, at most {} admitted at once; latency from when a request was to come. \
         Replay: the same arrivals and times in the queue model. Plan: other arrivals at that rate, \
         and the CPU time that the plan reckons with. In flight: the mean, and how far the \
         distributions are apart (0 the same, 100 % nothing in common).",
        first.requests, first.limit
    );
    let mut out = titled("Under load", &table);
    let _ = writeln!(out, "{}", wrap(&legend, layout, 0));
    out + &killed
}

fn how(came: Came) -> String {
    match came {
        Came::Open(share, rate) => format!("{share}\n{rate}"),
        Came::Closed(users) => format!("{users} users\nwithout a pause"),
    }
}

fn rows(load: &Driven) -> Vec<Vec<String>> {
    let observed = &load.observed;
    let mut rows = vec![{
        let [p50, p95, p99] = observed.latency.map(|l| Seconds::new(l).to_string());
        let in_flight = format!("{:.2}", observed.mean_in_flight());
        let rate = Rate::per_second(observed.rate).to_string();
        vec![how(load.came), "observed".to_owned(), rate, p50, p95, p99, in_flight]
    }];
    for (name, predicted) in [("replay", &load.replayed), ("plan", &load.foreseen)] {
        let percent = |p: f64, o: f64| format!("{:+.1} %", error(p, o) * 100.0);
        let [p50, p95, p99] = [0, 1, 2].map(|i| percent(predicted.latency[i], observed.latency[i]));
        let in_flight = format!(
            "{}, apart {:.0} %",
            percent(predicted.mean_in_flight(), observed.mean_in_flight()),
            observed.distance(predicted) * 100.0
        );
        rows.push(vec![
            String::new(),
            name.to_owned(),
            percent(predicted.rate, observed.rate),
            p50,
            p95,
            p99,
            in_flight,
        ]);
    }
    rows
}
