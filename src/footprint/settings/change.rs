//! One setting with one value: what an option changes, and what variants differ in.

use std::fmt;

use super::count::{Count, HEAPS, THREADS};
use super::{Optimization, Settings};

/// One of the [`Settings`], without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// [`Settings::threads`].
    Threads,
    /// [`Settings::arena`].
    Arena,
    /// [`Settings::memory_pattern`].
    MemoryPattern,
    /// [`Settings::prepacking`].
    Prepacking,
    /// [`Settings::spinning`].
    Spinning,
    /// [`Settings::optimization`].
    Optimization,
    /// [`Settings::malloc_arenas`].
    MallocArenas,
}

impl Setting {
    /// All of them, in the order of [`Settings`].
    pub const ALL: [Self; 7] = [
        Self::Threads,
        Self::Arena,
        Self::MemoryPattern,
        Self::Prepacking,
        Self::Spinning,
        Self::Optimization,
        Self::MallocArenas,
    ];

    /// As options write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Arena => "arena",
            Self::MemoryPattern => "memory-pattern",
            Self::Prepacking => "prepacking",
            Self::Spinning => "spinning",
            Self::Optimization => "optimization",
            Self::MallocArenas => "malloc-arenas",
        }
    }

    /// This setting with the value that it has in `settings`.
    pub const fn of(self, settings: &Settings) -> Change {
        match self {
            Self::Threads => Change::Count(self, settings.threads),
            Self::Arena => Change::Switch(self, settings.arena),
            Self::MemoryPattern => Change::Switch(self, settings.memory_pattern),
            Self::Prepacking => Change::Switch(self, settings.prepacking),
            Self::Spinning => Change::Switch(self, settings.spinning),
            Self::Optimization => Change::Optimization(settings.optimization),
            Self::MallocArenas => Change::Count(self, settings.malloc_arenas),
        }
    }

    /// Reads a value of this setting.
    ///
    /// # Errors
    /// Where it is none, with those that there are.
    pub fn read(self, text: &str) -> Result<Change, String> {
        Ok(match self {
            Self::Threads => Change::Count(self, THREADS.read(text)?),
            Self::MallocArenas => Change::Count(self, HEAPS.read(text)?),
            Self::Arena | Self::MemoryPattern | Self::Prepacking | Self::Spinning => {
                Change::Switch(
                    self,
                    match text {
                        "on" => true,
                        "off" => false,
                        _ => return Err(format!("`{text}` is no switch: use on or off")),
                    },
                )
            }
            Self::Optimization => {
                let level = Optimization::ALL.into_iter().find(|level| level.name() == text);
                Change::Optimization(level.ok_or_else(|| {
                    format!("`{text}` is no level: use disabled, basic, extended or all")
                })?)
            }
        })
    }
}

/// One setting and its value, as in `arena=off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Threads or heaps.
    Count(Setting, Count),
    /// What can be on or off.
    Switch(Setting, bool),
    /// How far the graph is rewritten.
    Optimization(Optimization),
}

impl Change {
    /// Which setting it is.
    pub const fn setting(self) -> Setting {
        match self {
            Self::Count(setting, _) | Self::Switch(setting, _) => setting,
            Self::Optimization(_) => Setting::Optimization,
        }
    }

    /// Gives the setting its value. A value that is not of the setting's kind, which no reader
    /// makes, changes nothing.
    pub const fn apply(self, settings: &mut Settings) {
        match self {
            Self::Count(Setting::Threads, count) => settings.threads = count,
            Self::Count(_, count) => settings.malloc_arenas = count,
            Self::Switch(setting, on) => match setting {
                Setting::Arena => settings.arena = on,
                Setting::MemoryPattern => settings.memory_pattern = on,
                Setting::Prepacking => settings.prepacking = on,
                Setting::Spinning => settings.spinning = on,
                Setting::Threads | Setting::Optimization | Setting::MallocArenas => {}
            },
            Self::Optimization(level) => settings.optimization = level,
        }
    }

    /// The value, as options write it.
    pub fn value(self) -> String {
        match self {
            Self::Count(_, count) => count.to_string(),
            Self::Switch(_, on) => if on { "on" } else { "off" }.to_owned(),
            Self::Optimization(level) => level.name().to_owned(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}={}", self.setting().name(), self.value()))
    }
}
