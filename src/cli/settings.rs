//! Session settings that are typed: each overrides the profile's.

use clap::{Args, ValueEnum};

use crate::footprint::{Change, Setting, Settings};

/// The heading in help.
const HEADING: &str = "Session settings (override the profile's)";

/// Session settings that were typed.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArgs {
    /// Begin with ONNX Runtime's own defaults, as a service has them that sets nothing
    #[arg(long = "settings", value_name = "WHOSE", value_enum, help_heading = HEADING)]
    pub preset: Option<PresetArg>,
    /// Threads of one run, or default: one for each physical core of the host
    #[arg(long, value_name = "N|default", allow_negative_numbers = true, help_heading = HEADING,
          value_parser = |text: &str| Setting::Threads.read(text))]
    pub threads: Option<Change>,
    /// Whether memory is kept in an arena between runs
    #[arg(long, value_name = "on|off", help_heading = HEADING,
          value_parser = |text: &str| Setting::Arena.read(text))]
    pub arena: Option<Change>,
    /// Whether the allocations of a run are planned from the one before
    #[arg(long, value_name = "on|off", help_heading = HEADING,
          value_parser = |text: &str| Setting::MemoryPattern.read(text))]
    pub memory_pattern: Option<Change>,
    /// Whether weights are stored again in the layout that kernels prefer
    #[arg(long, value_name = "on|off", help_heading = HEADING,
          value_parser = |text: &str| Setting::Prepacking.read(text))]
    pub prepacking: Option<Change>,
    /// Whether idle threads of a session spin
    #[arg(long, value_name = "on|off", help_heading = HEADING,
          value_parser = |text: &str| Setting::Spinning.read(text))]
    pub spinning: Option<Change>,
    /// How far the graph is rewritten on loading: disabled, basic, extended, all
    #[arg(long, value_name = "LEVEL", help_heading = HEADING,
          value_parser = |text: &str| Setting::Optimization.read(text))]
    pub optimization: Option<Change>,
    /// Heaps of the C library's malloc, or default: eight for each CPU of the host
    #[arg(long, value_name = "N|default", allow_negative_numbers = true, help_heading = HEADING,
          value_parser = |text: &str| Setting::MallocArenas.read(text))]
    pub malloc_arenas: Option<Change>,
}

/// Whose settings to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// ONNX Runtime's own defaults: threads for all cores, spinning, and glibc's own heaps
    Onnxruntime,
}

impl SettingsArgs {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.preset.is_none() && self.changes().next().is_none()
    }

    /// Overrides `settings` with what was typed: the preset first, then each by itself.
    pub fn apply(&self, settings: &mut Settings) {
        if self.preset == Some(PresetArg::Onnxruntime) {
            *settings = Settings::ONNXRUNTIME;
        }
        self.changes().for_each(|change| change.apply(settings));
    }

    /// What was typed of one setting.
    pub const fn of(&self, setting: Setting) -> Option<Change> {
        match setting {
            Setting::Threads => self.threads,
            Setting::Arena => self.arena,
            Setting::MemoryPattern => self.memory_pattern,
            Setting::Prepacking => self.prepacking,
            Setting::Spinning => self.spinning,
            Setting::Optimization => self.optimization,
            Setting::MallocArenas => self.malloc_arenas,
        }
    }

    /// As if this had been typed, too.
    pub const fn set(&mut self, change: Change) {
        let slot = match change.setting() {
            Setting::Threads => &mut self.threads,
            Setting::Arena => &mut self.arena,
            Setting::MemoryPattern => &mut self.memory_pattern,
            Setting::Prepacking => &mut self.prepacking,
            Setting::Spinning => &mut self.spinning,
            Setting::Optimization => &mut self.optimization,
            Setting::MallocArenas => &mut self.malloc_arenas,
        };
        *slot = Some(change);
    }

    fn changes(&self) -> impl Iterator<Item = Change> {
        Setting::ALL.into_iter().filter_map(|setting| self.of(setting))
    }
}
