use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::fixture::{World, deliver, here};
use crate::measure::runtime::install::install_pinned;
use crate::measure::runtime::target::Pin;
use crate::measure::runtime::{InstallError, Step, Surroundings, Target};

fn install(around: &Surroundings, pin: &Pin) -> Result<PathBuf, InstallError> {
    install_pinned(around, here(), pin, &|_| {}, &AtomicBool::new(false))
}

#[test]
fn pip_delivers_and_the_library_is_placed_once() {
    let world = World::new();
    let (wheel, pin) = world.wheel();
    world.program("pip3", &deliver(&wheel));
    let steps = RefCell::new(Vec::new());
    let tell = |step: Step| steps.borrow_mut().push(step);
    let path = install_pinned(&world.around, here(), &pin, &tell, &AtomicBool::new(false)).unwrap();
    assert_eq!(path, world.cached());
    assert_eq!(fs::read(&path).unwrap(), b"1.31.1");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(world.left_over(), [format!("1.31.1-{}", here())]);
    let downloading = Step::Downloading("pip3", pin.wheel_bytes);
    assert_eq!(steps.take(), [downloading, Step::Checking, Step::Unpacking, Step::Done]);
    install(&world.around, &pin).unwrap();
    assert_eq!(world.calls("pip3"), 1);
}

#[test]
fn pip_is_called_for_the_pinned_platform() {
    let world = World::new();
    let (_, pin) = world.wheel();
    world.program("pip", "exit 1");
    assert!(install(&world.around, &pin).is_err());
    let call = fs::read_to_string(world.path("pip.calls")).unwrap();
    let expected = format!(
        "download --no-deps --only-binary=:all: --implementation cp --python-version 3.12 \
         --abi cp312 --platform {} ",
        pin.tag
    );
    assert!(call.starts_with(&expected), "{call}");
}

#[test]
fn a_damaged_library_is_replaced_and_abandoned_work_removed() {
    let world = World::new();
    let (wheel, pin) = world.wheel();
    world.program("pip", &deliver(&wheel));
    world.library(world.cached().to_str().unwrap(), "damaged");
    world.library("cache/onnxruntime/.install-abandoned/half", "half");
    assert_eq!(fs::read(install(&world.around, &pin).unwrap()).unwrap(), b"1.31.1");
    assert_eq!(world.left_over().len(), 1);
}

#[test]
fn what_is_not_pinned_is_not_installed() {
    let world = World::new();
    let (wheel, pin) = world.wheel();
    world.program("pip", &deliver(&wheel));
    let wrong = |what: &str, pin: &Pin| {
        let error = install(&world.around, pin).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{what} has the SHA-256 ")), "{error}");
        assert!(world.left_over().is_empty());
    };
    wrong("the library", &Pin { library_sha256: "00", ..pin });
    wrong("the wheel", &Pin { wheel_sha256: "00", ..pin });
    fs::write(&wheel, "not an archive").unwrap();
    wrong("the wheel", &pin);
}

#[test]
fn of_two_at_once_one_downloads() {
    let world = World::new();
    let (wheel, pin) = world.wheel();
    // The first one's download lasts until the second one waits.
    let waits = world.path("waits");
    let until = format!(
        "n=0; while [ ! -e '{}' ] && [ $n -lt 100 ]; do /bin/sleep 0.1; n=$((n+1)); done",
        waits.display()
    );
    world.program("pip", &format!("{until}\n{}", deliver(&wheel)));
    let around = &world.around;
    let one = || {
        let tell = |step| {
            if step == Step::Waiting {
                fs::write(&waits, "").unwrap();
            }
        };
        install_pinned(around, here(), &pin, &tell, &AtomicBool::new(false)).unwrap()
    };
    thread::scope(|scope| {
        let both = [scope.spawn(one), scope.spawn(one)];
        assert_eq!(both.map(|thread| thread.join().unwrap()), [world.cached(), world.cached()]);
    });
    assert_eq!(world.calls("pip"), 1);
    assert!(waits.exists());
}

