//! Why no box can be made here, and the command that gives the right to.

use anyhow::anyhow;

use crate::measure::control_group::GroupError;

/// The error with what to do about it.
pub fn explained(error: &GroupError) -> anyhow::Error {
    let arguments: Vec<String> = std::env::args().skip(1).map(|a| quoted(&a)).collect();
    let command = format!("mediscope-size {}", arguments.join(" "));
    let remedy = match error {
        GroupError::NoController(_) => format!(
            "the limits of a box are control groups, which this container or kernel does not show; \
             try it on the host, or in a container with its own groups: \
             docker run --privileged --cgroupns=private … {command}"
        ),
        GroupError::Refused { .. } => format!(
            "that takes the right to make control groups: sudo {command}; or, with systemd and \
             without being root: systemd-run --user --scope -p Delegate=yes -- {command}"
        ),
        GroupError::Inhabited(_) => format!(
            "run it in a group of its own: systemd-run --user --scope -p Delegate=yes -- {command}"
        ),
        GroupError::Watcher(_) => return anyhow!("{error}"),
    };
    anyhow!("{error}; {remedy}")
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:%+@".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell_where_they_need_it() {
        assert_eq!(quoted("--ram=1G"), "--ram=1G");
        assert_eq!(quoted("my scan.onnx"), "'my scan.onnx'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
