//! The service's own workload: per day, per second, in flight, in RAM.

use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, Section, says};
use crate::service::{Number, Quantity};
use crate::units::{Bytes, Rate, Seconds, Source, Span};

/// `workload`.
pub(super) fn workload(maker: &mut Maker<'_>) -> Option<Section> {
    let demand = maker.subject.service.demand.clone().unwrap_or_default();
    let per_day = demand.per_day.as_ref().map(Quantity::<Number>::span)?;
    let hours = demand
        .active_hours
        .as_ref()
        .map_or_else(|| exact(24.0, Source::Assumed), Quantity::<Number>::span);
    let per_day_shown =
        maker.figures.put_range("workload.per_day", Value::Count(per_day), "as declared", &[]);
    let hours_shown = Shown::plain(Value::Count(hours));
    let seconds = hours.typical().max(0.01) * 3600.0;
    let rate = |n: f64| Rate::per_second(n / seconds);
    let average = maker.figures.put_range(
        "workload.average_rps",
        Value::Rate(per_day.map(rate)),
        "per day / (hours × 3600)",
        &[("per day", &per_day_shown), ("hours", &hours_shown)],
    );
    let mut rates = vec![
        Leaf::new(says!("workload-per-day"), per_day_shown),
        Leaf::new(says!("workload-average"), average.clone())
            .note(says!("workload-hours", hours = hours_shown)),
    ];
    let peak_rate = demand.peak_rps.as_ref().map_or_else(
        // Ten times the average, where nobody says how uneven a day is: an assumption.
        || per_day.map(|n| n / seconds * 10.0).with_source(Source::Assumed),
        Quantity::<Number>::span,
    );
    let peak = maker.figures.put_range(
        "workload.peak_rps",
        Value::Rate(peak_rate.map(Rate::per_second)),
        "as declared, else ten times the average (assumed)",
        &[],
    );
    rates.push(Leaf::new(says!("workload-peak"), peak.clone()));

    let residence =
        demand.residence.as_ref().map_or(maker.plan.cpu.seconds_alone, Quantity::<Seconds>::span);
    let stays = maker.figures.put_range(
        "workload.residence_seconds",
        Value::Seconds(residence),
        "time in the service, waiting included",
        &[],
    );
    let in_flight = |rate: f64, stay: Seconds| (rate * stay.get() - 1e-9).ceil().max(1.0);
    let little = |rates: Span<f64>| {
        Span::around(
            in_flight(rates.low(), residence.low()),
            in_flight(rates.typical(), residence.typical()),
            in_flight(rates.high(), residence.high()),
            rates.source().max(residence.source()),
        )
    };
    let average_n = maker.figures.put_range(
        "workload.average_concurrency",
        Value::Count(little(per_day.map(|n| n / seconds))),
        "rate × time in the service (Little), whole requests",
        &[("rate", &average), ("time", &stays)],
    );
    let peak_n = maker.figures.put_range(
        "workload.peak_concurrency",
        Value::Count(little(peak_rate)),
        "rate × time in the service (Little), whole requests",
        &[("rate", &peak), ("time", &stays)],
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests"
    )]
    let most = peak_n.value.ends()[2] as u32;
    let need = maker.flat(maker.last(), most).total;
    let need = maker.figures.put(
        "workload.ram_bytes",
        need.value,
        "base + N × buffer at the peak",
        &[("total", &need)],
    );
    let flight = vec![
        Leaf::new(says!("workload-residence"), stays),
        Leaf::new(says!("workload-average-n"), average_n),
        Leaf::new(says!("workload-peak-n"), peak_n),
        Leaf::new(says!("workload-ram"), need.clone()).total(),
    ];
    let mut blocks = vec![
        Block::Tree(says!("workload-rates"), rates),
        Block::Tree(says!("workload-flight"), flight),
    ];
    blocks.extend(verdict(maker, &need));
    blocks.extend(utilisation(maker, &average, &peak));
    Some(Section { id: "workload", blocks })
}

/// Whether the box holds it, and what is left.
fn verdict(maker: &mut Maker<'_>, need: &Shown) -> Option<Block> {
    let ram = maker.plan.question.ram?;
    let used = need.bytes_typical();
    let shown = Shown::plain(Value::Box(ram));
    if used > ram {
        return Some(Block::Verdict(
            Status::Insufficient,
            says!("workload-short", ram = shown, need = need.clone()),
        ));
    }
    let left = ram.saturating_sub(used).as_f64();
    let source = need.value.source();
    let of_need = maker.figures.put(
        "workload.margin_of_need",
        Value::Share(exact(left / used.as_f64().max(1.0), source)),
        "(RAM − need) / need",
        &[("RAM", &shown), ("need", need)],
    );
    let of_ram = maker.figures.put(
        "workload.margin_share",
        Value::Share(exact(left / ram.as_f64().max(1.0), source)),
        "(RAM − need) / RAM",
        &[("RAM", &shown), ("need", need)],
    );
    let ratio = maker.figures.put(
        "workload.ratio_share",
        Value::Share(exact(ram.as_f64() / used.as_f64().max(1.0), source)),
        "RAM / need",
        &[("RAM", &shown), ("need", need)],
    );
    let bytes = Shown::plain(Value::Bytes(exact(Bytes::from_f64(left), source)));
    let status = if left < ram.as_f64() * 0.2 { Status::Marginal } else { Status::Excellent };
    Some(Block::Verdict(
        status,
        says!(
            "workload-enough",
            ram = shown,
            bytes = bytes,
            of_ram = of_ram,
            of_need = of_need,
            ratio = ratio
        ),
    ))
}

/// How busy the CPUs are.
fn utilisation(maker: &mut Maker<'_>, average: &Shown, peak: &Shown) -> Option<Block> {
    let cpus = maker.plan.question.cpus?;
    let capacity = maker.cpus(cpus).rate;
    let most = capacity.value.ends()[1].max(1e-9);
    let mut items = Vec::new();
    for (key, id, rate) in
        [("average", "workload-busy-average", average), ("peak", "workload-busy-peak", peak)]
    {
        let high = rate.value.ends()[2] / most;
        let busy = maker.figures.put(
            format!("workload.{key}_utilisation"),
            Value::Share(exact(high, rate.value.source())),
            "rate / requests a second that the CPUs give",
            &[("rate", rate), ("capacity", &capacity)],
        );
        let (status, word) = if high > 1.0 {
            (Status::Insufficient, "load-too-much")
        } else if high > 0.8 {
            (Status::Marginal, "load-tight")
        } else if high > 0.3 {
            (Status::Sufficient, "load-manageable")
        } else {
            (Status::Excellent, "load-low")
        };
        items.push((
            Some(status),
            Phrase::says(
                id,
                [
                    ("rate", rate.clone().into()),
                    ("busy", busy.into()),
                    ("word", Phrase::word(word)),
                ],
            ),
        ));
    }
    Some(Block::List(items))
}
