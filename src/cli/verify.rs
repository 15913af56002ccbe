//! `verify`: the plan against the kernel.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ServiceArgs, ram_size};
use crate::units::{Cpus, Seconds, Share, Size};

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// An ONNX model, as with --model
    #[arg(value_name = "MODEL", group = "one_model")]
    pub file: Option<PathBuf>,
    /// RAM of the box: 512M, 1G, 1.5Gi (binary, as container engines read it)
    #[arg(long, value_name = "SIZE", value_parser = ram_size, allow_hyphen_values = true)]
    pub ram: Option<Size>,
    /// CPUs of the box; fractions are quotas: 0.5
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub cpus: Option<Cpus>,
    /// Requests in flight to try, instead of the most that the plan promises
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub concurrency: Option<u32>,
    /// The service is warmed up before it gets traffic: leave out the cold burst
    #[arg(long)]
    pub warmed: bool,
    /// Also search where it turns over: n, the most requests in this box; limit, the least RAM for
    /// these requests
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    pub find: Option<FindArg>,
    /// Also keep it busy for so long, and say whether its memory grows: 10m
    #[arg(long = "for", value_name = "TIME")]
    pub soak: Option<Seconds>,
    /// Also drive it with requests that come at random, at these shares of what its CPUs can do, and
    /// compare with the prediction [default: 30%,60%,85%]
    #[arg(long, value_name = "SHARE,…", num_args = 0..=1, require_equals = true,
          default_missing_value = "30%,60%,85%", value_delimiter = ',', help_heading = "Load")]
    pub load: Option<Vec<Share>>,
    /// Requests of each load
    #[arg(long, value_name = "N", default_value_t = 2000, requires = "load", help_heading = "Load",
          value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub requests: u32,
    /// What is tried and how it is measured.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindArg {
    /// The most requests in the box
    N,
    /// The least RAM for the requests
    Limit,
}
