//! `--dry-run`: everything is checked and looked for as in a real run, and then only told.

use super::Request;
use crate::commands::runtime;
use crate::measure::cache::Kind;
use crate::measure::host::HostBox;
use crate::measure::interrupt::Interrupt;
use crate::measure::prepare::{Checked, check};
use crate::measure::runtime::Surroundings;
use crate::text;

impl Request<'_> {
    /// `--dry-run`: what would be measured, how long, what is downloaded and written.
    pub fn dry_run(&self) -> anyhow::Result<()> {
        let mut lines =
            vec![format!("Would size {} ({})", self.profile.title(), self.profile.name)];
        let interrupt = Interrupt::default();
        let brought = self.brought(&interrupt)?;
        if let Some(said) = &brought.said {
            self.printer.warning(said);
        }
        if brought.footprint.is_some() {
            lines.push("  from the footprint in the profile: nothing is measured".into());
            return self.told(&lines);
        }
        let checked = check(&self.cache, &self.profile)?;
        let host = HostBox::this()?;
        let surroundings = Surroundings::of_process(self.cache.root());
        let found = runtime::find(&surroundings, self.printer, &interrupt);
        if let Some(runtime) = &found {
            let (_, key) = self.real_key(&checked, &host, runtime)?;
            lines.push(format!(
                "  ONNX Runtime {} from {}: {}",
                runtime.version,
                runtime.origin,
                runtime.path.display()
            ));
            if self.kept(&key).is_some() {
                lines.push("  from the cache: nothing is measured, downloaded or written".into());
                return self.told(&lines);
            }
        } else {
            lines.push(runtime::would_install(&surroundings));
        }
        lines.extend(self.would_measure(&checked, &host));
        self.told(&lines)
    }

    fn told(&self, lines: &[String]) -> anyhow::Result<()> {
        let lines: Vec<_> = lines.iter().map(|text| text::line(text)).collect();
        self.printer.answer(&format!("{}\n", lines.join("\n")))
    }

    fn would_measure(&self, checked: &Checked, host: &HostBox) -> Vec<String> {
        let topology = self.profile.topology;
        let processes = match topology.processes() {
            1 => "processes".to_owned(),
            workers => format!("groups of {workers} processes"),
        };
        // Where every session, or every worker, has a request.
        let n = |requests: u32| requests + topology.knee() - 1;
        let mut lines = vec![format!(
            "  measures {topology} in 5 {processes} or more, one after the other, on {} cores, for \
             about {} (at least N = {}, {}, {} in three of them and a check at N = {} or {})",
            host.cores,
            self.budget,
            n(1),
            n(2),
            n(4),
            n(8),
            n(16)
        )];
        if !self.families.is_empty() {
            lines.push("  and then other topologies, to compare".to_owned());
        }
        let written = checked.to_be_written(&self.cache);
        for (path, bytes) in &written {
            lines.push(format!("  writes {bytes:>9} {}", path.display()));
        }
        let folder = self.cache.folder(Kind::Footprints);
        lines.push(format!("  keeps the footprint in {}", folder.display()));
        lines
    }
}
