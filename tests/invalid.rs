//! Bad input: exit code 2, one message that says what, where and what to do, nothing on standard
//! output, nothing written, no backtrace.
//!
//! Profiles are a corpus: one file a mistake, beside it the message that it must give. To add one,
//! write the YAML and run with `UPDATE=1`, then read the message that was written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mediscope_size::reference::{Architecture, Reference};
use tempfile::TempDir;

/// Runs the program on bad input and returns its message, after checking all that must hold for
/// any bad input.
fn refused(arguments: &[&str]) -> String {
    let home = TempDir::new().unwrap();
    let output = Command::cargo_bin("mediscope-size")
        .unwrap()
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/invalid"))
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .env("RUST_BACKTRACE", "1")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("MEDISCOPE_SIZE_CACHE")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{arguments:?} wrote something");
    assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    assert_eq!(message.matches("error:").count(), 1, "{arguments:?}: {message}");
    assert!(!message.contains("backtrace") && !message.contains("panicked"), "{message}");
    message
}

#[test]
fn every_invalid_profile_gives_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/invalid");
    let mut profiles: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    profiles.sort();
    assert!(profiles.len() > 15, "{profiles:?}");
    for profile in profiles {
        let name = profile.file_name().unwrap().to_str().unwrap();
        let message = refused(&["--profile", name, "--ram", "1G"]);
        let expected = profile.with_extension("expect");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &message).unwrap();
        }
        assert_eq!(message, fs::read_to_string(&expected).unwrap(), "{name}");
    }
}

#[test]
fn a_mistake_on_the_command_line_says_what_is_wrong() {
    for (arguments, says) in [
        (&["--ram", "1X"][..], "`X` is no unit"),
        (&["--ram", "0"], "is no box"),
        (&["--ram", "-1G"], "negative"),
        (&["--ram", "NaN"], "is not a size"),
        (&["--ram", "inf"], "is not a size"),
        (&["--ram", ""], "is not a size"),
        (&["--ram", "5"], "did you mean 5M"),
        (&["--ram", "99999999999T"], "more than any machine"),
        (&["--ram", "4096T"], "more than any box"),
        (&["--ram", "1G", "--cpus", "0"], "at least 0.01"),
        (&["--ram", "1G", "--cpus", "-1"], "at least 0.01"),
        (&["--ram", "1G", "--cpus", "NaN"], "not a number of CPUs"),
        (&["--ram", "1G", "--cpus", "two"], "not a number of CPUs"),
        (&["--ram", "1G", "--cpus", "1e9"], "at most 4096"),
        (&["--ram", "1G", "--cpus", ""], "not a number of CPUs"),
        (&["--ram", "1G", "--cpus", "inf"], "at most 4096"),
        (&["--ram", "1e3"], "is no unit"),
        (&["--ram"], "a value is required"),
        (&["--concurrency", "0"], "0 is not in 1..=100000"),
        (&["--concurrency", "-1"], "-1 is not in 1..=100000"),
        (&["--concurrency", "1.5"], "invalid digit"),
        (&["--concurrency", "99999999999"], "99999999999 is not in 1..=100000"),
        (&["--ram", "1G", "--max-time", "soon"], "not a length of time"),
        (&["--ram", "1G", "--max-time", "0s"], "above 0"),
        (&["--ram", "1G", "--max-time", "-1s"], "above 0"),
        (&["--ram", "1G", "--profile", "nope"], "unknown profile `nope`: there is mediscope"),
        (&["--ram", "1G", "--profile", "./nope.yaml"], "cannot read the profile ./nope.yaml"),
        (&["--ram", "1G", "--profile", "."], "cannot read the profile ."),
        (&["--model", "a.onnx", "--profile", "mediscope"], "cannot be used with"),
        (&["--shape", "1x3x224x224"], "--model <FILE>"),
        (&["--rma", "1G"], "unexpected argument '--rma'"),
        (&["sise", "--ram", "1G"], "unrecognized subcommand 'sise'"),
        (&["--ram", "1G", "--ram", "2G"], "cannot be used multiple times"),
        (&["--ram", "1G", "--format", "xml"], "possible values: text, json"),
        (&["--ram", "1G", "--model", ""], "a value is required"),
        (&["--ram", "1G", "--profile", ""], "unknown profile ``"),
        (&["--ram", "1G", "--cache-dir", ""], "a value is required"),
        (&["--box", "that"], "possible values: this"),
        (&["--box", "this", "--ram", "1G", "--cpus", "1"], "leave out --ram or --cpus"),
        (&["--ram", "1G", "cache"], "options of `size` stand before `cache`"),
        (&[], "no box and no service is named"),
        (&["measure", "-o", "no/such/folder/x.yaml"], "cannot write no/such/folder/x.yaml"),
        (&["measure", "-o", "."], "is a folder"),
        (&["--ram", "1G", "--threads", "0"], "0 is no number of threads: use 1 to 1024"),
        (&["--ram", "1G", "--threads", "-1"], "-1 is no number of threads"),
        (&["--ram", "1G", "--threads", "all"], "or default"),
        (&["--ram", "1G", "--arena", "maybe"], "`maybe` is no switch: use on or off"),
        (&["--ram", "1G", "--spinning", ""], "`` is no switch"),
        (&["--ram", "1G", "--optimization", "most"], "use disabled, basic, extended or all"),
        (&["--ram", "1G", "--malloc-arenas", "4097"], "4097 is no number of heaps"),
        (&["--ram", "1G", "--settings", "pytorch"], "possible values: onnxruntime"),
        (&["--ram", "1G", "--image", "60mp"], "at least 0.1mp and at most 50mp"),
        (&["--ram", "1G", "--image", "4mpx"], "or a size as in 4mp"),
        (&["measure", "--arena"], "a value is required"),
    ] {
        let message = refused(arguments);
        assert!(message.contains(says), "{arguments:?}: {message}");
    }
}

