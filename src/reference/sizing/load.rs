//! What loading a model takes, from its file alone.

use super::super::element::ElementType;
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

/// A process with ONNX Runtime in it and the code that loading a first model touches: 21 and 8 MiB
/// with version 1.31.1 on x86-64.
const RUNTIME: u64 = 29 << 20;
/// Bookkeeping of one node: its definition, kernel and names.
const NODE: u64 = 6 << 10;
/// The ends of the interval, in percent of the typical value: outside of what was seen.
const LOW: u64 = 70;
const HIGH: u64 = 130;

impl ModelInfo {
    /// Estimates what loading the model takes on a CPU, with ONNX Runtime's optimisations and its
    /// arena on.
    ///
    /// Held: the runtime, 6 KiB a node, all constants, 1.5 times the weights of convolutions again
    /// (they are reordered in blocks, and the arena keeps room that they left), and twice those
    /// 16-bit weights again that are multiplied (they are computed in 32 bits). Peak: the largest
    /// constant once more, which is copied while it is made or packed; at the high end all
    /// constants twice, as when a file is held whole beside what is made of it.
    ///
    /// The factors were chosen by comparing with 26 files of 0.5 to 550 MiB of constants, loaded in
    /// ONNX Runtime 1.31.1 (convolutional networks, recurrent ones, embeddings with matrix
    /// products of 8, 16 and 32 bits): what was held was 75 % to 128 % of the typical value, and no
    /// peak was above its high end. That is no sample of all models, so the source is `assumed`.
    pub fn load_estimate(&self) -> LoadEstimate {
        let nodes = self.operators.iter().fold(0_u64, |sum, o| sum.saturating_add(o.count));
        let fixed = nodes.saturating_mul(NODE).saturating_add(RUNTIME);
        let once = fixed.saturating_add(self.constant_bytes);
        let typical = once
            .saturating_add(self.convolution_bytes / 2 * 3)
            .saturating_add(self.widened_bytes());
        let (low, high) = (percent(typical, LOW), percent(typical, HIGH));
        let peak = typical.saturating_add(self.largest_constant_bytes);
        let highest = high
            .saturating_add(self.largest_constant_bytes)
            .max(once.saturating_add(self.constant_bytes));
        LoadEstimate { resident: assumed(low, typical, high), peak: assumed(low, peak, highest) }
    }

    /// Bytes of the 32-bit copies of 16-bit weights that are multiplied. The file's share of such
    /// weights is taken for their share of what is multiplied.
    fn widened_bytes(&self) -> u64 {
        let is_half = |element| matches!(element, ElementType::Float16 | ElementType::Bfloat16);
        let halves = self.weights.iter().filter(|w| is_half(w.element));
        let halves = halves.fold(0_u64, |sum, w| sum.saturating_add(w.bytes));
        let multiplied = self.convolution_bytes.saturating_add(self.product_bytes);
        halves.min(multiplied).saturating_mul(2)
    }
}

fn percent(bytes: u64, percent: u64) -> u64 {
    (bytes / 100).saturating_mul(percent)
}

fn assumed(low: u64, typical: u64, high: u64) -> Span<Bytes> {
    let [low, typical, high] = [low, typical, high].map(Bytes::new);
    Span::around(low, typical, high, Source::Assumed)
}
