//! Boxes that are sold, what each does for this service, and what moving to one costs.

use crate::plan::Offer;
use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Bar, Block, Chart, Leaf, Phrase, Plot, Section, says};
use crate::units::{Money, Source, Span};

/// What is printed of an offer.
struct Facts {
    ram: Shown,
    cpus: Shown,
    at_once: Shown,
    holds: Shown,
    response: Shown,
    per_minute: Shown,
    price: Option<Shown>,
}

impl Maker<'_> {
    fn facts(&mut self, offer: &Offer, number: usize) -> Facts {
        let key = format!("tiers.{number}");
        let ram = Shown::plain(Value::Box(offer.ram));
        let cpus = Shown::plain(Value::Cpus(offer.tier.cpus));
        let whole = |(low, high): (u32, u32)| {
            let (low, high) = (f64::from(low), f64::from(high.max(low)));
            Value::Count(Span::around(low, low, high, Source::Fitted))
        };
        let holds = self.figures.put_range(
            format!("{key}.holds"),
            whole(offer.holds),
            "requests in flight that its RAM holds, at high and low cost",
            &[("RAM", &ram)],
        );
        let given = self.cpus(offer.tier.cpus);
        let at_once = self.figures.put_range(
            format!("{key}.at_once"),
            whole(offer.at_once),
            "min(what RAM holds, what keeps the CPUs busy)",
            &[("RAM holds", &holds), ("CPUs", &given.best)],
        );
        let price = offer.tier.price.as_ref().map(|price| {
            let source = if self.plan.market.declared { Source::Declared } else { Source::Assumed };
            self.figures.put_range(
                format!("{key}.price"),
                Value::Money(price.span().with_source(source)),
                "as declared, or a list price",
                &[],
            )
        });
        let response = self.figures.put_range(
            format!("{key}.response_seconds"),
            given.response.value,
            "response time on its CPUs",
            &[("CPUs", &cpus), ("response", &given.response)],
        );
        Facts { ram, cpus, at_once, holds, response, per_minute: given.per_minute, price }
    }
}

/// `tiers`.
pub(super) fn tiers(maker: &mut Maker<'_>) -> Option<Section> {
    let market = &maker.plan.market;
    let mut blocks = Vec::new();
    if !market.declared {
        blocks.push(Block::Paragraph(says!("tiers-assumed")));
    }
    let mut below: Option<Shown> = None;
    for (index, offer) in market.offers.iter().enumerate() {
        let facts = maker.facts(offer, index + 1);
        let most = offer.tier.users_below.as_ref().map(|q| Shown::plain(Value::Count(q.span())));
        let whom = match (&below, &most) {
            (None, Some(most)) => says!("tiers-users-below", most = most.clone()),
            (Some(least), Some(most)) => {
                says!("tiers-users-between", least = least.clone(), most = most.clone())
            }
            (Some(least), None) => says!("tiers-users-from", least = least.clone()),
            (None, None) => Phrase::blank(),
        };
        let purpose = offer.tier.purpose.as_deref().map_or_else(Phrase::blank, Phrase::from);
        let mut lines = Vec::new();
        if most.is_some() || below.is_some() || offer.tier.purpose.is_some() {
            lines.push(Leaf::new(says!("tiers-for"), Phrase::Joined(", ", vec![purpose, whom])));
        }
        lines.push(Leaf::new(says!("column-ram"), facts.ram.clone()));
        lines.push(Leaf::new(says!("column-cpu"), facts.cpus.clone()));
        if let Some(disk) = offer.disk {
            lines.push(Leaf::new(
                says!("resource-disk"),
                Shown::plain(Value::Volume(exact(disk, Source::Declared))),
            ));
        }
        if let Some(bandwidth) = offer.bandwidth {
            lines.push(Leaf::new(
                says!("resource-bandwidth"),
                says!(
                    "a-month",
                    amount = Shown::plain(Value::Volume(exact(bandwidth, Source::Declared)))
                ),
            ));
        }
        if let Some(price) = &facts.price {
            let providers = offer.tier.providers.join(", ");
            lines.push(Leaf::new(says!("tiers-price"), price.clone()).note(providers));
        }
        blocks.push(Block::Facts(
            says!(
                "tiers-title",
                n = u32::try_from(index + 1).unwrap_or(0),
                name = offer.tier.name.clone()
            ),
            vec![(Phrase::blank(), lines)],
        ));
        blocks.push(Block::List(points(maker, offer, &facts)));
        below = most.map(|most| {
            let from = most.value;
            let key = format!("tiers.{}.users_from", index + 2);
            maker.figures.put(key, from, "where the tier before ends", &[])
        });
    }
    blocks.extend(choice(maker));
    blocks.push(Block::Chart(chart(maker)));
    Some(Section { id: "tiers", blocks })
}

