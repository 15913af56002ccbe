//! A live service that needs the pages of a file, in boxes with and without room for them. By itself:
//! reading them again and again takes the time of whatever else is measured meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write;

use common::Place;
use common::service::{command, measure, number, port};
use serde_json::Value;

/// A service whose every request needs all pages of a file gets through in a box that has no room for
/// them, but crawls: the kernel drops what it needs next. The plan says so before.
#[test]
fn files_that_do_not_fit_thrash() {
    const MEGAS: usize = 96;
    let place = Place::new();
    // On a disk: the pages of a file in memory cannot be dropped.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let weights = folder.path().join("weights");
    let file = fs::File::create(&weights).unwrap();
    (&file).write_all(&vec![7; MEGAS << 20]).unwrap();
    file.sync_all().unwrap();
    let output = folder.path().join("service.yaml");
    let (port, output) = (port(), output.to_str().unwrap());
    let url = format!("http://127.0.0.1:{port}/work");
    let command = command(port, &format!("--base 10M --hold 2M --map {}", weights.display()));
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = ["--url", &url, "--max-time", "4s", "--up-to", "4", "-o", output, "--"];
    let ran = measure(&place, &[&start[..], &words].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let tried = |ram: &str| {
        let ran = place.run(&[
            "verify",
            "--profile",
            output,
            "--ram",
            ram,
            "--concurrency",
            "1",
            "--warmed",
            "--format",
            "json",
        ]);
        let is_skipped = ran.code == Some(2) && ran.stderr.contains("control group");
        let seen: Option<Value> = serde_json::from_str(&ran.stdout).ok();
        assert!(is_skipped || seen.is_some(), "{}{}", ran.stdout, ran.stderr);
        seen.filter(|_| !is_skipped).map(|seen| (ran.code, seen))
    };
    let Some((code, held)) = tried("256M") else {
        println!("skipped: no control group can be made here");
        return;
    };
    assert_eq!((code, &held["trials"][0]["outcome"]), (Some(0), &"held".into()), "{held}");
    let (code, crawls) = tried("80M").unwrap();
    // As the plan says: it promises nothing there.
    assert_eq!((code, &crawls["trials"][0]["outcome"]), (Some(0), &"thrashed".into()), "{crawls}");
    assert_eq!(crawls.pointer("/planned/max_concurrency"), Some(&0.into()), "{crawls}");
    // What was dropped was read again.
    let faults = |seen: &Value| number(seen, "/trials/0/major_faults");
    assert!(faults(&crawls) > faults(&held) + 50.0, "{} {}", faults(&crawls), faults(&held));
}
