//! How a report is written.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;

/// How a report is written.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Print everything, not only the answer
    #[arg(long, help_heading = "Report", conflicts_with = "section")]
    pub full: bool,
    /// The parts to print, in the report's order; `all` for everything [default: the answer as text,
    /// everything in other formats]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Report",
          help = SECTION_HELP, hide_possible_values = true)]
    pub section: Vec<String>,
    /// Write the report here; its ending names the format: .md, .html, .csv, .json, .txt
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// The language of the report [default: the locale's, else English]
    #[arg(long, value_enum, value_name = "LANGUAGE", help_heading = "Report")]
    pub lang: Option<LangArg>,
    /// Draw with ASCII alone
    #[arg(long, help_heading = "Report")]
    pub ascii: bool,
    /// Put another profile beside this one: what the move from it changes
    #[arg(long, value_name = "PROFILE", help_heading = "Report")]
    pub compare: Option<String>,
    /// Print how a number was made: its formula, inputs and their sources; `all` lists the names
    #[arg(long, value_name = "KEY", help_heading = "Report")]
    pub explain: Option<String>,
}

const SECTION_HELP: &str = "The parts to print: ram, cpu, … or all [default: the answer as text, all \
                            in other formats]";

/// Languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// English
    En,
    /// Spanish
    Es,
}

impl Format {
    /// The format that a file's ending names.
    pub fn of_ending(ending: &str) -> Option<Self> {
        Some(match ending {
            "txt" | "text" => Self::Text,
            "md" | "markdown" => Self::Markdown,
            "json" => Self::Json,
            "csv" => Self::Csv,
            "html" | "htm" => Self::Html,
            _ => return None,
        })
    }
}
