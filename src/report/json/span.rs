//! The `S` of the contracts: a quantity with its interval and its source, as plain numbers.

use serde::Serialize;

use crate::units::{Bytes, Rate, Seconds, Span};

/// `{low, typical, high, source}`.
#[derive(Debug, Serialize)]
pub(in crate::report) struct S<T> {
    low: T,
    typical: T,
    high: T,
    source: &'static str,
}

impl<T> S<T> {
    /// With each end as a plain number.
    pub fn of<U: Copy + PartialOrd>(span: &Span<U>, plain: impl Fn(U) -> T) -> Self {
        Self {
            low: plain(span.low()),
            typical: plain(span.typical()),
            high: plain(span.high()),
            source: span.source().name(),
        }
    }
}

impl S<f64> {
    /// `None` where an end is not finite: JSON has no number for it, and what is written in its
    /// place is null, where the contract has no null.
    pub fn rate(span: &Span<Rate>) -> Option<Self> {
        let all = [span.low(), span.typical(), span.high()];
        all.iter().all(|rate| rate.get().is_finite()).then(|| Self::of(span, Rate::get))
    }
}

impl From<&Span<Bytes>> for S<u64> {
    fn from(span: &Span<Bytes>) -> Self {
        Self::of(span, Bytes::get)
    }
}

impl From<&Span<Seconds>> for S<f64> {
    fn from(span: &Span<Seconds>) -> Self {
        Self::of(span, Seconds::get)
    }
}
