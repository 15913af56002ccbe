//! Boxes, their prices, and what an alarm on one should watch.

use serde::{Deserialize, Serialize};

use super::written::{Number, Quantity, ram, ram_if_any};
use crate::footprint::checked::{list, one_line, one_line_if_any};
use crate::units::{Cpus, Money, Seconds, Share, Size};

/// The box that is meant, where the command line names none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// RAM.
    #[serde(deserialize_with = "ram_if_any", skip_serializing_if = "Option::is_none")]
    pub ram: Option<Size>,
    /// CPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// Disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Size>,
    /// What kind of disk.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub disk_kind: Option<String>,
    /// Bytes a month, both ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Size>,
    /// A month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Quantity<Money>>,
}

/// A box that is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// What it is called.
    #[serde(deserialize_with = "one_line")]
    pub name: String,
    /// For whom.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub purpose: Option<String>,
    /// Users a month up to which it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_below: Option<Quantity<Number>>,
    /// RAM.
    #[serde(deserialize_with = "ram")]
    pub ram: Size,
    /// CPUs.
    pub cpus: Cpus,
    /// Disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Size>,
    /// Bytes a month, both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Size>,
    /// A month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Quantity<Money>>,
    /// Who sells it.
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
}

/// What an alarm should watch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Time of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Quantity<Seconds>>,
    /// Share of the RAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Share>,
    /// Share of the CPUs, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_average: Option<Share>,
    /// Share of the CPUs, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_peak: Option<Share>,
    /// Share of the requests that fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Share>,
    /// Share of the time that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<Share>,
}
