//! What CPUs give.

use crate::plan::assess::{Answer, Resource};
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{
    Block, Chart, Leaf, Mark, Phrase, Plot, Row, RowKind, Section, Series, Table, says,
};
use crate::units::{Cpus, Rate, Seconds, Source, Span};

/// Numbers of CPUs that boxes are sold with.
const SOLD: [f64; 3] = [1.0, 2.0, 4.0];

/// Requests in flight beyond the best that are still of use, as a factor: a rule of thumb.
const USEFUL: f64 = 2.5;

/// What so many CPUs give.
pub(in crate::plan) struct Given {
    pub rate: Shown,
    pub per_minute: Shown,
    pub best: Shown,
    pub useful: Shown,
    pub response: Shown,
}

impl Maker<'_> {
    /// CPU time of a request.
    pub fn cpu_time(&mut self) -> Shown {
        let value = Value::Seconds(self.plan.cpu.seconds_per_request);
        self.figures.put("cpu.seconds_per_request", value, "CPU time of all threads", &[])
    }

    /// How long a request takes alone.
    pub fn alone(&mut self) -> Shown {
        let value = Value::Seconds(self.plan.cpu.seconds_alone);
        self.figures.put_range("cpu.request.time", value, "elapsed time of one request alone", &[])
    }

    /// What `cpus` give.
    pub fn cpus(&mut self, cpus: Cpus) -> Given {
        let key = format!("cpu.cpus.{}", cpus.get());
        let (time, alone) = (self.cpu_time(), self.alone());
        let shown = Shown::plain(Value::Cpus(cpus));
        let model = self.plan.cpu_model;
        let mut throughput = model.throughput(cpus);
        if self.plan.footprint.as_ref().is_some_and(|f| cpus.get() > f64::from(f.environment.cores))
        {
            throughput = throughput.with_source(Source::Extrapolated);
        }
        let rate = self.figures.put(
            format!("{key}.throughput_rps"),
            Value::Rate(throughput),
            "CPUs / CPU time",
            &[("CPUs", &shown), ("CPU time", &time)],
        );
        let wall = self.plan.cpu.seconds_alone;
        let one_each = wall.map(|s| Rate::per_second(cpus.get() / s.get().max(1e-9)));
        let per_minute = self.figures.put_range(
            format!("{key}.per_minute"),
            Value::PerMinute(one_each.with_source(Source::Fitted.max(one_each.source()))),
            "CPUs × 60 s / time of a request, one at a time a CPU",
            &[("CPUs", &shown), ("time", &alone)],
        );
        let best = self.best(cpus);
        let best = self.figures.put_range(
            format!("{key}.best_concurrency"),
            Value::Count(best),
            "requests in flight that keep the CPUs busy",
            &[("CPUs", &shown)],
        );
        let useful = best_of(&best).map(|n| (n * USEFUL).floor());
        let useful = self.figures.put_range(
            format!("{key}.max_useful_concurrency"),
            Value::Count(useful.with_source(Source::Assumed)),
            "2.5 × best (a rule of thumb)",
            &[("best", &best)],
        );
        let response = model.response(cpus);
        let response = self.figures.put_range(format!("{key}.response_seconds"), Value::Seconds(response), "waiting for others + CPU time / CPUs where it spreads over them, else as alone, under the quota", &[("CPU time", &time), ("CPUs", &shown)]);
        Given { rate, per_minute, best, useful, response }
    }

    /// Requests in flight that keep `cpus` busy: as declared, else by Little's law.
    fn best(&self, cpus: Cpus) -> Span<f64> {
        let declared = self.subject.declared.and_then(|costs| costs.request.per_cpu.as_ref());
        if let Some(per_cpu) = declared {
            return per_cpu.span().map(|n| n * cpus.get());
        }
        let (least, most) = self.plan.cpu_model.best_concurrency(cpus);
        Span::around(
            f64::from(least),
            f64::midpoint(f64::from(least), f64::from(most)),
            f64::from(most),
            self.plan.cpu_model.source(),
        )
    }
}

fn best_of(shown: &Shown) -> Span<f64> {
    match shown.value {
        Value::Count(span) => span,
        _ => exact(0.0, Source::Assumed),
    }
}