#[test]
fn uv_is_used_where_pip_fails() {
    let world = World::new();
    let (_, pin) = world.wheel();
    // A Python without pip does not count as an answer of the index.
    world.program("python3", "echo 'python3: No module named pip' >&2; exit 1");
    world.program("python", "echo 'python: No module named pip' >&2; exit 1");
    world.program("pip3", "echo 'ERROR: no' >&2; exit 1");
    world.program("pip", "echo 'ERROR: no' >&2; exit 1");
    let capi = "\"$2/onnxruntime/capi\"";
    let write = format!("printf 1.31.1 > \"$2/{}\"", pin.member);
    let script = "while [ \"$1\" != --target ]; do shift; done";
    world.program("uv", &format!("{script}\n/bin/mkdir -p {capi}\n{write}"));
    assert_eq!(fs::read(install(&world.around, &pin).unwrap()).unwrap(), b"1.31.1");
    let calls = ["python3", "python", "pip3", "pip", "uv"].map(|name| world.calls(name));
    assert_eq!(calls, [1; 5]);
    assert_eq!(world.left_over().len(), 1);
}

#[test]
fn offline_the_ways_out_are_named() {
    let world = World::new();
    let (_, pin) = world.wheel();
    world.program("pip3", "echo 'WARNING: Retrying (Retry(total=0))' >&2; echo 'ERROR: No matching distribution' >&2; exit 1");
    world.program("pip", "exit 1");
    world.program("uv", "echo 'error: Request failed' >&2; echo '  cause: refused' >&2; exit 2");
    let error = install(&world.around, &pin).unwrap_err().to_string();
    let folder = world.cached().parent().unwrap().display().to_string();
    for part in [
        "pip3: ERROR: No matching distribution (the network failed)",
        "uv: error: Request failed / cause: refused",
        "ORT_DYLIB_PATH",
        "pip install \"onnxruntime>=1.31\"",
        "mediscope-size runtime --install --platform ",
        &folder,
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    // Another pip has the same network.
    assert_eq!(world.calls("pip"), 0);
    assert!(world.left_over().is_empty());
}

#[test]
fn without_pip_and_uv_that_is_said() {
    let world = World::new();
    let error = install(&world.around, &world.wheel().1).unwrap_err().to_string();
    assert!(error.contains("no python3, python, pip3, pip or uv on PATH"), "{error}");
}

#[test]
fn an_interrupt_stops_the_download_and_leaves_nothing() {
    let world = World::new();
    let (_, pin) = world.wheel();
    world.program("pip", "exec /bin/sleep 30");
    let interrupt = AtomicBool::new(false);
    let begun = Instant::now();
    // The flag is set when the download has begun.
    let tell = |_| interrupt.store(true, Ordering::Relaxed);
    let result = install_pinned(&world.around, here(), &pin, &tell, &interrupt);
    assert!(matches!(result, Err(InstallError::Interrupted)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(world.left_over().is_empty());
}

#[test]
fn an_interrupt_ends_the_wait_for_another_process() {
    let world = World::new();
    let (_, pin) = world.wheel();
    let folder = world.path("cache/onnxruntime");
    fs::create_dir(&folder).unwrap();
    let lock = fs::File::create(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    let interrupt = AtomicBool::new(false);
    let tell = |step| interrupt.store(step == Step::Waiting, Ordering::Relaxed);
    let result = install_pinned(&world.around, here(), &pin, &tell, &interrupt);
    assert!(matches!(result, Err(InstallError::Interrupted)));
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let mut world = World::new();
    let (_, pin) = world.wheel();
    // Permissions do not stop every user, a file in the place of the folder does.
    world.around.cache = world.library("not-a-folder", "");
    let error = install(&world.around, &pin).unwrap_err().to_string();
    let folder = world.around.cache.join("onnxruntime");
    assert!(error.starts_with(&format!("cannot install ONNX Runtime in {}", folder.display())));
    assert!(error.contains("--cache-dir"), "{error}");
}

#[test]
fn platforms_are_named_and_pinned() {
    for target in Target::ALL {
        assert_eq!(target.name().parse(), Ok(target));
        let pin = target.pin();
        assert_eq!(pin.tag.parse(), Ok(target));
        assert!(pin.member.ends_with(pin.library));
        for hash in [pin.wheel_sha256, pin.library_sha256] {
            assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
    assert_eq!("aarch64".parse(), Ok(Target::LinuxAarch64));
    let error = "sparc".parse::<Target>().unwrap_err();
    assert!(error.contains("linux-x86_64, linux-aarch64, macos-arm64"), "{error}");
}
