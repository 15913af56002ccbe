//! What the service receives and sends, a request and a month.

use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, RowKind, Section, Table, says};
use crate::service::{Direction, Quantity, Traffic};
use crate::units::{Bytes, Convention, Size, Source, Span};

fn size(quantity: &Quantity<Size>) -> Span<Bytes> {
    quantity.bytes(Convention::Decimal)
}

/// Bytes of one way a request: as declared together, else the sum. The high end is what months are
/// reckoned with: an average is at most that.
fn way(maker: &mut Maker<'_>, key: &'static str, direction: &Direction) -> Shown {
    let nothing = exact(Bytes::ZERO, Source::Declared);
    let sum = direction.items.iter().fold(nothing, |a, (_, item)| {
        a.zip(&size(&item.size).map(|b| b * u64::from(item.times)), |a, b| a + b)
    });
    let sum_shown = maker.figures.put_range(
        format!("network.{key}.sum"),
        Value::Volume(sum),
        "Σ size × times",
        &[],
    );
    let total = direction.total.as_ref().map_or(sum, size);
    maker.figures.put_range(
        format!("network.{key}.total_bytes"),
        Value::Volume(total),
        "as declared together, else the sum",
        &[("sum", &sum_shown)],
    )
}

impl Maker<'_> {
    /// Bytes in and out a request, and both; `None` where nothing is said.
    fn ways(&mut self) -> Option<(Traffic, Shown, Shown)> {
        let traffic = self.subject.service.traffic.clone()?;
        let inbound = way(self, "inbound", &traffic.inbound);
        let outbound = way(self, "outbound", &traffic.outbound);
        Some((traffic, inbound, outbound))
    }

    /// Bytes of the busiest month, both ways.
    pub fn month(&mut self) -> Option<Shown> {
        let (traffic, inbound, outbound) = self.ways()?;
        let months: Vec<Shown> = traffic
            .scenarios
            .iter()
            .map(|(name, scenario)| {
                month(self, &traffic, name, scenario, &inbound, &outbound).total
            })
            .collect();
        months.into_iter().max_by(|a, b| a.value.ends()[1].total_cmp(&b.value.ends()[1]))
    }
}

/// `network`.
pub(super) fn network(maker: &mut Maker<'_>) -> Option<Section> {
    let (traffic, inbound, outbound) = maker.ways()?;
    let mut table = Table::new(
        Phrase::blank(),
        &["column-data", "#column-size", "#column-each-request", "column-remark"],
    );
    for (key, id, direction, total) in [
        ("inbound", "network-inbound", &traffic.inbound, &inbound),
        ("outbound", "network-outbound", &traffic.outbound, &outbound),
    ] {
        table.group(Phrase::word(id));
        for (name, item) in direction.items.iter() {
            let once = size(&item.size);
            let shown = Shown::plain(Value::Volume(once)).range();
            let all = maker.figures.put_range(
                format!("network.{key}.{name}"),
                Value::Volume(once.map(|b| b * u64::from(item.times))),
                "size × times",
                &[("size", &shown), ("times", &Shown::plain(Value::count(item.times)))],
            );
            let note = item.note.as_deref().map_or_else(Phrase::blank, Phrase::from);
            let times = if item.times > 1 {
                says!("network-times", n = item.times, note = note)
            } else {
                note
            };
            table.row(RowKind::Plain, [name.into(), shown.into(), all.into(), times]);
        }
        if direction.total.is_some() {
            let key = format!("network.{key}.sum");
            if let Some(sum) = maker.figures.get(&key).map(|f| f.shown.clone()) {
                table.row(
                    RowKind::Plain,
                    [says!("memory-sum"), Phrase::blank(), sum.into(), Phrase::blank()],
                );
            }
        }
        table.row(
            RowKind::Total,
            [says!("network-total"), Phrase::blank(), total.clone().into(), Phrase::blank()],
        );
    }
    let mut blocks = vec![Block::Table(table)];
    let mean = |maker: &mut Maker<'_>, key: &str, total: &Shown| {
        let [low, _, high] = total.value.ends();
        let value =
            Value::Volume(exact(Bytes::from_f64(f64::midpoint(low, high)), Source::Declared));
        maker.figures.put(
            format!("network.{key}.mean_bytes"),
            value,
            "(low + high) / 2",
            &[("total", total)],
        )
    };
    let (mean_in, mean_out) =
        (mean(maker, "inbound", &inbound), mean(maker, "outbound", &outbound));
    blocks.push(Block::Paragraph(says!(
        "network-mean",
        mean_in = mean_in,
        mean_out = mean_out,
        high_in = inbound.form(Form::High),
        high_out = outbound.form(Form::High),
    )));
    blocks.extend(most(maker, &traffic, &inbound, &outbound));
    Some(Section { id: "network", blocks })
}

