use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;

use super::fixture::World;
use crate::measure::runtime::{Origin, Outcome, Runtime, Search, unusable};

fn origin(search: &Search) -> Option<Origin> {
    search.found.as_ref().map(|r| r.origin)
}

fn said(search: &Search, origin: Origin) -> String {
    search.places.iter().find(|p| p.origin == origin).unwrap().outcome.to_string()
}

#[test]
fn places_are_looked_at_in_order() {
    let mut world = World::new();
    let named = world.library("own/libonnxruntime.so", "1.31.0");
    let beside = world.library("exe/libonnxruntime.so", "1.31.1");
    let python = world.python("1.32.0");
    let system = world.library("lib/libonnxruntime.so.1.40.0", "1.40.0");
    world.around.dylib_path = Some(OsString::from(&named));
    for (library, expected, version) in [
        (&named, Origin::Environment, "1.31.0"),
        (&beside, Origin::BesideExecutable, "1.31.1"),
        (&python, Origin::Python, "1.32.0"),
        (&system, Origin::System, "1.40.0"),
    ] {
        let search = world.search();
        let found = Runtime { path: library.clone(), version: version.into(), origin: expected };
        assert_eq!(search.found, Some(found));
        assert_eq!(search.places.iter().map(|p| p.origin).collect::<Vec<_>>(), Origin::ALL);
        let after = search.places.iter().skip_while(|p| p.origin != expected).skip(1);
        assert!(after.clone().all(|p| p.outcome == Outcome::NotReached));
        fs::remove_file(library).unwrap();
    }
    let search = world.search();
    assert_eq!(search.found, None);
    assert!(said(&search, Origin::Environment).ends_with("there is no such file"));
    assert_eq!(said(&search, Origin::Python), "nothing there");
}

#[test]
fn the_cache_comes_before_python() {
    let world = World::new();
    let python = world.python("1.32.0");
    // Without its hash a file in the cache is not even opened.
    world.library(world.cached().to_str().unwrap(), "1.31.1");
    let search = world.search();
    assert!(said(&search, Origin::Cache).contains("it is damaged: its SHA-256 is "));
    assert_eq!(search.found.unwrap().path, python);
    assert_eq!(world.asked.take(), [python]);
}

#[test]
fn a_library_that_cannot_be_used_is_passed_over_with_the_reason() {
    let mut world = World::new();
    let old = world.library("own/libonnxruntime.so", "1.22.0");
    world.around.dylib_path = Some(OsString::from(&old));
    world.library("exe/libonnxruntime.so.2.0.0", "2.0.0");
    world.python("1.31.1");
    let search = world.search();
    assert_eq!(
        said(&search, Origin::Environment),
        format!("{} cannot be used: version 1.22.0 is older than 1.31", old.display())
    );
    assert!(said(&search, Origin::BesideExecutable).ends_with("version 2.0.0 is not a 1.x"));
    assert_eq!(origin(&search), Some(Origin::Python));
}

#[test]
fn a_folder_is_no_library() {
    let mut world = World::new();
    world.around.dylib_path = Some(OsString::from(world.path("lib")));
    assert!(said(&world.search(), Origin::Environment).contains("name the library file in it"));
}

#[test]
fn what_is_not_there_is_told_apart() {
    let world = World::new();
    let search = world.search();
    assert_eq!(said(&search, Origin::Environment), "not set");
    assert_eq!(said(&search, Origin::System), "nothing there");
    world.program("python3", "echo 'it is broken' >&2; exit 3");
    let search = world.search();
    assert!(said(&search, Origin::Python).ends_with("bin/python3 cannot be asked: it is broken"));
}

#[test]
fn python_is_asked_where_python3_fails() {
    let world = World::new();
    let library = world.python("1.31.1");
    fs::rename(world.path("bin/python3"), world.path("bin/python")).unwrap();
    world.program("python3", "exit 127");
    assert_eq!(world.search().found.unwrap().path, library);
}

#[test]
fn the_newest_of_a_folder_is_used_and_links_are_asked_once() {
    let world = World::new();
    world.library("lib/libonnxruntime.so.1.9.0", "1.9.0");
    world.library("lib/libonnxruntime.so.1.22.0", "1.22.0");
    world.library("lib/libonnxruntime_providers_shared.so", "x");
    world.library("lib/libonnxruntime.so.dbg", "x");
    symlink("libonnxruntime.so.1.22.0", world.path("lib/libonnxruntime.so.1")).unwrap();
    symlink("libonnxruntime.so.1", world.path("lib/libonnxruntime.so")).unwrap();
    let search = world.search();
    assert_eq!(search.found, None);
    assert_eq!(world.asked_names(), ["libonnxruntime.so.1.22.0", "libonnxruntime.so.1.9.0"]);
    assert_eq!(said(&search, Origin::System).matches("cannot be used").count(), 2);
    world.library("lib64/libonnxruntime.1.31.1.dylib", "1.31.1");
    assert_eq!(origin(&world.search()), Some(Origin::System));
}

#[test]
fn versions_with_the_api_are_usable() {
    for version in ["1.31.0", "1.31.1", "1.100.2", "1.32"] {
        assert_eq!(unusable(version), None, "{version}");
    }
    for version in ["1.30.9", "0.31.0", "2.31.0", "1", "", "one.31"] {
        assert!(unusable(version).is_some(), "{version}");
    }
}
