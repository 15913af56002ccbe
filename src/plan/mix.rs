//! Requests of several kinds, before and after the models that are loaded late.

use super::build::samples;
use super::{MixCheck, MixPlan, Question, RamRow, RequestKind, State};
use crate::footprint::{Footprint, KindRecord, MixRecord, Point};
use crate::model::mix::whole_requests;
use crate::model::{CONFIDENCE, FitError, Late, Mixture, RamModel, line_of_peaks, sample};
use crate::units::{Bytes, Seconds, Source, Span};

/// What the other kinds add to the line of the first: of resident or of anonymous bytes.
pub(super) fn mixture(
    mix: &MixRecord,
    bytes: fn(&Point) -> Bytes,
    state: State,
) -> Result<Mixture, FitError> {
    let served = |kind: &&KindRecord| state == State::AfterLazy || !kind.lazy;
    let others = mix
        .others
        .iter()
        .filter(served)
        .map(|kind| Ok((kind.share.get(), buffer(kind, bytes)?)))
        .collect::<Result<Vec<_>, FitError>>()?;
    let late = mix
        .lazy
        .filter(|_| state == State::AfterLazy)
        .map(|lazy| Late { resident: lazy.resident_bytes, load_extra: lazy.load_extra_bytes });
    Ok(Mixture::new(mix.first_share.get(), &others, late))
}

/// What each request of a kind adds.
fn buffer(kind: &KindRecord, bytes: fn(&Point) -> Bytes) -> Result<Span<Bytes>, FitError> {
    let line = line_of_peaks(&samples(&kind.points, bytes))?;
    let interval = line.slope_interval(CONFIDENCE);
    let [low, typical, high] =
        [interval.low, line.slope(), interval.high].map(|b| Bytes::from_f64(b.max(0.0)));
    Ok(Span::around(low, typical, high, Source::Fitted))
}

/// CPU-seconds of the mean request.
pub(super) fn cpu_seconds(footprint: &Footprint) -> Span<Seconds> {
    let Some(mix) = &footprint.mix else { return footprint.cpu_seconds };
    let others = mix.others.iter().map(|kind| (kind.share.get(), kind.cpu_seconds));
    let kinds =
        || std::iter::once((mix.first_share.get(), footprint.cpu_seconds)).chain(others.clone());
    let mean = |end: fn(&Span<Seconds>) -> Seconds| {
        Seconds::new(kinds().map(|(share, cpu)| share * end(&cpu).get()).sum())
    };
    let source = kinds().map(|(_, cpu)| cpu.source()).max().unwrap_or(Source::Measured);
    Span::around(mean(Span::low), mean(Span::typical), mean(Span::high), source)
}

/// The tables of a mix; `None` where all requests are alike. `eager` tells the service in which
/// nothing late is loaded, where anything is, and `row` makes a row of a table from a model.
pub(super) fn mix_plan(
    footprint: &Footprint,
    resident: &RamModel,
    eager: Option<&RamModel>,
    question: &Question,
    row: impl Fn(&RamModel, u32, &Question) -> RamRow,
) -> Result<Option<MixPlan>, FitError> {
    let Some(mix) = &footprint.mix else { return Ok(None) };
    let own = |bytes: fn(&Point) -> Bytes| line_of_peaks(&samples(&footprint.points, bytes));
    let line = own(|p| p.peak_bytes)?;
    let interval = line.slope_interval(CONFIDENCE);
    let [low, typical, high] =
        [interval.low, line.slope(), interval.high].map(|b| Bytes::from_f64(b.max(0.0)));
    let mut kinds = vec![RequestKind {
        name: mix.first.clone(),
        share: mix.first_share,
        buffer: Span::around(low, typical, high, Source::Fitted),
        cpu: footprint.cpu_seconds,
    }];
    for kind in &mix.others {
        kinds.push(RequestKind {
            name: kind.name.clone(),
            share: kind.share,
            buffer: buffer(kind, |p| p.peak_bytes)?,
            cpu: kind.cpu_seconds,
        });
    }
    Ok(Some(MixPlan {
        check: check(mix, resident),
        late: footprint.models.iter().filter(|m| m.lazy).map(|m| m.name.clone()).collect(),
        eager_base: eager.map(RamModel::base),
        eager_rows: eager.map_or_else(Vec::new, |model| {
            super::ROWS.iter().map(|&n| row(model, n, question)).collect()
        }),
        kinds,
    }))
}

/// Mixed requests in other processes against what the kinds by themselves predict.
fn check(mix: &MixRecord, model: &RamModel) -> Option<MixCheck> {
    let concurrency = mix.checks.iter().map(|p| p.concurrency).max()?;
    let at = mix.checks.iter().filter(|p| p.concurrency == concurrency);
    let observed = sample::median(at.map(|p| p.peak_bytes.as_f64()));
    let predicted = model.total(concurrency);
    let shares: Vec<f64> = std::iter::once(mix.first_share.get())
        .chain(mix.others.iter().map(|kind| kind.share.get()))
        .collect();
    Some(MixCheck {
        requests: whole_requests(&shares, concurrency),
        predicted,
        observed: Bytes::from_f64(observed),
        error: (predicted.typical().as_f64() - observed) / observed,
    })
}
