//! A plan as bytes, one file a format. Nothing is measured or decided here.

mod footprint_json;
mod json;
mod text;
mod words;

pub use footprint_json::footprint_json;
pub use json::json;
pub use text::{Layout, Provenance, text};
