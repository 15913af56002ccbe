//! The user's YAML: one service in one runtime, with or without its measured footprint.
//!
//! A profile is read strictly: an unknown key is an error with its place, never ignored, because a
//! misspelt setting would silently size another service.

mod budget;
mod embedded;
mod error;
mod inputs;
mod keys;
mod live;
mod models;
mod nesting;
mod paths;
mod request;
mod route;
mod secret;

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use budget::{Budget, Budgeted, Subject, line_of};
pub use embedded::{DEFAULT_PROFILE, embedded, embedded_names};
pub use error::ProfileError;
pub use inputs::{Given, Input, Inputs, Numbers, Shape};
pub use live::{
    Ask, BASE64_MARK, FILE_MARK, Fresh, Json, Live, Ready, Values, asks, resolved, socket_and_path,
};
pub use models::{Model, ModelSource, Models};
pub use paths::as_written;
pub use request::{Batch, HeatmapEdge, RequestImage, RequestSpec};
pub use route::{Kind, When};
pub use secret::{Allowed, ENVIRONMENT_MARK, filled, variable_in};

use crate::files;
use crate::footprint::{Footprint, Program, Settings, Topology};
use crate::service::{Costs, Service};
use crate::units::Bytes;

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "keys::Keys", into = "keys::Keys")]
pub struct Profile {
    /// Short name, as on the command line.
    pub name: String,
    /// What the service is, in a few words.
    pub title: Option<String>,
    /// How requests share sessions.
    pub topology: Topology,
    /// The models that every request goes through, in order; none where costs are declared.
    pub models: Models,
    /// What the parts are declared to cost, where no model is run.
    pub declared: Option<Costs>,
    /// The service itself, where it runs outside of this tool.
    pub live: Option<Live>,
    /// The server process around the models, where it is said.
    pub program: Option<Program>,
    /// What a request carries and answers.
    pub request: RequestSpec,
    /// Session settings of ONNX Runtime.
    pub settings: Settings,
    /// What it stores, sends and is asked for, and what boxes cost.
    pub service: Service,
    /// What it costs, if it was measured.
    pub footprint: Option<Footprint>,
}

impl Profile {
    /// Reads a profile from text; `origin` names it in errors.
    ///
    /// # Errors
    /// With the line, and the column where it is known, of what is wrong.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ProfileError> {
        from_yaml(text, origin)
    }

    /// Reads a profile from a file. Paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// Where it cannot be read, or as [`Profile::parse`].
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = text_of(path)
            .map_err(|reason| ProfileError::Unreadable { path: path.to_owned(), reason })?;
        let mut profile = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(live) = &mut profile.live {
            live.resolve_paths(folder);
        }
        profile.each_path_here(&mut |path| *path = folder.join(&*path));
        Ok(profile)
    }

    /// Every path but those of a live service.
    fn each_path_here(&mut self, change: &mut dyn FnMut(&mut PathBuf)) {
        self.models.each_path(change);
        if let Some(RequestImage::Files(image)) = &mut self.request.image {
            change(image);
        }
    }

    /// Finds a profile by what the user typed: the name of an embedded one, else a file.
    ///
    /// # Errors
    /// Where it is neither, with the names there are.
    pub fn find(typed: &str) -> Result<Self, ProfileError> {
        if let Some(text) = embedded(typed) {
            return Self::parse(text, typed);
        }
        let path = Path::new(typed);
        if path.exists() || typed.contains(['/', '.']) {
            return Self::read(path);
        }
        Err(ProfileError::Unknown { name: typed.to_owned() })
    }

    /// The profile as YAML.
    ///
    /// # Errors
    /// Where a path in it is not Unicode.
    pub fn to_yaml(&self) -> Result<String, serde_yaml::Error> {
        serde_yaml::to_string(self)
    }

    /// The profile as YAML for a file in `folder`, from which all of its paths are found.
    ///
    /// # Errors
    /// As [`Profile::to_yaml`].
    pub fn to_yaml_in(&self, folder: &Path) -> Result<String, serde_yaml::Error> {
        let mut written = self.clone();
        // A path that cannot be looked at is written as it is.
        let mut change = |path: &mut PathBuf| {
            if let Ok(other) = as_written(path, folder) {
                *path = other;
            }
        };
        written.each_path_here(&mut change);
        if let Some(live) = &mut written.live {
            live.each_path(&mut change);
        }
        written.to_yaml()
    }

    /// The title, or the name where there is none.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

/// The most that is read of a profile, a budget or a list of requests: with the footprint of a large
/// service a profile has some hundred KiB.
pub const MOST_BYTES: Bytes = Bytes::mib(4);

/// The text of a file or a pipe.
fn text_of(path: &Path) -> io::Result<String> {
    files::read_text_or_pipe(path, MOST_BYTES)
}

/// Reads what a text in YAML says.
fn from_yaml<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, ProfileError> {
    // The parser would count an editor's byte-order mark as indentation.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(place) = nesting::too_deep(text) {
        return Err(ProfileError::too_deep(place, text, origin));
    }
    serde_yaml::from_str(text).map_err(|e| ProfileError::yaml(&e, text, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_reads_and_survives_a_round_trip() {
        for name in embedded_names() {
            let profile = Profile::find(name).unwrap();
            assert_eq!(profile.name, name);
            let yaml = profile.to_yaml().unwrap();
            assert_eq!(Profile::parse(&yaml, "again").unwrap(), profile, "{yaml}");
        }
    }
}
