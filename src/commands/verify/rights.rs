//! Why no box can be made here, and the command that gives the right to.

use std::io::ErrorKind;

use anyhow::anyhow;

use crate::measure::control_group::GroupError;
use crate::text::shell_word;
use crate::units::Bytes;

/// Where the tool is told to keep and find things.
const VARIABLES: [&str; 3] = ["MEDISCOPE_SIZE_CACHE", "XDG_CACHE_HOME", "ORT_DYLIB_PATH"];

/// The error with what to do about it.
pub fn explained(error: &GroupError) -> anyhow::Error {
    let (command, environment) = (command(), environment());
    let remedy = match error {
        GroupError::NoController(_) => format!(
            "the limits of a box are control groups, which this container or kernel does not show; \
             try it on the host, or in a container with its own groups: \
             docker run --privileged --cgroupns=private IMAGE {command}"
        ),
        GroupError::Refused { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem => format!(
            "control groups are mounted read-only here, as in most containers; try it on the host, or in a \
             container that may write them: docker run --privileged --cgroupns=private IMAGE {command}"
        ),
        GroupError::Refused { .. } => format!(
            "that takes the right to make control groups: sudo {environment}{command}; or, with systemd and \
             without being root: systemd-run --user --scope -p Delegate=yes -- {command}"
        ),
        GroupError::Inhabited(_) => format!(
            "run it in a group of its own: systemd-run --user --scope -p Delegate=yes -- {command}"
        ),
        GroupError::Capped { limit, .. } => format!(
            "try it outside of that control group, or with --ram {} at the most",
            typed(limit.value)
        ),
        GroupError::Crowded { room, .. } => format!(
            "end what else runs there, try it outside of that control group, or with --ram {} at the most",
            typed(room.free())
        ),
        GroupError::NotTaken { .. } => {
            "it could not be tried: use a machine, or a container, with control groups of the kernel".to_owned()
        }
        GroupError::Swaps => {
            "the limit could not be tried: turn swap off (swapoff -a) or boot with swapaccount=1".to_owned()
        }
        GroupError::Watcher(_) => return anyhow!("{error}"),
    };
    anyhow!("{error}; {remedy}")
}

/// As it was typed, with the program where `sudo` finds it.
fn command() -> String {
    let typed = std::env::args_os();
    let mut words: Vec<String> = typed.map(|word| word.to_string_lossy().into_owned()).collect();
    if let (Some(program), Ok(path)) = (words.first_mut(), std::env::current_exe())
        && program.contains('/')
    {
        *program = path.display().to_string();
    }
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// What `sudo` would not hand on: `env NAME=value … `.
fn environment() -> String {
    let set = VARIABLES.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(format!("{name}={} ", shell_word(&value)))
    });
    let set: String = set.collect();
    if set.is_empty() { set } else { format!("env {set}") }
}

/// As an option takes it, rounded down to MiB.
fn typed(bytes: Bytes) -> String {
    format!("{}M", bytes.get() >> 20)
}
