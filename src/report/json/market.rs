//! The parts of the contract about what is stored and sent, and the boxes that are sold.

use serde::Serialize;

use super::span::S;
use crate::plan::figure::{Shown, Value};
use crate::plan::{Market, Offer};
use crate::units::{Bytes, Money, Source};

#[derive(Debug, Serialize)]
pub(super) struct Disk {
    needed_bytes: S<u64>,
    recommended_bytes: S<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Bandwidth {
    needed_bytes_per_month: S<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Tier<'a> {
    name: &'a str,
    ram_bytes: u64,
    cpus: f64,
    disk_bytes: Option<u64>,
    bandwidth_bytes_per_month: Option<u64>,
    price_dollars_per_month: Option<S<f64>>,
    max_concurrency: Ends,
    at_once: Ends,
    response_seconds: S<f64>,
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct Ends {
    low: u32,
    high: u32,
}

impl From<(u32, u32)> for Ends {
    fn from((low, high): (u32, u32)) -> Self {
        Self { low, high }
    }
}

fn bytes(shown: &Shown) -> Option<S<u64>> {
    match &shown.value {
        Value::Bytes(span) | Value::Volume(span) => Some(S::from(span)),
        _ => None,
    }
}

impl Disk {
    pub(super) fn of(market: &Market) -> Option<Self> {
        Some(Self {
            needed_bytes: bytes(market.disk.as_ref()?)?,
            recommended_bytes: bytes(market.disk_recommended.as_ref()?)?,
        })
    }
}

impl Bandwidth {
    pub(super) fn of(market: &Market) -> Option<Self> {
        Some(Self { needed_bytes_per_month: bytes(market.month.as_ref()?)? })
    }
}

impl<'a> Tier<'a> {
    /// Boxes that nobody declared are examples, and their prices are assumed.
    pub(super) fn of(offer: &'a Offer, declared: bool) -> Self {
        let source = if declared { Source::Declared } else { Source::Assumed };
        Self {
            name: &offer.tier.name,
            ram_bytes: offer.ram.get(),
            cpus: offer.tier.cpus.get(),
            disk_bytes: offer.disk.map(Bytes::get),
            bandwidth_bytes_per_month: offer.bandwidth.map(Bytes::get),
            price_dollars_per_month: offer
                .tier
                .price
                .as_ref()
                .map(|price| S::of(&price.span().with_source(source), Money::get)),
            max_concurrency: offer.holds.into(),
            at_once: offer.at_once.into(),
            response_seconds: S::from(&offer.response),
            status: offer.status.name(),
        }
    }
}
