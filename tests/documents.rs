//! What we ship to be read is also run: examples do what they say, and every command in README and
//! in the help is one that the program understands.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use clap::{CommandFactory, Parser};
use mediscope_size::cli::Cli;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples(ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no example ends in {ending}");
    found
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-cache")
}

#[test]
fn every_example_profile_is_sized() {
    for profile in examples("yaml") {
        Command::cargo_bin("mediscope-size")
            .unwrap()
            .args(["--ram", "512M", "--cpus", "1", "--max-time", "1s", "--profile"])
            .arg(&profile)
            .env("MEDISCOPE_SIZE_CACHE", cache())
            .assert()
            .success();
    }
}

#[test]
fn every_example_script_runs() {
    let folder = TempDir::new().unwrap();
    let tool = assert_cmd::cargo::cargo_bin("mediscope-size");
    let path = std::env::join_paths(
        std::iter::once(tool.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    for script in examples("sh") {
        let assert = Command::new("sh")
            .arg(&script)
            .arg(root().join("examples/classifier.yaml"))
            .arg(folder.path().join("measured.yaml"))
            .env("PATH", &path)
            .env("BUDGET", "1s")
            .env("MEDISCOPE_SIZE_CACHE", cache())
            .assert()
            .success();
        let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        assert!(text.contains("1G fits"), "{text}");
    }
}

/// The commands in a text: lines that begin with the program's name, continued by a backslash,
/// without comments and pipes.
fn commands(text: &str) -> Vec<Vec<String>> {
    text.replace("\\\n", " ")
        .lines()
        .map(|line| line.trim().trim_start_matches("$ "))
        .filter(|line| line.starts_with("mediscope-size "))
        .map(|line| line.split(" | ").next().unwrap_or(line))
        .map(|line| line.split(" > ").next().unwrap_or(line))
        .map(|line| {
            line.split_whitespace().take_while(|w| !w.starts_with('#')).map(str::to_owned).collect()
        })
        .collect()
}

#[test]
fn every_command_in_the_readme_is_understood() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: String =
        readme.split("```").skip(1).step_by(2).filter(|b| b.starts_with("sh\n")).collect();
    let commands = commands(&blocks);
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        Cli::try_parse_from(&command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    }
}

#[test]
fn every_example_in_the_help_is_understood() {
    let mut program = Cli::command();
    program.build();
    let mut all = vec![program.clone()];
    all.extend(program.get_subcommands().cloned());
    for mut command in all {
        let help = command.render_long_help().to_string();
        let (_, examples) = help.split_once("Examples:").expect("each command has examples");
        // Comments stand two spaces behind the command.
        let lines: Vec<&str> =
            examples.lines().map(|l| l.trim().split("   ").next().unwrap_or("")).collect();
        let found = commands(&lines.join("\n"));
        assert!(!found.is_empty(), "{}", command.get_name());
        for example in found {
            Cli::try_parse_from(&example).unwrap_or_else(|e| panic!("{example:?}: {e}"));
        }
    }
}

#[test]
fn help_is_what_it_was() {
    for arguments in [
        vec!["--help"],
        vec!["-h"],
        vec!["measure", "--help"],
        vec!["verify", "--help"],
        vec!["check", "--help"],
        vec!["diff", "-h"],
        vec!["inspect", "--help"],
        vec!["runtime", "-h"],
        vec!["cache", "-h"],
    ] {
        let output = Command::cargo_bin("mediscope-size")
            .unwrap()
            .args(&arguments)
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", "1767052800")
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        assert!(output.status.success());
        let name = format!("help {}", arguments.join(" ").replace('-', ""));
        insta::assert_snapshot!(name, String::from_utf8(output.stdout).unwrap());
    }
}