/// What the box is like for this service: computed, not promised.
fn points(maker: &Maker<'_>, offer: &Offer, facts: &Facts) -> Vec<(Option<Status>, Phrase)> {
    let (low, _) = offer.holds;
    let mut points = Vec::new();
    let (mark, id) = if low == 0 {
        (Status::Insufficient, "tiers-none")
    } else if offer.at_once.1 <= 1 {
        (Status::Marginal, "tiers-single")
    } else {
        (Status::Excellent, "tiers-at-once")
    };
    points.push((
        Some(mark),
        Phrase::says(
            id,
            [("n", facts.at_once.clone().into()), ("holds", facts.holds.clone().into())],
        ),
    ));
    let threshold = maker.subject.service.thresholds.as_ref().and_then(|t| t.response.as_ref());
    let slow = threshold.is_some_and(|limit| offer.response.high() > limit.high());
    let (mark, id) =
        if slow { (Status::Marginal, "tiers-slow") } else { (Status::Excellent, "tiers-response") };
    points.push((
        Some(mark),
        Phrase::says(
            id,
            [("time", facts.response.clone().into()), ("rate", facts.per_minute.clone().into())],
        ),
    ));
    let share = |n: u32| {
        let curve = &maker.last().curve;
        curve.limit(n, !maker.plan.question.warmed).high().as_f64() / offer.ram.as_f64().max(1.0)
    };
    let busy = offer.at_once.1.max(1);
    let used = Shown::plain(Value::Share(exact(share(busy), Source::Fitted)));
    points.push(if share(busy) > 1.0 {
        (Some(Status::Insufficient), says!("tiers-crash", n = busy, used = used))
    } else if share(busy) > crate::plan::TIGHT {
        (Some(Status::Marginal), says!("tiers-tight", n = busy, used = used))
    } else {
        (Some(Status::Excellent), says!("tiers-room", n = busy, used = used))
    });
    points
}

/// The tier for the users that are asked about or declared.
fn choice(maker: &mut Maker<'_>) -> Vec<Block> {
    let market = &maker.plan.market;
    let mut blocks = Vec::new();
    let users = maker.plan.question.users.or_else(|| {
        maker.subject.service.demand.as_ref()?.users_per_month.as_ref().map(|q| q.high().0)
    });
    if let Some(users) = users {
        let covers =
            |o: &&Offer| o.tier.users_below.as_ref().is_none_or(|most| users < most.high().0);
        let chosen = market.offers.iter().find(|o| covers(o) && o.status < Status::Insufficient);
        let shown = Shown::plain(Value::Count(exact(users, Source::Declared)));
        blocks.push(match chosen {
            Some(offer) => Block::Verdict(
                offer.status,
                says!("tiers-choice", users = shown, name = offer.tier.name.clone()),
            ),
            None => Block::Verdict(Status::Insufficient, says!("tiers-no-choice", users = shown)),
        });
    }
    let name =
        |index: Option<usize>| index.map(|i| Phrase::from(market.offers[i].tier.name.as_str()));
    match (name(market.minimum), name(market.recommended)) {
        (Some(least), Some(best)) => {
            blocks.push(Block::Paragraph(says!("tiers-least-best", least = least, best = best)));
        }
        (Some(least), None) => blocks.push(Block::Paragraph(says!("tiers-least", least = least))),
        (None, _) => blocks.push(Block::Paragraph(says!("tiers-too-small"))),
    }
    blocks
}

/// What each box's RAM holds.
fn chart(maker: &mut Maker<'_>) -> Chart {
    let bars = maker
        .plan
        .market
        .offers
        .iter()
        .map(|offer| {
            let need = maker
                .last()
                .curve
                .limit(offer.at_once.1.max(1), !maker.plan.question.warmed)
                .high()
                .as_f64();
            let has = offer.ram.as_f64();
            let parts = if need <= has {
                vec![(says!("tiers-used"), need), (says!("tiers-free"), has - need)]
            } else {
                vec![(says!("tiers-used"), has), (says!("tiers-missing"), need - has)]
            };
            Bar {
                name: offer.tier.name.clone().into(),
                value: Shown::plain(Value::Box(offer.ram)).into(),
                parts,
                status: Some(offer.status),
            }
        })
        .collect();
    Chart { id: "tiers", plot: Plot::Bars { axis: "axis-ram", is_ram: true, bars } }
}

