//! What is kept between runs: when it answers, when it does not, and that clearing takes what is
//! the tool's and nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::onnx::{self, FLOAT, INT64, model, node, value, weight};
use common::{PLANTED, Place, Ran, assert_refused, wait_for};
use serde_json::json;

const MEASURED: &str = "Measured now";
const KEPT: &str = "Footprint from the cache";

fn assert_says(ran: &Ran, what: &str) {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.contains(what), "not `{what}`: {}", ran.stdout);
}

/// The answer without the line that says where it comes from.
fn numbers(ran: &Ran) -> String {
    let from = ran.stdout.find("✔").unwrap();
    ran.stdout[from..].to_owned()
}

/// The one footprint that is kept.
fn footprint(place: &Place) -> PathBuf {
    let kept = place.kept();
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(file.starts_with("footprints"), "{}", file.display());
    place.cache().join(file)
}

#[test]
fn the_second_run_answers_from_the_cache_and_says_so() {
    let place = Place::new();
    let first = place.planted(PLANTED, &[]);
    assert_says(&first, MEASURED);
    let written = fs::metadata(footprint(&place)).unwrap().modified().unwrap();
    let second = place.planted(PLANTED, &[]);
    assert_says(&second, KEPT);
    assert!(second.stdout.contains("--remeasure"), "what to do about it");
    assert_eq!(numbers(&first), numbers(&second));
    assert_eq!(fs::metadata(footprint(&place)).unwrap().modified().unwrap(), written);
}

#[test]
fn what_is_asked_of_a_box_does_not_matter_and_what_is_measured_does() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    for question in [&["--concurrency", "20"][..], &["--warmed"], &["--format", "text"]] {
        assert_says(&place.planted(PLANTED, question), KEPT);
    }
    let other = place.planted(&format!("{PLANTED},bend=1"), &[]);
    assert_says(&other, MEASURED);
    assert_eq!(place.kept().len(), 2);
}

#[test]
fn remeasure_measures_again_and_replaces() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    assert_says(&place.planted(PLANTED, &["--remeasure"]), MEASURED);
    footprint(&place);
    assert_says(&place.planted(PLANTED, &[]), KEPT);
}

#[test]
fn a_longer_budget_measures_again_and_a_shorter_one_does_not() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &["--max-time", "5s"]), MEASURED);
    assert_says(&place.planted(PLANTED, &["--max-time", "4s"]), KEPT);
    assert_says(&place.planted(PLANTED, &["--max-time", "5s"]), KEPT);
    assert_says(&place.planted(PLANTED, &[]), KEPT);
    assert_says(&place.planted(PLANTED, &["--max-time", "6s"]), MEASURED);
    assert_says(&place.planted(PLANTED, &["--max-time", "6s"]), KEPT);
    footprint(&place);
}

#[test]
fn a_damaged_file_is_measured_again_and_replaced() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    let file = footprint(&place);
    let good = fs::read_to_string(&file).unwrap();
    let damages = [
        String::new(),
        "{".into(),
        "no JSON".into(),
        good[..good.len() / 2].to_owned(),
        good.replacen("\"version\": 1", "\"version\": 2", 1),
        good.replacen("\"points\"", "\"dots\"", 1),
        // Nobody has written this, but whoever has must not get an answer from no points.
        {
            let mut json: serde_json::Value = serde_json::from_str(&good).unwrap();
            json["footprint"]["points"] = serde_json::json!([]);
            json.to_string()
        },
    ];
    for damage in damages {
        assert_ne!(damage, good);
        fs::write(&file, &damage).unwrap();
        assert_says(&place.planted(PLANTED, &[]), MEASURED);
        assert_says(&place.planted(PLANTED, &[]), KEPT);
    }
    fs::write(&file, [0xff, 0xfe, 0]).unwrap();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
}

/// Finished children of an earlier run are only a shortcut, too.
#[test]
fn damaged_children_of_an_earlier_run_are_ignored() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    let file = footprint(&place);
    let partial = place.cache().join("partial").join(file.file_name().unwrap());
    fs::create_dir(partial.parent().unwrap()).unwrap();
    for damage in ["", "[{}]", "[1, 2]", "{}", "null"] {
        fs::remove_file(&file).unwrap();
        fs::write(&partial, damage).unwrap();
        let ran = place.planted(PLANTED, &[]);
        assert_says(&ran, MEASURED);
        assert!(!ran.stdout.contains("earlier run"), "{damage}");
        assert!(!partial.exists(), "{damage}");
    }
}

