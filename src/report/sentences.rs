//! The findings of a plan as sentences by themselves, for JSON and for tables of variants. They are
//! the same that the text report prints, in English: programs quote them.

use super::catalogue::Language;
use super::compose::Writer;
use crate::plan::Warning;
use crate::plan::assess::Finding;

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
    pub(super) fn finding(&mut self, finding: &Finding) -> String {
        self.0.phrase(&crate::plan::finding_phrase(finding))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::footprint::ManagedRuntime;
    use crate::report::json::planted;
    use crate::units::Bytes;

    fn warning(warning: &Warning) -> String {
        Sentences::new().warning(warning)
    }

    fn finding(finding: &Finding) -> String {
        Sentences::new().finding(finding)
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
                "declared_costs",
                "validation_failed",
                "wide_memory_interval",
                "wide_cpu_interval",
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
            let reasons = planted::findings();
            let reasons = reasons.iter().map(crate::plan::finding_phrase);
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
    fn sizes_that_differ_are_not_printed_alike() {
        let ram_bytes = Bytes::mib(512);
        let of = |limit_bytes| {
            finding(&Finding::TooManyConcurrent { concurrency: 2, limit_bytes, ram_bytes })
        };
        assert_eq!(of(Bytes::mib(600)), "2 concurrent requests need 600 MiB, more than 512 MiB.");
        let by_a_byte = of(Bytes::new(ram_bytes.get() + 1));
        assert!(
            by_a_byte.contains("536,870,913 bytes, more than 536,870,912 bytes"),
            "{by_a_byte}"
        );
    }

    #[test]
    fn one_request_is_told_in_the_singular() {
        let (limit_bytes, ram_bytes) = (Bytes::mib(417), Bytes::mib(512));
        let one = finding(&Finding::MemoryFits { concurrency: 1, limit_bytes, ram_bytes });
        assert_eq!(one, "1 concurrent request needs 417 MiB of 512 MiB.");
    }

    #[test]
    fn a_kill_is_told_by_where_it_happened() {
        let text = |concurrency, signal| warning(&Warning::Killed { concurrency, signal });
        assert!(text(0, 9).contains("while it loaded the models (signal 9, as the kernel does"));
        assert!(text(24, 11).contains("with 24 requests in flight (signal 11)"));
    }
}
