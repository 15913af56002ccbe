//! What comes in: latency at a rate, and what to admit.

use crate::plan::assess::{Admission, Answer, RateRow, Resource};
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{
    Block, Chart, Leaf, Mark, Phrase, Plot, Row, RowKind, Section, Series, Table, says,
};
use crate::units::{Bytes, Rate, Seconds, Source};

/// A chance a day below this is called none: less than once in fifty years.
const NEVER: f64 = 5e-5;

/// Requests of the table of what waiting ones save.
const REQUESTS: [u32; 5] = [5, 10, 20, 50, 100];

/// `load`.
pub(super) fn load(maker: &mut Maker<'_>) -> Option<Section> {
    let assessment = maker.assessment?;
    let admission = assessment.admission?;
    let cpus = maker.plan.question.cpus?;
    let mut blocks = vec![Block::Table(rates(maker, &assessment.rate_rows))];
    let has_quota = cpus.get() < cpus.get().ceil();
    blocks.push(Block::Paragraph(if has_quota {
        says!("queue-how-quota")
    } else {
        says!("queue-how")
    }));
    if assessment.rate_rows.iter().any(|row| row.p95.is_some()) {
        let is_measured = maker.plan.footprint.as_ref().is_some_and(|f| f.service_times.is_some());
        blocks.push(Block::Paragraph(if is_measured {
            says!("queue-times")
        } else {
            says!("queue-times-declared")
        }));
    }
    blocks.extend(objective(maker));
    blocks.push(Block::Tree(says!("queue-admission"), admission_tree(maker, &admission)));
    blocks.extend(danger(&assessment.rate_rows));
    blocks.push(Block::Table(held(maker, &admission)));
    blocks.push(Block::Paragraph(says!("queue-held")));
    blocks.push(Block::Chart(chart(&assessment.rate_rows)));
    Some(Section { id: "load", blocks })
}

fn rates(maker: &mut Maker<'_>, rows: &[RateRow]) -> Table {
    let simulated = rows.iter().any(|row| row.p95.is_some());
    let boxed = rows.iter().any(|row| row.oom_risk_per_day.is_some());
    let mut columns = vec!["column-rate", "#column-busy"];
    if simulated {
        columns.extend(["#column-p50", "#column-p95", "#column-p99"]);
    }
    columns.extend(["#column-in-flight", "#column-often"]);
    if boxed {
        columns.push("#column-exceeds");
    }
    let mut table = Table::new(Phrase::blank(), &columns);
    for (index, row) in rows.iter().enumerate() {
        let mut cells = cells(maker, index, row, simulated);
        cells.resize(columns.len(), Phrase::from("–"));
        let kind = if row.asked { RowKind::Asked } else { RowKind::Plain };
        table.rows.push(Row { kind, cells });
    }
    table
}

fn cells(maker: &mut Maker<'_>, index: usize, row: &RateRow, simulated: bool) -> Vec<Phrase> {
    let key = |name: &str| format!("load.rows.{index}.{name}");
    let source = maker.plan.cpu_model.source();
    let given = if row.asked { Source::Declared } else { source };
    let mut put = |name: &str, value, formula| maker.figures.put(key(name), value, formula, &[]);
    let rate = put(
        "rate_rps",
        Value::Rate(exact(row.rate, given)),
        "as asked, or a share of the throughput",
    );
    let busy =
        put("utilisation", Value::Share(exact(row.utilisation, source)), "rate / throughput");
    let mut cells: Vec<Phrase> = vec![rate.into(), busy.into()];
    let (Some(mean), Some(often)) = (row.mean_concurrency, row.p999_concurrency) else {
        cells.push(says!("queue-beyond"));
        return cells;
    };
    let seconds = |s: Seconds| Value::Seconds(exact(s, source));
    let count = |n: f64| Value::Count(exact((n * 100.0).round() / 100.0, source));
    if simulated {
        let how = "simulated: first come, first served behind the concurrency limit";
        for (name, latency) in
            [("p50_seconds", row.p50), ("p95_seconds", row.p95), ("p99_seconds", row.p99)]
        {
            cells.push(latency.map_or("–".into(), |l| put(name, seconds(l), how).into()));
        }
    }
    cells.push(
        put(
            "mean_in_flight",
            count(mean),
            "Σ n × P(n), P(n) = P(n − 1) × rate × CPU time / min(n, CPUs)",
        )
        .into(),
    );
    cells.push(
        put("often_in_flight", count(f64::from(often)), "not exceeded 99.9 % of the time").into(),
    );
    if let Some(risk) = row.oom_risk_per_day {
        let how = "1 − exp(−rate × P(N) × 86,400 s), N what the RAM holds";
        let shown = put("exceeds_per_day", Value::Share(exact(risk, source)), how);
        cells.push(if risk < NEVER { says!("queue-never") } else { shown.into() });
    }
    cells
}

