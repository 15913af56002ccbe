//! The same service measured with other settings or inputs, side by side: what each takes, and
//! what it saves against the first.
//!
//! A difference is only called one where the intervals of the two do not overlap. That is stricter
//! than a test of the difference: intervals of 95 % that just touch differ with far more than that
//! (Schenker and Gentleman, On Judging the Significance of Differences by Examining the Overlap
//! Between Confidence Intervals, The American Statistician 55(3), 2001).

use super::{Plan, PlanError, Question, Warning, plan};
use crate::footprint::{Environment, Footprint, ImageRecord};
use crate::model::Capacity;
use crate::units::{Bytes, Rate, Seconds, Source, Span};

/// Requests in flight at which variants are compared where nothing is asked.
pub const COMPARED_AT: u32 = 10;

/// A difference below this share is no reason to change anything, and where nothing was fitted, as
/// of the height of loading, processes differ by as much: an assumption.
const LEAST: f64 = 0.01;

/// One value of what variants differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is varied, as it is typed: `arena`.
    pub key: String,
    /// Its value: `off`.
    pub value: String,
    /// Whether it changes what a request carries, and not how the service runs it.
    pub is_input: bool,
}

/// A measured variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// What it is measured with; one or more.
    pub choices: Vec<Choice>,
    /// Its footprint.
    pub footprint: Footprint,
    /// What else should be known of it.
    pub warnings: Vec<Warning>,
}

/// A variant that was not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What it would have been measured with.
    pub name: String,
    /// Why it was not, in words.
    pub reason: String,
}

/// All variants side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Variants {
    /// The profile's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What was asked; the concurrency is the one that the variants are compared at.
    pub question: Question,
    /// Requests in flight that the variants are compared at.
    pub concurrency: u32,
    /// In the order in which they were asked for, the one that others are compared with first.
    pub rows: Vec<Row>,
    /// One of each row but the first, those that save most first.
    pub tips: Vec<Tip>,
    /// What was not measured.
    pub missing: Vec<Missing>,
}

/// What one variant takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `arena=off, threads=2`.
    pub name: String,
    /// What it was measured with.
    pub choices: Vec<Choice>,
    /// On what, and with all of its settings.
    pub environment: Environment,
    /// The request's image, if it carried one.
    pub image: Option<ImageRecord>,
    /// Shared by all requests.
    pub base: Span<Bytes>,
    /// Added by each request in flight.
    pub buffer: Span<Bytes>,
    /// The height of loading.
    pub load_peak: Span<Bytes>,
    /// The limit that it needs for the requests in flight that variants are compared at.
    pub ram: Span<Bytes>,
    /// CPU time a request.
    pub cpu: Span<Seconds>,
    /// Requests a second: on the CPUs that were asked about, else as measured in the largest waves.
    pub throughput: Option<Span<Rate>>,
    /// Requests in flight that the asked box holds.
    pub max_concurrency: Option<Capacity>,
    /// Whether it fits the asked box.
    pub fits: Option<bool>,
    /// What should be known of it.
    pub warnings: Vec<Warning>,
}

/// What changes from one variant to another: from the first of those with the same input where it
/// is another setting, and from the first of all where it is another input.
#[derive(Debug, Clone, PartialEq)]
pub struct Tip {
    /// The other one's place among the rows.
    pub row: usize,
    /// The place of the one that it is compared with.
    pub against: usize,
    /// RAM at the concurrency that variants are compared at.
    pub ram: Difference,
    /// CPU time a request.
    pub cpu: Difference,
    /// Whether it is only the input that differs: then it is not the service that saves.
    pub is_input: bool,
    /// Requests in flight that the asked box holds with that variant and with this one;
    /// `None` where that is the same, or the RAM that they need differs within the noise.
    pub holds: Option<(u32, u32)>,
    /// Whether the asked box is enough for this one, and not for that.
    pub makes_it_fit: bool,
}

/// The other less what it is compared with, in bytes or seconds: below 0 where the other takes less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The least that it may be: at the ends of the intervals that are next to each other.
    pub low: f64,
    /// What it is.
    pub typical: f64,
    /// The most that it may be.
    pub high: f64,
    /// It, as a share of what it is compared with; 0 where that is 0.
    pub share: f64,
}

impl Difference {
    fn between<T: Copy + PartialOrd>(
        first: &Span<T>,
        other: &Span<T>,
        number: impl Fn(T) -> f64,
    ) -> Self {
        let typical = number(other.typical()) - number(first.typical());
        let whole = number(first.typical());
        Self {
            low: number(other.low()) - number(first.high()),
            typical,
            high: number(other.high()) - number(first.low()),
            share: if whole > 0.0 { typical / whole } else { 0.0 },
        }
    }

