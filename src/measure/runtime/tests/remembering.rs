use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::fixture::World;

#[test]
fn the_second_answer_opens_nothing_and_starts_no_python() {
    let world = World::new();
    world.python("1.31.1");
    let first = world.search();
    assert_eq!((world.asked.take().len(), world.calls("python3")), (1, 1));
    assert_eq!(world.search(), first);
    assert_eq!((world.asked.take().len(), world.calls("python3")), (0, 1));
}

#[test]
fn a_changed_library_is_asked_again() {
    let mut world = World::new();
    let library = world.library("own/libonnxruntime.so", "1.31.0");
    world.around.dylib_path = Some(OsString::from(&library));
    let version = |world: &World| world.search().found.map(|r| r.version);
    assert_eq!(version(&world).as_deref(), Some("1.31.0"));
    // The same size: only the time tells.
    fs::write(&library, "1.32.0").unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    File::options().write(true).open(&library).unwrap().set_modified(later).unwrap();
    assert_eq!(version(&world).as_deref(), Some("1.32.0"));
    // The same time: only the size tells.
    fs::write(&library, "1.32.10").unwrap();
    File::options().write(true).open(&library).unwrap().set_modified(later).unwrap();
    assert_eq!(version(&world).as_deref(), Some("1.32.10"));
    assert_eq!(world.asked.take().len(), 3);
    assert_eq!(version(&world).as_deref(), Some("1.32.10"));
    assert_eq!(world.asked.take().len(), 0);
}

#[test]
fn a_python_is_asked_again_when_what_it_sees_changes() {
    let mut world = World::new();
    let library = world.python("1.31.1");
    for expected in 1..=2 {
        world.search();
        assert_eq!(world.calls("python3"), expected);
        world.around.python.push_str("elsewhere");
    }
    // The stand-in is a script, as a version manager's is.
    world.around.current_folder = Some(world.path("there"));
    world.search();
    assert_eq!(world.calls("python3"), 3);
    fs::remove_file(library).unwrap();
    assert_eq!(world.search().found, None);
    assert_eq!(world.calls("python3"), 4);
}

#[test]
fn a_damaged_memo_is_replaced() {
    let world = World::new();
    world.python("1.31.1");
    let memo = world.path("cache/runtime.json");
    for damage in ["", "{", "[]", "{\"libraries\": 3}"] {
        fs::write(&memo, damage).unwrap();
        assert!(world.search().found.is_some(), "{damage}");
        assert!(fs::read_to_string(&memo).unwrap().contains("1.31.1"), "{damage}");
    }
}

#[test]
fn a_memo_that_cannot_be_written_is_no_error() {
    let mut world = World::new();
    world.python("1.31.1");
    // Permissions do not stop every user, a file in the place of the folder does.
    world.around.cache = world.library("not-a-folder", "");
    fs::set_permissions(&world.around.cache, Permissions::from_mode(0o444)).unwrap();
    assert!(world.search().found.is_some());
    assert!(world.search().found.is_some());
}
