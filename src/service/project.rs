//! What a service is for, and where it lives.

use serde::{Deserialize, Serialize};

use crate::footprint::checked::one_line_if_any;

/// What a service is for, and where it lives. All of it is only printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    /// Of the service.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the report was made, as 2026-01-31.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Why.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// When it should be made again.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// The program that serves.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The expression that loads the model, for examples of code.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub loader: Option<String>,
    /// The address that requests come to.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Where its files are.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Where it logs.
    #[serde(deserialize_with = "one_line_if_any", skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}
