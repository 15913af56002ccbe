//! What was measured of requests of several kinds.

use serde::{Deserialize, Serialize};

use super::{Point, checked};
use crate::units::{Bytes, Seconds, Share, Span};

/// Requests that are not all alike. The footprint's own points, stages and CPU times are those of
/// the most frequent kind, on a service in which nothing lazy is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixRecord {
    /// The most frequent kind.
    #[serde(deserialize_with = "checked::one_line")]
    pub first: String,
    /// Its share of all requests.
    pub first_share: Share,
    /// The others, the most frequent first; all shares sum to 1.
    #[serde(deserialize_with = "checked::short_list::<_, _, 16>")]
    pub others: Vec<KindRecord>,
    /// Models that are loaded by the first request that needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lazy: Option<LazyRecord>,
    /// Peaks of requests of all kinds together, split in whole requests, after all is loaded.
    pub checks: Vec<MixPoint>,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRecord {
    /// The profile's name for it.
    #[serde(deserialize_with = "checked::one_line")]
    pub name: String,
    /// Of all requests.
    pub share: Share,
    /// Whether it runs a model that is loaded late.
    pub lazy: bool,
    /// Peaks of waves of this kind alone, after all models are loaded.
    pub points: Vec<Point>,
    /// CPU-seconds of all threads a request under load.
    pub cpu_seconds: Span<Seconds>,
}

/// What the lazy models add when they are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LazyRecord {
    /// What stays, after the first requests of every kind.
    pub resident_bytes: Bytes,
    /// What loading takes at its height.
    pub load_extra_bytes: Bytes,
}

/// The peak of mixed requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixPoint {
    /// Requests in flight, of all kinds.
    pub concurrency: u32,
    /// The kernel's high-water mark.
    pub peak_bytes: Bytes,
    /// That, less the file pages.
    pub anon_bytes: Bytes,
    /// Which child, from 0.
    pub repeat: u32,
}
