//! How sure an answer is, and why it is not surer.

use super::Assessor;
use super::assessment::Confidence;
use crate::plan::Warning;
use crate::units::Source;

/// The widest interval of what decides, to either side, of an answer that is trusted.
const WIDE: f64 = 0.15;

/// How far beyond what was measured an answer may be.
const FAR: u32 = 2;

/// What a warning says of the confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// Nothing.
    None,
    /// It is not high.
    Lowers,
    /// It is low.
    MakesLow,
}

fn effect(warning: &Warning) -> Effect {
    match warning {
        Warning::DeclaredCosts
        | Warning::WideMemory { .. }
        | Warning::WideCpu { .. }
        | Warning::ValidationFailed { .. }
        | Warning::NotChecked
        | Warning::NotTried
        | Warning::Extrapolated { .. }
        | Warning::MoreCpus { .. }
        | Warning::Disturbed(_)
        | Warning::Partial
        | Warning::NotALine(_)
        | Warning::NotTheService
        | Warning::StillAccumulates { .. }
        | Warning::UnexplainedHistory(_)
        | Warning::RepeatedBodies(_)
        | Warning::HeapFollowsRam { .. }
        | Warning::Grows { .. } => Effect::MakesLow,
        Warning::NotFlat { .. }
        | Warning::AssumedShape(_)
        | Warning::AssumedValue(_)
        | Warning::OneStep { .. }
        | Warning::OtherCpu { .. } => Effect::Lowers,
        _ => Effect::None,
    }
}

impl Assessor<'_> {
    /// What lowers the confidence, and what else the reader should know.
    pub(super) fn warnings(&self) -> (Vec<Warning>, Vec<Warning>) {
        let service = self.service();
        if service.provenance.source == Source::Declared {
            return (vec![Warning::DeclaredCosts], service.warnings.clone());
        }
        let mut all = service.warnings.clone();
        if let Some(held_out) = service.held_out.filter(|check| !check.is_inside()) {
            all.push(Warning::ValidationFailed { error: held_out.error });
        }
        let concurrency = self.seen.design;
        if let Some(measured) = service.measured_concurrency
            && concurrency > measured.saturating_mul(FAR)
        {
            all.push(Warning::Extrapolated { measured });
        }
        if let (Some(cpus), Some((measured_on, together))) =
            (self.target.cpus, service.measured_cpus)
            && cpus.get() > f64::from(measured_on.saturating_mul(FAR))
        {
            all.push(Warning::MoreCpus { measured_on, together });
        }
        let half = |low: f64, typical: f64, high: f64| (high - low) / 2.0 / typical.max(1e-9);
        let limit = self.evaluator.limit(concurrency);
        let half_width =
            half(limit.low().as_f64(), limit.typical().as_f64(), limit.high().as_f64());
        if half_width > WIDE {
            all.push(Warning::WideMemory { half_width });
        }
        let cpu = service.cpu.seconds_per_request();
        let half_width = half(cpu.low().get(), cpu.typical().get(), cpu.high().get());
        let decides = self.question().rate.is_some() || self.question().slo.is_some();
        if decides && half_width > WIDE {
            all.push(Warning::WideCpu { half_width });
        }
        let (mut doubts, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|warning| effect(warning) > Effect::None);
        // The most serious first.
        doubts.sort_by_key(|warning| std::cmp::Reverse(effect(warning)));
        (doubts, others)
    }

    pub(super) fn confidence(&self, doubts: &[Warning]) -> Confidence {
        match doubts.iter().map(effect).max() {
            Some(Effect::MakesLow) => Confidence::Low,
            None if self.service().held_out.is_some() => Confidence::High,
            _ => Confidence::Medium,
        }
    }
}
