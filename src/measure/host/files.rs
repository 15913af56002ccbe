//! The kernel's text files, read below a root that tests can move.
//!
//! A file that is not there is an answer (this kernel, or this machine, has no such thing); a
//! file that is there and cannot be read is not. The two are kept apart here, once, so that no
//! reader has to look at error kinds and none takes a failure for "no limit".

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FsWord, statfs};

/// The process that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Process {
    /// The one that asks.
    This,
    /// Another one, by its id in this PID namespace.
    Id(u32),
}

impl Process {
    /// The path of one of its files, as in `/proc/self/status`.
    pub fn file(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{self}/{name}"))
    }

    /// Its id.
    pub fn id(self) -> u32 {
        match self {
            Self::This => std::process::id(),
            Self::Id(id) => id,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::This => f.write_str("self"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

/// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC` of `include/uapi/linux/magic.h`: versions 1 and 2.
const GROUP_FILE_SYSTEMS: [FsWord; 2] = [0x0027_e0eb, 0x6367_7270];

/// Where the paths `/proc/…` and `/sys/…` start.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// The files of this machine.
    pub fn real() -> Self {
        Self::below("/")
    }

    /// The files below a directory that mimics a machine.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the file with this absolute path is.
    pub fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file, `None` where there is none.
    ///
    /// # Errors
    /// Where it exists and cannot be read.
    pub fn read(&self, path: &Path) -> io::Result<Option<String>> {
        // Such files have no length to tell; most fit, and are read at once instead of in six parts.
        let mut text = String::with_capacity(4096);
        match File::open(self.at(path)).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => Ok(Some(text)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a control group at this path: a directory of the kernel's, and not of another
    /// file system that was mounted over it, whose files limit nothing. A directory that mimics a
    /// machine has groups that are directories.
    pub fn has_group(&self, path: &Path) -> bool {
        let directory = self.at(path);
        let is_kernels =
            || statfs(&directory).is_ok_and(|found| GROUP_FILE_SYSTEMS.contains(&found.f_type));
        directory.is_dir() && (self.root != Path::new("/") || is_kernels())
    }
}

/// A process that ends between opening and reading gives `ESRCH`, a group that is removed
/// `ENODEV`: both are gone, as if never found.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || rustix::io::Errno::from_io_error(error)
            .is_some_and(|e| e == rustix::io::Errno::SRCH || e == rustix::io::Errno::NODEV)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_missing_file_is_an_answer_and_an_unreadable_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::write(root.path().join("proc/self/status"), "Threads:\t1\n").unwrap();
        let files = Files::below(root.path());
        let read = |path: &str| files.read(Path::new(path));
        assert_eq!(read("/proc/self/status").unwrap().as_deref(), Some("Threads:\t1\n"));
        assert_eq!(read("/proc/self/none").unwrap(), None);
        assert_eq!(read("/proc/self/status/below").unwrap(), None);
        assert!(read("/proc/self").is_err(), "a directory is no text");
    }

    #[test]
    fn a_process_names_its_files() {
        assert_eq!(Process::This.file("status"), Path::new("/proc/self/status"));
        assert_eq!(Process::Id(7).file("stat"), Path::new("/proc/7/stat"));
    }
}
