//! Whether this machine has the memory for a wave: asked before each, so that a large model does
//! not take the machine down with it.

use super::campaign::ChildRecord;
use crate::units::Bytes;

/// The share of the free memory that a measurement may take: others live here too.
const SHARE: f64 = 0.8;

/// What `concurrency` requests are expected to take in the child of this record, as far as it can
/// be told from what children have reached: the largest wave so far, and as much again for each
/// further request as the largest took on average beyond what was loaded. `None` where nothing is
/// known yet, or as many were there before and the machine held them.
pub fn expected(record: &ChildRecord, finished: &[ChildRecord], concurrency: u32) -> Option<Bytes> {
    let reached = |child: &ChildRecord| {
        let loaded = child.loaded.models.last().map_or(child.loaded.runtime, |m| m.after).total;
        let waves = child.waves.iter().filter(|(n, _)| *n > 0);
        waves
            .map(|(n, wave)| {
                let each = wave.peak.saturating_sub(loaded).as_f64() / f64::from(*n);
                (*n, wave.peak.as_f64(), each)
            })
            .max_by_key(|(n, ..)| *n)
    };
    let children = std::iter::once(record).chain(finished);
    let (n, peak, each) = children.filter_map(reached).max_by_key(|(n, ..)| *n)?;
    if concurrency <= n {
        return None;
    }
    Some(Bytes::from_f64(peak + each * f64::from(concurrency - n)))
}

/// Whether so much may be taken of what is free.
pub fn fits(expected: Option<Bytes>, available: Option<Bytes>) -> bool {
    match (expected, available) {
        (Some(expected), Some(available)) => expected.as_f64() <= available.as_f64() * SHARE,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::protocol::{Loaded, LoadedModel, Mark, WaveSample};
    use crate::measure::schedule::Errand;
    use crate::units::Seconds;

    fn mark(mib: u64) -> Mark {
        Mark { total: Bytes::mib(mib), file: Bytes::ZERO, kernel: Bytes::ZERO }
    }

    fn child(waves: &[(u32, u64)]) -> ChildRecord {
        let seconds = Seconds::ZERO;
        let model = LoadedModel { seconds, peak: Bytes::mib(100), after: mark(100), touched: None };
        let wave = |&(n, mib): &(u32, u64)| {
            let peak = Bytes::mib(mib);
            let (wall, cpu) = (seconds, seconds);
            let after = mark(mib);
            (n, WaveSample { peak, after, flat: true, requests: n, wall, cpu, touched: None })
        };
        ChildRecord {
            errand: Errand::Ladder,
            child: 0,
            loaded: Loaded { start: mark(4), runtime: mark(20), models: vec![model] },
            warm: None,
            stages: Vec::new(),
            waves: waves.iter().map(wave).collect(),
            at_random: Vec::new(),
            idle: None,
            lazy: None,
            no_room: None,
            killed: None,
        }
    }

    #[test]
    fn a_wave_is_expected_to_go_on_as_before() {
        assert_eq!(expected(&child(&[]), &[], 1), None);
        let seen = child(&[(1, 150), (2, 180)]);
        assert_eq!(expected(&seen, &[], 4), Some(Bytes::mib(180 + 2 * 40)));
        assert_eq!(expected(&seen, &[], 2), None);
        // What other children reached counts too.
        assert_eq!(expected(&child(&[]), &[seen], 16), Some(Bytes::mib(180 + 14 * 40)));
    }

    #[test]
    fn some_memory_is_left_to_others() {
        let some = |mib| Some(Bytes::mib(mib));
        assert!(fits(some(800), some(1000)) && !fits(some(801), some(1000)));
        assert!(fits(None, some(1)) && fits(some(1), None));
    }
}
