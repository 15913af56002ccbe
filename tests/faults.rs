//! What goes wrong around a measurement and not in it: children that are killed, users that stop,
//! disks that are full, readers that leave. Planted costs stand in for a model; the processes, the
//! protocol and the signals are real.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    PLANTED, Place, Ran, Tmpfs, assert_refused, children_of, files_below, finish, is_alive,
    wait_for,
};
use rustix::process::{Pid, Signal, kill_process};

/// Planted costs of which every step takes a while.
fn slow(seconds: f64) -> String {
    format!("{PLANTED},delay={seconds}")
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// The measured process of a run, once there is one that is not in `seen`.
///
/// It has begun to run its own program: one that is stopped before that would stop the run that
/// starts it, too, which waits in the kernel until the program of a new process is loaded.
fn child_of(run: &Child, seen: &[u32]) -> u32 {
    let is_probe = |pid: &u32| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|&b| b == 0).any(|argument| argument == b"__probe"))
    };
    wait_for("a measured process", || {
        children_of(run.id()).into_iter().filter(is_probe).find(|pid| !seen.contains(pid))
    })
}

fn assert_clean(place: &Place) {
    assert_eq!(files_below(&place.tmp()), Vec::<std::path::PathBuf>::new(), "temporary files");
    for file in place.kept() {
        assert_eq!(file.extension().unwrap(), "json", "{} is left over", file.display());
    }
}

/// A run on planted costs, started and not waited for.
fn started(place: &Place, planted: &str) -> Child {
    place.command(&["--synthetic", planted, "--ram", "1G"]).spawn().unwrap()
}

#[test]
fn a_child_that_is_killed_is_a_result_with_its_concurrency() {
    for at in [4, 8, 16] {
        let place = Place::new();
        let ran = place.planted(&format!("{PLANTED},kill_at={at}"), &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains(&format!("killed with {at} requests in flight")), "{ran:?}");
        assert!(ran.stdout.contains("RAM = base + N × buffer = 300 MiB"), "{ran:?}");
        assert_clean(&place);
    }
}

/// One concurrency makes no line: there is no answer, and nothing is kept that would pretend to be
/// one.
#[test]
fn a_child_that_is_killed_too_early_is_a_reason() {
    for at in [1, 2] {
        let place = Place::new();
        let planted = format!("{PLANTED},kill_at={at}");
        for _ in 0..2 {
            let ran = place.planted(&planted, &[]);
            assert_refused(&ran, &planted);
            assert!(ran.stderr.contains(&format!("killed by signal 9 at N = {at}")), "{ran:?}");
            assert!(ran.stderr.contains("free some"), "{ran:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
            assert_eq!(place.kept(), Vec::<std::path::PathBuf>::new());
        }
    }
}

#[test]
fn an_interrupt_before_there_is_an_answer_leaves_nothing() {
    let place = Place::new();
    let run = started(&place, &slow(0.4));
    let child = child_of(&run, &[]);
    signal(run.id(), Signal::INT);
    let ran = finish(run);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr, "warning: interrupted before enough was measured for an answer\n");
    assert!(!is_alive(child));
    place.assert_untouched("an interrupt");
}

/// Points of a single concurrency are there, and make no line.
#[test]
fn an_interrupt_after_the_first_wave_is_still_an_interrupt() {
    let place = Place::new();
    let run = started(&place, &slow(0.3));
    child_of(&run, &[]);
    // Loading, warming up, stages and the wave of one take 1.2 s, the wave of two ends at 1.5 s.
    thread::sleep(Duration::from_millis(1350));
    signal(run.id(), Signal::INT);
    let ran = finish(run);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_clean(&place);
}

