//! `profiles`, `init`, `lint`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `profiles`.
#[derive(Debug, Args)]
pub struct ProfilesArgs {
    /// What to do; lists them where nothing is named.
    #[command(subcommand)]
    pub command: Option<ProfilesCommand>,
}

/// What can be done with embedded profiles.
#[derive(Debug, Subcommand)]
pub enum ProfilesCommand {
    /// Print the YAML of one, to start your own from
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The ONNX model of the service; more than one for several
    #[arg(long, value_name = "FILE", required_unless_present = "declared")]
    pub model: Vec<PathBuf>,
    /// A profile whose costs you write down, for a service that cannot be measured
    #[arg(long, conflicts_with = "model")]
    pub declared: bool,
    /// Write the profile here instead of to standard output; a file that is there is kept
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The name of an embedded profile, or a YAML file
    #[arg(value_name = "PROFILE")]
    pub profile: String,
}
