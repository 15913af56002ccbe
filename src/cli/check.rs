//! `check` and `diff`.

use std::path::PathBuf;

use clap::Args;

use super::{ServiceArgs, ram_size};
use crate::units::{Cpus, MOST_IN_FLIGHT, Rate, Seconds, Share, Size, at_most, growth};

const RULES: &str = "Rules";

/// `check`.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A file with rules for one or several services [default: budget.yaml, where it is there and
    /// no rule is typed]
    #[arg(value_name = "BUDGET")]
    pub budget_file: Option<PathBuf>,
    /// The limit that --concurrency requests in flight need, at most: 512M
    #[arg(long, value_name = "SIZE", value_parser = ram_size, requires = "concurrency", help_heading = RULES)]
    pub max_ram: Option<Size>,
    /// Requests in flight that --max-ram is for
    #[arg(long, value_name = "N", requires = "max_ram", help_heading = RULES,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_IN_FLIGHT)))]
    pub concurrency: Option<u32>,
    /// What each request in flight adds, at most: 20M
    #[arg(long, value_name = "SIZE", value_parser = limit, help_heading = RULES)]
    pub max_buffer: Option<Size>,
    /// The height of loading, at most
    #[arg(long, value_name = "SIZE", value_parser = limit, help_heading = RULES)]
    pub max_load_peak: Option<Size>,
    /// CPU time of a request, at most: 50ms
    #[arg(long, value_name = "TIME", help_heading = RULES)]
    pub max_cpu_seconds: Option<Seconds>,
    /// Requests a second on --cpus, at least
    #[arg(long, value_name = "N", requires = "cpus", help_heading = RULES)]
    pub min_rps: Option<Rate>,
    /// CPUs that --min-rps is for
    #[arg(long, value_name = "N", requires = "min_rps", help_heading = RULES)]
    pub cpus: Option<Cpus>,
    /// A model file, at most: 100MB (decimal, as of a disk; 100MiB is binary)
    #[arg(long, value_name = "SIZE", value_parser = limit, help_heading = RULES)]
    pub max_model_file: Option<Size>,
    /// What base, buffer and loading may have grown by since --baseline [default with it: 5%]
    #[arg(long, value_name = "SHARE", value_parser = growth, help_heading = RULES)]
    pub max_growth: Option<Share>,
    /// A profile with a footprint, as it was when all was well
    #[arg(long, value_name = "FILE", help_heading = RULES)]
    pub baseline: Option<PathBuf>,
    /// Write what is measured as the new baseline
    #[arg(long, help_heading = RULES)]
    pub update_baseline: bool,
    /// The service is warmed up before it gets traffic: leave out the cold burst
    #[arg(long, help_heading = RULES)]
    pub warmed: bool,
    /// Count what is undecided as over
    #[arg(long, help_heading = RULES)]
    pub strict: bool,
    /// Say where the bytes are, what changed, and what would keep the rules
    #[arg(long)]
    pub why: bool,
    /// Write it to a file, too; its ending or FORMAT= names the format: junit=report.xml
    #[arg(long, short, value_name = "[FORMAT=]FILE")]
    pub output: Vec<String>,
    /// What is checked and how it is measured.
    #[command(flatten)]
    pub service: ServiceArgs,
}

fn limit(text: &str) -> Result<Size, String> {
    at_most(text.parse::<Size>().map_err(|e| e.to_string())?, text)
}

impl CheckArgs {
    /// Whether a rule was typed.
    pub const fn has_rules(&self) -> bool {
        self.max_ram.is_some()
            || self.max_buffer.is_some()
            || self.max_load_peak.is_some()
            || self.max_cpu_seconds.is_some()
            || self.min_rps.is_some()
            || self.max_model_file.is_some()
            || self.max_growth.is_some()
            || self.baseline.is_some()
    }
}

/// `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A profile with a footprint: how it was
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Another: how it is
    #[arg(value_name = "TO")]
    pub to: String,
}
