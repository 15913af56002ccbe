use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Where a number comes from. Never printed without it being known.
///
/// Ordered from the best known to the least: the source of a number that is made from several is
/// the largest of theirs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Read off the running program.
    Measured,
    /// A model's value within the range that was measured.
    Fitted,
    /// A model's value outside that range.
    Extrapolated,
    /// Somebody wrote it down.
    Declared,
    /// A guess, and said to be one.
    Assumed,
}

impl Source {
    /// The word that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Extrapolated => "extrapolated",
            Self::Declared => "declared",
            Self::Assumed => "assumed",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A quantity with the interval in which it is known (95 % where it is measured or fitted) and
/// its source: `low <= typical <= high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Span<T> {
    low: T,
    typical: T,
    high: T,
    source: Source,
}

/// The ends of a span are in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a span needs low <= typical <= high: swap the values that are out of order")]
pub struct SpanError;

impl<T: Copy + PartialOrd> Span<T> {
    /// A span with the ends as given.
    ///
    /// # Errors
    /// Where `low <= typical <= high` does not hold.
    pub fn new(low: T, typical: T, high: T, source: Source) -> Result<Self, SpanError> {
        if low <= typical && typical <= high {
            Ok(Self { low, typical, high, source })
        } else {
            Err(SpanError)
        }
    }

    /// A span around `typical`; an end on the wrong side of it (rounding, a clamp at zero) is
    /// moved to it.
    pub fn around(low: T, typical: T, high: T, source: Source) -> Self {
        Self {
            low: if low <= typical { low } else { typical },
            typical,
            high: if high >= typical { high } else { typical },
            source,
        }
    }

    /// A value without spread.
    pub const fn exact(value: T, source: Source) -> Self {
        Self { low: value, typical: value, high: value, source }
    }

    /// The lower end.
    pub const fn low(&self) -> T {
        self.low
    }

    /// The value to expect.
    pub const fn typical(&self) -> T {
        self.typical
    }

    /// The upper end: what decides.
    pub const fn high(&self) -> T {
        self.high
    }

    /// Where the value comes from.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The same span with `f` applied to each end; a falling `f` swaps the ends.
    pub fn map<U: Copy + PartialOrd>(&self, f: impl Fn(T) -> U) -> Span<U> {
        let (a, b) = (f(self.low), f(self.high));
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Span::around(low, f(self.typical), high, self.source)
    }

    /// The two spans combined end by end (`f` must rise in both), with the worse source.
    pub fn zip<U: Copy + PartialOrd, V: Copy + PartialOrd>(
        &self,
        other: &Span<U>,
        f: impl Fn(T, U) -> V,
    ) -> Span<V> {
        Span::around(
            f(self.low, other.low),
            f(self.typical, other.typical),
            f(self.high, other.high),
            self.source.max(other.source),
        )
    }

    /// The same values with another source.
    #[must_use]
    pub const fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }
}

impl<'de, T: Copy + PartialOrd + Deserialize<'de>> Deserialize<'de> for Span<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SpanVisitor(PhantomData))
    }
}

/// The order is checked while the map is read: an error that is raised there carries the place of
/// the span, one that is raised later that of whatever contains it.
struct SpanVisitor<T>(PhantomData<T>);

impl<'de, T: Copy + PartialOrd + Deserialize<'de>> Visitor<'de> for SpanVisitor<T> {
    type Value = Span<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span: low, typical, high and source")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Span<T>, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written<T> {
            low: T,
            typical: T,
            high: T,
            source: Source,
        }
        let w = Written::deserialize(MapAccessDeserializer::new(map))?;
        Span::new(w.low, w.typical, w.high, w.source).map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        assert!(Span::new(2, 1, 3, Source::Declared).is_err());
        assert!(Span::new(1, 2, 3, Source::Declared).is_ok());
        let falling = Span::around(1.0, 2.0, 4.0, Source::Measured).map(|x| 1.0 / x);
        assert_eq!((falling.low(), falling.typical(), falling.high()), (0.25, 0.5, 1.0));
    }

    #[test]
    fn the_worse_source_wins() {
        let a = Span::exact(1, Source::Measured);
        let b = Span::exact(2, Source::Assumed);
        assert_eq!(a.zip(&b, |x, y| x + y).source(), Source::Assumed);
    }
}
