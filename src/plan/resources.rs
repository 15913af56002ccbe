//! The verdict over all resources, with the boxes that are sold: what the least of them has that
//! serves at all, and the least that serves in comfort.

use super::book::{Maker, Subject};
use super::figure::{Figures, Shown};
use super::sections::{bandwidth_status, disk_status};
use super::verdict::{overall, withhold};
use super::{Amount, Plan, Resource, ResourceVerdict, Status, TIGHT};
use crate::service::{Quantity, Tier};
use crate::units::{Bytes, Convention, Cpus, Seconds, Span};

/// A box that is sold, and what it does for this service.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// As it is sold.
    pub tier: Tier,
    /// Its RAM.
    pub ram: Bytes,
    /// Its disk.
    pub disk: Option<Bytes>,
    /// Bytes a month.
    pub bandwidth: Option<Bytes>,
    /// Requests that its RAM holds, at high and at low cost.
    pub holds: (u32, u32),
    /// Requests in flight that are served at once: what RAM holds, at most what keeps its CPUs
    /// busy.
    pub at_once: (u32, u32),
    /// Time of a request in it.
    pub response: Span<Seconds>,
    /// Whether it serves.
    pub status: Status,
}

/// What is stored and sent, and who sells boxes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Market {
    /// Bytes on disk; high end.
    pub disk: Option<Shown>,
    /// What is recommended of it.
    pub disk_recommended: Option<Shown>,
    /// Bytes of the busiest month.
    pub month: Option<Shown>,
    /// Boxes, as they are offered.
    pub offers: Vec<Offer>,
    /// Whether somebody declared them: else they are an example.
    pub declared: bool,
    /// The first that serves.
    pub minimum: Option<usize>,
    /// The first that serves in comfort.
    pub recommended: Option<usize>,
}

/// List prices of one provider's plainest virtual machines (`DigitalOcean`, basic droplets, as of
/// 2025): RAM, CPUs, disk in GB, transfer in GB, dollars a month.
const EXAMPLES: [(&str, f64, &str, &str, &str); 6] = [
    ("512MB", 1.0, "10GB", "500GB", "$4"),
    ("1GB", 1.0, "25GB", "1000GB", "$6"),
    ("2GB", 1.0, "50GB", "2000GB", "$12"),
    ("4GB", 2.0, "80GB", "4000GB", "$24"),
    ("8GB", 4.0, "160GB", "5000GB", "$48"),
    ("16GB", 8.0, "320GB", "6000GB", "$96"),
];

fn examples() -> Vec<Tier> {
    let tier = |(ram, cpus, disk, bandwidth, price): (&str, f64, &str, &str, &str)| {
        Some(Tier {
            name: format!("{} / {cpus} CPU", ram.replace("GB", " GB").replace("MB", " MB")),
            purpose: None,
            users_below: None,
            ram: ram.parse().ok()?,
            cpus: Cpus::new(cpus)?,
            disk: disk.parse().ok(),
            bandwidth: bandwidth.parse().ok(),
            price: Quantity::parse(price).ok(),
            providers: Vec::new(),
        })
    };
    EXAMPLES.into_iter().filter_map(tier).collect()
}

/// Adds disk, bandwidth and the boxes that are sold to the plan and to its verdict.
pub(super) fn complete(plan: &mut Plan, subject: &Subject<'_>) {
    let mut maker = Maker { plan, subject, figures: Figures::default() };
    let disk = maker.disk();
    let month = maker.month();
    let declared = !subject.service.tiers.is_empty();
    let tiers = if declared { subject.service.tiers.clone() } else { examples() };
    let (stored, recommended) = disk.map(|d| (d.total, d.recommended)).unzip();
    let mut market = Market {
        disk: stored,
        disk_recommended: recommended,
        month,
        declared,
        ..Market::default()
    };
    market.offers = tiers.into_iter().map(|tier| offer(&mut maker, &market, tier)).collect();
    market.minimum = market.offers.iter().position(|o| o.status < Status::Insufficient);
    market.recommended = market.offers.iter().position(|o| o.status < Status::Marginal);
    verdicts(plan, subject, &market);
    plan.market = market;
}

