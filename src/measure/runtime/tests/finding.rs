//! The order of places, why files are passed over, and what is remembered.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use super::super::find::cached;
use super::super::header::check;
use super::super::memo::{Memo, Package, PythonKey};
use super::super::surroundings::configured;
use super::super::{Origin, Outcome, Search, is_usable, search};
use super::{LIBRARY, NAME, Scene};

/// Searches where every library has this version, and counts how often one was asked.
fn search_with(scene: &Scene, version: &str, asked: &Cell<usize>) -> Search {
    let ask = |_: &Path| {
        asked.set(asked.get() + 1);
        Ok(version.to_owned())
    };
    search(&scene.surroundings, &ask, &AtomicBool::new(false))
}

fn found(scene: &Scene) -> Search {
    search_with(scene, "1.31.1", &Cell::new(0))
}

fn outcome(search: &Search, origin: Origin) -> &Outcome {
    &search.places.iter().find(|place| place.origin == origin).unwrap().outcome
}

fn reason(scene: &Scene, origin: Origin) -> String {
    let search = found(scene);
    match outcome(&search, origin) {
        Outcome::Unusable(_, why) => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn places_are_looked_at_in_order() {
    let mut scene = Scene::new();
    scene.surroundings.dylib_path = Some(scene.file("named/lib.so", LIBRARY).into());
    let beside = scene.file(&format!("beside/{NAME}"), LIBRARY);
    let kept = cached(&scene.surroundings.cache, &scene.pin());
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(&kept, LIBRARY).unwrap();
    let package = scene.file(&format!("package/capi/{NAME}"), LIBRARY);
    scene.python_with(&scene.at("package"));
    let system = scene.file("system/libonnxruntime.so", LIBRARY);
    let remove = |path| std::fs::remove_file(path).unwrap();

    assert_eq!(found(&scene).found.unwrap().origin, Origin::Environment);
    scene.surroundings.dylib_path = None;
    assert_eq!(found(&scene).found.unwrap().origin, Origin::BesideExecutable);
    remove(beside);
    assert_eq!(found(&scene).found.unwrap().origin, Origin::Cache);
    assert_eq!(scene.runs("python3"), 0, "a cached library starts no Python");
    remove(kept);
    assert_eq!(found(&scene).found.unwrap().origin, Origin::Python);
    remove(package);
    let last = found(&scene);
    assert_eq!(last.found.as_ref().unwrap().path, system);
    let places: Vec<Origin> = last.places.iter().map(|place| place.origin).collect();
    assert_eq!(places, Origin::ALL);
    remove(system);
    assert_eq!(found(&scene).found, None);
}

#[test]
fn what_cannot_be_used_is_passed_over_with_the_reason() {
    let mut scene = Scene::new();
    scene.surroundings.dylib_path = Some(scene.file("garbage.so", "text").into());
    scene.file(&format!("package/capi/{NAME}"), LIBRARY);
    scene.python_with(&scene.at("package"));
    let system = scene.file("system/libonnxruntime.so.1.32.0", LIBRARY);
    let ask = |path: &Path| match path {
        p if p.ends_with("garbage.so") => Err("file too short".to_owned()),
        p if p.ends_with(NAME) => Ok("1.30.2".to_owned()),
        _ => Ok("1.32.0".to_owned()),
    };
    let search = search(&scene.surroundings, &ask, &AtomicBool::new(false));
    assert_eq!(search.found.as_ref().unwrap().path, system);
    let text = |origin| outcome(&search, origin).to_string();
    assert!(text(Origin::Environment).ends_with("garbage.so cannot be used: file too short"));
    assert!(
        text(Origin::Python).ends_with("its version is 1.30.2, and 1.31 or a later 1.x is needed")
    );
    assert_eq!(*outcome(&search, Origin::Cache), Outcome::Nothing);
}

#[test]
fn versions_of_another_api_are_not_used() {
    for (version, usable) in [
        ("1.31.0", true),
        ("1.40.1-dev", true),
        ("1.30.9", false),
        ("2.0.0", false),
        ("text", false),
    ] {
        assert_eq!(is_usable(version), usable, "{version}");
    }
}

#[test]
fn a_name_that_is_no_library_file_gets_a_readable_reason() {
    let mut scene = Scene::new();
    let mut reason_for = |path: &Path| {
        scene.surroundings.dylib_path = Some(path.into());
        reason(&scene, Origin::Environment)
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name| folder.path().join(name);
    assert_eq!(reason_for(&at("missing.so")), "there is no such file");
    assert_eq!(reason_for(folder.path()), "it is a folder without a libonnxruntime");
    std::fs::write(at(NAME), LIBRARY).unwrap();
    let hint = format!("it is a folder; name the file, {}", at(NAME).display());
    assert_eq!(reason_for(folder.path()), hint);
    std::os::unix::fs::symlink(at("missing.so"), at("link.so")).unwrap();
    assert_eq!(reason_for(&at("link.so")), "it is a link to a file that is not there");
    assert_eq!(reason_for(Path::new("/dev/null")), "it is not a regular file");
}

#[test]
fn a_relative_name_becomes_absolute() {
    let mut scene = Scene::new();
    scene.surroundings.dylib_path = Some("Cargo.toml".into());
    assert!(found(&scene).found.unwrap().path.is_absolute());
}

#[test]
fn a_library_with_several_names_is_asked_once_and_the_newest_first() {
    let scene = Scene::new();
    for old in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.30.0"] {
        scene.file(&format!("system/{old}"), LIBRARY);
    }
    for link in ["libonnxruntime.so", "libonnxruntime.so.1"] {
        std::os::unix::fs::symlink(
            scene.at("system/libonnxruntime.so.1.30.0"),
            scene.at("system").join(link),
        )
        .unwrap();
    }
    let asked = Cell::new(0);
    let search = search_with(&scene, "1.30.0", &asked);
    assert_eq!(asked.get(), 2);
    let newest = scene.at("system/libonnxruntime.so.1.30.0");
    assert_eq!(outcome(&search, Origin::System).path(), Some(newest.as_path()));
}

#[test]
fn a_known_library_is_neither_opened_nor_asked_of_python_again() {
    let scene = Scene::new();
    scene.file(&format!("package/capi/{NAME}"), LIBRARY);
    scene.python_with(&scene.at("package"));
    let asked = Cell::new(0);
    let first = search_with(&scene, "1.31.1", &asked);
    let second = search_with(&scene, "other", &asked);
    assert_eq!(first, second);
    assert_eq!((asked.get(), scene.runs("python3")), (1, 1));
}

#[test]
fn a_changed_file_is_asked_again() {
    let scene = Scene::new();
    let library = scene.file("system/libonnxruntime.so", LIBRARY);
    let asked = Cell::new(0);
    search_with(&scene, "1.31.1", &asked);
    std::fs::write(&library, "another size").unwrap();
    search_with(&scene, "1.31.1", &asked);
    assert_eq!(asked.get(), 2, "another size");
    let file = std::fs::File::options().write(true).open(&library).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    let search = search_with(&scene, "1.32.0", &asked);
    assert_eq!((asked.get(), search.found.unwrap().version.as_str()), (3, "1.32.0"));
}

#[test]
fn a_damaged_memo_is_ignored_and_replaced() {
    let scene = Scene::new();
    scene.file("system/libonnxruntime.so", LIBRARY);
    for damage in ["", "{", "[]", "{\"libraries\": 3}"] {
        scene.file("cache/runtime.json", damage);
        let asked = Cell::new(0);
        assert!(search_with(&scene, "1.31.1", &asked).found.is_some());
        search_with(&scene, "1.31.1", &asked);
        assert_eq!(asked.get(), 1, "{damage:?}");
    }
}

#[test]
fn a_damaged_library_in_the_cache_is_not_opened() {
    let scene = Scene::new();
    let kept = cached(&scene.surroundings.cache, &scene.pin());
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(&kept, LIBRARY).unwrap();
    assert!(found(&scene).found.is_some());
    std::fs::write(&kept, "a l1brary").unwrap();
    let asked = Cell::new(0);
    let search = search_with(&scene, "1.31.1", &asked);
    assert_eq!((search.found.is_none(), asked.get()), (true, 0));
    assert!(outcome(&search, Origin::Cache).to_string().contains("runtime --install"));
}

#[test]
fn a_python_that_cannot_tell_is_passed_over_with_the_reason() {
    let mut scene = Scene::new();
    scene.program("python3", "echo 'no encodings' >&2; exit 1");
    let why = reason(&scene, Origin::Python);
    assert_eq!(why, "asked for onnxruntime it failed with: no encodings");
    scene.program("python3", "kill -SEGV $$");
    assert!(reason(&scene, Origin::Python).contains("signal"));
    scene.surroundings.python_limit = Duration::from_millis(200);
    scene.program("python3", "trap '' INT; sleep 60");
    let begun = Instant::now();
    assert_eq!(reason(&scene, Origin::Python), "it did not answer in 0.2 s");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_package_without_a_library_is_said() {
    let scene = Scene::new();
    scene.file("package/capi/other.so", LIBRARY);
    scene.python_with(&scene.at("package"));
    assert_eq!(reason(&scene, Origin::Python), "it carries no libonnxruntime");
}

#[test]
fn a_package_that_moved_is_asked_for_again() {
    let scene = Scene::new();
    let old = scene.file(&format!("old/capi/{NAME}"), LIBRARY);
    let new = scene.file(&format!("new/capi/{NAME}"), LIBRARY);
    scene.python_with(&scene.at("old"));
    assert_eq!(found(&scene).found.unwrap().path, old);
    std::fs::remove_file(old).unwrap();
    scene.python_with(&scene.at("new"));
    assert_eq!(found(&scene).found.unwrap().path, new);
}

#[test]
fn that_a_python_has_no_package_is_believed_until_its_folders_change() {
    let scene = Scene::new();
    let program = scene.file("interpreter", "\u{7f}ELF");
    let shim = scene.file("shim", "#!/bin/sh");
    let (packages, missing) = (scene.at("system"), scene.at("missing"));
    let folders = || vec![packages.clone(), missing.clone()];
    let key = |program| PythonKey { program, variables: "" };
    let mut memo = Memo::read(&scene.at("cache"));
    memo.keep_package_of(key(&program), folders(), Package::Missing);
    memo.keep_package_of(key(&shim), folders(), Package::Missing);

    let memo = Memo::read(&scene.at("cache"));
    assert_eq!(memo.package_of(key(&program)), Some(Package::Missing));
    assert_eq!(memo.package_of(key(&shim)), None, "what a shim starts is not known");
    let other = PythonKey { program: &program, variables: "/elsewhere" };
    assert_eq!(memo.package_of(other), None);
    std::fs::create_dir(&missing).unwrap();
    assert_eq!(memo.package_of(key(&program)), None);
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_bytes_tell_what_is_no_library_for_this_platform() {
    let scene = Scene::new();
    let why = |text| check(&scene.file("file", text)).unwrap_err();
    assert_eq!(why("no library, but long enough"), "it is not a Linux library (no ELF header)");
    assert_eq!(why(""), "it is not a Linux library (no ELF header)");
    let foreign = "\u{7f}ELF with any other text in it";
    assert!(why(foreign).starts_with("it is for another processor than "));
    assert_eq!(check(&std::env::current_exe().unwrap()), Ok(()));
    assert!(check(&scene.at("missing")).is_err());
}

#[test]
fn the_loaders_configuration_is_read() {
    let scene = Scene::new();
    scene.file("conf/b.conf", "/second\n");
    scene.file("conf/a.conf", "# a comment\n /first \ninclude other/*.conf\n");
    let folders: Vec<String> =
        configured(&scene.at("conf")).iter().map(|f| f.display().to_string()).collect();
    assert_eq!(folders, ["/first", "/second"]);
    assert!(configured(&scene.at("missing")).is_empty());
}
