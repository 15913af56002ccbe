//! What is stored and sent, and the servers that are sold.

use super::book::{Maker, Subject};
use super::figure::{Figures, Shown};
use super::{Plan, Status};
use crate::plan::assess::{Answer, Assessment};
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
    /// The time of a request above which an alarm goes off.
    pub response_threshold: Option<Seconds>,
    /// Boxes, as they are offered.
    pub offers: Vec<Offer>,
    /// Whether somebody declared them: else they are an example.
    pub declared: bool,
    /// The first that serves.
    pub minimum: Option<usize>,
    /// The first that serves in comfort.
    pub recommended: Option<usize>,
}

impl Market {
    /// What is stored, high end.
    pub fn disk_bytes(&self) -> Option<Bytes> {
        self.disk.as_ref().map(|shown| Bytes::from_f64(shown.value.ends()[2]))
    }

    /// Bytes of the busiest month, high end.
    pub fn month_bytes(&self) -> Option<Bytes> {
        self.month.as_ref().map(|shown| Bytes::from_f64(shown.value.ends()[2]))
    }
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
    let mut maker = Maker { plan, assessment: None, subject, figures: Figures::default() };
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
        response_threshold: subject
            .service
            .thresholds
            .as_ref()
            .and_then(|t| t.response.as_ref())
            .map(crate::service::Quantity::high),
        ..Market::default()
    };
    market.offers = tiers.into_iter().map(|tier| offer(&mut maker, tier)).collect();
    plan.market = market;
}

fn offer(maker: &mut Maker<'_>, tier: Tier) -> Offer {
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
    Offer {
        ram,
        disk,
        bandwidth,
        holds: (holds.low, holds.high),
        at_once: (least.min(holds.low), most.min(holds.low).max(least.min(holds.low))),
        response,
        status: Status::Unknown,
        tier,
    }
}

impl Plan {
    /// Takes over what was assessed: how each server does, the first that answer, and the concurrency that
    /// the limit is for.
    pub fn adopt(&mut self, assessment: &Assessment) {
        let memory = &assessment.memory;
        self.design_concurrency = memory.design_concurrency;
        self.ram.limit = memory.limit;
        self.ram.kill_limit = memory.oom_threshold.unwrap_or(self.ram.kill_limit);
        self.ram.cold_burst = memory.cold_burst;
        for (offer, server) in self.market.offers.iter_mut().zip(&assessment.servers) {
            offer.status = server.answer.status();
        }
        let first = |best: Answer| assessment.servers.iter().position(|s| s.answer <= best);
        self.market.minimum = first(Answer::Tight);
        self.market.recommended = first(Answer::Fits);
    }
}
