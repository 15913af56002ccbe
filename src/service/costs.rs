//! What the parts of a service are declared to cost, where nothing is measured.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::written::{Number, Quantity};
use crate::units::{Seconds, Share, Size};

pub use crate::footprint::Load;

/// A service whose costs somebody wrote down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Costs {
    /// What all requests share, besides the models.
    pub shared: Shared,
    /// The models, in the order in which a request meets them.
    pub models: Named<DeclaredModel>,
    /// What a request costs.
    pub request: DeclaredRequest,
}

/// What all requests share, besides the models.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shared {
    /// By name.
    pub parts: Named<Quantity<Size>>,
    /// What caching the models takes besides themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_cache: Option<Quantity<Size>>,
    /// All of it together with the models that are loaded at the start, if that was declared by
    /// itself: it counts instead of the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity<Size>>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredModel {
    /// On disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Quantity<Size>>,
    /// In RAM; a model that is only stored has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident: Option<Quantity<Size>>,
    /// When it is loaded.
    #[serde(skip_serializing_if = "is_eager")]
    pub load: Load,
    /// The share of the requests that it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// What each of those adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Quantity<Size>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_eager(load: &Load) -> bool {
    *load == Load::Eager
}

/// What a request costs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeclaredRequest {
    /// What one typically adds, if that was declared by itself: it is expected instead of the middle
    /// of the stages, whose upper end still decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Quantity<Size>>,
    /// How long one takes alone, if that was declared by itself: it counts instead of the sum of
    /// the stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Quantity<Seconds>>,
    /// Requests in flight that a CPU is best kept busy with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_cpu: Option<Quantity<Number>>,
    /// What one request is taken to cost by who multiplies the whole process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Quantity<Size>>,
    /// Whether a request's CPU time is spread over all CPUs of the box.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parallel: bool,
    /// Loading, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Quantity<Seconds>>,
    /// In order.
    pub stages: Named<Stage>,
}

/// A step of a request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// What it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram: Option<Quantity<Size>>,
    /// How long it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Quantity<Seconds>>,
    /// Whether it waits for somebody else, holding its buffers but no CPU.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// A remark.
    #[serde(
        deserialize_with = "crate::footprint::checked::one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub note: Option<String>,
}
