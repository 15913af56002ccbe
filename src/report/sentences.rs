//! The findings of a plan as sentences by themselves, for JSON and for tables of variants. They are
//! the same that the text report prints, in English: programs quote them.

use super::catalogue::Language;
use super::compose::Writer;
use crate::plan::{Reason, Warning};

/// Writes sentences.
pub(super) struct Sentences(Writer<'static>);

impl Sentences {
    pub(super) fn new() -> Self {
        Self(Writer::plain(Language::English))
    }

    /// What a warning says.
    pub(super) fn warning(&mut self, warning: &Warning) -> String {
        self.0.phrase(&crate::plan::warning(warning))
    }

    /// Why the verdict is what it is.
    pub(super) fn reason(&mut self, reason: &Reason) -> String {
        self.0.phrase(&crate::plan::reason(reason))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::footprint::ManagedRuntime;
    use crate::model::Capacity;
    use crate::report::json::planted;
    use crate::units::Bytes;

    fn warning(warning: &Warning) -> String {
        Sentences::new().warning(warning)
    }

    fn reason(reason: &Reason) -> String {
        Sentences::new().reason(reason)
    }

    fn need(concurrency: u32, need: Bytes, has: Bytes) -> String {
        reason(&Reason::RamNeed { concurrency, need, has })
    }

    fn holds(low: u32, typical: u32) -> String {
        reason(&Reason::RamHolds(Capacity { low, typical, high: typical + 1 }))
    }

    #[test]
    fn codes_are_the_contracts() {
        let warnings = planted::warnings();
        let mut codes: Vec<&str> = warnings.iter().map(Warning::code).collect();
        // One of them is there in two ways.
        codes.dedup();
        assert_eq!(
            codes,
            [
                "synthetic_weights",
                "partial_measurement",
                "process_killed",
                "topology_killed",
                "not_a_line",
                "not_flat",
                "not_checked",
                "not_tried",
                "extrapolated",
                "disturbed",
                "no_room",
                "assumed_shape",
                "assumed_value",
                "one_step",
                "model_alone",
                "other_cpu",
                "largest_image",
                "more_cpus",
                "threads_above_cpus",
                "memory_grows",
                "could_not_stand",
                "burst_failed",
                "one_burst",
                "not_the_service",
                "heap_follows_ram",
                "still_accumulates",
                "unexplained_history",
                "repeated_bodies",
                "tmpfs_grew",
            ]
        );
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    }

    #[test]
    fn everything_is_in_whole_sentences_in_every_language() {
        for language in Language::ALL {
            let mut writer = Writer::plain(language);
            let mut warnings = planted::warnings();
            warnings.push(Warning::HeapFollowsRam {
                runtime: ManagedRuntime::Go,
                measured_with: Bytes::mib(24_000),
                asked: None,
            });
            let warnings = warnings.iter().map(crate::plan::warning);
            let reasons = planted::reasons();
            let reasons = reasons.iter().map(crate::plan::reason);
            for phrase in warnings.chain(reasons) {
                let text = writer.phrase(&phrase);
                assert!(text.ends_with('.'), "{text}");
                assert!(!text.starts_with(|c: char| c.is_lowercase()), "{text}");
                assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
                assert!(!text.contains('⟨') && !text.contains('$'), "{text}");
            }
        }
    }

    #[test]
    fn a_need_is_told_against_what_there_is() {
        let has = Bytes::mib(512);
        assert_eq!(
            need(10, Bytes::mib(417), has),
            "10 requests in flight need up to 417 MiB of the box's 512 MiB (81 %)."
        );
        assert_eq!(
            need(1, Bytes::mib(600), has),
            "1 request in flight needs up to 600 MiB, more than the 512 MiB of the box."
        );
    }

    #[test]
    fn sizes_that_differ_are_not_printed_alike() {
        let has = Bytes::mib(512);
        let by_a_byte = need(2, Bytes::new(has.get() + 1), has);
        assert!(
            by_a_byte.contains("536,870,913 bytes, more than the 536,870,912 bytes"),
            "{by_a_byte}"
        );
        assert!(need(2, has, has).contains("512 MiB of the box's 512 MiB (100 %)"));
    }

    #[test]
    fn few_requests_are_told_in_words() {
        assert_eq!(holds(0, 0), "RAM holds not even one request in flight.");
        assert_eq!(
            holds(0, 2),
            "At the high end of cost RAM holds no request in flight, typically 2."
        );
        assert_eq!(holds(1, 1), "RAM holds 1 request in flight.");
        assert_eq!(
            holds(7, 9),
            "RAM holds 7 requests in flight at the high end of cost, typically 9."
        );
    }

    #[test]
    fn a_kill_is_told_by_where_it_happened() {
        let text = |concurrency, signal| warning(&Warning::Killed { concurrency, signal });
        assert!(text(0, 9).contains("while it loaded the models (signal 9, as the kernel does"));
        assert!(text(24, 11).contains("with 24 requests in flight (signal 11)"));
    }
}
