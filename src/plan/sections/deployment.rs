//! Configurations by volume.

use super::ram::models;
use crate::plan::StateCurve;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::page::{Block, Leaf, Phrase, Section, says};
use crate::service::{Deployment, Number, Quantity, Volume};
use crate::units::{Bytes, Cpus, Rate, Size, Source};

/// `volume`.
pub(super) fn volume(maker: &mut Maker<'_>) -> Option<Section> {
    let volumes = if maker.subject.service.volumes.is_empty() {
        usual()
    } else {
        maker.subject.service.volumes.clone()
    };
    let mut blocks = Vec::new();
    let mut below: Option<Quantity<Number>> = None;
    for volume in &volumes {
        blocks.push(Block::Heading(match (&below, &volume.below) {
            (None, Some(most)) => {
                says!("volume-below", name = volume.name.clone(), most = number(most))
            }
            (Some(least), Some(most)) => {
                says!(
                    "volume-between",
                    name = volume.name.clone(),
                    least = number(least),
                    most = number(most)
                )
            }
            (Some(least), None) => {
                says!("volume-above", name = volume.name.clone(), least = number(least))
            }
            (None, None) => says!("volume-any", name = volume.name.clone()),
        }));
        let several = volume.deployments.len() > 1;
        for (index, deployment) in volume.deployments.iter().enumerate() {
            let key = format!("volume.{}.{}", volume.name, index + 1);
            blocks.push(block(maker, &key, deployment, several.then_some(index)));
        }
        if several {
            blocks.push(Block::Paragraph(recommended(maker, volume)));
        }
        below.clone_from(&volume.below);
    }
    if maker.subject.service.volumes.is_empty() {
        blocks.push(Block::Paragraph(says!("volume-assumed")));
    }
    Some(Section { id: "volume", blocks })
}

fn number(quantity: &Quantity<Number>) -> Shown {
    Shown::plain(Value::Count(quantity.span()))
}

/// Bands for a service of which nobody said any: an assumption.
fn usual() -> Vec<Volume> {
    let deployment = |instances, ram: &str, cpus| Deployment {
        instance: None,
        instances,
        ram: ram.parse().unwrap_or_else(|_| Size::from(Bytes::GIB)),
        cpus: Cpus::new(cpus).unwrap_or_else(least_cpus),
        late_models: true,
        concurrency: None,
        queue_timeout: None,
    };
    let volume = |name: &str, below: Option<&str>, deployments| Volume {
        name: name.to_owned(),
        below: below.and_then(|text| Quantity::parse(text).ok()),
        deployments,
    };
    vec![
        volume("low", Some("1000"), vec![deployment(1, "1GB", 1.0)]),
        volume("medium", Some("10000"), vec![deployment(1, "2GB", 2.0)]),
        volume("high", None, vec![deployment(3, "1GB", 1.0), deployment(1, "4GB", 4.0)]),
    ]
}

fn least_cpus() -> Cpus {
    Cpus::new(Cpus::MIN).unwrap_or_else(least_cpus)
}

/// Everything of one configuration: the box, what it admits, what that takes and leaves.
fn block(
    maker: &mut Maker<'_>,
    key: &str,
    deployment: &Deployment,
    option: Option<usize>,
) -> Block {
    let convention = maker.subject.convention();
    let ram = deployment.ram.bytes(convention);
    let instances = deployment.instances;
    let mut container = Vec::new();
    if let Some(name) = &deployment.instance {
        container.push(Leaf::new(says!("volume-instance"), name.clone()));
    }
    if instances > 1 {
        container.push(Leaf::new(says!("volume-instances"), instances));
    }
    container.push(Leaf::new(says!("column-ram"), Shown::plain(Value::Box(ram))));
    if instances > 1 {
        let all = maker.figures.put_as(
            format!("{key}.ram_bytes"),
            Value::Box(ram * u64::from(instances)),
            Form::Typical,
            "instances × RAM",
            &[
                ("instances", &Shown::plain(Value::count(instances))),
                ("RAM", &Shown::plain(Value::Box(ram))),
            ],
        );
        container.push(Leaf::new(says!("volume-all-ram"), all).total());
    }
    let cpus =
        maker.figures.put(format!("{key}.cpus"), Value::Cpus(deployment.cpus), "as declared", &[]);
    container.push(Leaf::new(says!("column-cpu"), cpus));
    let given = maker.cpus(deployment.cpus);
    let Value::Rate(each) = given.rate.value else { return Block::List(Vec::new()) };
    let rate = maker.figures.put(
        format!("{key}.throughput_rps"),
        Value::Rate(each.map(|r| Rate::per_second(r.get() * f64::from(instances)))),
        "instances × CPUs / CPU time",
        &[("instances", &Shown::plain(Value::count(instances))), ("each", &given.rate)],
    );
    container.push(Leaf::new(says!("column-rps"), rate));
    let state = if deployment.late_models { maker.last() } else { maker.first() };
    let admitted = admitted(maker, state, deployment, &given.useful);
    let config = vec![
        Leaf::new(says!("volume-models"), models(state)),
        Leaf::new(says!("volume-concurrency"), admitted.clone())
            .note(says!("volume-useful", useful = given.useful)),
        match &deployment.queue_timeout {
            Some(timeout) => {
                Leaf::new(says!("volume-queue"), Shown::plain(Value::Seconds(timeout.span())))
            }
            None => Leaf::new(says!("volume-queue"), says!("volume-unlimited")),
        },
    ];
    let usage = usage(maker, key, state, ram, &admitted);
    let title = match option {
        None => Phrase::blank(),
        Some(0) => says!("volume-option", letter = "A", kind = scaling(instances)),
        Some(n) => says!(
            "volume-option",
            letter = char::from(b'A' + u8::try_from(n).unwrap_or(25).min(25)).to_string(),
            kind = scaling(instances)
        ),
    };
    Block::Facts(
        title,
        vec![
            (says!("volume-container"), container),
            (says!("volume-config"), config),
            (says!("volume-usage"), usage),
        ],
    )
}