#[test]
fn an_interrupt_keeps_what_is_finished_for_the_next_run() {
    for number in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let run = started(&place, &slow(0.1));
        let first = child_of(&run, &[]);
        let second = child_of(&run, &[first]);
        signal(run.id(), number);
        let ran = finish(run);
        assert_eq!(ran.code, Some(130), "{ran:?}");
        assert!(ran.stdout.contains("partial (1 process kept for the next run)"), "{ran:?}");
        assert!(ran.stdout.contains("stopped before its end"), "not marked: {ran:?}");
        assert!(!is_alive(first) && !is_alive(second));
        assert_clean(&place);
        assert!(matches!(place.kept().as_slice(), [one] if one.starts_with("partial")));

        let ran: Ran =
            place.command(&["--synthetic", &slow(0.1), "--ram", "1G"]).output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("with 1 process of an earlier run"), "{ran:?}");
        assert!(!ran.stdout.contains("partial"), "{ran:?}");
        assert!(matches!(place.kept().as_slice(), [one] if one.starts_with("footprints")));
    }
}

#[test]
fn an_interrupted_measurement_says_so_in_json() {
    let place = Place::new();
    let synthetic = slow(0.1);
    let run = place
        .command(&["--synthetic", &synthetic, "--ram", "1G", "--format", "json"])
        .spawn()
        .unwrap();
    let first = child_of(&run, &[]);
    child_of(&run, &[first]);
    signal(run.id(), Signal::INT);
    let ran = finish(run);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let doubts = json["verdict"]["confidence_reasons"].as_array().unwrap();
    let codes: Vec<&str> = doubts.iter().map(|w| w["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"partial_measurement"), "{codes:?}");
}

#[test]
fn a_parent_that_is_killed_takes_its_child_along() {
    let place = Place::new();
    let mut run = started(&place, &slow(30.0));
    let child = child_of(&run, &[]);
    run.kill().unwrap();
    run.wait().unwrap();
    let begun = Instant::now();
    wait_for("the end of the child", || (!is_alive(child)).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_clean(&place);
}

/// A child can be killed by anybody at any time, not only by itself in a wave.
#[test]
fn a_child_that_is_killed_while_it_loads_is_told_as_such() {
    let place = Place::new();
    let run = started(&place, &slow(1.0));
    let child = child_of(&run, &[]);
    signal(child, Signal::KILL);
    let ran = finish(run);
    assert_refused(&ran, "killed while loading");
    assert!(ran.stderr.contains("killed by signal 9 while it loaded the models"), "{ran:?}");
    assert_eq!(place.kept(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_answer_that_cannot_be_kept_is_still_an_answer() {
    let place = Place::new();
    let arguments = ["--synthetic", PLANTED, "--ram", "1G", "--cache-dir", "/dev/null/cache"];
    let ran = place.run(&arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("FITS"), "{ran:?}");
    assert!(ran.stderr.starts_with("warning: "), "{ran:?}");
    assert!(ran.stderr.contains("cannot be kept in /dev/null/cache"), "{ran:?}");
    assert!(ran.stderr.contains("--cache-dir"), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let quiet = place.run(&[&arguments[..], &["--quiet"]].concat());
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_costs_the_memory_and_not_the_answer() {
    let place = Place::new();
    let cache = place.cache();
    let Some(disk) = Tmpfs::mount(&cache) else {
        println!("skipped: no file system can be mounted here");
        return;
    };
    // What fills the disk is not the tool's, and a write beyond its end fails half-way.
    let _ = fs::write(cache.join("filler"), vec![0; 62 << 10]);
    let ran = place.planted(PLANTED, &[]);
    let kept = place.kept();
    drop(disk);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("FITS"), "{ran:?}");
    assert!(ran.stderr.contains("No space left on device"), "{ran:?}");
    assert_eq!(kept, ["filler"].map(std::path::PathBuf::from), "half a file is left");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let place = Place::new();
    for lines in [0, 1] {
        let mut run = started(&place, &slow(0.01));
        let mut reader = BufReader::with_capacity(64, run.stdout.take().unwrap());
        for _ in 0..lines {
            reader.read_line(&mut String::new()).unwrap();
        }
        drop(reader);
        let ran = finish(run);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "after {lines} lines");
    }
}

/// Where the answer cannot be written there is none, and that is said.
#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let place = Place::new();
    for format in ["text", "json"] {
        let ran: Ran = place
            .command(&["--synthetic", PLANTED, "--ram", "1G", "--format", format])
            .stdout(File::options().write(true).open("/dev/full").unwrap())
            .output()
            .unwrap()
            .into();
        assert_refused(&ran, format);
        assert!(ran.stderr.contains("cannot write the answer"), "{ran:?}");
        assert!(ran.stderr.contains("No space left on device"), "{ran:?}");
    }
}

#[test]
fn an_error_output_that_takes_nothing_is_no_failure() {
    let place = Place::new();
    let ran: Ran = place
        .command(&["--synthetic", PLANTED, "--ram", "1G", "--cache-dir", "/dev/null/cache"])
        .stderr(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("FITS"), "{ran:?}");
}

#[test]
fn a_pipe_gets_neither_progress_nor_escapes() {
    let place = Place::new();
    for variables in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "xterm-256color")]] {
        let ran: Ran = place
            .command(&["--synthetic", &slow(0.02), "--ram", "1G", "--remeasure"])
            .envs(variables.iter().copied())
            .output()
            .unwrap()
            .into();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{variables:?}");
        assert!(!ran.stdout.contains(['\u{1b}', '\r']), "{variables:?}: {}", ran.stdout);
    }
}

/// On a terminal there are colours, and with `NO_COLOR` there are none.
#[test]
fn a_terminal_gets_colours_unless_it_is_told_not_to() {
    let place = Place::new();
    let tool = assert_cmd::cargo::cargo_bin!("mediscope-size").to_str().unwrap().to_owned();
    let on_a_terminal = |variables: &[(&str, &str)]| {
        let line = format!("'{tool}' --ram 1G --synthetic {PLANTED} 2>/dev/null");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm-256color");
        script.env_remove("NO_COLOR").env("MEDISCOPE_SIZE_CACHE", place.cache());
        script.envs(variables.iter().copied()).stdin(Stdio::null());
        script.output().ok().map(|o| String::from_utf8(o.stdout).unwrap())
    };
    let Some(coloured) = on_a_terminal(&[]) else {
        println!("skipped: there is no `script` here to make a terminal");
        return;
    };
    assert!(coloured.contains("FITS") && coloured.contains("\u{1b}["), "{coloured}");
    let plain = on_a_terminal(&[("NO_COLOR", "1")]).unwrap();
    assert!(plain.contains("FITS") && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn quiet_is_quiet_and_errors_are_still_said() {
    let place = Place::new();
    let ran = place.planted(PLANTED, &["--quiet", "--max-time", "1ms"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("FITS"));
    assert_refused(&place.planted("kill_at=1", &["--quiet"]), "quiet");
}

/// Neither waits for the other, and neither reads half of what the other writes.
#[test]
fn two_at_once_share_a_cache() {
    let place = Place::new();
    let planted = slow(0.03);
    let runs: Vec<Child> = (0..2).map(|_| started(&place, &planted)).collect();
    for run in runs {
        let ran = finish(run);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.stdout.contains("Measured now"), "{ran:?}");
    }
    assert_eq!(place.kept().len(), 1);
    assert!(finish(started(&place, &planted)).stdout.contains("from the cache"));
    assert_clean(&place);
}

/// A file's name can hold anything; what is made of it is printed, written and read again.
#[test]
fn a_model_with_an_odd_name_gives_a_profile_that_reads() {
    let place = Place::new();
    for (number, name) in ["a\nb\u{1b}[31m.onnx", " .onnx", "ñandú.onnx"].iter().enumerate() {
        let profile = format!("{number}.yaml");
        let measure =
            ["measure", "--model", name, "--synthetic", PLANTED, "-o", &profile, "--quiet"];
        let ran = place.run(&measure);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{name:?}");
        let ran = place.run(&["--profile", &profile, "--ram", "1G"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{name:?}");
        assert!(ran.stdout.contains("Footprint from the profile"), "{ran:?}");
        assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    }
}

/// A process that is stopped, as one that waits for a disk or loads for ever, is given up; the time is
/// ten times the budget, and half a minute at the least.
#[test]
fn a_child_that_does_not_answer_is_given_up() {
    let place = Place::new();
    let asked = ["--synthetic", &slow(0.3), "--ram", "1G", "--max-time", "1s"];
    let run = place.command(&asked).spawn().unwrap();
    let child = child_of(&run, &[]);
    signal(child, Signal::STOP);
    let ran = finish(run);
    assert_refused(&ran, "stopped");
    assert!(ran.stderr.contains("did not answer within 30 s"), "{ran:?}");
    assert!(ran.stderr.contains("--max-time"), "{ran:?}");
    assert!(!is_alive(child));
    assert_clean(&place);
}

/// However few threads, files and memory there may be: an answer, or an error with its reason.
#[test]
fn what_runs_short_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), open.clone()).unwrap();
    let program = folder.path().join("mediscope-size");
    fs::copy(assert_cmd::cargo::cargo_bin!("mediscope-size"), &program).unwrap();
    let program = program.to_str().unwrap();
    let service = ["measure", "--url", "http://localhost:1/", "--start-timeout", "1s"];
    let service = [&service[..], &["--", "sleep", "97"]].concat();
    let planted = ["--synthetic", PLANTED, "--ram", "1G", "--max-time", "10ms"];
    let mut answered = 0;
    for (limit, values) in [
        ("nproc", &[1_u64, 2, 3, 4, 5, 6, 8, 12, 40][..]),
        ("nofile", &[4, 5, 6, 8, 10, 12, 16, 40]),
        ("as", &[20_000_000, 60_000_000, 4_000_000_000]),
        ("fsize", &[0, 100]),
    ] {
        for value in values {
            for asked in [&planted[..], &service] {
                let place = Place::new();
                let limit = format!("--{limit}={value}");
                let limited = [&[limit.as_str(), program], asked].concat();
                let mut command = place.command_of(Path::new("prlimit"), &limited);
                if rustix::process::getuid().is_root() {
                    // Root may start as many processes as it likes, and nobody may run others.
                    for folder in place.folders() {
                        fs::set_permissions(folder, open.clone()).unwrap();
                    }
                    command.uid(64_000 + std::process::id() % 1000);
                }
                let Ok(output) = command.output() else {
                    println!("skipped: there is no prlimit here");
                    return;
                };
                let ran = Ran::from(output);
                // The C library, which cannot be loaded, is not ours.
                if ran.stderr.contains("shared libraries") {
                    continue;
                }
                answered += i32::from(ran.code == Some(0));
                assert!(matches!(ran.code, Some(0 | 2)), "{limit} {asked:?}: {ran:?}");
                assert!(!ran.stderr.contains("panicked"), "{limit} {asked:?}: {ran:?}");
                assert!(ran.code == Some(0) || !ran.stderr.trim().is_empty(), "{limit}: {ran:?}");
                let is_file = limit.starts_with("--fsize") && asked == planted;
                if is_file {
                    assert_eq!(ran.code, Some(0), "{limit}: {ran:?}");
                    assert!(ran.stderr.contains("File too large"), "{limit}: {ran:?}");
                }
            }
        }
    }
    assert!(answered >= 4, "the limits are too tight to tell");
}

/// Each request takes more than any test machine has, so N = 2 is not tried.
#[test]
fn what_this_machine_has_no_room_for_is_not_tried() {
    let place = Place::new();
    let ran = place.planted("base=300M,buffer=8T,load_peak=320M,kill_at=2", &[]);
    assert_refused(&ran, "no room");
    assert!(ran.stderr.contains("N = 2 would take more memory"), "{}", ran.stderr);
}
