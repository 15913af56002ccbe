//! A plan as bytes, one file a format; and what a model file says. Nothing is measured or decided here.

mod footprint_json;
pub mod inspection;
mod json;
mod text;
mod variants;
mod words;

pub use footprint_json::footprint_json;
pub use inspection::{inspection_json, inspection_text};
pub use json::json;
pub use text::{Layout, Provenance, text};
pub use variants::{variants_json, variants_text};