fn scaling(instances: u32) -> Phrase {
    Phrase::word(if instances > 1 { "volume-horizontal" } else { "volume-vertical" })
}

/// As declared; else what is useful on the CPUs, as far as RAM holds it.
fn admitted(
    maker: &mut Maker<'_>,
    state: &StateCurve,
    deployment: &Deployment,
    useful: &Shown,
) -> Shown {
    if let Some(concurrency) = &deployment.concurrency {
        return Shown::plain(Value::Count(concurrency.span())).range();
    }
    let ram = deployment.ram.bytes(maker.subject.convention());
    let holds = f64::from(state.curve.max_concurrency(ram, !maker.plan.question.warmed).low);
    let most = useful.value.ends()[2].min(holds);
    Shown::plain(Value::Count(exact(most, Source::Assumed)))
}

fn usage(
    maker: &mut Maker<'_>,
    key: &str,
    state: &StateCurve,
    ram: Bytes,
    admitted: &Shown,
) -> Vec<Leaf> {
    let mut lines = Vec::new();
    let first = maker.first();
    let idle = maker.base(first);
    let idle = maker.figures.put(
        format!("{key}.idle_bytes"),
        idle.value,
        "base before late models are loaded",
        &[("base", &idle)],
    );
    lines.push(Leaf::new(says!("volume-idle"), idle));
    if state.state != first.state {
        lines.push(Leaf::new(says!("volume-idle-after"), maker.base(state)));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests"
    )]
    let most = admitted.value.ends()[2] as u32;
    let peak = maker.ram(state, most).total;
    let peak = maker.figures.put(
        format!("{key}.peak_bytes"),
        peak.value,
        "RAM at the most that is admitted",
        &[("total", &peak)],
    );
    lines.push(Leaf::new(says!("volume-peak", n = most), peak.clone()));
    let used = Bytes::from_f64(peak.value.ends()[1]);
    let shown = Shown::plain(Value::Box(ram));
    if used > ram {
        lines.push(
            Leaf::new(
                says!("volume-margin"),
                says!(
                    "volume-none",
                    short =
                        Shown::plain(Value::Bytes(exact(used.saturating_sub(ram), Source::Fitted)))
                ),
            )
            .total(),
        );
        return lines;
    }
    let left = ram.saturating_sub(used);
    let margin = maker.figures.put(
        format!("{key}.margin_bytes"),
        Value::Bytes(exact(left, peak.value.source())),
        "RAM − peak",
        &[("RAM", &shown), ("peak", &peak)],
    );
    let share = maker.figures.put(
        format!("{key}.margin_share"),
        Value::Share(exact(left.as_f64() / ram.as_f64().max(1.0), peak.value.source())),
        "(RAM − peak) / RAM",
        &[("margin", &margin), ("RAM", &shown)],
    );
    lines.push(Leaf::new(says!("volume-margin"), margin).note(share).total());
    lines
}

/// Several boxes survive the loss of one.
fn recommended(maker: &mut Maker<'_>, volume: &Volume) -> Phrase {
    let resilient = volume
        .deployments
        .iter()
        .enumerate()
        .max_by_key(|(index, d)| (d.instances, usize::MAX - index));
    let Some((index, deployment)) = resilient.filter(|(_, d)| d.instances > 1) else {
        return says!("volume-any-option");
    };
    let rate = |d: &Deployment, maker: &mut Maker<'_>| maker.cpus(d.cpus).rate.value.ends()[1];
    let left = rate(deployment, maker) * f64::from(deployment.instances - 1);
    let left = Shown::plain(Value::Rate(exact(Rate::per_second(left), Source::Fitted)));
    let letter = char::from(b'A' + u8::try_from(index).unwrap_or(25).min(25)).to_string();
    says!("volume-recommended", letter = letter, left = left)
}
