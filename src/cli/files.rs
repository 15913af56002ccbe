//! What lies on the disk: a model, the library, what is kept between runs.

use std::path::PathBuf;

use clap::Args;

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The ONNX file; external weights are looked for beside it
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
}

/// `runtime`.
#[derive(Debug, Args)]
pub struct RuntimeArgs {
    /// Download it into the cache now, so that no later run has to
    #[arg(long)]
    pub install: bool,
    /// The platform to download for, if not this one
    #[arg(long, value_name = "PLATFORM", requires = "install")]
    pub platform: Option<String>,
}

/// `calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {}

/// `cache`.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// Remove everything that is kept
    #[arg(long)]
    pub clear: bool,
}
