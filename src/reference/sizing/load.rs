//! What loading a model takes, from its file alone.

use super::super::info::ModelInfo;
use crate::units::{Bytes, Source, Span};

/// RAM of a process with ONNX Runtime and this one model, before the first request: a guess from
/// the file, which a measurement replaces. See [`ModelInfo::load_estimate`] for the formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadEstimate {
    /// Held after loading; its source is `assumed`.
    pub resident: Span<Bytes>,
    /// The most while loading, not below what is held; its source is `assumed`.
    pub peak: Span<Bytes>,
}

/// A process with ONNX Runtime 1.31.1 in it and no model.
const RUNTIME: Bytes = Bytes::mib(21);
/// Code of the runtime that loading the first model brings into memory.
const CODE: Bytes = Bytes::mib(8);
/// Bookkeeping of one node: its definition, kernel and names.
const NODE: u64 = 6 << 10;

impl ModelInfo {
    /// Estimates what loading the model takes with one intra-op thread on a CPU.
    pub fn load_estimate(&self) -> LoadEstimate {
        let nodes = self.operators.iter().fold(0_u64, |sum, o| sum.saturating_add(o.count));
        let fixed = (RUNTIME + CODE).get().saturating_add(nodes.saturating_mul(NODE));
        let once = fixed.saturating_add(self.constant_bytes);
        let resident = once.saturating_add(self.convolution_bytes / 2 * 3);
        let peak = once.saturating_add(self.constant_bytes).max(resident);
        let span = |bytes| Span::exact(Bytes::new(bytes), Source::Assumed);
        LoadEstimate { resident: span(resident), peak: span(peak) }
    }
}
