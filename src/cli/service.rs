//! The service, and how it is measured: the options that several verbs share.

use std::path::PathBuf;

use clap::Args;

use super::SettingsArgs;
use crate::footprint::{Program, Topology};
use crate::units::{Megapixels, Seconds};

/// What is measured, and how.
#[derive(Debug, Clone, Args)]
pub struct ServiceArgs {
    /// A profile: the name of an embedded one, or a YAML file [default: mediscope]
    #[arg(long, value_name = "PROFILE", conflicts_with = "one_model", help_heading = "Service")]
    pub profile: Option<String>,
    /// Size a service of this one ONNX model
    #[arg(long, value_name = "FILE", help_heading = "Service", group = "one_model")]
    pub model: Option<PathBuf>,
    /// An input's shape, where the model leaves it open: 1x3x224x224, ids=1x128
    #[arg(long, value_name = "[NAME=]DIMS", requires = "one_model", help_heading = "Service")]
    pub shape: Vec<String>,
    /// Feed an input with numbers, random values or the array of a .npy file: length=448,
    /// sizes=480,640, ids=@random:1x128, ids=ids.npy
    #[arg(long, value_name = "NAME=VALUE", requires = "one_model", help_heading = "Service")]
    pub input: Vec<String>,
    /// Things that one run takes, where the model leaves that open [default: 1]
    #[arg(long, value_name = "N", help_heading = "Service",
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub batch: Option<u32>,
    /// How requests share sessions: shared, serial, pool:K, workers:W [default: the profile's]
    #[arg(long, value_name = "TOPOLOGY", help_heading = "Service")]
    pub topology: Option<Topology>,
    /// The server process around the models, which counts as part of the base: python-fastapi or node
    /// (measured once, as installed here), or its size without ONNX Runtime and models, as in 120M
    #[arg(long, value_name = "PROGRAM|SIZE", help_heading = "Service")]
    pub program: Option<Program>,
    /// The image of every request: a file, a folder of them, or the size of one that is generated,
    /// 0.1mp to 50mp [default: 2mp]
    #[arg(long, value_name = "PATH|SIZE", value_parser = image, help_heading = "Service")]
    pub image: Option<ImageArg>,
    /// ONNX Runtime's session settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// How long measuring may take; the minimum is never skipped [default: 40s; of a live
    /// service 60s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Measuring")]
    pub max_time: Option<Seconds>,
    /// Measure again, even if a footprint is kept
    #[arg(long, help_heading = "Measuring")]
    pub remeasure: bool,
    /// Measure even what this machine seems to have no memory for
    #[arg(long, help_heading = "Measuring")]
    pub force: bool,
    /// Say what would be measured, downloaded and written, and do nothing
    #[arg(long, help_heading = "Measuring")]
    pub dry_run: bool,
    /// Measure planted costs instead of a model, for tests.
    #[arg(long, hide = true, value_name = "KEY=VALUE,…")]
    pub synthetic: Option<String>,
}

/// What requests carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageArg {
    /// A generated image of this size.
    Generated(Megapixels),
    /// A file or a folder.
    Files(PathBuf),
}

fn image(text: &str) -> Result<ImageArg, String> {
    match Megapixels::if_size(text) {
        Some(size) => size.map(ImageArg::Generated).map_err(|e| e.to_string()),
        None if text.is_empty() => Err("name a file, a folder or a size as in 4mp".to_owned()),
        None => Ok(ImageArg::Files(PathBuf::from(text))),
    }
}
