//! Downloads that work, fail, are damaged, are stopped, or happen twice at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::super::find::cached;
use super::super::install::install_pinned;
use super::super::target::Pin;
use super::super::{InstallError, Step};
use super::{LIBRARY, NAME, Scene};

const NO_PIP: &str = "echo 'python3: No module named pip' >&2; exit 1";

fn install(scene: &Scene) -> Result<PathBuf, InstallError> {
    install_as(scene, &scene.pin())
}

fn install_as(scene: &Scene, pin: &Pin) -> Result<PathBuf, InstallError> {
    install_pinned(&scene.surroundings, pin, &|_| {}, &AtomicBool::new(false))
}

/// Waits for something that another thread or process does.
fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never happened");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_wheel_becomes_a_library_for_all_users() {
    let scene = Scene::new();
    scene.pip("pip");
    let steps = Mutex::new(Vec::new());
    let tell = |step: Step| steps.lock().unwrap().push(step.to_string());
    let flag = AtomicBool::new(false);
    let path = install_pinned(&scene.surroundings, &scene.pin(), &tell, &flag).unwrap();
    assert_eq!(path, cached(&scene.surroundings.cache, &scene.pin()));
    assert_eq!(fs::read_to_string(&path).unwrap(), LIBRARY);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(scene.kept(), [".lock", "1.31.1-linux-x86_64"]);
    let steps = steps.into_inner().unwrap();
    assert_eq!(steps.first().unwrap(), "downloading ONNX Runtime 1.31.1 (23 MiB) with pip");
    assert_eq!(steps.last().unwrap(), "checking and unpacking ONNX Runtime");

    assert_eq!(install(&scene).unwrap(), path);
    assert_eq!(scene.runs("pip"), 1, "what is there is not fetched again");
}

#[test]
fn pip_is_asked_for_exactly_the_pinned_wheel() {
    let scene = Scene::new();
    scene.program("pip", "cat \"${18}\" >> \"$0.requirements\" 2>&1; exit 1");
    install(&scene).unwrap_err();
    let arguments = fs::read_to_string(scene.runs_of("pip")).unwrap();
    let expected = "download --no-deps --only-binary=:all: --implementation cp \
        --python-version 3.12 --abi cp312 --platform manylinux_2_28_x86_64 --no-input \
        --require-hashes";
    assert!(arguments.starts_with(expected), "{arguments}");
    let requirements = fs::read_to_string(scene.at("bin/pip.requirements")).unwrap();
    let pinned = format!("onnxruntime==1.31.1 --hash=sha256:{}\n", scene.pin().wheel_sha256);
    assert_eq!(requirements, pinned);
}

#[test]
fn a_prepared_cache_needs_no_program_and_no_lock() {
    let scene = Scene::new();
    let path = cached(&scene.surroundings.cache, &scene.pin());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, LIBRARY).unwrap();
    assert_eq!(install(&scene).unwrap(), path);
    assert_eq!(scene.kept(), ["1.31.1-linux-x86_64"]);
}

#[test]
fn a_damaged_library_and_leftovers_are_replaced() {
    let scene = Scene::new();
    scene.pip("pip3");
    let path = cached(&scene.surroundings.cache, &scene.pin());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "half a lib").unwrap();
    scene.file("cache/onnxruntime/.install-killed/wheels/half.whl", "half");
    install(&scene).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), LIBRARY);
    assert_eq!(scene.kept(), [".lock", "1.31.1-linux-x86_64"]);
}

#[test]
fn what_is_not_what_was_pinned_is_not_installed() {
    let scene = Scene::new();
    scene.pip("pip");
    let wrong = "0000000000000000000000000000000000000000000000000000000000000000";
    let wheel = Pin { wheel_sha256: wrong, ..scene.pin() };
    let library = Pin { library_sha256: wrong, ..scene.pin() };
    for (pin, expected) in [(wheel, "the wheel"), (library, "the library")] {
        let error = install_as(&scene, &pin).unwrap_err();
        let InstallError::WrongHash { what, pinned, .. } = &error else { panic!("{error}") };
        assert_eq!((*what, *pinned), (expected, wrong));
        assert!(error.to_string().contains("it was not installed"));
        assert_eq!(scene.kept(), [".lock"]);
    }
}

#[test]
fn a_wheel_without_the_library_is_not_installed() {
    let scene = Scene::new();
    scene.pip("pip");
    let pin = Pin { member: "onnxruntime/other.so", ..scene.pin() };
    let error = install_as(&scene, &pin).unwrap_err();
    assert!(matches!(error, InstallError::Archive(_)), "{error}");
    assert_eq!(scene.kept(), [".lock"]);
}

#[test]
fn two_at_once_download_once() {
    let scene = Scene::new();
    scene.pip("pip");
    let paths: Vec<PathBuf> = thread::scope(|scope| {
        let started: Vec<_> = (0..4).map(|_| scope.spawn(|| install(&scene).unwrap())).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]));
    assert_eq!(scene.runs("pip"), 1);
    assert_eq!(scene.kept(), [".lock", "1.31.1-linux-x86_64"]);
}

