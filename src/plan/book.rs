//! A plan as a book: every figure by its name, and the sections that print them.

use super::figure::{Figures, Shown, Value};
use super::page::Section;
use super::sections;
use super::stated::{Note, notes};
use super::{Plan, StateCurve};
use crate::plan::assess::{Answer, Assessment, Resource};
use crate::service::{Costs, Service};
use crate::units::{Bytes, Convention, Source, Span, Units};

/// What the plan is about, beside what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What its profile says of it.
    pub service: &'a Service,
    /// What its parts are declared to cost, where nothing is measured.
    pub declared: Option<&'a Costs>,
    /// The day of the report, as 2026-01-31, where it is known.
    pub today: Option<&'a str>,
}

impl Subject<'_> {
    /// What a megabyte is.
    pub fn convention(&self) -> Convention {
        self.service.units.map_or(Convention::Binary, |units| units.boxes)
    }
}

/// All that a report may print.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// By their names.
    pub figures: Figures,
    /// In the order of the report.
    pub sections: Vec<Section>,
    /// Where others state something else.
    pub notes: Vec<Note>,
    /// What a megabyte is to whoever wrote the profile; `None` where nothing is said.
    pub units: Option<Units>,
}

/// Writes the book of `plan`.
pub fn book(plan: &Plan, assessment: &Assessment, subject: &Subject<'_>) -> Book {
    let mut maker =
        Maker { plan, assessment: Some(assessment), subject, figures: Figures::default() };
    let sections = sections::all(&mut maker);
    let notes = notes(&maker.figures, subject);
    Book { sections, notes, figures: maker.figures, units: subject.service.units }
}

/// What sections are made from, and the figures that are there so far.
pub(super) struct Maker<'a> {
    pub plan: &'a Plan,
    /// `None` while the servers are found that it assesses.
    pub assessment: Option<&'a Assessment>,
    pub subject: &'a Subject<'a>,
    pub figures: Figures,
}

/// RAM in one state with so many requests in flight.
pub(super) struct RamShown {
    pub base: Shown,
    pub buffers: Shown,
    pub total: Shown,
}

impl<'a> Maker<'a> {
    /// The states of the service, that before late models are loaded first.
    pub fn states(&self) -> &'a [StateCurve] {
        &self.plan.states
    }

    /// The state that all other tables are of: with everything loaded.
    pub fn last(&self) -> &'a StateCurve {
        let states = self.states();
        &states[states.len() - 1]
    }

    /// The first state: nothing late is loaded.
    pub fn first(&self) -> &'a StateCurve {
        &self.states()[0]
    }

    /// How a resource does; `None` where it was not asked about.
    pub fn answer_for(&self, resource: Resource) -> Option<Answer> {
        let rows = &self.assessment?.verdict.by_resource;
        rows.iter().find(|row| row.resource == resource).map(|row| row.answer)
    }

    /// A size of a box as the profile's author counts.
    pub fn megas(&self, megas: u64) -> Bytes {
        self.subject.convention().mega() * megas
    }

    pub fn base(&mut self, state: &StateCurve) -> Shown {
        let typical = state.curve.total(0).typical();
        let base = state.curve.base();
        let value = Span::around(base.low(), typical, base.high().max(typical), base.source());
        let key = format!("ram.states.{}.base_bytes", state.state.name());
        self.figures.put(key, Value::Bytes(value), "what all requests share", &[])
    }

    /// What each request adds, by the simple formula.
    pub fn buffer(&mut self, state: &StateCurve) -> Shown {
        let value = Value::Bytes(state.curve.buffer());
        let key = format!("ram.states.{}.buffer_bytes", state.state.name());
        self.figures.put(key, value, "what each request in flight adds", &[])
    }

    /// What each adds in the mean of the kinds of requests.
    pub fn mean_buffer(&mut self, state: &StateCurve) -> Shown {
        let value = Value::Bytes(state.curve.mean_buffer());
        let key = format!("ram.states.{}.mean_buffer_bytes", state.state.name());
        self.figures.put(key, value, "Σ share × buffer of each kind of request", &[])
    }

    /// RAM with `n` requests, of a mix split in whole ones.
    pub fn ram(&mut self, state: &StateCurve, n: u32) -> RamShown {
        let base = self.base(state);
        let total = state.curve.total(n);
        let name = state.state.name();
        let shared = state.curve.total(0);
        let buffers = Span::around(
            total.low().saturating_sub(shared.low()),
            total.typical().saturating_sub(shared.typical()),
            total.high().saturating_sub(shared.high()),
            total.source(),
        );
        let count = Shown::plain(Value::count(n));
        let buffer = self.mean_buffer(state);
        let buffers = self.figures.put(
            format!("ram.rows.{name}.{n}.buffers_bytes"),
            Value::Bytes(buffers),
            "N × buffer, of a mix split in whole requests",
            &[("N", &count), ("buffer", &buffer)],
        );
        let total = self.figures.put(
            format!("ram.rows.{name}.{n}.total_bytes"),
            Value::Bytes(total),
            "base + buffers",
            &[("base", &base), ("buffers", &buffers)],
        );
        RamShown { base, buffers, total }
    }

    /// RAM with `n` requests by the simple formula, all alike.
    pub fn flat(&mut self, state: &StateCurve, n: u32) -> RamShown {
        let (base, buffer) = (self.base(state), self.buffer(state));
        let name = state.state.name();
        let each = state.curve.buffer();
        let count = Shown::plain(Value::count(n));
        let all = each.map(|b| b * u64::from(n));
        let buffers = self.figures.put(
            format!("formula.{name}.{n}.buffers_bytes"),
            Value::Bytes(all),
            "N × buffer",
            &[("N", &count), ("buffer", &buffer)],
        );
        let base_value = state.curve.total(0);
        let total = self.figures.put(
            format!("formula.{name}.{n}.total_bytes"),
            Value::Bytes(base_value.zip(&all, |a, b| a + b)),
            "base + N × buffer",
            &[("base", &base), ("N", &count), ("buffer", &buffer)],
        );
        RamShown { base, buffers, total }
    }

    /// Of this RAM, how many requests by the simple formula.
    pub fn flat_holds(state: &StateCurve, ram: Bytes) -> f64 {
        let free = ram.saturating_sub(state.curve.total(0).typical());
        let each = state.curve.buffer().typical().as_f64();
        if each > 0.0 { (free.as_f64() / each).floor() } else { 0.0 }
    }
}

/// A value without spread.
pub(super) fn exact<T: Copy + PartialOrd>(value: T, source: Source) -> Span<T> {
    Span::exact(value, source)
}

/// A number of things.
pub(super) fn count(n: f64, source: Source) -> Value {
    Value::Count(Span::exact(n, source))
}

/// The source of what follows from a value.
pub(super) fn derived(shown: &Shown) -> Source {
    shown.value.source()
}
