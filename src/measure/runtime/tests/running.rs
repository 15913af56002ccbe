//! Other programs: what they print, how they end, and where they are looked for.

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::super::command::{Ran, on_path, run};
use super::Scene;

fn shell(script: &str, limit: Duration) -> Ran {
    run(Command::new("sh").args(["-c", script]), limit, &AtomicBool::new(false), &|| {})
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_program_that_prints_more_than_a_pipe_holds_ends() {
    match shell("head -c 300000 /dev/zero | tr '\\0' x", LONG) {
        Ran::Well(text) => assert_eq!(text.len(), 300_000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
    let begun = Instant::now();
    match shell("echo answer; sleep 20 &", LONG) {
        Ran::Well(text) => assert_eq!(text, "answer\n"),
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn each_end_is_told_apart() {
    let badly = |ran| match ran {
        Ran::Badly(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(badly(shell("echo out; echo why >&2; exit 3", LONG)), "why\n");
    assert_eq!(badly(shell("echo out; exit 3", LONG)), "out\n");
    assert_eq!(badly(shell("exit 3", LONG)), "exit status: 3");
    assert!(matches!(shell("sleep 60", Duration::from_millis(50)), Ran::TimedOut));
    let missing = &mut Command::new("/nowhere/program");
    assert!(matches!(run(missing, LONG, &AtomicBool::new(false), &|| {}), Ran::NotStarted(_)));
    let stopped = AtomicBool::new(true);
    let sleeping = &mut Command::new("sleep");
    assert!(matches!(run(sleeping.arg("60"), LONG, &stopped, &|| {}), Ran::Interrupted));
}

#[test]
fn programs_come_from_absolute_folders_and_can_be_run() {
    let scene = Scene::new();
    scene.program("python", "exit 0");
    scene.file("bin/python3", "not executable");
    let path = std::env::join_paths(["".into(), "target".into(), scene.at("bin")]).unwrap();
    let found = on_path(Some(&path), &["python3", "python"]).unwrap();
    assert_eq!(found, scene.at("bin/python"));
    assert_eq!(on_path(None, &["python3"]), None);
}
