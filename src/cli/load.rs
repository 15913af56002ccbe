//! What comes in.

use clap::Args;

use crate::units::{Objective, Rate, TargetScore};

/// What comes in.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// Requests that come: how long each takes, how many are in flight: 10/s, 600/min, 50000/day
    #[arg(long, value_name = "RATE", help_heading = "Load")]
    pub rps: Option<Rate>,
    /// What most answers must keep; finds the largest rate at which they do: p95=2s
    #[arg(long, value_name = "pN=TIME", help_heading = "Load")]
    pub slo: Option<Objective>,
    /// Size for a CPU of this score (see `calibrate`); 800/1600 where the footprint does not know that
    /// of the CPU it was measured on
    #[arg(long, value_name = "SCORE")]
    pub cpu_score: Option<TargetScore>,
}
