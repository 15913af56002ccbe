//! What a footprint depends on. Two runs with the same key would measure the same.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::footprint::{Settings, Topology};
use crate::measure::protocol::{InputJob, KindJob};

/// Changes whenever the way of measuring does: old footprints are then measured again.
const PROTOCOL: u32 = 3;

/// Everything that changes a footprint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyParts {
    /// The tool's version and that of its measuring protocol.
    pub tool: String,
    /// ONNX Runtime's version.
    pub onnxruntime: String,
    /// SHA-256 of its library: builds of one version differ.
    #[serde(default)]
    pub library_sha256: Option<String>,
    /// What else changes memory here: the allocator, huge pages, the tool's own limits.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// As the kernel names it.
    pub cpu_model: String,
    /// CPUs that the process may use.
    pub cores: u32,
    /// How requests share sessions.
    pub topology: Topology,
    /// Session settings.
    pub settings: Settings,
    /// What the machine makes of a number of threads that is left to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_threads: Option<u16>,
    /// The models, in order.
    pub models: Vec<ModelKey>,
    /// Which requests run which of them.
    pub kinds: Vec<KindJob>,
    /// The images' hashes, or the version of the generated one.
    pub images: Vec<String>,
    /// Longest edge of the answered heatmap.
    pub heatmap_edge: u32,
}

/// What identifies one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelKey {
    /// The file's SHA-256, or name, classes, seed and writer version of a reference model.
    pub content: String,
    /// What it is fed with.
    pub inputs: Vec<InputJob>,
    /// The same in words, in which an array is known by what its file holds and not by its path.
    #[serde(default)]
    pub fed: Vec<String>,
    /// Whether it is loaded by the first request that needs it.
    pub lazy: bool,
    /// Whether its session is made from a copy of the file in memory.
    #[serde(default)]
    pub from_bytes: bool,
}

impl KeyParts {
    /// The version that goes into [`KeyParts::tool`].
    pub fn tool_version() -> String {
        format!("{}+protocol{PROTOCOL}", env!("CARGO_PKG_VERSION"))
    }

    /// The key.
    ///
    /// # Errors
    /// Never in practice: the parts are plain data.
    pub fn key(&self) -> serde_json::Result<CacheKey> {
        let digest = Sha256::digest(serde_json::to_vec(self)?);
        Ok(CacheKey(super::hashes::hex(&digest[..16])))
    }
}

/// A short name for [`KeyParts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheKey(String);

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
