//! A plan as bytes, one file a format; and what a model file says. Nothing is measured or decided here.

mod catalogue;
mod compose;
mod csv;
pub mod document;
mod footprint_json;
mod frame;
mod html;
pub mod inspection;
mod json;
mod markdown;
mod prometheus;
mod sentences;
mod steps;
mod tables;
mod terminal;
mod values;
mod variants;
mod verification;

pub use catalogue::{Language, say};
pub use compose::{Frame, document};
pub use csv::csv;
pub use footprint_json::footprint_json;
pub use frame::{Provenance, frame};
pub use html::html;
pub use inspection::{inspection_json, inspection_text};
pub use json::json;
pub use markdown::markdown;
pub use prometheus::prometheus;
pub use tables::{Layout, Lines};
pub use terminal::terminal;
pub use values::Plain;
pub use variants::{variants_json, variants_text};
pub use verification::{verification_json, verification_text};