/// `upgrade`.
pub(super) fn upgrade(maker: &mut Maker<'_>) -> Option<Section> {
    let market = &maker.plan.market;
    let question = maker.plan.question;
    let ram = question.ram?;
    let mut blocks = Vec::new();
    let worst = maker.assessment?.verdict.answer.status();
    let id = match worst {
        Status::Insufficient => "upgrade-not-ready",
        Status::Marginal => "upgrade-marginal",
        _ => "upgrade-ready",
    };
    blocks.push(Block::Verdict(
        worst,
        Phrase::says(id, [("ram", Shown::plain(Value::Box(ram)).into())]),
    ));
    let now = now(maker);
    let mut letter = b'A';
    let mut chosen: Vec<usize> =
        [market.minimum, market.recommended].into_iter().flatten().collect();
    chosen.dedup();
    for index in chosen {
        let offer = &market.offers[index];
        let larger = offer.ram > ram || question.cpus.is_some_and(|cpus| offer.tier.cpus > cpus);
        if !larger || worst < Status::Marginal {
            continue;
        }
        let facts = maker.facts(offer, index + 1);
        let title = if Some(index) == market.recommended {
            "upgrade-recommended"
        } else {
            "upgrade-minimum"
        };
        let to = Phrase::Joined(" / ", vec![facts.ram.clone().into(), facts.cpus.clone().into()]);
        let from = match question.cpus {
            Some(cpus) => Phrase::Joined(
                " / ",
                vec![Shown::plain(Value::Box(ram)).into(), Shown::plain(Value::Cpus(cpus)).into()],
            ),
            None => Shown::plain(Value::Box(ram)).into(),
        };
        let mut lines =
            vec![Leaf::new(says!("upgrade-from-to"), says!("upgrade-arrow", from = from, to = to))];
        if let (Some(price), Some(now)) = (&offer.tier.price, &now) {
            let more = price_difference(maker, char::from(letter), now, price.span());
            lines.push(
                Leaf::new(says!("upgrade-cost"), more)
                    .note(says!("upgrade-now", price = now.clone())),
            );
        }
        lines.push(Leaf::new(
            says!("upgrade-result"),
            says!("upgrade-gives", at_once = facts.at_once, time = facts.response),
        ));
        blocks.push(Block::Facts(
            Phrase::says(
                title,
                [
                    ("letter", char::from(letter).to_string().into()),
                    ("name", offer.tier.name.clone().into()),
                ],
            ),
            vec![(Phrase::blank(), lines)],
        ));
        letter += 1;
    }
    if worst >= Status::Marginal {
        blocks.push(Block::Heading(says!("upgrade-keep", letter = char::from(letter).to_string())));
        blocks.push(Block::List(vec![
            (None, says!("upgrade-keep-development")),
            (None, says!("upgrade-keep-testing")),
            (None, says!("upgrade-keep-demo")),
            (Some(Status::Insufficient), says!("upgrade-keep-not")),
        ]));
    }
    Some(Section { id: "upgrade", blocks })
}

/// What the box that is meant costs: as declared, else as the smallest that is sold and holds it.
fn now(maker: &mut Maker<'_>) -> Option<Shown> {
    let declared = maker.subject.service.target.as_ref().and_then(|t| t.price.as_ref());
    let question = maker.plan.question;
    let covers = |o: &&Offer| {
        question.ram.is_none_or(|ram| o.ram >= ram)
            && question.cpus.is_none_or(|cpus| o.tier.cpus >= cpus)
    };
    let (price, source) = match declared {
        Some(price) => (price.clone(), Source::Declared),
        None => {
            (maker.plan.market.offers.iter().find(covers)?.tier.price.clone()?, Source::Assumed)
        }
    };
    Some(maker.figures.put_range(
        "upgrade.now",
        Value::Money(price.span().with_source(source)),
        "as declared, else of the smallest box that is sold and is no smaller (assumed)",
        &[],
    ))
}

/// Low against low and high against high: the same provider is compared with itself.
fn price_difference(maker: &mut Maker<'_>, letter: char, now: &Shown, price: Span<Money>) -> Shown {
    let [low, typical, high] = now.value.ends();
    let more = |price: Money, now: f64| Money::new(price.get() - now);
    let value = Span::around(
        more(price.low(), low),
        more(price.typical(), typical),
        more(price.high(), high),
        now.value.source(),
    );
    let to = Shown::plain(Value::Money(price)).range();
    maker.figures.put_as(
        format!("upgrade.{letter}.cost"),
        Value::Money(value),
        Form::Range,
        "price − price now, low against low and high against high",
        &[("price", &to), ("now", now)],
    )
}
