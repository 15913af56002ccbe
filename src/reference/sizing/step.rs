//! Models of which a request runs one step after another: decoders that make a token at a time,
//! networks over a stream, denoisers.

use super::super::info::{ModelInfo, Port};
use super::kind::{InputKind, words};

/// Operators that take all steps of a request in one run (`ContribOperators.md` of ONNX Runtime).
const GENERATORS: &[&str] = &["BeamSearch", "GreedySearch", "Sampling", "WhisperBeamSearch"];

impl ModelInfo {
    /// What shows that one run is one step of a request that takes many: the name of an input that
    /// brings what an earlier step left, of an output for the next one, or of the number of the
    /// step. `None` where nothing does, or the file has an operator that does all steps.
    pub fn step(&self) -> Option<&str> {
        let has = |list: &[&str]| self.operators.iter().any(|o| list.contains(&o.op_type.as_str()));
        if has(GENERATORS) {
            return None;
        }
        let says = |port: &&Port, list: &[&str]| {
            words(&port.name).iter().any(|word| list.contains(&word.as_str()))
        };
        let is_state = |port: &&Port| InputKind::of(port) == InputKind::State;
        let returns_state = self.outputs.iter().any(|port| is_state(&port));
        let earlier = |port: &&Port| is_state(port) && !says(port, &["encoder"]);
        let is_id = |port: &&Port| matches!(InputKind::of(port), InputKind::TokenIds { .. });
        let mut inputs = self.inputs.iter();
        let found = inputs
            .clone()
            .find(|port| earlier(port) && (returns_state || says(port, &["past", "cache"])))
            .or_else(|| self.outputs.iter().find(|port| says(port, &["present"])))
            .or_else(|| inputs.clone().find(|port| says(port, &["timestep", "timesteps"])))
            .or_else(|| {
                inputs.find(|p| is_id(p) && says(p, &["decoder"]) && !has(&["Loop", "Scan"]))
            });
        found.map(|port| port.name.as_str())
    }
}