/// `cpu`.
pub(super) fn cpu(maker: &mut Maker<'_>) -> Option<Section> {
    // A service that is measured from outside does not tell its stages.
    let is_live = maker.plan.footprint.as_ref().is_some_and(|f| f.live.is_some());
    let mut blocks = if is_live { Vec::new() } else { vec![Block::Table(stages(maker))] };
    let (time, alone) = (maker.cpu_time(), maker.alone());
    blocks.push(Block::Paragraph(if maker.plan.footprint.is_some() {
        says!(
            "cpu-cost",
            cpu = time.clone(),
            range = time.range(),
            alone = alone.form(Form::Typical)
        )
    } else {
        says!("cpu-cost-declared", cpu = time.range(), alone = alone)
    }));
    blocks.extend(reached(maker).map(Block::Paragraph));
    if let Some(one) = Cpus::new(1.0) {
        let given = maker.cpus(one);
        let title = says!("cpu-one");
        blocks.push(Block::Tree(
            title,
            vec![
                Leaf::new(says!("cpu-latency"), maker.alone()),
                Leaf::new(says!("cpu-throughput"), given.rate.clone())
                    .note(given.per_minute.clone()),
                Leaf::new(says!("cpu-best"), given.best.clone()),
                Leaf::new(says!("cpu-useful"), given.useful.clone()),
            ],
        ));
    }
    blocks.push(Block::Table(counts(maker)));
    blocks.push(Block::Paragraph(says!("cpu-beyond")));
    if let Some(answers) = maker.plan.cpu.answers {
        let rate = maker.figures.put(
            "cpu.throughput_rps",
            Value::Rate(answers.throughput),
            "CPUs / CPU time",
            &[("CPUs", &Shown::plain(Value::Cpus(answers.cpus))), ("CPU time", &time)],
        );
        let useful = maker.figures.put(
            "cpu.max_useful_concurrency",
            Value::count(answers.max_useful_concurrency),
            "2.5 × best (a rule of thumb)",
            &[],
        );
        maker.figures.put_range(
            "cpu.best_concurrency",
            Value::Count(Span::around(
                f64::from(answers.best_concurrency.0),
                f64::from(answers.best_concurrency.0),
                f64::from(answers.best_concurrency.1),
                Source::Fitted,
            )),
            "CPUs × time alone / CPU time (Little), and one more a CPU",
            &[("CPU time", &time)],
        );
        blocks.push(Block::Paragraph(says!(
            "cpu-box",
            cpus = Shown::plain(Value::Cpus(answers.cpus)),
            rate = rate.clone(),
            range = rate.range(),
            alone = maker.cpus(answers.cpus).response,
            useful = useful,
            response =
                Shown::plain(Value::Seconds(exact(answers.response_at_useful, Source::Fitted))),
        )));
        blocks.push(Block::Chart(chart(maker, answers.cpus)));
    }
    let status = maker.answer_for(Resource::Cpu).map(Answer::status);
    if let (Some(status), Some(cpus)) = (status, maker.plan.question.cpus) {
        let has = Shown::plain(Value::Cpus(cpus));
        blocks.push(Block::Verdict(
            status,
            says!("verdict-cpu", has = has, status = status.phrase()),
        ));
    }
    Some(Section { id: "cpu", blocks })
}

/// Computed rates above what a service reached by this factor are more than noise of its CPU time.
const ABOVE: f64 = 1.5;
/// A rate that more requests in flight raise by less than this share is all that there is.
const STANDS: f64 = 0.15;

/// What a live service reached, and whether its CPU time allows more on the same CPUs.
fn reached(maker: &mut Maker<'_>) -> Option<Phrase> {
    let footprint = maker.plan.footprint.as_ref()?;
    let live = footprint.live.as_ref()?;
    let fastest = live.fastest()?;
    let fewer = live.rounds.iter().filter(|r| r.start == 0 && r.concurrency < fastest.concurrency);
    let fewer = fewer.map(|r| r.throughput.get()).fold(0.0, f64::max);
    let most = live.rounds.iter().filter(|r| r.start == 0 && live.stood(r)).map(|r| r.concurrency);
    let has_end =
        most.max() > Some(fastest.concurrency) || fastest.throughput.get() < fewer * (1.0 + STANDS);
    let computed = Cpus::new(f64::from(footprint.environment.cores))
        .map(|cpus| maker.plan.cpu_model.throughput(cpus))
        .filter(|rate| has_end && rate.typical().get() > fastest.throughput.get() * ABOVE);
    let (n, rate) = (fastest.concurrency, exact(fastest.throughput, Source::Measured));
    let rate = maker.figures.put(
        "cpu.reached_rps",
        Value::Rate(rate),
        "the most answers a second of all rounds",
        &[],
    );
    Some(match computed {
        Some(rate_of_cpus) => says!(
            "cpu-reached-less",
            rate = rate,
            n = n,
            computed = Shown::plain(Value::Rate(rate_of_cpus))
        ),
        None => says!("cpu-reached", rate = rate, n = n),
    })
}

/// How much of a request's CPU time a stage takes, in a word.
fn demand(share: f64, external: bool) -> Phrase {
    Phrase::word(if external {
        "demand-waits"
    } else if share >= 0.5 {
        "demand-very-high"
    } else if share >= 0.2 {
        "demand-high"
    } else if share >= 0.05 {
        "demand-medium"
    } else {
        "demand-low"
    })
}

