//! What loading a model takes, from its file alone.

use super::super::info::ModelInfo;

/// RAM that a process with ONNX Runtime and this one model has, in bytes, before the first request.
///
/// An estimate from the file: its source is `assumed`, and a measurement replaces it. See
/// [`ModelInfo::load_estimate`] for the formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadEstimate {
    /// Held after loading.
    pub resident_bytes: u64,
    /// The most while loading; at least the former.
    pub peak_bytes: u64,
}

const MIB: u64 = 1 << 20;

/// A process with ONNX Runtime 1.31.1 in it and no model.
const RUNTIME: u64 = 21 * MIB;
/// Code of the runtime that loading the first model brings into memory.
const CODE: u64 = 8 * MIB;
/// Bookkeeping of one node: its definition, kernel and names.
const NODE: u64 = 6 << 10;

impl ModelInfo {
    /// Estimates what loading the model takes with one intra-op thread on a CPU.
    pub fn load_estimate(&self) -> LoadEstimate {
        let fixed = RUNTIME + CODE;
        let nodes = self.operators.iter().fold(0_u64, |sum, o| sum.saturating_add(o.count));
        let fixed = fixed.saturating_add(nodes.saturating_mul(NODE));
        let once = fixed.saturating_add(self.constant_bytes);
        let resident_bytes = once.saturating_add(self.convolution_bytes / 2 * 3);
        let peak_bytes = once.saturating_add(self.constant_bytes).max(resident_bytes);
        LoadEstimate { resident_bytes, peak_bytes }
    }
}