    /// Whether it may as well be none: the intervals of the two overlap, or it is below 1 %.
    pub fn is_noise(&self) -> bool {
        (self.low <= 0.0 && self.high >= 0.0) || self.share.abs() < LEAST
    }

    /// The difference, or 0 where it may as well be none.
    pub fn beyond_noise(&self) -> f64 {
        if self.is_noise() { 0.0 } else { self.typical }
    }
}

/// Compares variants, the first of which is what the others are compared with. Where no concurrency
/// is asked for, they are compared at what keeps the CPUs of the box busy with the first of them,
/// or at [`COMPARED_AT`].
///
/// # Errors
/// Where a footprint has too few points for a line.
pub fn compare(
    name: &str,
    title: &str,
    variants: &[Variant],
    missing: Vec<Missing>,
    question: &Question,
) -> Result<Variants, PlanError> {
    let answer = |variant: &Variant, question| plan(name, title, &variant.footprint, question);
    let busy = match variants.first() {
        Some(first) => answer(first, question)?.cpu.answers.map(|a| a.best_concurrency.1),
        None => None,
    };
    let concurrency = question.concurrency.or(busy).unwrap_or(COMPARED_AT);
    let question = Question { concurrency: Some(concurrency), ..*question };
    let rows = variants
        .iter()
        .map(|variant| Ok(row(variant, answer(variant, &question)?)))
        .collect::<Result<Vec<Row>, PlanError>>()?;
    Ok(Variants {
        name: name.to_owned(),
        title: title.to_owned(),
        question,
        concurrency,
        tips: tips(&rows),
        rows,
        missing,
    })
}

fn row(variant: &Variant, plan: Plan) -> Row {
    let mut warnings = plan.warnings;
    warnings.extend(variant.warnings.iter().cloned());
    let footprint = &variant.footprint;
    let largest = footprint.throughput.iter().max_by_key(|t| t.concurrency);
    Row {
        name: name_of(&variant.choices),
        choices: variant.choices.clone(),
        environment: footprint.environment.clone(),
        image: footprint.image.clone(),
        base: plan.ram.base,
        buffer: plan.ram.buffer,
        load_peak: plan.ram.load_peak,
        ram: plan.ram.limit,
        cpu: plan.cpu.seconds_per_request,
        throughput: match plan.cpu.answers {
            Some(answers) => Some(answers.throughput),
            None => largest.map(|t| Span::exact(t.rps, Source::Measured)),
        },
        max_concurrency: plan.ram.max_concurrency,
        fits: plan.question.ram.map(|ram| plan.ram.limit.high() <= ram),
        warnings,
    }
}

/// `arena=off, threads=2`.
pub fn name_of(choices: &[Choice]) -> String {
    let words: Vec<String> = choices.iter().map(|c| format!("{}={}", c.key, c.value)).collect();
    words.join(", ")
}

/// What saves most beyond the noise first; what costs most last.
fn tips(rows: &[Row]) -> Vec<Tip> {
    let mut tips: Vec<Tip> = (1..rows.len()).map(|row| tip(rows, row)).collect();
    tips.sort_by(|a, b| {
        let by = |difference: fn(&Tip) -> f64| difference(a).total_cmp(&difference(b));
        by(|t| t.ram.beyond_noise()).then_with(|| by(|t| t.cpu.beyond_noise()))
    });
    tips
}

fn tip(rows: &[Row], row: usize) -> Tip {
    let against = compared_with(rows, row);
    let (first, other) = (&rows[against], &rows[row]);
    let holds = |row: &Row| row.max_concurrency.map(|capacity| capacity.low);
    let ram = Difference::between(&first.ram, &other.ram, Bytes::as_f64);
    let differs = !ram.is_noise();
    Tip {
        row,
        against,
        ram,
        cpu: Difference::between(&first.cpu, &other.cpu, Seconds::get),
        is_input: inputs(first).ne(inputs(other)),
        holds: holds(first).zip(holds(other)).filter(|(a, b)| differs && a != b),
        makes_it_fit: differs && first.fits == Some(false) && other.fits == Some(true),
    }
}

/// A setting saves nothing by itself where the input is another, too: such a variant is compared
/// with the first of its own input, if that was measured.
fn compared_with(rows: &[Row], row: usize) -> usize {
    rows[..row].iter().position(|other| inputs(other).eq(inputs(&rows[row]))).unwrap_or(0)
}

fn inputs(row: &Row) -> impl Iterator<Item = &Choice> {
    row.choices.iter().filter(|choice| choice.is_input)
}

#[cfg(test)]
mod tests;
