//! Figures that others have stated.

use serde::{Deserialize, Serialize};

use crate::footprint::checked::{one_line, one_line_if_any};

/// A figure that somebody has stated, to be held against the computed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// The key of the figure, as `--explain` takes it.
    #[serde(deserialize_with = "one_line")]
    pub key: String,
    /// As it was stated: `60MB`, `20-30`, `98%`.
    #[serde(deserialize_with = "text_or_number")]
    pub value: String,
    /// Where.
    #[serde(
        default,
        deserialize_with = "one_line_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub at: Option<String>,
}

/// A number needs no quotes.
fn text_or_number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        Text(String),
        Whole(i64),
        Fraction(f64),
    }
    Ok(match Word::deserialize(d)? {
        Word::Text(text) => text,
        Word::Whole(number) => number.to_string(),
        Word::Fraction(number) => number.to_string(),
    })
}
