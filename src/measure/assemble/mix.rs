//! What the children told of requests of several kinds.

use super::{Facts, cpu_seconds_of, files, median_bytes, point};
use crate::footprint::{KindRecord, LazyRecord, MixPoint, MixRecord, Point};
use crate::measure::campaign::ChildRecord;
use crate::measure::schedule::Errand;
use crate::units::Bytes;

/// `None` where all requests are of one kind.
pub(super) fn record(facts: &Facts, children: &[ChildRecord]) -> Option<MixRecord> {
    let (first, others) = facts.kinds.split_first()?;
    if others.is_empty() {
        return None;
    }
    let files = files(children);
    let others = others
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let of_it: Vec<&ChildRecord> =
                children.iter().filter(|c| c.errand == Errand::Kind(index + 1)).collect();
            KindRecord {
                name: kind.name.clone(),
                share: kind.share,
                lazy: kind.lazy,
                points: of_it.iter().flat_map(|c| points(c, files)).collect(),
                cpu_seconds: cpu_seconds_of(&of_it),
            }
        })
        .collect();
    Some(MixRecord {
        first: first.name.clone(),
        first_share: first.share,
        others,
        lazy: lazy(children),
        checks: children
            .iter()
            .filter(|c| c.errand == Errand::Mix)
            .flat_map(|child| mixed(child, files))
            .collect(),
    })
}

fn points(child: &ChildRecord, files: Bytes) -> impl Iterator<Item = Point> {
    child.waves.iter().map(move |(n, wave)| point((child, *n, wave), files))
}

fn mixed(child: &ChildRecord, files: Bytes) -> impl Iterator<Item = MixPoint> {
    child.waves.iter().map(move |(concurrency, wave)| {
        let anon_bytes = wave.peak.saturating_sub(wave.after.file);
        MixPoint {
            concurrency: *concurrency,
            peak_bytes: anon_bytes + files,
            anon_bytes,
            repeat: child.child,
        }
    })
}

/// From the children that served the first kind before they loaded what is lazy: all else was the
/// same before and after.
fn lazy(children: &[ChildRecord]) -> Option<LazyRecord> {
    let samples = || {
        let ladders = children.iter().filter(|c| c.errand == Errand::Ladder);
        ladders.filter_map(|c| c.lazy.as_ref()).filter(|lazy| lazy.warm.is_some())
    };
    samples().next()?;
    let grown = |bytes: Bytes, before: Bytes| bytes.saturating_sub(before);
    let peak = |models: &[crate::measure::protocol::LoadedModel]| {
        models.iter().map(|m| m.peak).max().unwrap_or_default()
    };
    Some(LazyRecord {
        resident_bytes: median_bytes(
            samples().filter_map(|l| Some(grown(l.warm?.total, l.before.total))),
        ),
        load_extra_bytes: samples()
            .map(|l| grown(peak(&l.models), l.before.total))
            .max()
            .unwrap_or_default(),
    })
}
