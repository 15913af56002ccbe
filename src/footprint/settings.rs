//! ONNX Runtime's session settings, and how one of them is written: `arena: off` in a profile is
//! `--arena off` on the command line and `arena=off` where variants are compared.

mod change;
mod count;

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

pub use change::{Change, Setting};
pub use count::Count;

/// ONNX Runtime's session settings: each changes RAM or CPU, so each is set and recorded.
#[expect(clippy::struct_excessive_bools, reason = "they are the runtime's own switches")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Intra-op threads of a session. One by default whatever the box, so that a footprint answers
    /// for any box.
    #[serde(deserialize_with = "count::threads")]
    pub threads: Count,
    /// Whether memory is kept in an arena between runs.
    pub arena: bool,
    /// Whether the allocations of a run are planned from the one before.
    pub memory_pattern: bool,
    /// Whether weights are stored a second time in the layout that kernels prefer.
    pub prepacking: bool,
    /// Whether idle worker threads spin.
    pub spinning: bool,
    /// How far the graph is rewritten on loading.
    pub optimization: Optimization,
    /// Heaps that glibc's malloc may keep, `MALLOC_ARENA_MAX`. It would keep eight for each CPU
    /// that it sees, which in a container are those of the host: by default there is one for
    /// every thread, as on a large host, whatever the machine that measures.
    #[serde(deserialize_with = "count::heaps")]
    pub malloc_arenas: Count,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: Count::Given(1),
            arena: true,
            memory_pattern: true,
            prepacking: true,
            spinning: false,
            optimization: Optimization::All,
            malloc_arenas: Count::Given(256),
        }
    }
}

impl Settings {
    /// What a service has that sets nothing: ONNX Runtime's own defaults, and no variable for the C
    /// library. Source: `SessionOptions` of ONNX Runtime's C API, where 0 intra-op threads are
    /// one for each physical core, and where workers spin unless they are told not to.
    pub const ONNXRUNTIME: Self = Self {
        threads: Count::Default,
        arena: true,
        memory_pattern: true,
        prepacking: true,
        spinning: true,
        optimization: Optimization::All,
        malloc_arenas: Count::Default,
    };

    /// The settings in which this one differs from `other`, as `arena=off`.
    pub fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Change> + 'a {
        Setting::ALL.into_iter().filter_map(|setting| {
            let (ours, theirs) = (setting.of(self), setting.of(other));
            (ours != theirs).then_some(ours)
        })
    }
}

/// The word for [`Settings::ONNXRUNTIME`].
const ONNXRUNTIME: &str = "onnxruntime";

/// Settings as a profile has them: a map, or the word `onnxruntime`.
///
/// # Errors
/// Where it is neither, or a value is out of range.
pub fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
    deserializer.deserialize_any(WordOrMap)
}

struct WordOrMap;

impl<'de> Visitor<'de> for WordOrMap {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of session settings, or the word onnxruntime")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Settings, E> {
        if text == ONNXRUNTIME {
            return Ok(Settings::ONNXRUNTIME);
        }
        Err(E::custom(format!(
            "`{text}` names no settings: write onnxruntime for ONNX Runtime's own defaults, or a \
             map as in {{arena: false}}"
        )))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Settings, A::Error> {
        Settings::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Graph optimisation levels of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimization {
    /// The graph is run as it is.
    Disabled,
    /// Rewrites that keep the semantics.
    Basic,
    /// Fusions for the provider, too.
    Extended,
    /// Memory layout, too.
    All,
}

impl Optimization {
    /// All levels, the least first.
    pub const ALL: [Self; 4] = [Self::Disabled, Self::Basic, Self::Extended, Self::All];

    /// As profiles and options write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Basic => "basic",
            Self::Extended => "extended",
            Self::All => "all",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_read_as_it_is_written() {
        for given in [Settings::default(), Settings::ONNXRUNTIME] {
            for setting in Setting::ALL {
                let change = setting.of(&given);
                assert_eq!(change.setting(), setting);
                assert_eq!(setting.read(&change.value()), Ok(change), "{change}");
                let mut other = Settings {
                    arena: false,
                    memory_pattern: false,
                    prepacking: false,
                    spinning: !given.spinning,
                    optimization: Optimization::Basic,
                    threads: Count::Given(7),
                    malloc_arenas: Count::Given(7),
                };
                change.apply(&mut other);
                assert_eq!(setting.of(&other), change);
                assert_eq!(other.beside(&given).count(), Setting::ALL.len() - 1, "{change}");
            }
        }
    }

    #[test]
    fn a_profile_names_settings_or_lists_them() {
        #[derive(Deserialize)]
        struct Holder(#[serde(deserialize_with = "settings")] Settings);
        let read = |json: &str| serde_json::from_str::<Holder>(json).map(|h| h.0);
        assert_eq!(read("\"onnxruntime\"").unwrap(), Settings::ONNXRUNTIME);
        assert_eq!(read("{}").unwrap(), Settings::default());
        for given in [Settings::default(), Settings::ONNXRUNTIME] {
            assert_eq!(read(&serde_json::to_string(&given).unwrap()).unwrap(), given);
        }
        assert!(read("\"fast\"").unwrap_err().to_string().contains("write onnxruntime"));
        for wrong in ["0", "1025", "-1", "\"many\"", "1.5"] {
            let error = read(&format!("{{\"threads\":{wrong}}}")).unwrap_err().to_string();
            assert!(error.contains("1 to 1024, or default"), "{error}");
        }
    }
}
