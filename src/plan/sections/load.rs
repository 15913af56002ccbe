//! What comes in: latency at a rate, requests in flight, and what to admit.

use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::load::{Flow, LoadPlan, LoadRow};
use crate::plan::page::{
    Block, Chart, Leaf, Mark, Phrase, Plot, Row, RowKind, Section, Series, Table, says,
};
use crate::units::{Bytes, Rate, Seconds, Source};

/// A chance a day below this is called none: less than once in fifty years.
const NEVER: f64 = 5e-5;

/// `load`.
pub(super) fn load(maker: &mut Maker<'_>) -> Option<Section> {
    let load = maker.plan.load.clone()?;
    let mut blocks = vec![Block::Table(rates(maker, &load))];
    let cpus = maker.plan.question.cpus.map_or(1.0, crate::units::Cpus::get);
    let has_quota = cpus < cpus.ceil();
    blocks.push(Block::Paragraph(if has_quota {
        says!("queue-how-quota")
    } else {
        says!("queue-how")
    }));
    if load.rows.iter().any(LoadRow::is_simulated) {
        let is_measured = maker.plan.footprint.as_ref().is_some_and(|f| f.service_times.is_some());
        blocks.push(Block::Paragraph(if is_measured {
            says!("queue-times")
        } else {
            says!("queue-times-declared")
        }));
    }
    blocks.extend(objective(maker, &load));
    blocks.push(Block::Tree(says!("queue-admission"), admission(maker, &load)));
    blocks.extend(danger(maker, &load));
    blocks.push(Block::Table(held(maker, &load)));
    blocks.push(Block::Paragraph(says!("queue-held")));
    blocks.push(Block::Chart(chart(&load)));
    Some(Section { id: "load", blocks })
}

fn rates(maker: &mut Maker<'_>, load: &LoadPlan) -> Table {
    let simulated = load.rows.iter().any(LoadRow::is_simulated);
    let boxed = load.rows.iter().any(|r| r.flow.as_ref().is_some_and(|f| f.exceeds.is_some()));
    let mut columns = vec!["column-rate", "#column-busy", "#column-mean"];
    if simulated {
        columns.extend(["#column-p50", "#column-p95", "#column-p99"]);
    }
    columns.extend(["#column-in-flight", "#column-often"]);
    if boxed {
        columns.extend(["#column-exceeds", "#column-exceeds-limited"]);
    }
    let mut table = Table::new(Phrase::blank(), &columns);
    for (index, row) in load.rows.iter().enumerate() {
        let mut cells = cells(maker, index, row, simulated, boxed);
        cells.resize(columns.len(), Phrase::from("–"));
        let kind = if row.asked { RowKind::Asked } else { RowKind::Plain };
        table.rows.push(Row { kind, cells });
    }
    table
}

