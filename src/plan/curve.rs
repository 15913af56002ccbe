//! RAM against requests in flight, however it is known: fitted to what was measured, or declared.

use crate::model::{Capacity, DeclaredRam, RamModel};
use crate::units::{Bytes, Span};

/// One question, two ways to answer it.
#[derive(Debug, Clone, PartialEq)]
pub enum Curve {
    /// From a measured footprint.
    Fitted(Box<RamModel>),
    /// From what somebody wrote down.
    Declared(DeclaredRam),
}

impl Curve {
    /// What all requests share.
    pub fn base(&self) -> Span<Bytes> {
        match self {
            Self::Fitted(model) => model.base(),
            Self::Declared(ram) => ram.base(),
        }
    }

    /// What each request adds, alike or in the mean of a measured mix.
    pub fn buffer(&self) -> Span<Bytes> {
        match self {
            Self::Fitted(model) => model.buffer(),
            Self::Declared(ram) => ram.buffer(),
        }
    }

    /// What each adds in the mean of the kinds of requests.
    pub fn mean_buffer(&self) -> Span<Bytes> {
        match self {
            Self::Fitted(model) => model.buffer(),
            Self::Declared(ram) => ram.mean_buffer(),
        }
    }

    /// Bytes with `n` requests in flight.
    pub fn total(&self, n: u32) -> Span<Bytes> {
        match self {
            Self::Fitted(model) => model.total(n),
            Self::Declared(ram) => ram.total(n),
        }
    }

    /// Bytes with `n` first requests, where that was measured.
    pub fn cold(&self, n: u32) -> Option<Span<Bytes>> {
        match self {
            Self::Fitted(model) => model.cold(n),
            Self::Declared(_) => None,
        }
    }

    /// The limit that `n` requests need.
    pub fn limit(&self, n: u32, include_cold: bool) -> Span<Bytes> {
        match self {
            Self::Fitted(model) => model.limit(n, include_cold),
            Self::Declared(ram) => ram.total(n),
        }
    }

    /// The most requests in flight that fit `limit`.
    pub fn max_concurrency(&self, limit: Bytes, include_cold: bool) -> Capacity {
        match self {
            Self::Fitted(model) => model.max_concurrency(limit, include_cold),
            Self::Declared(ram) => ram.max_concurrency(limit),
        }
    }
}