/// Whether the box may send that much, and how many requests a month it could.
fn most(maker: &mut Maker<'_>, traffic: &Traffic, inbound: &Shown, outbound: &Shown) -> Vec<Block> {
    let Some(bandwidth) = maker.plan.question.bandwidth else { return Vec::new() };
    let has = Shown::plain(Value::Volume(exact(bandwidth, Source::Declared)));
    let [_, _, both_in] = inbound.value.ends();
    let [_, _, both_out] = outbound.value.ends();
    let each = both_in + both_out;
    // The busiest month tells how many pages are viewed beside a request.
    let pages = traffic.scenarios.iter().last().map_or(0.0, |(_, s)| {
        let views = s.page_views.as_ref().map_or(0.0, |q| q.high().0);
        let page = traffic.page.as_ref().map_or(0.0, |p| size(p).high().as_f64());
        views * page / s.users.high().0.max(1.0)
    });
    let fits = |bytes: f64| if bytes > 0.0 { (bandwidth.as_f64() / bytes).floor() } else { 0.0 };
    let with_pages =
        Shown::plain(Value::Volume(exact(Bytes::from_f64(each + pages), Source::Declared)));
    let value = Value::Count(Span::around(
        fits(each + pages),
        fits(each + pages),
        fits(each),
        Source::Declared,
    ));
    let requests = maker.figures.put_range(
        "network.max_requests",
        value,
        "bandwidth / bytes of a request, with and without pages",
        &[("bandwidth", &has), ("request", &with_pages)],
    );
    let out_only = maker.figures.put(
        "network.max_requests_outbound",
        Value::Count(exact(fits(both_out), Source::Declared)),
        "bandwidth / bytes sent",
        &[("bandwidth", &has), ("sent", outbound)],
    );
    let mut blocks = Vec::new();
    if let Some(month) = maker.month() {
        let status = bandwidth_status(bandwidth, &month);
        blocks.push(Block::Verdict(
            status,
            says!("verdict-bandwidth", has = has, status = status.phrase()),
        ));
    }
    blocks.push(Block::Paragraph(says!("network-most", n = requests, outbound = out_only)));
    blocks
}

/// By the busiest month.
pub(in crate::plan) fn bandwidth_status(bandwidth: Bytes, month: &Shown) -> Status {
    let share = month.value.ends()[1] / bandwidth.as_f64().max(1.0);
    match share {
        s if s > 1.0 => Status::Insufficient,
        s if s > 0.8 => Status::Marginal,
        s if s > 0.5 => Status::Sufficient,
        _ => Status::Excellent,
    }
}

/// A month of one scenario.
struct Month {
    inbound: Shown,
    outbound: Shown,
    pages: Option<Shown>,
    total: Shown,
}

fn month(
    maker: &mut Maker<'_>,
    traffic: &Traffic,
    name: &str,
    scenario: &crate::service::Scenario,
    inbound: &Shown,
    outbound: &Shown,
) -> Month {
    let key = format!("traffic.{name}");
    let users = scenario.users.high().0;
    let count = Shown::plain(Value::Count(scenario.users.span()));
    let times = |shown: &Shown| Bytes::from_f64(users * shown.value.ends()[2]);
    let (come, go) = (times(inbound), times(outbound));
    let put = |maker: &mut Maker<'_>, part: &str, bytes: Bytes, each: &Shown| {
        maker.figures.put(
            format!("{key}.{part}"),
            Value::Volume(exact(bytes, Source::Declared)),
            "users × bytes of a request, high end",
            &[("users", &count), ("request", &each.form(Form::High))],
        )
    };
    let inbound = put(maker, "inbound_bytes", come, inbound);
    let outbound = put(maker, "outbound_bytes", go, outbound);
    let viewed = match (&scenario.page_views, &traffic.page) {
        (Some(views), Some(page)) => {
            let bytes = Bytes::from_f64(views.high().0 * size(page).high().as_f64());
            let (views, page) =
                (Shown::plain(Value::Count(views.span())), Shown::plain(Value::Volume(size(page))));
            Some((
                bytes,
                maker.figures.put(
                    format!("{key}.pages_bytes"),
                    Value::Volume(exact(bytes, Source::Declared)),
                    "views × page",
                    &[("views", &views), ("page", &page)],
                ),
            ))
        }
        _ => None,
    };
    let pages = viewed.as_ref().map_or(Bytes::ZERO, |(bytes, _)| *bytes);
    let total = maker.figures.put_as(
        format!("{key}.total_bytes"),
        Value::Volume(exact(come + go + pages, Source::Declared)),
        Form::Giga,
        "inbound + outbound + pages",
        &[("inbound", &inbound), ("outbound", &outbound)],
    );
    Month { inbound, outbound, pages: viewed.map(|(_, shown)| shown), total }
}

/// `traffic`.
pub(super) fn traffic(maker: &mut Maker<'_>) -> Option<Section> {
    let (traffic, inbound, outbound) = maker.ways()?;
    let mut blocks = Vec::new();
    for (name, scenario) in traffic.scenarios.iter() {
        let users = Shown::plain(Value::Count(scenario.users.span()));
        let month = month(maker, &traffic, name, scenario, &inbound, &outbound);
        let mut leaves = vec![
            Leaf::new(says!("network-inbound"), month.inbound).note(says!(
                "n-times",
                n = users.clone(),
                each = inbound.form(Form::High)
            )),
            Leaf::new(says!("network-outbound"), month.outbound).note(says!(
                "n-times",
                n = users.clone(),
                each = outbound.form(Form::High)
            )),
        ];
        if let (Some(pages), Some(views)) = (month.pages, &scenario.page_views) {
            leaves.push(
                Leaf::new(says!("traffic-pages"), pages)
                    .note(says!("traffic-views", n = Shown::plain(Value::Count(views.span())))),
            );
        }
        leaves
            .push(Leaf::new(says!("tree-total"), month.total).note(says!("traffic-month")).total());
        blocks.push(Block::Tree(says!("traffic-scenario", name = name, users = users), leaves));
    }
    if blocks.is_empty() {
        return None;
    }
    blocks.push(Block::Paragraph(says!("traffic-note")));
    Some(Section { id: "traffic", blocks })
}
