//! Where a report goes, in which format, language and extent.

use std::path::PathBuf;

use anyhow::bail;

use super::answer::Answer;
use super::file::{can_be_written, write_file};
use super::printer::{Printer, form_of};
use super::size::{OF_CHECK, rendered};
use crate::cli::{Format, GlobalArgs, LangArg, ReportArgs};
use crate::plan::{SECTIONS, SHORT};
use crate::report::{self, Language, Layout, Lines};
use crate::text::guarded;

/// The section of `--compare`.
const COMPARE: &str = "compare";

/// How a report looks.
pub struct How {
    /// The parts.
    pub sections: Vec<&'static str>,
    /// The language.
    pub language: Language,
    /// The terminal.
    pub layout: Layout,
}

/// Where a report goes, and how it looks there.
pub struct Output {
    path: Option<PathBuf>,
    format: Format,
    how: How,
    /// Whether the answer is all that is printed, in one line.
    is_one_line: bool,
}

impl Output {
    /// What the options ask for.
    ///
    /// # Errors
    /// Where they do not go together, or name what is not there.
    pub fn new(args: &ReportArgs, global: &GlobalArgs) -> anyhow::Result<Self> {
        let of_ending = args.output.as_ref().map(|path| {
            let ending =
                path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
            (Format::of_ending(&ending), ending)
        });
        let format = match (global.format, of_ending) {
            (Some(format), _) | (None, Some((Some(format), _))) => format,
            (None, None) => Format::Text,
            (None, Some((None, ending))) => bail!(
                "no format ends in `.{ending}`: use .md, .html, .csv, .json or .txt, or say --format"
            ),
        };
        if matches!(format, Format::Github | Format::Junit | Format::Sarif | Format::Gitlab) {
            bail!(OF_CHECK);
        }
        if let Some(path) = &args.output {
            can_be_written(path)?;
        }
        let sections = sections(args, format)?;
        if format == Format::Prometheus && args.section != ["monitoring"] {
            bail!("alert rules are of one part of the report: add --section monitoring");
        }
        let lines = if args.ascii { Lines::Ascii } else { Lines::Unicode };
        let layout = Layout { lines, ..Printer::layout() };
        let how = How { sections, language: language(args.lang), layout };
        let is_one_line = global.quiet
            && format == Format::Text
            && args.output.is_none()
            && args.section.is_empty()
            && !args.full;
        Ok(Self { path: args.output.clone(), format, how, is_one_line })
    }

    /// Writes the report of `found`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, found: &Answer, printer: &Printer) -> anyhow::Result<()> {
        self.check(found)?;
        if self.is_one_line {
            return printer.answer(&report::one_line(&found.book, self.how.language));
        }
        let text = rendered(found, self.format, &self.how)?;
        let Some(path) = &self.path else {
            printer.answer(&text)?;
            return Ok(());
        };
        // A file has no colours.
        let text = anstream::adapter::strip_str(&text).to_string();
        write_file(path, guarded(&text, form_of(self.format)).as_bytes())?;
        printer.notice(&format!("wrote {}", path.display()));
        Ok(())
    }

    /// A part that was named and has nothing to say of this service is told, not left out.
    fn check(&self, found: &Answer) -> anyhow::Result<()> {
        let there = |id: &str| found.book.sections.iter().any(|s| s.id == id);
        if self.how.sections.iter().any(|id| there(id)) || self.format == Format::Json {
            return Ok(());
        }
        let all: Vec<&str> = found.book.sections.iter().map(|s| s.id).collect();
        bail!(
            "the report of `{}` has no part {}: it has {}",
            found.profile.name,
            self.how.sections.join(", "),
            all.join(", ")
        )
    }
}

/// Those that were named, in the report's order.
fn sections(args: &ReportArgs, format: Format) -> anyhow::Result<Vec<&'static str>> {
    let named = &args.section;
    let known = || std::iter::once(COMPARE).chain(SECTIONS);
    if let Some(wrong) = named.iter().find(|n| *n != "all" && !known().any(|k| k == n.as_str())) {
        bail!(
            "there is no section `{wrong}`: there is all, {}",
            known().collect::<Vec<_>>().join(", ")
        );
    }
    if named.is_empty() && format == Format::Text && !args.full {
        return Ok(std::iter::once(COMPARE).chain(SHORT).collect());
    }
    let all = named.is_empty() || named.iter().any(|n| n == "all");
    Ok(known().filter(|k| all || named.iter().any(|n| n == k)).collect())
}

/// As asked, else as the locale says.
fn language(asked: Option<LangArg>) -> Language {
    match asked {
        Some(LangArg::En) => Language::English,
        Some(LangArg::Es) => Language::Spanish,
        None => Language::of_locale(&sys_locale::get_locale().unwrap_or_default()),
    }
}

impl How {
    /// The short report in a terminal.
    pub fn short(language: Option<LangArg>) -> Self {
        Self {
            sections: SHORT.to_vec(),
            language: self::language(language),
            layout: Printer::layout(),
        }
    }
}
