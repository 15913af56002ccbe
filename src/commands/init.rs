//! `init`: a commented profile for models of the user's.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, bail};

use super::Exit;
use super::measure::folder_of_profile;
use super::printer::Printer;
use crate::cli::{GlobalArgs, InitArgs};
use crate::footprint::checked::made_one_line;
use crate::profile::{Profile, as_written};
use crate::reference::{Dim, ModelInfo, Sizing, inspect};
use crate::text::{Form, guarded, shell_word};

/// A profile of declared costs, to be edited.
const DECLARED: &str = "\
# A service whose costs are written down, not measured. Numbers are examples: replace them.
# A range is written 20-40MB; 1GB is 1024MB unless `units:` says otherwise.
name: my-service
title: My service

declared:
  # Loaded once, whatever the number of concurrent requests.
  shared:
    parts:
      Python and web framework: 60MB
      Runtime: 200MB
  models:
    detector: {resident: 180MB}
    # Loaded by the first request that needs it:
    # fallback: {resident: 120MB, load: lazy}
  # What one request takes: its RAM, and its time on a CPU.
  request:
    stages:
      Decode: {ram: 10-20MB, time: 15ms}
      Inference: {ram: 60-90MB, time: 120ms}
      # Time spent waiting for another service takes no CPU:
      # Database: {ram: 1MB, time: 30ms, external: true}

# What is asked about where the command line names no server.
target: {ram: 1GB, cpus: 1}

# Servers to choose from, ascending.
tiers:
  - {name: small, ram: 1GB, cpus: 1, price: $6}
  - {name: medium, ram: 2GB, cpus: 2, price: $18}
  - {name: large, ram: 4GB, cpus: 2, price: $24}
";

/// Runs the verb.
pub fn run(args: &InitArgs, global: &GlobalArgs, printer: &Printer) -> anyhow::Result<Exit> {
    if global.is_json().map_err(anyhow::Error::msg)? {
        bail!("a profile is YAML: leave out --format json");
    }
    let folder = args.output.as_deref().map_or(Path::new(""), folder_of_profile);
    let text = if args.declared { DECLARED.to_owned() } else { written(&args.model, folder)? };
    // What is written must be what is read.
    Profile::parse(&text, "the new profile")?;
    let Some(path) = &args.output else {
        printer.answer(&text)?;
        return Ok(Exit::Answered);
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).with_context(|| {
            format!("cannot write {}: name a file that is not there yet", path.display())
        })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    printer.notice(&format!(
        "wrote {}; size a box with `mediscope-size --profile {} --ram 1G --cpus 1`",
        path.display(),
        shell_word(&path.to_string_lossy())
    ));
    Ok(Exit::Answered)
}

/// The profile, with what can be said of each model and with comments for what cannot.
fn written(models: &[std::path::PathBuf], folder: &Path) -> anyhow::Result<String> {
    let mut entries = String::new();
    let mut names: Vec<String> = Vec::new();
    for path in models {
        let info = inspect(path)?;
        let sizing = Sizing::of(&info);
        if let Some(obstacle) = sizing.obstacles.first() {
            bail!("{} cannot be sized: {obstacle}", path.display());
        }
        let stem = path
            .file_stem()
            .map_or_else(|| "model".into(), |s| made_one_line(&s.to_string_lossy()));
        let mut name = stem.clone();
        while names.contains(&name) {
            name.push('2');
        }
        entries.push_str(&entry(&name, path, folder, &info)?);
        names.push(name);
    }
    let name = names.first().cloned().unwrap_or_default();
    Ok(TEMPLATE.replace("{name}", &quoted(&name)?).replace("{models}", &entries))
}

/// A text as YAML takes it.
fn quoted(text: &str) -> anyhow::Result<String> {
    // JSON's strings are YAML's, and so are its escapes: what is not plain may end a comment, in which
    // some of these stand.
    let plain =
        text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.' || c == '/');
    Ok(if plain {
        text.to_owned()
    } else {
        guarded(&serde_json::to_string(text)?, Form::Json).into_owned()
    })
}

fn entry(name: &str, path: &Path, folder: &Path, info: &ModelInfo) -> anyhow::Result<String> {
    let written = as_written(path, folder)?;
    let Some(shown) = written.to_str() else {
        bail!("the path {} is not Unicode, which YAML must be: rename the file", path.display())
    };
    let mut text = format!("  {}:\n    path: {}\n", quoted(name)?, quoted(shown)?);
    text.push_str(&open_inputs(info));
    Ok(text)
}

/// What is taken for inputs whose dimensions the model leaves open: in comments, as it is assumed.
fn open_inputs(info: &ModelInfo) -> String {
    let sizing = Sizing::of(info);
    let open = info.inputs.iter().zip(&sizing.inputs).filter(|(port, _)| {
        port.dims.as_ref().is_none_or(|dims| dims.iter().any(|d| !matches!(d, Dim::Fixed(_))))
    });
    let inputs: Vec<String> = open
        .filter_map(|(port, sized)| {
            let dims: Vec<String> = sized.shape.as_ref()?.iter().map(ToString::to_string).collect();
            Some(format!("{}: {{shape: [{}]}}", quoted(&port.name).ok()?, dims.join(", ")))
        })
        .collect();
    if inputs.is_empty() {
        return String::new();
    }
    format!(
        "    # The model leaves these shapes open; what is assumed. RAM and time follow them.\n    # inputs: {{{}}}\n",
        inputs.join(", ")
    )
}

const TEMPLATE: &str = "\
# A service, for mediscope-size. Lines that begin with # are comments: take away the mark of those
# that you need. `mediscope-size --profile THIS --ram 1G --cpus 1` measures it and sizes a box.
name: {name}
# title: What the service does

# How requests share sessions: shared, serial, pool:K, workers:W.
topology: shared

# The models, in the order in which a request meets them.
models:
{models}    # load: lazy          # loaded by the first request that needs it
    # share: 20%          # runs in this share of the requests, instead of another model
    # after: other        # runs where that model found nothing
    # inputs: {tokens: {shape: [1, 128]}}

request:
  # What a request carries: a size of generated image, a file, or a folder.
  # image: 2mp
  batch: 1

# ONNX Runtime's session settings, where yours differ.
# settings: {threads: 1, arena: true}

# What the service stores besides the models.
# storage:
#   dependencies: {onnxruntime: 60MB, numpy: 70MB}
#   system: {Python runtime: 150MB}

# What a request brings and takes, and how many come in a month.
# traffic:
#   inbound: {items: {Photo: {size: 1-3MB}}}
#   outbound: {items: {Answer: {size: 5-20KB}}}
#   scenarios:
#     light: {users: 1000}

# What is asked of it.
# demand: {per_day: 1000-5000, peak_rps: 10}

# The box that is meant where the command line names none.
# target: {ram: 1GB, cpus: 1, disk: 25GB, bandwidth: 1000GB}

# Boxes that you can buy, ascending.
# tiers:
#   - {name: small, ram: 1GB, cpus: 1, disk: 25GB, bandwidth: 1000GB, price: $6}
#   - {name: large, ram: 4GB, cpus: 2, disk: 80GB, bandwidth: 4000GB, price: $24}

# What an alarm should watch.
# thresholds: {response: 2s, memory: 80%, errors: 1%, uptime: 99.5%}
";
