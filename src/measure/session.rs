//! Opening ONNX Runtime and a model with the settings that the footprint records.

use std::path::Path;

use anyhow::{Context, anyhow};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::ffi::SharedSession;
use super::protocol::ModelJob;
use crate::footprint::{Optimization, Settings};

/// In which format a file is (`onnxruntime_session_options_config_keys.h`).
const FORMAT: &str = "session.load_model_format";

/// Loads the library and makes the environment of this process.
///
/// # Errors
/// Where the library cannot be loaded.
pub fn open_runtime(library: &Path) -> anyhow::Result<Environment> {
    let builder = ort::init_from(library)
        .map_err(|e| anyhow!("{e}"))
        .with_context(|| format!("cannot load ONNX Runtime from {}", library.display()))?;
    builder.with_name("mediscope-size").with_telemetry(false).build().map_err(|e| anyhow!("{e}"))
}

/// Opens one model for concurrent runs, from its file or from the file's bytes, and names its outputs.
///
/// # Errors
/// What ONNX Runtime says of the file.
pub fn open_model(
    environment: &Environment,
    model: &ModelJob,
    settings: &Settings,
    bytes: Option<&[u8]>,
) -> anyhow::Result<(SharedSession, Vec<String>)> {
    let path = &model.path;
    let inputs = model.inputs.iter().map(|i| i.name.as_str());
    // The builder's errors hold the builder and cannot leave the thread: they end here as text.
    build(environment, model, settings, bytes)
        .and_then(|session| {
            let outputs = session.outputs().iter().map(|o| o.name().to_owned()).collect();
            Ok((SharedSession::new(&session, inputs)?, outputs))
        })
        .map_err(|e| anyhow!("ONNX Runtime cannot open {}: {}", path.display(), e.message()))
}

fn build(
    environment: &Environment,
    model: &ModelJob,
    settings: &Settings,
    bytes: Option<&[u8]>,
) -> ort::Result<Session> {
    let level = match settings.optimization {
        Optimization::Disabled => GraphOptimizationLevel::Disable,
        Optimization::Basic => GraphOptimizationLevel::Level1,
        Optimization::Extended => GraphOptimizationLevel::Level2,
        Optimization::All => GraphOptimizationLevel::All,
    };
    // 0 is the number of physical cores.
    let threads = settings.threads.given().map_or(0, usize::from);
    let mut builder = Session::builder(environment)?
        .with_optimization_level(level)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_memory_pattern(settings.memory_pattern)?
        .with_prepacking(settings.prepacking)?
        .with_intra_op_spinning(settings.spinning)?
        // The runtime goes by the ending of the name, which may say something else.
        .with_config_entry(FORMAT, if model.is_ort_format { "ORT" } else { "ONNX" })?;
    // The one thing that registering the CPU provider does: it is there anyway.
    if !settings.arena {
        let provider = ort::ep::CPU::default().with_arena_allocator(false);
        builder = builder.with_execution_providers([provider.build()])?;
    }
    match bytes {
        Some(bytes) => builder.commit_from_memory(bytes),
        None => builder.commit_from_file(&model.path),
    }
}
