//! What was found, in the format of whoever reads it.

use std::path::PathBuf;

use anyhow::bail;

use crate::cli::Format;
use crate::commands::file::{can_be_written, write_file};
use crate::commands::printer::{Printer, form_of};
use crate::plan::check::Checked;
use crate::report::{
    Layout, check_github, check_gitlab, check_json, check_junit, check_markdown, check_sarif,
    check_text,
};
use crate::text::guarded;

/// A file to be written.
pub struct Output {
    path: PathBuf,
    format: Format,
}

/// What `--output` asks for.
///
/// # Errors
/// Where a format is not known, or not one of these.
pub fn outputs(typed: &[String]) -> anyhow::Result<Vec<Output>> {
    typed.iter().map(|text| output(text)).collect()
}

fn output(text: &str) -> anyhow::Result<Output> {
    let named = text
        .split_once('=')
        .and_then(|(name, path)| Format::named(name).map(|format| (format, PathBuf::from(path))));
    let (format, path) = match named {
        Some(named) => named,
        None => {
            let path = PathBuf::from(text);
            let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            let format = match ending.as_deref() {
                Some("xml") => Format::Junit,
                Some("sarif") => Format::Sarif,
                Some("md") => Format::Markdown,
                Some("json") => Format::Json,
                Some("txt") => Format::Text,
                _ => bail!(
                    "`{text}` does not say its format: end it in .xml (JUnit), .sarif, .md, .json or .txt, \
                     or name it, as in gitlab={text}"
                ),
            };
            (format, path)
        }
    };
    can_write(format)?;
    if path.as_os_str() == "-" {
        bail!(
            "`{text}` would mix a file with the answer on standard output: give --format instead"
        );
    }
    if path.is_dir() || path.as_os_str().is_empty() {
        bail!("`{text}` names no file");
    }
    Ok(Output { path, format })
}

/// Whether a budget can be written so.
///
/// # Errors
/// With the formats that there are.
pub fn can_write(format: Format) -> anyhow::Result<()> {
    match format {
        Format::Csv | Format::Html | Format::Prometheus => bail!(
            "a budget is written as text, json, markdown, github, junit, sarif or gitlab: leave out --format, or name one of these"
        ),
        _ => Ok(()),
    }
}

impl Output {
    /// Whether it can be.
    ///
    /// # Errors
    /// Where its folder is not there, or nothing may be written to it.
    pub fn can_be_written(&self) -> anyhow::Result<()> {
        can_be_written(&self.path)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, checked: &Checked, why: bool, printer: &Printer) -> anyhow::Result<()> {
        let text = text(checked, self.format, why)?;
        let text = anstream::adapter::strip_str(&text).to_string();
        write_file(&self.path, guarded(&text, form_of(self.format)).as_bytes())?;
        printer.notice(&format!("wrote {}", self.path.display()));
        Ok(())
    }
}

/// What was found, in this format.
///
/// # Errors
/// Where it cannot be written so.
pub fn text(checked: &Checked, format: Format, why: bool) -> anyhow::Result<String> {
    Ok(match format {
        Format::Json => check_json(checked)?,
        Format::Markdown => check_markdown(checked),
        Format::Github => check_github(checked),
        Format::Junit => check_junit(checked)?,
        Format::Sarif => check_sarif(checked)?,
        Format::Gitlab => check_gitlab(checked)?,
        _ => {
            let layout: Layout = Printer::layout();
            check_text(checked, why, layout)
        }
    })
}
