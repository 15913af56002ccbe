//! What a service receives and sends.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::written::{Number, Quantity};
use crate::units::Size;

/// What comes and goes with a request, and how many there are in a month.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// What a request brings.
    pub inbound: Direction,
    /// What it is answered with.
    pub outbound: Direction,
    /// What a view of a page sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Quantity<Size>>,
    /// Months of different traffic, ascending.
    pub scenarios: Named<Scenario>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Direction {
    /// By name.
    pub items: Named<Item>,
    /// All of it, if that was declared by itself: it counts instead of the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity<Size>>,
}

/// Something that is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// How much each time.
    pub size: Quantity<Size>,
    /// How many of it a request has.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// What it is.
    #[serde(
        default,
        deserialize_with = "crate::footprint::checked::one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub note: Option<String>,
}

const fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_once(n: &u32) -> bool {
    *n == 1
}

/// A month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Users, each with one request.
    pub users: Quantity<Number>,
    /// Views of pages besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_views: Option<Quantity<Number>>,
}