#[test]
fn the_option_goes_before_the_variable_and_that_before_the_home() {
    let place = Place::new();
    let asked = place.file("asked");
    let option = place.planted(PLANTED, &["--cache-dir", asked.to_str().unwrap()]);
    assert_says(&option, MEASURED);
    assert_eq!(common::files_below(&asked).len(), 1);
    assert!(!place.cache().exists());
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    assert_eq!(place.kept().len(), 1);

    let home = place.file("home");
    let in_home = |variables: &[(&str, &Path)]| -> Ran {
        let mut command = place.command(&["--synthetic", PLANTED, "--ram", "1G"]);
        command.env_remove("MEDISCOPE_SIZE_CACHE").env("HOME", &home);
        command.envs(variables.iter().copied()).output().unwrap().into()
    };
    assert_says(&in_home(&[]), MEASURED);
    assert_eq!(common::files_below(&home.join(".cache/mediscope-size")).len(), 1);
    let xdg = place.file("xdg");
    assert_says(&in_home(&[("XDG_CACHE_HOME", &xdg)]), MEASURED);
    assert_eq!(common::files_below(&xdg.join("mediscope-size")).len(), 1);
    // The specification: a path that is not absolute is to be ignored.
    assert_says(&in_home(&[("XDG_CACHE_HOME", Path::new("relative"))]), KEPT);
    assert!(!place.file("relative").exists());
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let place = Place::new();
    let mut command = place.command(&["--synthetic", PLANTED, "--ram", "1G"]);
    let ran: Ran = command.env("MEDISCOPE_SIZE_CACHE", "").output().unwrap().into();
    assert_says(&ran, MEASURED);
    assert_eq!(common::files_below(place.file("").as_path()), Vec::<PathBuf>::new());
}

#[test]
fn the_listing_names_what_is_kept() {
    let place = Place::new();
    assert_says(&place.run(&["cache"]), "Nothing is kept in");
    assert!(!place.cache().exists(), "looking makes nothing");
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    let listing = place.run(&["cache"]);
    assert_says(&listing, "Kept 1 file, ");
    assert_says(&listing, "mediscope with ONNX Runtime none");
    assert_says(&listing, "footprints/");
    let json = place.run(&["cache", "--format", "json"]);
    assert_says(&json, "");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "mediscope-size/cache/1");
    assert_eq!(json["cleared"], false);
    assert_eq!(json["entries"][0]["kind"], "footprints");
    assert_eq!(json["entries"][0]["path"], footprint(&place).to_str().unwrap());
    assert_eq!(json["entries"][0]["bytes"], fs::metadata(footprint(&place)).unwrap().len());
}

#[test]
fn clearing_takes_what_is_the_tools_and_leaves_what_is_not() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    let foreign = [place.cache().join("letter.txt"), place.cache().join("photos/cat.jpg")];
    fs::create_dir(place.cache().join("photos")).unwrap();
    for file in &foreign {
        fs::write(file, "not the tool's").unwrap();
    }
    fs::write(place.cache().join("hashes.json"), "{}").unwrap();
    assert_says(&place.run(&["cache", "--clear"]), "Removed 1 file, ");
    assert_eq!(place.kept(), ["letter.txt", "photos/cat.jpg"].map(PathBuf::from));
    assert_says(&place.run(&["cache", "--clear"]), "Nothing is kept in");
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
}

#[test]
fn clearing_leaves_no_empty_folder() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    assert_says(&place.run(&["cache", "--clear"]), "Removed 1 file, ");
    place.assert_untouched("clearing");
}