fn cells(
    maker: &mut Maker<'_>,
    index: usize,
    row: &LoadRow,
    simulated: bool,
    boxed: bool,
) -> Vec<Phrase> {
    let key = |name: &str| format!("load.rows.{index}.{name}");
    let source = maker.plan.cpu_model.source();
    let given = if row.asked { Source::Declared } else { source };
    let mut put = |name: &str, value, formula| maker.figures.put(key(name), value, formula, &[]);
    let rate = put(
        "rate_rps",
        Value::Rate(exact(row.rate, given)),
        "as asked, or a share of what the CPUs can do",
    );
    let busy = put("utilisation", Value::Share(exact(row.busy, source)), "rate × CPU time / CPUs");
    let mut cells: Vec<Phrase> = vec![rate.into(), busy.into()];
    let Some(flow) = &row.flow else {
        cells.push(says!("queue-beyond"));
        return cells;
    };
    let seconds = |s: Seconds| Value::Seconds(exact(s, source));
    let count = |n: f64| Value::Count(exact((n * 100.0).round() / 100.0, source));
    let chance = |p: f64| Value::Share(exact(p, source));
    cells.push(
        put("mean_seconds", seconds(flow.mean), "mean in flight / rate (Little), all admitted")
            .into(),
    );
    if simulated {
        for (name, latency) in ["p50_seconds", "p95_seconds", "p99_seconds"]
            .iter()
            .zip(flow.latency.unwrap_or_default())
        {
            cells.push(
                put(name, seconds(latency), "simulated: first come first served behind the limit")
                    .into(),
            );
        }
    }
    cells.push(
        put(
            "mean_in_flight",
            count(flow.in_flight),
            "Σ n × P(n), P(n) = P(n − 1) × rate × CPU time / min(n, CPUs)",
        )
        .into(),
    );
    cells.push(
        put("often_in_flight", count(f64::from(flow.often)), "not exceeded 99.9 % of the time")
            .into(),
    );
    if boxed {
        for (name, p) in
            [("exceeds_per_day", flow.exceeds), ("exceeds_limited_per_day", flow.exceeds_limited)]
        {
            cells.push(match p {
                Some(p) => {
                    let shown =
                        put(name, chance(p), "1 − exp(−rate × P(N) × 86,400 s), N what RAM holds");
                    if p < NEVER { says!("queue-never") } else { shown.into() }
                }
                None => Phrase::from("–"),
            });
        }
    }
    cells
}

fn objective(maker: &mut Maker<'_>, load: &LoadPlan) -> Option<Block> {
    let (objective, rate) = load.objective?;
    let source = maker.plan.cpu_model.source();
    let shown = maker.figures.put(
        "load.objective.max_rate_rps",
        Value::Rate(exact(rate, source)),
        "the largest rate at which the simulated latency keeps the objective, at the high end of CPU time",
        &[],
    );
    let percent = (objective.share.get() * 1000.0).round() / 10.0;
    let named = format!("p{percent}");
    let latency = Shown::plain(Value::Seconds(exact(objective.latency, Source::Declared)));
    let asked = maker.plan.question.rps;
    let (status, id) = match asked {
        _ if rate == Rate::per_second(0.0) => (Status::Insufficient, "queue-objective-never"),
        Some(asked) if asked > rate => (Status::Insufficient, "queue-objective-broken"),
        _ => (Status::Sufficient, "queue-objective-kept"),
    };
    Some(Block::Verdict(
        status,
        Phrase::says(
            id,
            [("name", named.into()), ("latency", latency.into()), ("rate", shown.into())],
        ),
    ))
}

fn admission(maker: &mut Maker<'_>, load: &LoadPlan) -> Vec<Leaf> {
    let admission = load.admission;
    let source = maker.plan.cpu_model.source();
    let mut put = |name: &str, value, formula| {
        maker.figures.put(format!("load.admission.{name}"), value, formula, &[])
    };
    let count = |n: u32| Value::Count(exact(f64::from(n), source));
    let limit = put(
        "limit",
        count(admission.limit),
        "what keeps the CPUs busy, and no more than RAM holds",
    );
    let queue = put(
        "queue",
        count(admission.queue),
        "those that are served within the timeout, and no more than RAM holds",
    );
    let timeout = put(
        "timeout_seconds",
        Value::Seconds(exact(admission.timeout, admission.timeout_source)),
        "what a lone request leaves of the objective, else 30 s (assumed)",
    );
    let bytes = |b: Bytes| Value::Bytes(exact(b, source));
    let ram = put(
        "ram_bytes",
        bytes(admission.ram),
        "base + limit × buffer + queue × held, at the high end",
    );
    let without = put(
        "ram_without_bytes",
        bytes(admission.ram_without),
        "base + (limit + queue) × buffer, at the high end",
    );
    let buys = if admission.queue == 0 {
        says!("queue-limit-buys-alone")
    } else {
        says!("queue-limit-buys", ram = ram, without = without)
    };
    let refused = busiest(load).and_then(|row| Some((row, row.flow.as_ref()?.refused?)));
    let note = match refused {
        Some((row, share)) => {
            let formula = "simulated: come while the places and the queue are taken";
            let share = put("refused_share", Value::Share(exact(share, source)), formula);
            says!("queue-queue-refuses", rate = rate_of(row), share = share)
        }
        None => says!("queue-queue-buys"),
    };
    vec![
        Leaf::new(says!("queue-limit"), limit).note(buys),
        Leaf::new(says!("queue-queue"), queue).note(note),
        Leaf::new(says!("queue-timeout"), timeout).note(says!("queue-timeout-buys")),
    ]
}