/// A profile can come from a pipe, but not for ever.
#[test]
fn a_device_without_an_end_is_not_read_to_it() {
    let message = refused(&["--ram", "1G", "--profile", "/dev/zero"]);
    assert!(message.contains("it is a device and not a regular file"), "{message}");
    let message = refused(&["--ram", "1G", "--image", "/dev/zero"]);
    assert!(message.contains("is not a file"), "{message}");
    let message = refused(&["--ram", "1G", "--model", "/dev/zero"]);
    assert!(message.contains("is not a regular file"), "{message}");
}

fn written(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn model_bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    Reference::new(Architecture::ResNet18, 2, 1).unwrap().write_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_model_that_cannot_be_used_says_why() {
    let folder = TempDir::new().unwrap();
    let good = model_bytes();
    let cases = [
        (folder.path().join("none.onnx").to_str().unwrap().to_owned(), "does not exist"),
        (folder.path().to_str().unwrap().to_owned(), "is a folder"),
        (written(&folder, "empty.onnx", b""), "is empty"),
        (
            written(&folder, "text.onnx", b"this is no model at all, only a text"),
            "is not an ONNX model",
        ),
        (written(&folder, "cut.onnx", &good[..good.len() / 2]), "is cut short"),
        // ir_version 8, an empty graph, and an operator set that does not exist yet.
        (written(&folder, "new.onnx", &[8, 8, 0x3a, 0, 0x42, 3, 0x10, 0xe7, 0x07]), "999"),
    ];
    for (path, says) in cases {
        let message = refused(&["--ram", "1G", "--model", &path]);
        assert!(message.contains(says), "{path}: {message}");
        assert!(message.contains(path.trim_end_matches('/')), "{message}");
    }
}

/// A field of a protocol-buffer message: a number, or bytes with their length. Everything here is
/// shorter than 128 bytes, so that a length is one byte.
fn number(field: u8, mut value: u64) -> Vec<u8> {
    let mut bytes = vec![field << 3];
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2, u8::try_from(content.len()).unwrap()];
    assert!(content.len() < 128);
    bytes.extend(content);
    bytes
}