fn objective(maker: &mut Maker<'_>) -> Option<Block> {
    let slo = maker.assessment?.question.slo?;
    let most = maker.assessment?.capacity.rate_at_slo?;
    let shown = maker.figures.put(
        "load.objective.max_rate_rps",
        Value::Rate(exact(most, maker.plan.cpu_model.source())),
        "the highest rate at which the simulated latency meets the target, at the high end of CPU time",
        &[],
    );
    let latency = Shown::plain(Value::Seconds(exact(slo.seconds, Source::Declared)));
    let answer = maker.answer_for(Resource::Latency)?;
    let id = match answer {
        _ if most == Rate::per_second(0.0) => "queue-objective-never",
        Answer::DoesNotFit => "queue-objective-broken",
        _ => "queue-objective-kept",
    };
    Some(Block::Verdict(
        answer.status(),
        Phrase::says(
            id,
            [
                ("name", format!("p{}", slo.percentile).into()),
                ("latency", latency.into()),
                ("rate", shown.into()),
            ],
        ),
    ))
}

fn admission_tree(maker: &mut Maker<'_>, admission: &Admission) -> Vec<Leaf> {
    let source = maker.plan.cpu_model.source();
    let mut put = |name: &str, value, formula| {
        maker.figures.put(format!("load.admission.{name}"), value, formula, &[])
    };
    let count = |n: u32| Value::Count(exact(f64::from(n), source));
    let limit = put(
        "limit",
        count(admission.concurrency_limit),
        "what keeps the CPUs busy, and no more than the RAM holds",
    );
    let queue = put(
        "queue",
        count(admission.queue_limit),
        "those that are answered within the timeout, and no more than the RAM holds",
    );
    let timeout = put(
        "timeout_seconds",
        Value::Seconds(exact(admission.queue_timeout, admission.queue_timeout_source)),
        "what a lone request leaves of the latency target, else 30 s (assumed)",
    );
    let ram = put(
        "ram_bytes",
        Value::Bytes(exact(admission.limit, source)),
        "base + limit × buffer + queue × held, at the high end",
    );
    vec![
        Leaf::new(says!("queue-limit"), limit).note(says!("queue-limit-takes", ram = ram)),
        Leaf::new(says!("queue-queue"), queue).note(says!("queue-queue-buys")),
        Leaf::new(says!("queue-timeout"), timeout).note(says!("queue-timeout-buys")),
    ]
}

/// Whether everything may be admitted.
fn danger(rows: &[RateRow]) -> Option<Block> {
    let row = rows.iter().find(|r| r.asked).or(rows.last())?;
    let rate = || Shown::plain(Value::Rate(exact(row.rate, Source::Declared)));
    if row.utilisation >= 1.0 {
        let text = says!("queue-too-fast", rate = rate());
        return Some(Block::Verdict(Status::Insufficient, text));
    }
    let risk = row.oom_risk_per_day?;
    let chance = Shown::plain(Value::Share(exact(risk, Source::Fitted)));
    Some(if risk < NEVER {
        Block::Verdict(Status::Sufficient, says!("queue-safe", rate = rate()))
    } else {
        Block::Verdict(Status::Marginal, says!("queue-needs-limit", rate = rate(), chance = chance))
    })
}

/// RAM with and without a limit on those that run.
fn held(maker: &mut Maker<'_>, admission: &Admission) -> Table {
    let limit = admission.concurrency_limit;
    let mut table = Table::new(
        says!("queue-held-title", n = limit),
        &["#column-in-flight", "#column-all-run", "#column-limited", "#column-saves"],
    );
    let curve = &maker.last().curve;
    let warmed = maker.plan.question.warmed;
    let each = maker.plan.ram.held.high();
    for n in REQUESTS {
        let without = curve.limit(n, !warmed).high();
        let waiting = each * u64::from(n.saturating_sub(limit));
        let with = curve.limit(n.min(limit), !warmed).high() + waiting;
        let mut put = |name: &str, bytes: Bytes, formula| {
            let value = Value::Bytes(exact(bytes, Source::Extrapolated));
            maker.figures.put(format!("load.held.{n}.{name}"), value, formula, &[])
        };
        let shown = put("without_bytes", without, "the limit that N running requests need");
        let limited =
            put("with_bytes", with, "base + running × inference + waiting × held, at the high end");
        let saved = put("saved_bytes", without.saturating_sub(with), "without − with");
        let saved = saved.form(Form::Typical);
        table.row(RowKind::Plain, [n.into(), shown.into(), limited.into(), saved.into()]);
    }
    table
}

/// Requests that are there against the rate, and latency where it was simulated.
fn chart(rows: &[RateRow]) -> Chart {
    let of = |pick: fn(&RateRow) -> Option<f64>| {
        rows.iter().filter_map(|r| Some((r.rate.get(), pick(r)?))).collect::<Vec<_>>()
    };
    // The mean time to the answer, by Little's law.
    let mean = |row: &RateRow| Some(row.mean_concurrency? / row.rate.get().max(f64::MIN_POSITIVE));
    let mut series =
        vec![Series { name: says!("column-mean"), mark: Mark::Line, points: of(mean) }];
    if rows.iter().any(|row| row.p95.is_some()) {
        series.push(Series {
            name: says!("column-p95"),
            mark: Mark::Bound,
            points: of(|row| row.p95.map(Seconds::get)),
        });
    }
    Chart {
        id: "latency",
        plot: Plot::Lines { x: "axis-rate", y: "axis-seconds", y_is_ram: false, series },
    }
}