/// A link in the cache's place is taken away, not followed.
#[test]
fn clearing_does_not_follow_links_out_of_the_cache() {
    let place = Place::new();
    let outside = place.file("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("precious"), "kept").unwrap();
    fs::create_dir_all(place.cache().join("models")).unwrap();
    std::os::unix::fs::symlink(&outside, place.cache().join("models/link")).unwrap();
    std::os::unix::fs::symlink(&outside, place.cache().join("images")).unwrap();
    let ran = place.run(&["cache", "--clear"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(outside.join("precious").exists());
}

/// A number that is no user's.
const SOMEBODY: u32 = 65_533;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Puts a library there that is none, with a memo that it was verified.
fn forge(cache: &Path) -> PathBuf {
    let folder = cache.join("onnxruntime/1.31.1-linux-x86_64");
    fs::create_dir_all(&folder).unwrap();
    let library = folder.join("libonnxruntime.so.1.31.1");
    fs::write(&library, "forged").unwrap();
    let real = library.canonicalize().unwrap();
    let m = real.metadata().unwrap();
    let ns = |s: i64, ns: i64| i128::from(s) * 1_000_000_000 + i128::from(ns);
    let file = json!({
        "device": m.dev(), "inode": m.ino(), "size": m.size(),
        "modified_ns": ns(m.mtime(), m.mtime_nsec()), "changed_ns": ns(m.ctime(), m.ctime_nsec()),
    });
    let known = json!({ "identity": { "path": real, "file": file }, "version": "1.31.1" });
    let memo = json!({ "libraries": { library.to_str().unwrap(): known }, "pythons": {} });
    fs::write(cache.join("runtime.json"), memo.to_string()).unwrap();
    library
}

/// What others can write to is believed in nothing: not the memo, and so not the library.
#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    let place = Place::new();
    let cache = place.cache();
    let library = forge(&cache);
    // The memo is as the tool writes it: from a cache of the user's own it is believed.
    if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        let ran = place.run(&["runtime"]);
        assert!(ran.stdout.contains(&format!("used: {}", library.display())), "{ran:?}");
    }
    let refused = |what: &str| {
        for arguments in [&["runtime"][..], &["cache"], &["--synthetic", PLANTED, "--ram", "1G"]] {
            let ran = place.run(arguments);
            assert_refused(&ran, what);
            assert!(ran.stderr.contains(what) && ran.stderr.contains("--cache-dir"), "{ran:?}");
        }
        // What asks nothing of a cache is answered all the same.
        let ran = place.run(&["--profile", "mediscope-pytorch", "--ram", "1G", "--cpus", "1"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    };
    for mode in [0o777, 0o1777, 0o702] {
        set_mode(&cache, mode);
        refused(&format!("others can write to {} (its mode is {mode:o})", cache.display()));
    }
    set_mode(&cache, 0o755);
    set_mode(&cache.join("onnxruntime"), 0o777);
    refused("onnxruntime (its mode is 777)");
    set_mode(&cache.join("onnxruntime"), 0o755);
    if chown(&cache, Some(SOMEBODY), None).is_err() {
        println!("skipped in part: only root can give a directory away");
        return;
    }
    refused("belongs to the user with the number 65533 and this is 0");
    // Through a link of one's own, too.
    let real = cache.with_file_name("real");
    fs::rename(&cache, &real).unwrap();
    symlink(&real, &cache).unwrap();
    refused("belongs to the user with the number 65533 and this is 0");
}

/// Where the default place is another's, or nobody's, this run has a cache of its own.
#[test]
fn without_a_cache_that_is_safe_a_run_has_one_of_its_own() {
    let place = Place::new();
    let run = |home: &Path| -> Ran {
        let mut command = place.command(&["--synthetic", PLANTED, "--ram", "1G"]);
        command.env_remove("MEDISCOPE_SIZE_CACHE").env("HOME", home).output().unwrap().into()
    };
    let home = place.file("home");
    forge(&home.join(".cache/mediscope-size"));
    let before = common::files_below(&home);
    // Whoever can rename what is above the cache could put another one there.
    set_mode(&home, 0o777);
    let ran = run(&home);
    assert!(ran.code == Some(0) && ran.stdout.contains(MEASURED), "{ran:?}");
    let warned = format!("others can write to {} (its mode is 777)", home.display());
    assert!(ran.stderr.contains(&warned) && ran.stderr.contains("kept"), "{ran:?}");
    assert_eq!(common::files_below(&home), before);
    assert_eq!(common::files_below(&place.tmp()), Vec::<PathBuf>::new(), "it is removed");
    set_mode(&home, 0o755);
    assert_says(&run(&home), MEASURED);
    if chown(&home, Some(SOMEBODY), None).is_err() {
        println!("skipped in part: only root can give a directory away");
        return;
    }
    let ran = run(&home);
    assert!(ran.code == Some(0) && ran.stderr.contains("the number 65533"), "{ran:?}");
    // Nobody's: a user who has no home gets no cache in the folder for temporary files.
    let tool = place.file("mediscope-size");
    fs::copy(assert_cmd::cargo::cargo_bin!("mediscope-size"), &tool).unwrap();
    for folder in [&tool, &place.tmp(), &place.file(""), place.file("").parent().unwrap()] {
        set_mode(folder, 0o777);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65532", "--regid=65532", "--clear-groups", "env", "-i"]);
    command.arg(format!("TMPDIR={}", place.tmp().display())).arg(&tool);
    match command.args(["--synthetic", PLANTED, "--ram", "1G"]).output() {
        Ok(output) => {
            let ran = Ran::from(output);
            assert!(ran.code == Some(0) && ran.stdout.contains(MEASURED), "{ran:?}");
            assert!(ran.stderr.contains("has no home directory"), "{ran:?}");
            assert_eq!(common::files_below(&place.tmp()), Vec::<PathBuf>::new());
        }
        Err(reason) => println!("skipped in part: no setpriv ({reason})"),
    }
}

#[test]
fn a_cache_is_made_for_its_user_alone() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    assert_eq!(fs::metadata(place.cache()).unwrap().mode() & 0o7777, 0o700);
}

/// What a process leaves that is killed while it writes goes with the next run; what another one is
/// writing stays.
#[test]
fn half_written_files_of_killed_processes_are_removed() {
    let place = Place::new();
    assert_says(&place.planted(PLANTED, &[]), MEASURED);
    let names = [".tmpA1b2C3", "footprints/.tmpA1b2C3", "onnxruntime/.install-A1b2C3/wheels/half"];
    for name in names {
        let path = place.cache().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "half").unwrap();
    }
    fs::write(place.cache().join("onnxruntime/.lock"), "").unwrap();
    let written = place.cache().join("footprints/.tmpWritten");
    let held = File::create(&written).unwrap();
    held.lock().unwrap();
    assert_says(&place.planted(PLANTED, &[]), KEPT);
    assert!(written.exists() && names.iter().all(|name| !place.cache().join(name).exists()));
    drop(held);
    assert_says(&place.planted(PLANTED, &[]), KEPT);
    assert!(!written.exists());
}

/// A model that answers one number so many times.
fn expanding(numbers: i64) -> onnx::Model {
    let shape = [1, numbers].iter().flat_map(|dim| dim.to_le_bytes()).collect();
    let shape = weight("shape", INT64, &[2], shape);
    let nodes = vec![node("Expand", &["x", "shape"], "y")];
    let (x, y) = (value("x", FLOAT, &["1", "1"]), value("y", FLOAT, &["1", "n"]));
    model(nodes, vec![x], vec![y], vec![shape])
}

/// The gate is not fooled by a model of the same size and time of modification: 40 MB a request
/// instead of 4 KB.
#[test]
fn a_model_that_was_changed_in_place_is_measured_anew() {
    let place = Place::new();
    let library = common::real_json(&["runtime"])["path"].as_str().unwrap().to_owned();
    let path = onnx::write(&place.file(""), &expanding(1000));
    let check = || -> Ran {
        let asked = ["check", "--model", &path, "--max-buffer", "20M", "--max-time", "100ms"];
        place.command(&asked).env("ORT_DYLIB_PATH", &library).output().unwrap().into()
    };
    wait_for("a hash that is remembered", || {
        let ran = check();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        place.cache().join("hashes.json").exists().then_some(())
    });
    let before = fs::metadata(&path).unwrap();
    onnx::write(&place.file(""), &expanding(10_000_000));
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(before.modified().unwrap())
        .unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.len(), after.ino()), (before.len(), before.ino()));
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
    let ran = check();
    assert_eq!(ran.code, Some(1), "{ran:?}");
}
