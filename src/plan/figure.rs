//! Every number that is printed, with what it was made from: so that each can be explained, held
//! against what others state, and found again in every format under one name.

use std::collections::BTreeMap;

use crate::units::{Bytes, Cpus, Money, Rate, Seconds, Source, Span};

/// A quantity of any kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// RAM, or a part of it.
    Bytes(Span<Bytes>),
    /// Disk or bandwidth.
    Volume(Span<Bytes>),
    /// The RAM of a box, as it is sold.
    Box(Bytes),
    /// A length of time.
    Seconds(Span<Seconds>),
    /// Something a second.
    Rate(Span<Rate>),
    /// The same a minute.
    PerMinute(Span<Rate>),
    /// Things that are counted; whole ones, as a rule.
    Count(Span<f64>),
    /// A share of something, 0 to 1 and more.
    Share(Span<f64>),
    /// Dollars a month.
    Money(Span<Money>),
    /// CPUs.
    Cpus(Cpus),
}

impl Value {
    /// A number of things that is known.
    pub fn count(n: impl Into<f64>) -> Self {
        Self::Count(Span::exact(n.into(), Source::Declared))
    }

    /// Where it comes from.
    pub const fn source(&self) -> Source {
        match self {
            Self::Bytes(s) | Self::Volume(s) => s.source(),
            Self::Seconds(s) => s.source(),
            Self::Rate(s) | Self::PerMinute(s) => s.source(),
            Self::Count(s) | Self::Share(s) => s.source(),
            Self::Money(s) => s.source(),
            Self::Box(_) | Self::Cpus(_) => Source::Declared,
        }
    }

    /// Its low, typical and high end as plain numbers: bytes, seconds, a second, dollars.
    pub const fn ends(&self) -> [f64; 3] {
        match self {
            Self::Bytes(s) | Self::Volume(s) => {
                [s.low().as_f64(), s.typical().as_f64(), s.high().as_f64()]
            }
            Self::Box(b) => [b.as_f64(); 3],
            Self::Seconds(s) => [s.low().get(), s.typical().get(), s.high().get()],
            Self::Rate(s) => [s.low().get(), s.typical().get(), s.high().get()],
            Self::PerMinute(s) => {
                [s.low().get() * 60.0, s.typical().get() * 60.0, s.high().get() * 60.0]
            }
            Self::Count(s) | Self::Share(s) => [s.low(), s.typical(), s.high()],
            Self::Money(s) => [s.low().get(), s.typical().get(), s.high().get()],
            Self::Cpus(c) => [c.get(); 3],
        }
    }

    /// The unit of those numbers.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::Bytes(_) | Self::Volume(_) | Self::Box(_) => "bytes",
            Self::Seconds(_) => "seconds",
            Self::Rate(_) => "per_second",
            Self::PerMinute(_) => "per_minute",
            Self::Count(_) => "count",
            Self::Share(_) => "share",
            Self::Money(_) => "dollars_per_month",
            Self::Cpus(_) => "cpus",
        }
    }
}

/// Which part of a quantity is printed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What to expect.
    Typical,
    /// From the low to the high end; one number where they are the same.
    Range,
    /// The high end: what decides.
    High,
    /// What to expect, in the next larger unit.
    Giga,
    /// The range, in the next larger unit.
    GigaRange,
    /// What to expect, with its sign.
    Signed,
    /// What to expect, to the last byte: where two sizes that differ would read alike.
    Exact,
}

/// A quantity as it is printed somewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The quantity.
    pub value: Value,
    /// Which part of it.
    pub form: Form,
    /// The name of its figure, where it is one.
    pub key: Option<String>,
}

impl Shown {
    /// A quantity that is no figure of its own.
    pub const fn plain(value: Value) -> Self {
        Self { value, form: Form::Typical, key: None }
    }

    /// The same, printed otherwise.
    #[must_use]
    pub fn form(&self, form: Form) -> Self {
        Self { form, ..self.clone() }
    }

    /// The time of a figure that is one; none of any other.
    pub const fn seconds(&self) -> Span<Seconds> {
        match self.value {
            Value::Seconds(span) => span,
            _ => Span::exact(Seconds::ZERO, Source::Assumed),
        }
    }

    /// The same, printed from end to end.
    #[must_use]
    pub fn range(&self) -> Self {
        self.form(Form::Range)
    }
}

/// A number with a name, and what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// How it is printed, with its value and name.
    pub shown: Shown,
    /// The formula, in the symbols of its inputs.
    pub formula: &'static str,
    /// What the symbols stand for.
    pub inputs: Vec<(&'static str, Shown)>,
}

/// All figures of a plan by their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(BTreeMap<String, Figure>);

impl Figures {
    /// Adds a figure and returns what to print of it. A name that is there keeps its first figure:
    /// it is the same number, printed at another place.
    pub fn put(
        &mut self,
        key: impl Into<String>,
        value: Value,
        formula: &'static str,
        inputs: &[(&'static str, &Shown)],
    ) -> Shown {
        self.put_as(key, value, Form::Typical, formula, inputs)
    }

    /// [`Figures::put`] of a figure whose range is printed.
    pub fn put_range(
        &mut self,
        key: impl Into<String>,
        value: Value,
        formula: &'static str,
        inputs: &[(&'static str, &Shown)],
    ) -> Shown {
        self.put_as(key, value, Form::Range, formula, inputs)
    }

    /// [`Figures::put`] of a figure that is printed in this form.
    pub fn put_as(
        &mut self,
        key: impl Into<String>,
        value: Value,
        form: Form,
        formula: &'static str,
        inputs: &[(&'static str, &Shown)],
    ) -> Shown {
        let key = key.into();
        let shown = Shown { value, form, key: Some(key.clone()) };
        let inputs = inputs.iter().map(|(symbol, shown)| (*symbol, (*shown).clone())).collect();
        self.0.entry(key).or_insert_with(|| Figure { shown, formula, inputs }).shown.clone()
    }

    /// The figure of this name.
    pub fn get(&self, key: &str) -> Option<&Figure> {
        self.0.get(key)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Figure)> {
        self.0.iter().map(|(key, figure)| (key.as_str(), figure))
    }
}