#[test]
fn uv_is_used_where_there_is_no_pip() {
    let scene = Scene::new();
    scene.program("python3", NO_PIP);
    scene.program(
        "uv",
        &format!(
            "while [ $# -gt 0 ]; do if [ \"$1\" = --target ]; then\n\
             mkdir -p \"$2/onnxruntime/capi\"; umask 077\n\
             cat {} > \"$2/onnxruntime/capi/{NAME}\"; fi; shift; done",
            scene.at("made-up-library").display()
        ),
    );
    let path = install(&scene).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), LIBRARY);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let arguments = fs::read_to_string(scene.runs_of("uv")).unwrap();
    assert!(arguments.contains("--require-hashes"), "{arguments}");
    assert!(arguments.contains("--python-platform x86_64-manylinux_2_28"), "{arguments}");
}

#[test]
fn the_next_pip_makes_up_for_a_missing_one_only() {
    let scene = Scene::new();
    scene.program("python3", NO_PIP);
    scene.program("pip3", "echo 'ERROR: no such index' >&2; exit 1");
    scene.pip("pip");
    let error = install(&scene).unwrap_err().to_string();
    assert_eq!((scene.runs("python3"), scene.runs("pip3"), scene.runs("pip")), (1, 1, 0));
    assert!(error.contains("python3 -m pip: python3: No module named pip"), "{error}");
    assert!(error.contains("pip3: ERROR: no such index"), "{error}");
}

#[test]
fn offline_every_way_out_is_named() {
    let scene = Scene::new();
    scene.program(
        "pip",
        "echo \"WARNING: Retrying after 'NewConnectionError('<x>: Failed to establish a new \
         connection: [Errno 111] Connection refused')': /simple\" >&2\n\
         echo 'ERROR: No matching distribution found' >&2; exit 1",
    );
    let error = install(&scene).unwrap_err().to_string();
    let library = cached(&scene.surroundings.cache, &scene.pin()).display().to_string();
    for part in [
        "ONNX Runtime 1.31.1 for linux-x86_64 cannot be downloaded",
        "pip: the package index cannot be reached: Failed to establish a new connection: \
         [Errno 111] Connection refused\n",
        "set ORT_DYLIB_PATH to a libonnxruntime of version 1.31 or later",
        "pip install \"onnxruntime>=1.31\"",
        "`mediscope-size runtime --install --platform linux-x86_64`",
        &library,
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(scene.kept(), [".lock"]);
}

#[test]
fn a_full_disk_is_said() {
    let scene = Scene::new();
    scene.program("pip", "echo 'OSError: [Errno 28] No space left on device' >&2; exit 2");
    let error = install(&scene).unwrap_err();
    assert!(matches!(error, InstallError::Io { .. }), "{error}");
    assert!(error.to_string().contains("no storage space; free some space"), "{error}");
    assert_eq!(scene.kept(), [".lock"]);
}

#[test]
fn without_any_program_that_is_said() {
    let scene = Scene::new();
    let error = install(&scene).unwrap_err().to_string();
    assert!(error.contains("no python3, pip or uv on PATH"), "{error}");
}

#[test]
fn a_program_that_delivers_nothing_is_said() {
    let scene = Scene::new();
    scene.program("pip", "exit 0");
    let error = install(&scene).unwrap_err().to_string();
    assert!(error.contains("pip: it succeeded but left no wheel"), "{error}");
}

#[test]
fn stopping_ends_the_download_and_what_it_started_and_leaves_nothing() {
    let scene = Scene::new();
    let inner = scene.at("inner").display().to_string();
    scene.program("pip", &format!("sh -c 'echo $$ > {inner}; exec sleep 60' &\nwait\nsleep 60"));
    let flag = AtomicBool::new(false);
    let pid = || fs::read_to_string(&inner).unwrap_or_default().trim().to_owned();
    thread::scope(|scope| {
        let run = scope.spawn(|| install_pinned(&scene.surroundings, &scene.pin(), &|_| {}, &flag));
        until(|| !pid().is_empty());
        let begun = Instant::now();
        flag.store(true, Ordering::Relaxed);
        let result = run.join().unwrap();
        assert!(matches!(result, Err(InstallError::Interrupted)), "{result:?}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    });
    assert_eq!(scene.kept(), [".lock"]);
    let process = PathBuf::from("/proc").join(pid());
    // Where nobody waits for orphans it stays as a zombie, which does nothing.
    let state = || fs::read_to_string(process.join("stat")).unwrap_or_default();
    until(|| state().is_empty() || state().contains(") Z "));
}

#[test]
fn waiting_for_another_installation_can_be_stopped() {
    let scene = Scene::new();
    let lock = fs::File::create(scene.file("cache/onnxruntime/.lock", "")).unwrap();
    lock.lock().unwrap();
    let (flag, waiting) = (AtomicBool::new(false), AtomicBool::new(false));
    let tell = |step: Step| {
        assert_eq!(step, Step::Waiting);
        waiting.store(true, Ordering::Relaxed);
        flag.store(true, Ordering::Relaxed);
    };
    let result = install_pinned(&scene.surroundings, &scene.pin(), &tell, &flag);
    assert!(matches!(result, Err(InstallError::Interrupted)), "{result:?}");
    assert!(waiting.into_inner());
}

#[test]
fn a_cache_that_cannot_be_written_is_said() {
    let mut scene = Scene::new();
    scene.surroundings.cache = scene.file("file", "text").join("cache");
    let error = install(&scene).unwrap_err();
    assert!(matches!(error, InstallError::Io { .. }), "{error}");
    assert!(error.to_string().contains("--cache-dir"), "{error}");
}
