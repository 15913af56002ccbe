//! What is kept between runs: when it answers, when it does not, and that clearing takes what is
//! the tool's and nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{PLANTED, Place, Ran};

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
    assert_says(&place.planted(PLANTED, &["--budget", "5s"]), MEASURED);
    assert_says(&place.planted(PLANTED, &["--budget", "4s"]), KEPT);
    assert_says(&place.planted(PLANTED, &["--budget", "5s"]), KEPT);
    assert_says(&place.planted(PLANTED, &[]), KEPT);
    assert_says(&place.planted(PLANTED, &["--budget", "6s"]), MEASURED);
    assert_says(&place.planted(PLANTED, &["--budget", "6s"]), KEPT);
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