fn offer(maker: &mut Maker<'_>, market: &Market, tier: Tier) -> Offer {
    let convention = maker.subject.convention();
    let ram = tier.ram.bytes(convention);
    let disk = tier.disk.map(|size| size.bytes(Convention::Decimal));
    let bandwidth = tier.bandwidth.map(|size| size.bytes(Convention::Decimal));
    let curve = &maker.last().curve;
    let cold = !maker.plan.question.warmed;
    let holds = curve.max_concurrency(ram, cold);
    let given = maker.cpus(tier.cpus);
    let ends = |shown: &Shown| shown.value.ends();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests in flight"
    )]
    let (least, most) = (ends(&given.best)[0] as u32, ends(&given.best)[2] as u32);
    let response = given.response.seconds();
    let threshold = maker.subject.service.thresholds.as_ref().and_then(|t| t.response.as_ref());
    let slow = threshold.is_some_and(|limit| response.high() > limit.high());
    let whole = whole(tier.cpus);
    let need = curve.limit(whole, cold).high();
    let one = curve.limit(1, cold).high();
    let fits = |has: Option<Bytes>, need: Option<&Shown>, share: f64| match (has, need) {
        (Some(has), Some(need)) => need.value.ends()[2] <= has.as_f64() * share,
        _ => true,
    };
    let serves = one <= ram
        && fits(disk, market.disk.as_ref(), 1.0)
        && fits(bandwidth, market.month.as_ref(), 1.0);
    let comfortable = need.as_f64() <= ram.as_f64() * TIGHT
        && !slow
        && fits(disk, market.disk_recommended.as_ref(), 1.0)
        && fits(bandwidth, market.month.as_ref(), TIGHT);
    let status = match (serves, comfortable) {
        (false, _) => Status::Insufficient,
        (true, false) => Status::Marginal,
        (true, true) if need.as_f64() <= ram.as_f64() * 0.5 => Status::Excellent,
        (true, true) => Status::Sufficient,
    };
    Offer {
        ram,
        disk,
        bandwidth,
        holds: (holds.low, holds.high),
        at_once: (least.min(holds.low), most.min(holds.low).max(least.min(holds.low))),
        response,
        status,
        tier,
    }
}

/// Requests in flight that CPUs run at once: one each, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 4096 CPUs")]
fn whole(cpus: Cpus) -> u32 {
    cpus.get().ceil().max(1.0) as u32
}

fn verdicts(plan: &mut Plan, subject: &Subject<'_>, market: &Market) {
    let offered =
        |index: Option<usize>| index.map(|i| &market.offers[i]).filter(|_| market.declared);
    let (minimum, recommended) = (offered(market.minimum), offered(market.recommended));
    let threshold = subject.service.thresholds.as_ref().and_then(|t| t.response.as_ref());
    let response = plan.question.cpus.map(|cpus| {
        let mut maker = Maker { plan, subject, figures: Figures::default() };
        maker.cpus(cpus).response.value.ends()[2]
    });
    for verdict in &mut plan.verdict.by_resource {
        match verdict.resource {
            Resource::Ram => {
                let amount = |offer: Option<&Offer>, or| offer.map_or(or, |o| Amount::Ram(o.ram));
                verdict.minimum = amount(minimum, verdict.minimum);
                verdict.recommended = amount(recommended, verdict.recommended);
            }
            Resource::Cpu => {
                let amount =
                    |offer: Option<&Offer>, or| offer.map_or(or, |o| Amount::Cpus(o.tier.cpus));
                verdict.minimum = amount(minimum, verdict.minimum);
                verdict.recommended = amount(recommended, verdict.recommended);
                if let (Some(limit), Some(response)) = (threshold, response) {
                    let slow = response > limit.high().get();
                    verdict.status = if slow { Status::Marginal } else { verdict.status };
                }
            }
            Resource::Disk | Resource::Bandwidth => {}
        }
    }
    let volume = |bytes: Bytes| Amount::Volume(bytes);
    let high = |shown: &Shown| Bytes::from_f64(shown.value.ends()[2]);
    if let (Some(has), Some(need), Some(more)) =
        (plan.question.disk, &market.disk, &market.disk_recommended)
    {
        plan.verdict.by_resource.push(ResourceVerdict {
            resource: Resource::Disk,
            status: disk_status(has, need, more),
            current: volume(has),
            minimum: volume(minimum.and_then(|o| o.disk).unwrap_or_else(|| high(need))),
            recommended: volume(recommended.and_then(|o| o.disk).unwrap_or_else(|| high(more))),
        });
    }
    if let (Some(has), Some(month)) = (plan.question.bandwidth, &market.month) {
        let need = high(month);
        plan.verdict.by_resource.push(ResourceVerdict {
            resource: Resource::Bandwidth,
            status: bandwidth_status(has, month),
            current: volume(has),
            minimum: volume(minimum.and_then(|o| o.bandwidth).unwrap_or(need)),
            recommended: volume(
                recommended
                    .and_then(|o| o.bandwidth)
                    .unwrap_or_else(|| Bytes::from_f64(need.as_f64() / TIGHT)),
            ),
        });
    }
    if let (Some(has), None) = (plan.question.bandwidth, &market.month) {
        plan.verdict.by_resource.push(ResourceVerdict {
            resource: Resource::Bandwidth,
            status: Status::Unknown,
            current: volume(has),
            minimum: volume(Bytes::ZERO),
            recommended: volume(Bytes::ZERO),
        });
    }
    plan.verdict.overall = overall(&plan.verdict.by_resource);
    if let Some(footprint) = &plan.footprint {
        withhold(&mut plan.verdict, footprint);
    }
}