fn stages(maker: &mut Maker<'_>) -> Table {
    let mut table = Table::new(
        says!("cpu-stages"),
        &["column-stage", "column-demand", "#column-time", "#column-share", "column-remark"],
    );
    let whole = maker.plan.cpu.seconds_per_request.typical().get().max(1e-12);
    let mut rows: Vec<(String, Span<Seconds>, bool, Option<String>)> = Vec::new();
    match (maker.subject.declared, &maker.plan.footprint) {
        (Some(costs), _) => {
            for (name, stage) in costs.request.stages.iter() {
                if let Some(time) = &stage.time {
                    rows.push((name.to_owned(), time.span(), stage.external, stage.note.clone()));
                }
            }
        }
        (None, Some(footprint)) => {
            rows.extend(footprint.stages.iter().map(|s| (s.name.clone(), s.cpu, false, None)));
        }
        (None, None) => {}
    }
    if let Some(startup) = maker.subject.declared.and_then(|c| c.request.startup.as_ref()) {
        let shown = maker.figures.put_range(
            "cpu.startup_seconds",
            Value::Seconds(startup.span()),
            "as declared",
            &[],
        );
        table.row(
            RowKind::Plain,
            [
                says!("cpu-startup"),
                says!("demand-high"),
                shown.into(),
                "–".into(),
                says!("cpu-once"),
            ],
        );
    }
    let measured_sum: f64 = rows.iter().filter(|r| !r.2).map(|r| r.1.typical().get()).sum();
    let whole = if maker.plan.footprint.is_some() { measured_sum.max(1e-12) } else { whole };
    let mut sum: Span<Seconds> = exact(Seconds::ZERO, Source::Measured);
    for (name, time, external, note) in rows {
        sum = sum.zip(&time, |a, b| a + b);
        let share = if external { 0.0 } else { time.typical().get() / whole };
        let shown = maker.figures.put_range(
            format!("cpu.stages.{name}.seconds"),
            Value::Seconds(time),
            "of one request alone",
            &[],
        );
        let shown = if maker.plan.footprint.is_some() { shown.form(Form::Typical) } else { shown };
        let share_cell: Phrase = if external {
            "–".into()
        } else {
            Shown::plain(Value::Share(exact(share, Source::Declared))).into()
        };
        let note = if external {
            says!("cpu-external")
        } else {
            note.map_or_else(Phrase::blank, Phrase::from)
        };
        table.row(
            RowKind::Plain,
            [name.into(), demand(share, external), shown.into(), share_cell, note],
        );
    }
    let total =
        maker.figures.put_range("cpu.request.sum", Value::Seconds(sum), "sum of the stages", &[]);
    let total = if maker.plan.footprint.is_some() { total.form(Form::Typical) } else { total };
    table.row(
        RowKind::Total,
        [says!("cpu-total"), Phrase::blank(), total.into(), Phrase::blank(), Phrase::blank()],
    );
    table
}

/// A line for each number of CPUs that is sold, and the one that was asked about.
fn counts(maker: &mut Maker<'_>) -> Table {
    let mut table = Table::new(
        says!("cpu-counts"),
        &[
            "#column-cpus",
            "#column-rps",
            "#column-rpm",
            "#column-best",
            "#column-useful",
            "#column-response",
            "column-source",
        ],
    );
    let mut all: Vec<f64> = SOLD.to_vec();
    all.extend(maker.plan.question.cpus.map(Cpus::get));
    all.sort_by(f64::total_cmp);
    all.dedup();
    for cpus in all.into_iter().filter_map(Cpus::new) {
        let Given { rate, per_minute, best, useful, response } = maker.cpus(cpus);
        let kind =
            if maker.plan.question.cpus == Some(cpus) { RowKind::Asked } else { RowKind::Plain };
        let source = Phrase::word(super::memory::source_word(rate.value.source()));
        table.rows.push(Row {
            kind,
            cells: vec![
                Shown::plain(Value::Cpus(cpus)).into(),
                rate.into(),
                per_minute.into(),
                best.into(),
                useful.into(),
                response.into(),
                source,
            ],
        });
    }
    table
}

/// Throughput and response time against requests in flight: they rise until the CPUs are busy, and
/// then only the waiting grows (asymptotic bounds, Denning and Buzen 1978).
fn chart(maker: &Maker<'_>, cpus: Cpus) -> Chart {
    let model = maker.plan.cpu_model;
    let most = f64::from(model.max_useful_concurrency(cpus)).clamp(4.0, 100.0);
    let whole = model.throughput(cpus).typical().get();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 100")]
    let ns: Vec<u32> = (1..=(most as u32)).collect();
    let of = |value: &dyn Fn(u32) -> f64| {
        ns.iter().map(|&n| (f64::from(n), value(n))).collect::<Vec<_>>()
    };
    let response = |n: u32| model.seconds_at(cpus, n).get();
    let series = vec![
        Series {
            name: says!("series-throughput"),
            mark: Mark::Line,
            points: of(&|n| (f64::from(n) / response(n).max(1e-9)).min(whole)),
        },
        Series {
            name: says!("series-latency"),
            mark: Mark::Bound,
            points: of(&|n| response(n) * 1000.0 / 10f64.powi(3)),
        },
    ];
    Chart {
        id: "load",
        plot: Plot::Lines { x: "axis-requests", y: "axis-load", y_is_ram: false, series },
    }
}