/// A model of one operator, `y = Identity(x)`: element type of its inputs, their dimensions (0 is
/// one that is left open), and their number.
fn tiny_model(element: u64, dims: &[u64], inputs: usize, ir: u64, opset: u64) -> Vec<u8> {
    let dim = |d: &u64| bytes(1, &if *d == 0 { bytes(2, b"n") } else { number(1, *d) });
    let shape = dims.iter().flat_map(dim).collect::<Vec<_>>();
    let tensor = [number(1, element), bytes(2, &shape)].concat();
    let port = |name: &str| [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat();
    let mut graph = bytes(1, &[bytes(1, b"x0"), bytes(2, b"y"), bytes(4, b"Identity")].concat());
    graph.extend(bytes(2, b"tiny"));
    graph.extend((0..inputs).flat_map(|i| bytes(11, &port(&format!("x{i}")))));
    graph.extend(bytes(12, &port("y")));
    [number(1, ir), bytes(7, &graph), bytes(8, &number(2, opset))].concat()
}

const FLOAT: u64 = 1;
const STRING: u64 = 8;

#[test]
fn a_model_that_cannot_be_fed_says_why() {
    let folder = TempDir::new().unwrap();
    for (model, shape, says) in [
        (tiny_model(STRING, &[1, 3, 8, 8], 1, 8, 17), None, "input `x0` is text"),
        (tiny_model(FLOAT, &[1, 3, 0, 0], 2, 8, 17), Some("1x3x8x8"), "the inputs `x0`, `x1`"),
        (tiny_model(FLOAT, &[1, 3, 0, 0], 2, 8, 17), Some("x2=1x3x8x8"), "no input `x2`"),
        (tiny_model(FLOAT, &[1, 3, 0, 0], 1, 8, 17), Some("1x1x8x8"), "1×1×8×8 contradicts"),
        (tiny_model(FLOAT, &[1, 3, 8, 8], 1, 8, 999), None, "opset 999"),
        (tiny_model(FLOAT, &[1, 3, 8, 8], 1, 99, 17), None, "version 99 of the ONNX format"),
        (
            tiny_model(FLOAT, &[1, 3, 0, 0], 1, 8, 17),
            Some("1x3x100000x100000"),
            "1×3×100000×100000 has more than the limit of 300 million numbers",
        ),
        (
            tiny_model(FLOAT, &[1, 3, 1 << 40, 1 << 40], 1, 8, 17),
            None,
            "has more than the limit of 300 million numbers",
        ),
    ] {
        let model = written(&folder, "tiny.onnx", &model);
        let mut arguments = vec!["--ram", "1G", "--model", &model];
        arguments.extend(shape.iter().flat_map(|shape| ["--shape", shape]));
        let message = refused(&arguments);
        assert!(message.contains(says) && message.contains(&model), "not `{says}`: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

/// Wherever a model is cut, that is said; and nothing that an exporter did not write is a model.
#[test]
fn a_damaged_model_is_never_taken_for_a_whole_one() {
    let folder = TempDir::new().unwrap();
    let good = tiny_model(FLOAT, &[1, 3, 8, 8], 1, 8, 17);
    for end in 1..good.len() {
        // A file that ends between two fields is whole, but lacks what comes last: the opset.
        let cut = written(&folder, "cut.onnx", &good[..end]);
        let message = refused(&["--ram", "1G", "--model", &cut]);
        let told = ["is cut short", "is not an ONNX model", "is damaged"];
        assert!(told.iter().any(|t| message.contains(t)), "{end}: {message}");
    }
    let png = written(&folder, "photo.onnx", &png_header(8, 8));
    assert!(refused(&["--ram", "1G", "--model", &png]).contains("is not an ONNX model"));
    let page = written(&folder, "page.onnx", b"<!DOCTYPE html><html>404</html>");
    assert!(refused(&["--ram", "1G", "--model", &page]).contains("is not an ONNX model"));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let pointer = written(&folder, "pointer.onnx", pointer);
    let message = refused(&["--ram", "1G", "--model", &pointer]);
    assert!(message.contains("Git LFS"), "{message}");
}

#[test]
fn a_shape_that_contradicts_the_model_is_refused() {
    let folder = TempDir::new().unwrap();
    let model = written(&folder, "net.onnx", &model_bytes());
    let shaped = |shape: &str| refused(&["--ram", "1G", "--model", &model, "--shape", shape]);
    let message = shaped("1x3x640x640");
    assert!(message.contains("1×3×640×640 contradicts the model"), "{message}");
    assert!(message.contains("1×3×224×224"), "{message}");
    assert!(shaped("1x3x224").contains("contradicts"));
    assert!(shaped("1x3xax224").contains("is not a shape"));
    assert!(shaped("1x3x0x224").contains("is not a shape"));
}

/// A PNG's header, with a valid checksum, of an image of this size.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let crc = chunk.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 * (c & 1)))
    });
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&chunk);
    png.extend((!crc).to_be_bytes());
    // The beginning of the pixels, so that a decoder has read the header to its end.
    png.extend(b"\0\0\0\x01IDAT");
    png
}

#[test]
fn an_image_that_cannot_be_used_says_why() {
    let folder = TempDir::new().unwrap();
    let photo = folder.path().join("photo.jpg");
    image::RgbImage::new(64, 64).save(&photo).unwrap();
    let photo = fs::read(photo).unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let cases = [
        (path("none.png"), "cannot read the image"),
        (path("folder"), "holds no JPEG or PNG image"),
        (written(&folder, "text.png", b"no image"), "is not an image"),
        (written(&folder, "empty.png", b""), "is not an image"),
        (written(&folder, "cut.jpg", &photo[..photo.len() / 3]), "is not an image"),
        (written(&folder, "zero.png", &png_header(0, 10)), "zero.png"),
        (
            written(&folder, "huge.png", &png_header(20_000, 20_000)),
            "more than the limit of 100 megapixels",
        ),
    ];
    for (path, says) in cases {
        let message = refused(&["--ram", "1G", "--image", &path]);
        assert!(message.contains(says), "{path}: {message}");
    }
}
