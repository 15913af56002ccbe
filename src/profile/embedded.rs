//! The profiles that come with the tool.

/// The profile that is sized when none is named.
pub const DEFAULT_PROFILE: &str = "mediscope";

/// Name and YAML of each, in the order of listings.
const EMBEDDED: &[(&str, &str)] = &[
    (DEFAULT_PROFILE, include_str!("../../profiles/mediscope.yaml")),
    ("mediscope-pytorch", include_str!("../../profiles/mediscope-pytorch.yaml")),
    ("qreader", include_str!("../../profiles/qreader.yaml")),
    ("qreader-pytorch", include_str!("../../profiles/qreader-pytorch.yaml")),
];

/// The YAML of an embedded profile.
pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// The names of all embedded profiles.
pub fn embedded_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}
