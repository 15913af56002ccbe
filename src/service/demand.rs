//! What is asked of a service, and how it is deployed for that.

use serde::{Deserialize, Deserializer, Serialize};

use super::written::{Number, Quantity, ram};
use crate::footprint::Copies;
use crate::footprint::checked::{one_line, one_line_if_any, short_list, whole_number};
use crate::units::{Cpus, MOST_IN_FLIGHT, Seconds, Size};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Demand {
    /// Requests a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Quantity<Number>>,
    /// Hours of the day in which they come; 24 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_hours: Option<Quantity<Number>>,
    /// Requests a second on average, if that was declared by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_rps: Option<Quantity<Number>>,
    /// Requests a second when most come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rps: Option<Quantity<Number>>,
    /// How long a request stays in the service, waiting included; its time alone where nothing is
    /// said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residence: Option<Quantity<Seconds>>,
    /// Users a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_per_month: Option<Quantity<Number>>,
}

/// A configuration for so many requests a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Short.
    #[serde(deserialize_with = "one_line")]
    pub name: String,
    /// Requests a day up to which it is meant; the last has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Quantity<Number>>,
    /// One or several to choose from.
    #[serde(deserialize_with = "short_list::<_, _, 20>")]
    pub deployments: Vec<Deployment>,
}

/// Boxes of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// What the box is called where it is sold; its size is never looked up by that.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub instance: Option<String>,
    /// How many.
    #[serde(default = "one", skip_serializing_if = "is_one", deserialize_with = "instances")]
    pub instances: u32,
    /// Of each.
    #[serde(deserialize_with = "ram")]
    pub ram: Size,
    /// Of each.
    pub cpus: Cpus,
    /// Whether the models that are loaded late may be loaded.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub late_models: bool,
    /// Requests in flight that each admits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Quantity<Number>>,
    /// How long a request may wait; for ever where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_timeout: Option<Quantity<Seconds>>,
}

fn instances<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole_number(d, "number of boxes", 1..=100_000)
}

fn processes<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole_number(d, "number of processes", 1..=u64::from(Copies::MOST))
}

fn in_flight<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole_number(d, "number of requests in flight", 1..=u64::from(MOST_IN_FLIGHT))
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(n: &u32) -> bool {
    *n == 1
}

const fn yes() -> bool {
    true
}

/// The same service in several processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    /// Processes, 1 to 256.
    #[serde(deserialize_with = "processes")]
    pub count: u32,
    /// Requests in flight, in all of them together.
    #[serde(deserialize_with = "in_flight")]
    pub concurrency: u32,
    /// CPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// What the requests of one process are taken to hold, if that was declared by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<Quantity<Size>>,
}
