//! A plan as bytes, one file a format; and what a model file says. Nothing is measured or decided here.

mod catalogue;
mod check;
mod compose;
mod csv;
mod diff;
pub mod document;
mod footprint_json;
mod frame;
mod html;
pub mod inspection;
mod json;
mod live;
mod markdown;
mod prometheus;
mod sentences;
mod steps;
mod tables;
mod terminal;
mod values;
mod variants;
mod verification;
mod watched;

pub use catalogue::{Language, say};
pub use check::{
    check_github, check_github_error, check_gitlab, check_json, check_junit, check_markdown,
    check_sarif, check_text,
};
pub use compose::{Frame, document, one_line};
pub use csv::csv;
pub use diff::{diff_json, diff_markdown, diff_text};
pub use footprint_json::footprint_json;
pub use frame::{Provenance, frame};
pub use html::html;
pub use inspection::{inspection_json, inspection_text};
pub use json::json;
pub use live::{live_text, topology_sentence};
pub use markdown::markdown;
pub use prometheus::prometheus;
pub use tables::{Layout, Lines};
pub use terminal::terminal;
pub use values::Plain;
pub use variants::{variants_json, variants_text};
pub use verification::{verification_json, verification_text};
pub use watched::{watched_json, watched_text};
