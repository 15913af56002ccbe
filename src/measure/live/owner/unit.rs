//! Which container or system service a process belongs to, by the name of its control group.

use std::path::{Path, PathBuf};

use super::group_of;

/// Digits of a container's id, and how many of them people use.
const ID: usize = 64;
const SHORT: usize = 12;

/// A container, or a service of systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// What it is, and its id: `docker container 3f2a…`.
    pub name: String,
    /// Its control group.
    pub directory: PathBuf,
    /// The command that ends it, where it is known.
    pub stop: Option<String>,
}

impl Unit {
    /// That of a process, where it has one that this tool is not in, too.
    pub(super) fn of_process(id: u32) -> Option<Self> {
        Self::of_group(&group_of(id)?)
    }

    /// The outermost one that a control group belongs to: what a container runs may make groups of
    /// its own.
    fn of_group(group: &Path) -> Option<Self> {
        let mut above: Vec<&Path> = group.ancestors().collect();
        above.reverse();
        let containers = above.iter().filter_map(|directory| container(directory));
        let units = above.iter().filter_map(|directory| unit(directory));
        // A container may itself run in a unit, as that of the engine.
        containers.chain(units).next()
    }

    /// Whether it is a container, and not a service of systemd.
    pub(super) fn is_container(&self) -> bool {
        self.name.contains("container")
    }
}

fn name_of(directory: &Path) -> Option<&str> {
    directory.file_name()?.to_str()
}

/// A group whose name ends with the id of a container: `docker-ID.scope`, `libpod-ID`, `docker/ID`,
/// `kubepods…/cri-containerd-ID.scope`.
fn container(directory: &Path) -> Option<Unit> {
    let name = name_of(directory)?;
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let split = name.len().checked_sub(ID).filter(|at| name.is_char_boundary(*at))?;
    let (before, id) = name.split_at(split);
    let is_id = id.bytes().all(|b| b.is_ascii_hexdigit());
    // The process that watches a container has a group beside it.
    if !is_id || before.contains("conmon") {
        return None;
    }
    let place = directory.to_string_lossy();
    let known = |word: &str| before.contains(word) || (before.is_empty() && place.contains(word));
    let short = &id[..SHORT];
    let (engine, stop) = if place.contains("kubepods") {
        ("Kubernetes ", None)
    } else if known("docker") {
        ("docker ", Some(format!("docker stop {short}")))
    } else if known("libpod") {
        ("podman ", Some(format!("podman stop {short}")))
    } else if known("nerdctl") {
        ("nerdctl ", Some(format!("nerdctl stop {short}")))
    } else {
        ("", None)
    };
    Some(Unit { name: format!("{engine}container {short}"), directory: directory.into(), stop })
}

/// A service of systemd, or what `systemd-run --scope` started. Sessions and what desktops start are
/// none: whoever is logged in runs all kinds of things there.
fn unit(directory: &Path) -> Option<Unit> {
    let name = name_of(directory)?;
    let (before, kind) = name.rsplit_once('.')?;
    let is_unit = match kind {
        "service" => !before.starts_with("user@"),
        "scope" => before.starts_with("run-"),
        _ => false,
    };
    is_unit.then(|| Unit {
        name: format!("systemd unit {name}"),
        directory: directory.into(),
        stop: Some(format!("systemctl stop {name}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_says_whose_it_is() {
        let id = "3f2a8c1d".repeat(8);
        let named = |path: &str| {
            Unit::of_group(Path::new(&path.replace("ID", &id)))
                .map(|unit| (unit.name, unit.directory.display().to_string(), unit.stop))
        };
        for (path, name, stop) in [
            ("/c/system.slice/docker-ID.scope", "docker container 3f2a8c1d3f2a", "docker stop"),
            ("/c/docker/ID/system.slice/app.service", "docker container", "docker stop"),
            ("/c/libpod_parent/libpod-ID", "podman container", "podman stop"),
            ("/c/user.slice/libpod-ID.scope/container", "podman container", "podman stop"),
            ("/c/kubepods.slice/pod1.slice/cri-containerd-ID.scope", "Kubernetes container", ""),
            ("/c/garden/ID", "container 3f2a8c1d3f2a", ""),
            ("/c/system.slice/app.service", "systemd unit app.service", "systemctl stop"),
            ("/c/system.slice/run-u7.scope", "systemd unit run-u7.scope", "systemctl stop"),
        ] {
            let (found, directory, how) = named(path).unwrap();
            assert!(found.starts_with(name), "{path}: {found}");
            assert!(how.unwrap_or_default().starts_with(stop), "{path}");
            assert!(path.replace("ID", &id).starts_with(&directory), "{path}: {directory}");
        }
        for other in [
            "/c/user.slice/user-1000.slice/session-3.scope",
            "/c/user.slice/user-1000.slice/user@1000.service",
            "/c/libpod_parent/libpod-conmon-ID",
            "/c/mediscope-size.1.2.3",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
