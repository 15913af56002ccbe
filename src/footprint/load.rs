use serde::{Deserialize, Serialize};

/// When a model is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Before the first request.
    #[default]
    Eager,
    /// By the first request that needs it.
    Lazy,
}