/// Whether everything may be admitted.
fn danger(maker: &mut Maker<'_>, load: &LoadPlan) -> Option<Block> {
    let row = busiest(load)?;
    let Some(Flow { exceeds: Some(chance), exceeds_limited, .. }) = row.flow else {
        return row.flow.is_none().then(|| {
            Block::Verdict(Status::Insufficient, says!("queue-too-fast", rate = rate_of(row)))
        });
    };
    let source = maker.plan.cpu_model.source();
    let share = |p: f64| Shown::plain(Value::Share(exact(p, source)));
    let limited = exceeds_limited.unwrap_or(0.0);
    Some(if chance < NEVER {
        Block::Verdict(Status::Excellent, says!("queue-safe", rate = rate_of(row)))
    } else if limited < NEVER {
        let id = says!("queue-needs-limit", rate = rate_of(row), chance = share(chance));
        Block::Verdict(if chance > 0.01 { Status::Insufficient } else { Status::Marginal }, id)
    } else {
        let id = says!(
            "queue-needs-queue",
            rate = rate_of(row),
            chance = share(chance),
            limited = share(limited)
        );
        Block::Verdict(Status::Insufficient, id)
    })
}

/// The rate that is asked about, else the busiest that is shown.
fn busiest(load: &LoadPlan) -> Option<&LoadRow> {
    load.rows.iter().find(|r| r.asked).or(load.rows.last())
}

fn rate_of(row: &LoadRow) -> Shown {
    Shown::plain(Value::Rate(exact(row.rate, Source::Declared)))
}

/// RAM with and without a limit on those that run.
fn held(maker: &mut Maker<'_>, load: &LoadPlan) -> Table {
    let limit = load.admission.limit;
    let mut table = Table::new(
        says!("queue-held-title", n = limit),
        &["#column-in-flight", "#column-all-run", "#column-limited", "#column-saves"],
    );
    for row in &load.held {
        let n = row.in_flight;
        let mut put = |name: &str, bytes: Bytes, formula| {
            let value = Value::Bytes(exact(bytes, Source::Extrapolated));
            maker.figures.put(format!("load.held.{n}.{name}"), value, formula, &[])
        };
        let without = put("without_bytes", row.without, "the limit that N running requests need");
        let with = put(
            "with_bytes",
            row.with,
            "base + running × inference + waiting × held, at the high end",
        );
        let saved = row.without.saturating_sub(row.with);
        let saved = put("saved_bytes", saved, "without − with").form(Form::Typical);
        table.row(RowKind::Plain, [n.into(), without.into(), with.into(), saved.into()]);
    }
    table
}

/// The mean time to the answer against the rate: the same law as in the table.
fn chart(load: &LoadPlan) -> Chart {
    let of = |pick: fn(&Flow) -> f64| {
        let points = load.rows.iter();
        points.filter_map(|r| Some((r.rate.get(), pick(r.flow.as_ref()?)))).collect::<Vec<_>>()
    };
    let mut series = vec![Series {
        name: says!("column-mean"),
        mark: Mark::Line,
        points: of(|flow| flow.mean.get()),
    }];
    if load.rows.iter().any(LoadRow::is_simulated) {
        series.push(Series {
            name: says!("column-p95"),
            mark: Mark::Bound,
            points: of(|flow| flow.latency.unwrap_or_default()[1].get()),
        });
    }
    Chart {
        id: "latency",
        plot: Plot::Lines { x: "axis-rate", y: "axis-seconds", y_is_ram: false, series },
    }
}
