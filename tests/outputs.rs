//! Files that a command is told to write, where the path is more than a file: links, pipes, other
//! names of a file, standard output. They stay what they are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;
use std::thread;

use common::{PLANTED, Place, Ran, assert_refused, files_below};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// A command that writes a file, and what the file then holds.
struct Writes {
    arguments: &'static [&'static str],
    name: &'static str,
    holds: &'static str,
}

const ALL: &[Writes] = &[
    Writes {
        arguments: &["--synthetic", PLANTED, "--ram", "1G", "-o"],
        name: "report.md",
        holds: "| RAM",
    },
    Writes {
        arguments: &["measure", "--synthetic", PLANTED, "-o"],
        name: "service.yaml",
        holds: "footprint:",
    },
    Writes {
        arguments: &["check", "--synthetic", PLANTED, "--max-buffer", "1G", "-o"],
        name: "report.xml",
        holds: "<testsuite",
    },
    Writes {
        arguments: &[
            "check",
            "--synthetic",
            PLANTED,
            "--max-buffer",
            "1G",
            "--update-baseline",
            "--baseline",
        ],
        name: "kept.yaml",
        holds: "footprint:",
    },
];

impl Writes {
    fn run(&self, place: &Place) -> Ran {
        place.run(&[self.arguments, &[self.name]].concat())
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    for writes in ALL {
        let place = Place::new();
        fs::create_dir(place.file("deep")).unwrap();
        let (link, end) = (place.file(writes.name), place.file("deep/end.txt"));
        symlink("deep/end.txt", &link).unwrap();
        // First it leads to nothing yet.
        if !writes.arguments.contains(&"--baseline") {
            let ran = writes.run(&place);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert!(fs::read_to_string(&end).unwrap().contains(writes.holds), "{}", writes.name);
            fs::write(&end, "what was there\n").unwrap();
        }
        fs::set_permissions(&end, fs::Permissions::from_mode(0o600)).ok();
        let ran = writes.run(&place);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(link.symlink_metadata().unwrap().is_symlink(), "{}", writes.name);
        let text = fs::read_to_string(&end).unwrap();
        assert!(text.contains(writes.holds), "{}", writes.name);
        assert!(!text.contains("what was there"), "{}", writes.name);
        if !writes.arguments.contains(&"--baseline") {
            assert_eq!(end.metadata().unwrap().mode() & 0o777, 0o600, "{}", writes.name);
        }
    }
}

#[test]
fn another_name_of_the_file_sees_the_same() {
    for writes in ALL {
        let place = Place::new();
        let (one, other) = (place.file(writes.name), place.file("other"));
        let ran = writes.run(&place);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        fs::hard_link(&one, &other).unwrap();
        let ran = writes.run(&place);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(one.metadata().unwrap().ino(), other.metadata().unwrap().ino());
        assert!(fs::read_to_string(&other).unwrap().contains(writes.holds), "{}", writes.name);
    }
}

#[test]
fn a_pipe_is_written_to() {
    for writes in ALL.iter().filter(|w| !w.arguments.contains(&"--baseline")) {
        let place = Place::new();
        let pipe = place.file(writes.name);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let read = pipe.clone();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            File::open(read).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let ran = writes.run(&place);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let is_pipe = pipe.symlink_metadata().unwrap().file_type().is_fifo();
        assert!(is_pipe, "{}", writes.name);
        assert!(reader.join().unwrap().contains(writes.holds), "{}", writes.name);
    }
}

/// As `-o json=/dev/stdout`, with a link of the test's own.
#[test]
fn standard_output_is_no_file_to_replace() {
    for writes in ALL.iter().filter(|w| !w.arguments.contains(&"--baseline")) {
        let place = Place::new();
        let link = place.file(writes.name);
        symlink("/proc/self/fd/1", &link).unwrap();
        let piped = writes.run(&place);
        assert_eq!(piped.code, Some(0), "{piped:?}");
        assert!(piped.stdout.contains(writes.holds), "{}", writes.name);
        // What the shell put there before, and what the command itself prints, stay.
        let to = place.file("all.txt");
        fs::write(&to, "before\n").unwrap();
        let all = File::options().append(true).open(&to).unwrap();
        let status = place
            .command(&[writes.arguments, &[writes.name]].concat())
            .stdout(Stdio::from(all))
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let text = fs::read_to_string(&to).unwrap();
        // The report says that the footprint is now from the cache; the rest is the same.
        assert!(text.starts_with("before\n") && text.contains(writes.holds), "{}", writes.name);
        let lines = |text: &str| text.lines().count();
        assert_eq!(lines(&text), lines(&piped.stdout) + 1, "{}", writes.name);
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
}

/// Said at once, and the folder is not made: it may be a slip of the hand.
#[test]
fn a_missing_folder_is_told_before_anything_is_measured() {
    for writes in ALL {
        let place = Place::new();
        let nowhere = format!("nowhere/{}", writes.name);
        let ran = place.run(&[writes.arguments, &[nowhere.as_str()]].concat());
        assert_refused(&ran, &nowhere);
        assert!(ran.stderr.contains("there is no folder nowhere"), "{ran:?}");
        assert!(ran.stderr.contains("mkdir -p nowhere"), "{ran:?}");
        assert_eq!(files_below(&place.file("")), Vec::<std::path::PathBuf>::new());
        assert_eq!(place.kept(), Vec::<std::path::PathBuf>::new(), "measured: {}", writes.name);
    }
}

#[test]
fn links_in_a_ring_are_an_error() {
    let place = Place::new();
    symlink("b.md", place.file("a.md")).unwrap();
    symlink("a.md", place.file("b.md")).unwrap();
    let ran = place.planted(PLANTED, &["-o", "a.md"]);
    assert_refused(&ran, "a.md");
    assert!(ran.stderr.contains("cannot write a.md"), "{ran:?}");
}

/// A profile that is written elsewhere names its files so that they are found from there, from
/// wherever the tool is started next.
#[test]
fn a_written_profile_names_its_files_from_its_own_folder() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/words.ort");
    for folder in ["profiles", "profiles/deep", "models", "."] {
        let place = Place::new();
        for made in ["models", "profiles/deep", "elsewhere"] {
            fs::create_dir_all(place.file(made)).unwrap();
        }
        fs::copy(models, place.file("models/words.ort")).unwrap();
        image::RgbImage::new(16, 16).save(place.file("photo.png")).unwrap();
        let written = place.file(folder).join("words.yaml");
        let name = format!("{folder}/words.yaml");
        let asked = ["measure", "--model", "models/words.ort", "--image", "photo.png", "-o", &name];
        let ran = place.run(&[&asked[..], &["--synthetic", PLANTED, "--quiet"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        // The whole place moves: nothing in the profile says where it was.
        let text = fs::read_to_string(&written).unwrap();
        assert!(!text.contains(place.file("").to_str().unwrap()), "{text}");
        let profile: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let paths = [&profile["models"]["words"]["path"], &profile["request"]["image"]];
        for (path, file) in paths.iter().zip(["models/words.ort", "photo.png"]) {
            let found = written.parent().unwrap().join(path.as_str().unwrap());
            assert_eq!(found.canonicalize().unwrap(), place.file(file).canonicalize().unwrap());
        }
        let elsewhere = format!("../{name}");
        let again = ["measure", "--profile", &elsewhere, "--dry-run", "--remeasure"];
        let ran = place.command(&again).current_dir(place.file("elsewhere")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// With `--format json` a failure is one JSON object on standard error, and nothing else.
#[test]
fn a_failure_is_json_where_json_is_asked_for() {
    let place = Place::new();
    let ran = place.run(&["--profile", "no-such.yaml", "--ram", "1G", "--format", "json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("no-such.yaml"), "{error}");
    assert!(error["error"]["causes"].is_array(), "{error}");
}

/// A model stands by itself, models of other runtimes are told what can be done, words that are no file
/// are taken for verbs, and options of other tools are known.
#[test]
fn what_people_type_is_understood() {
    let place = Place::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/words.ort");
    for verb in [&[][..], &["size"], &["measure"], &["verify", "--ram", "1G"]] {
        let ran = place.run(&[verb, &[model, "--dry-run"]].concat());
        assert_eq!(ran.code, Some(0), "{verb:?}: {ran:?}");
        let ran = place.run(&[verb, &[model, "--profile", "mediscope"]].concat());
        assert_eq!(ran.code, Some(2), "{verb:?}: {ran:?}");
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
    for file in ["net.pt", "net.PTH", "net.h5", "net.tflite", "net.gguf", "net.safetensors"] {
        let ran = place.run(&[file, "--ram", "1G"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for way in ["export it to ONNX", "measure --url", "init --declared"] {
            assert!(ran.stderr.contains(way), "{file}: {}", ran.stderr);
        }
    }
    let ran = place.run(&["mesure"]);
    assert!(ran.stderr.contains("unrecognized subcommand") && ran.stderr.contains("measure"));
    for (typed, meant) in [
        ("--memory=1G", "--ram"),
        ("--json", "--format json"),
        ("--requests-per-second=5", "--rps"),
        ("--budget=5s", "--max-time"),
    ] {
        let ran = place.run(&["--profile", "qreader-pytorch", typed]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(&format!("'{meant}'")), "{typed}: {}", ran.stderr);
    }
    let ran = place.run(&["--profile", "qreader-pytorch", "--ram", "1G", "--cpus", "500m", "-q"]);
    assert!(ran.stdout.contains("0.5 CPUs"), "{ran:?}");
}

/// What `init --declared` writes answers as it is.
#[test]
fn a_declared_profile_is_begun() {
    let place = Place::new();
    let path = place.file("service.yaml");
    let path = path.to_str().unwrap();
    let ran = place.run(&["init", "--declared", "-o", path]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = place.run(&["--profile", path, "-q"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("1 GiB of RAM, 1 CPU"), "{ran:?}");
}
