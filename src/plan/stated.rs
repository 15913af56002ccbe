//! What others have stated, held against what follows from the costs: one rule for all figures.
//!
//! A statement agrees where the computed value, rounded to the digits that were written, is what was
//! written. A range agrees where both ends do.

use super::book::Subject;
use super::figure::{Figures, Form, Shown, Value};
use crate::service::{Number, Quantity, Stated};
use crate::units::{Convention, Money, Seconds, Size};

/// A statement that does not follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The figure.
    pub key: String,
    /// What was stated of it.
    pub stated: Stated,
    /// What follows; `None` where there is no such figure.
    pub computed: Option<Shown>,
}

/// All statements of the profile that do not follow, in its order.
pub(super) fn notes(figures: &Figures, subject: &Subject<'_>) -> Vec<Note> {
    let convention = subject.convention();
    let stated = subject.service.stated.iter().cloned();
    totals(subject)
        .into_iter()
        .chain(stated)
        .filter_map(|stated| {
            let Some(figure) = figures.get(&stated.key) else {
                return Some(Note { key: stated.key.clone(), stated, computed: None });
            };
            (!agrees(&stated.value, &figure.shown, convention)).then(|| Note {
                key: stated.key.clone(),
                computed: Some(figure.shown.clone()),
                stated,
            })
        })
        .collect()
}

/// Totals that are declared beside their parts are statements about the sums of those.
fn totals(subject: &Subject<'_>) -> Vec<Stated> {
    let stated = |key: &str, value: &str| Stated { key: key.into(), value: value.into(), at: None };
    let mut all = Vec::new();
    if let Some(costs) = subject.declared {
        if let Some(total) = costs.shared.total.as_ref().filter(|_| !costs.shared.parts.is_empty())
        {
            all.push(stated("memory.sum.eager", total.text()));
        }

        if let Some(time) = costs.request.time.as_ref().filter(|_| !costs.request.stages.is_empty())
        {
            all.push(stated("cpu.request.sum", time.text()));
        }
    }
    if let Some(traffic) = &subject.service.traffic {
        let ways = [
            ("network.inbound.sum", &traffic.inbound),
            ("network.outbound.sum", &traffic.outbound),
        ];
        for (key, way) in ways {
            if let Some(total) = way.total.as_ref().filter(|_| !way.items.is_empty()) {
                all.push(stated(key, total.text()));
            }
        }
    }
    all
}

/// Whether what follows is what was stated, in the digits of the statement.
fn agrees(text: &str, shown: &Shown, convention: Convention) -> bool {
    let Some((ends, step)) = read(text, &shown.value, convention) else { return false };
    let [low, typical, high] = shown.value.ends();
    let computed = match shown.form {
        Form::Range | Form::GigaRange => [low, high],
        Form::High => [high, high],
        Form::Typical | Form::Giga | Form::Signed | Form::Exact => [typical, typical],
    };
    // The last bit of a quotient is nobody's disagreement.
    ends.iter()
        .zip(computed)
        .all(|(stated, computed)| (stated - computed).abs() <= step / 2.0 + stated.abs() * 1e-9)
}

/// The ends of a statement in the unit of the figure, and what its last digit is worth.
fn read(text: &str, value: &Value, convention: Convention) -> Option<([f64; 2], f64)> {
    let step =
        |decimals: usize, unit: f64| unit * 10f64.powi(-i32::try_from(decimals).unwrap_or(9));
    match value {
        Value::Bytes(_) | Value::Volume(_) | Value::Box(_) => {
            let size = Quantity::<Size>::parse(text).ok()?;
            let convention =
                if matches!(value, Value::Volume(_)) { Convention::Decimal } else { convention };
            let bytes = size.bytes(convention);
            let unit_text = text.trim_start_matches(|c: char| !c.is_alphabetic());
            let unit = format!("1{unit_text}").parse::<Size>().ok()?.bytes(convention).as_f64();
            Some(([bytes.low().as_f64(), bytes.high().as_f64()], step(size.decimals(), unit)))
        }
        Value::Seconds(_) => {
            let time = Quantity::<Seconds>::parse(text).ok()?;
            let unit = if text.contains("ms") { 0.001 } else { 1.0 };
            Some(([time.low().get(), time.high().get()], step(time.decimals(), unit)))
        }
        Value::Money(_) => {
            let price = Quantity::<Money>::parse(text).ok()?;
            Some(([price.low().get(), price.high().get()], step(price.decimals(), 1.0)))
        }
        Value::Share(_) => {
            let number = Quantity::<Number>::parse(&text.replace('%', "")).ok()?;
            let ends = [number.low().0 / 100.0, number.high().0 / 100.0];
            Some((ends, step(number.decimals(), 0.01)))
        }
        Value::Rate(_) | Value::PerMinute(_) | Value::Count(_) | Value::Cpus(_) => {
            let number = Quantity::<Number>::parse(text).ok()?;
            Some(([number.low().0, number.high().0], step(number.decimals(), 1.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, Source, Span};

    fn bytes(low: f64, typical: f64, high: f64) -> Shown {
        let mib = |m: f64| Bytes::from_f64(m * 1_048_576.0);
        Shown::plain(Value::Bytes(Span::around(
            mib(low),
            mib(typical),
            mib(high),
            Source::Declared,
        )))
    }

    #[test]
    fn a_statement_agrees_in_the_digits_that_it_has() {
        let says = |text: &str, shown: &Shown| agrees(text, shown, Convention::Binary);
        assert!(says("13MB", &bytes(13.2, 13.2, 13.2)));
        assert!(!says("13.0MB", &bytes(13.2, 13.2, 13.2)));
        assert!(!says("60MB", &bytes(66.0, 66.0, 66.0)));
        assert!(says("~1.5GB", &bytes(1500.0, 1500.0, 1500.0)));
        assert!(!says("12-30MB", &bytes(10.5, 20.0, 29.0).range()));
        assert!(says("10-29MB", &bytes(10.4, 20.0, 29.0).range()));
        let share = |x| Shown::plain(Value::Share(Span::exact(x, Source::Declared)));
        assert!(says("52%", &share(0.5215)));
        assert!(!says("98%", &share(0.9866)));
        assert!(!says("not a number", &share(0.5)));
    }
}
