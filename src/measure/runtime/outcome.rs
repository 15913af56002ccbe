//! What the search found: a row for each place, whether it was used or why not.
//!
//! The rows are data, so that the `runtime` verb can print them as text and as JSON, and warnings
//! can name a library that the user asked for and did not get.

use std::fmt;
use std::path::PathBuf;

use super::{Origin, Runtime};

/// All places and what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// In the order of looking.
    pub places: Vec<Place>,
    /// The library that is used.
    pub found: Option<Runtime>,
}

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub origin: Origin,
    /// What was there.
    pub outcome: Outcome,
}

/// What was at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The variable that would name a library is not set.
    NotSet,
    /// Nothing.
    Nothing,
    /// It could not be looked at, and why.
    Failed(String),
    /// Libraries that cannot be used; at least one.
    Unusable(Vec<Refused>),
    /// The library that is used.
    Used(PathBuf),
    /// An earlier place had one.
    NotReached,
}

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub path: PathBuf,
    /// Why not.
    pub why: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet => f.write_str("not set"),
            Self::Nothing => f.write_str("nothing there"),
            Self::Failed(why) => f.write_str(why),
            Self::Unusable(refused) => {
                let each: Vec<String> = refused.iter().map(ToString::to_string).collect();
                f.write_str(&each.join("; "))
            }
            Self::Used(path) => write!(f, "used: {}", path.display()),
            Self::NotReached => f.write_str("not looked at"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used: {}", self.path.display(), self.why)
    }
}
