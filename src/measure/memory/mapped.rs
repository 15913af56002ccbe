//! Files that a process has mapped: its program, its libraries, weights that are not copied.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{MemoryError, Process, read};

/// The files that are mapped now and can be opened by their names (`maps`, `proc_pid_maps(5)`).
///
/// # Errors
/// As [`super::proportional`].
pub fn mapped_files(process: Process) -> Result<BTreeSet<PathBuf>, MemoryError> {
    let (_, text) = read(process, "maps")?;
    Ok(text.lines().filter_map(path_of).collect())
}

/// No field before the path has a slash in it; devices and shared memory are no files.
fn path_of(mapping: &str) -> Option<PathBuf> {
    let path = &mapping[mapping.find('/')?..];
    let is_other =
        ["/dev/", "/memfd:", "/SYSV", "/anon_hugepage"].iter().any(|other| path.starts_with(other));
    (!is_other && !path.ends_with(" (deleted)")).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names() {
        let named = |line| path_of(line).map(|path| path.display().to_string());
        let library = "7f00-7f10 r-xp 00001000 fe:00 42                         /usr/lib/a b.so";
        assert_eq!(named(library).as_deref(), Some("/usr/lib/a b.so"));
        assert_eq!(named("55c0-55d0 rw-p 00000000 00:00 0                     [heap]"), None);
        assert_eq!(named("7f00-7f10 rw-s 00000000 00:01 7     /dev/shm/x"), None);
        assert_eq!(named("7f00-7f10 rw-p 00000000 fe:00 9     /tmp/gone (deleted)"), None);
        assert_eq!(named("7f00-7f10 rw-p 00000000 00:00 0"), None);
    }

    #[test]
    fn this_program_is_mapped() {
        let own = std::env::current_exe().unwrap();
        assert!(mapped_files(Process::This).unwrap().contains(&own));
    }
}
