//! Input that somebody made to hurt: whatever it is, the answer comes at once, with little memory, and
//! where there is none a message says why.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::onnx::{self, FLOAT, echo, node, value};
use common::service::port;
use common::{Place, Ran, assert_refused, finish};
use prost::Message;
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Longer than any answer takes in a build without optimisation, on a busy machine; what these inputs
/// took before was a minute or for ever.
const SOON: Duration = Duration::from_secs(10);

/// What the program may address, in KiB: half of it is code and stacks.
const MEMORY: &str = "1000000";

/// Runs the program with limited memory; the answer must come soon.
fn run(place: &Place, arguments: &[&str]) -> Ran {
    let begun = Instant::now();
    let plain = place.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v $0; exec \"$@\"", MEMORY]).arg(plain.get_program());
    command.args(plain.get_args()).current_dir(plain.get_current_dir().unwrap());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(command.spawn().unwrap());
    assert!(begun.elapsed() < SOON, "{arguments:?} took {:?}", begun.elapsed());
    ran
}

fn refused(place: &Place, arguments: &[&str], says: &str) {
    let ran = run(place, arguments);
    assert_refused(&ran, &format!("{arguments:?}"));
    assert!(ran.stderr.contains(says), "{arguments:?}: not `{says}`: {}", ran.stderr);
    assert!(ran.stderr.len() < 4000, "{arguments:?}: {} bytes", ran.stderr.len());
}

fn answered(place: &Place, arguments: &[&str]) {
    let ran = run(place, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
}

/// A profile of declared costs in which `with` stands for `of`.
fn declared(of: &str, with: &str) -> String {
    let profile = "name: x\ndeclared:\n  shared:\n    parts: PARTS\n  models: MODELS\n  request:\n    \
                   stages: {s: {ram: 10MB, time: 1s}}\nREST";
    let usual = [("PARTS", "{a: 10MB}"), ("MODELS", "{m: {resident: 1MB}}"), ("REST", "")];
    usual.iter().fold(profile.replace(of, with), |text, (of, with)| text.replace(of, with))
}

fn written(place: &Place, name: &str, contents: impl AsRef<[u8]>) -> String {
    let path = place.file(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().to_owned()
}

const FORMATS: [&str; 5] = ["text", "markdown", "csv", "json", "html"];

/// A pipe without a writer, a device without an end, a socket and a folder, in the place of every file
/// that is read.
#[test]
fn nothing_but_a_file_is_read_for_a_file() {
    let place = Place::new();
    let path = |name: &str| place.file(name).to_str().unwrap().to_owned();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path("pipe").as_str(), FileType::Fifo, mode, 0).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    let model = onnx::write(&place.file(""), &echo(&[("x", FLOAT, &["1", "4"])]));
    let url = format!("http://127.0.0.1:{}/", port());
    let pid = std::process::id().to_string();
    let live = ["measure", "--url", &url, "--pid", &pid];
    for special in ["pipe", "/dev/zero", "socket", "folder"] {
        let (input, form) = (format!("x={special}"), format!("f=@{special}"));
        let json = format!("{{\"a\": \"@base64:{special}\"}}");
        let mut all = vec![
            vec!["--ram", "1G", "--profile", special],
            vec!["check", special],
            vec![
                "check",
                "--synthetic",
                "base=9M,buffer=1M,seed=1",
                "--max-growth",
                "5%",
                "--baseline",
                special,
            ],
            vec!["diff", special, special],
            vec!["--ram", "1G", "--model", special],
            vec!["inspect", special],
            vec!["--ram", "1G", "--model", &model, "--input", &input],
            [&live[..], &["--requests", special]].concat(),
            [&live[..], &["--json", &json]].concat(),
            [&live[..], &["--ca", special]].concat(),
        ];
        if special != "folder" {
            all.push(vec!["--ram", "1G", "--image", special]);
            all.push([&live[..], &["--body", special]].concat());
            all.push([&live[..], &["--form", &form]].concat());
        }
        for arguments in all {
            let ran = run(&place, &arguments);
            assert_refused(&ran, &format!("{arguments:?}"));
            let says = ["regular file", "a pipe that nobody", "is a folder", "is not a file of"];
            assert!(says.iter().any(|says| ran.stderr.contains(says)), "{arguments:?}: {ran:?}");
        }
        // What is kept between runs is only a cache.
        if special == "pipe" {
            fs::create_dir_all(place.cache()).unwrap();
            for memo in ["runtime.json", "hashes.json"] {
                fs::rename(path("pipe"), place.cache().join(memo)).unwrap();
                answered(&place, &["--ram", "1G", "--dry-run", "--model", &model]);
                fs::rename(place.cache().join(memo), path("pipe")).unwrap();
            }
        }
    }
    // A pipe with a writer is as good as a file for what is text.
    let mut command = place.command(&["--ram", "1G", "--cpus", "1", "--profile", "/dev/stdin"]);
    let mut run = command.stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut run.stdin.take().unwrap(), declared("", "").as_bytes()).unwrap();
    let ran = finish(run);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn a_file_larger_than_its_kind_is_not_read() {
    let place = Place::new();
    let large = written(&place, "large", "");
    fs::File::options().write(true).open(&large).unwrap().set_len(8 << 30).unwrap();
    let url = format!("http://127.0.0.1:{}/", port());
    let pid = std::process::id().to_string();
    let live = ["measure", "--url", &url, "--pid", &pid];
    for arguments in [
        vec!["--ram", "1G", "--profile", &large],
        vec!["check", &large],
        [&live[..], &["--requests", &large]].concat(),
        [&live[..], &["--body", &large]].concat(),
        [&live[..], &["--ca", &large]].concat(),
    ] {
        refused(&place, &arguments, "it is larger than ");
    }
    refused(&place, &["--ram", "1G", "--image", &large], "is not a file of at most 1 GiB");
}

/// Long names, many parts, deep nesting: what is beyond any use is refused with its place, and what is
/// not is answered in every format.
#[test]
fn texts_and_lists_have_limits() {
    let place = Place::new();
    let many = |line: fn(usize) -> String| (0..100_000).map(line).collect::<String>();
    let long = "n".repeat(1_000_000);
    let deep = "[".repeat(200_000);
    let parts = format!("\n{}", many(|i| format!("      p{i}: 1B\n")));
    let stated = format!("stated:\n{}", many(|i| format!("- {{key: k{i}, value: 1}}\n")));
    for (text, says) in [
        (declared("name: x", &format!("name: {long}")), ":1:7: name: it is longer than 16 KiB"),
        (declared("PARTS", &format!("{{? {long} : 1MB}}")), "it is longer than 16 KiB"),
        (declared("PARTS", &parts), "there are more than 1000 entries"),
        (declared("REST", &stated), "there are more than 1000 entries"),
        (declared("REST", &format!("live: {deep}")), ":8:107: brackets are nested too deeply"),
        (format!("name: {deep}{}", "]".repeat(200_000)), "brackets are nested too deeply"),
        (format!("{}: 1", "k".repeat(900_000)), "invalid type"),
        (declared("REST", &"# x\n".repeat(1_200_000)), "it is larger than 4.0 MiB"),
    ] {
        let profile = written(&place, "p.yaml", text);
        refused(&place, &["--ram", "1G", "--profile", &profile], says);
    }
    let budget = |rules: &str| {
        format!("services:\n  s:\n    profile: mediscope-pytorch\n    rules:\n{rules}")
    };
    let aliases = format!("    - &a {{max_buffer: 20M}}\n{}", "    - *a\n".repeat(20_000));
    for (text, says) in [
        (budget(&aliases), "s.rules: there are more than 1000 entries"),
        (budget(&"    - {max_buffer: 9M}\n".repeat(151)), "its services have 151 rules"),
        (format!("services: {deep}"), "brackets are nested too deeply"),
    ] {
        let budget = written(&place, "b.yaml", text);
        refused(&place, &["check", &budget], says);
    }
    // The most that is allowed.
    let name = "n".repeat(16_000);
    let parts = (0..999).map(|i| format!("      p{i}: 1KB\n")).collect::<Vec<_>>().concat();
    let parts = format!("\n{parts}      ? {name}\n      : 1KB\n");
    let models = (1..=999).map(|i| format!("    m{i}: {{buffer: {i}KB, share: 0.001}}\n"));
    let models = models.collect::<Vec<_>>().concat();
    let models = format!("\n{models}    m: {{resident: 1MB, buffer: 1KB, share: 0.001}}\n");
    let profile = declared("PARTS", &parts).replace("{m: {resident: 1MB}}", &models);
    let profile = written(&place, "p.yaml", profile);
    for format in FORMATS {
        let asked = ["--ram", "1G", "--cpus", "1", "--section", "all", "--format", format];
        answered(&place, &[&asked[..], &["--profile", &profile]].concat());
    }
    let rule = |i: u32| format!("    - {{min_rps: 1/day, cpus: {}}}\n", f64::from(i) / 100.0);
    let budget = written(&place, "b.yaml", budget(&(1..=100).map(rule).collect::<String>()));
    answered(&place, &["check", &budget]);
}

/// A simulation under a quota takes as long as one without, and one of few requests as long as one of
/// many.
#[test]
fn small_quotas_and_rates_take_no_longer() {
    let place = Place::new();
    let profile = ["--profile", "mediscope-pytorch", "--ram", "1G", "--section", "all"];
    for question in [
        &["--cpus", "0.01"][..],
        &["--cpus", "0.1"],
        &["--cpus", "0.5", "--rps", "0.001", "--slo", "p95=600s"],
        &["--cpus", "0.3", "--rps", "1/day"],
        &["--cpus", "0.3", "--rps", "1e-300"],
        &["--cpus", "0.3", "--slo", "p50=1ms"],
    ] {
        answered(&place, &[&profile[..], question].concat());
    }
}

/// A field of protocol buffers that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(bytes.len(), &mut field).unwrap();
    field.extend(bytes);
    field
}

#[test]
fn a_model_that_was_made_to_hurt_is_refused() {
    let place = Place::new();
    let name = "n".repeat(1_000_000);
    let plain = || echo(&[("x", FLOAT, &["1", "4"])]);
    let with = |changed: fn(&mut onnx::Graph, String)| {
        let mut model = plain();
        changed(model.graph.as_mut().unwrap(), "n".repeat(1_000_000));
        model.encode_to_vec()
    };
    // Fields that are there again are added to those before: another piece of the same graph.
    let and = |piece: &[u8], times: usize| {
        [plain().encode_to_vec(), field(7, &piece.repeat(times))].concat()
    };
    let empty_input = field(11, &[]);
    let empty_output = field(12, &[]);
    let operands = field(1, &field(1, &[]).repeat(2_000_000));
    let dims = vec!["1"; 5000];
    let weight = onnx::Tensor {
        dims: vec![1 << 60],
        data_type: FLOAT,
        name: "w".into(),
        ..Default::default()
    };
    let weight = field(5, &weight.encode_to_vec());
    let lacking = onnx::Tensor {
        dims: vec![1 << 20],
        data_type: FLOAT,
        name: "w".into(),
        ..Default::default()
    };
    let lacking = field(5, &lacking.encode_to_vec());
    for (bytes, says) in [
        (echo(&[(&name, FLOAT, &["1"])]).encode_to_vec(), "a name is longer than 16 KiB"),
        (echo(&[("x", FLOAT, &[&name])]).encode_to_vec(), "a name is longer than 16 KiB"),
        (echo(&[("x", FLOAT, &dims)]).encode_to_vec(), "more than 64 dimensions"),
        (with(|graph, name| graph.node = vec![node(&name, &["x"], "y")]), "a name is longer"),
        (with(|graph, name| graph.output = vec![value(&name, FLOAT, &[])]), "a name is longer"),
        (and(&empty_input, 8_000_000), "it has too many inputs"),
        (and(&empty_output, 8_000_000), "it has too many outputs"),
        (and(&operands, 1), "a node has too many operands"),
        (and(&weight, 1), "the shape of a weight is impossible"),
        (and(&lacking, 1), "the values of a weight do not fill its shape"),
        (
            [plain().encode_to_vec(), field(8, &[]).repeat(1_000_000)].concat(),
            "too many operator sets",
        ),
    ] {
        let model = written(&place, "m.onnx", bytes);
        refused(&place, &["inspect", &model], says);
        refused(&place, &["--ram", "1G", "--model", &model], says);
    }
}

/// Zeros as a zlib stream (RFC 1950 and 1951): a zero, and copies of 258 bytes of the one before in 13
/// bits each.
fn packed_zeros(bytes: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut code = |code: u32, length: u32| {
        bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    };
    code(0x30, 8);
    for _ in 0..bytes / 258 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    [vec![0x78, 0x9c], bits.chunks(8).map(byte).collect(), vec![0; 4]].concat()
}

/// A colour profile of a GiB in 7 MB; the image itself is of nine pixels.
#[test]
fn a_packed_colour_profile_is_not_unpacked() {
    let place = Place::new();
    let path = place.file("image.png");
    image::RgbImage::new(3, 3).save(&path).unwrap();
    let image = fs::read(&path).unwrap();
    let mut chunk = b"iCCPx\0\0".to_vec();
    chunk.extend(packed_zeros(1 << 30));
    let length = u32::try_from(chunk.len() - 4).unwrap();
    let mut table = [0_u32; 256];
    for (byte, entry) in (0..).zip(&mut table) {
        *entry = (0..8).fold(byte, |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)));
    }
    let crc = chunk
        .iter()
        .fold(!0_u32, |crc, byte| (crc >> 8) ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)]);
    // Behind the signature and the header, which are 33 bytes.
    let hostile =
        [&image[..33], &length.to_be_bytes(), &chunk, &(!crc).to_be_bytes(), &image[33..]];
    fs::write(&path, hostile.concat()).unwrap();
    answered(&place, &["--ram", "1G", "--dry-run", "--image", path.to_str().unwrap()]);
}

/// Two GB without the end of a line.
#[test]
fn an_endless_line_of_a_service_is_not_kept() {
    let place = Place::new();
    let url = format!("http://127.0.0.1:{}/", port());
    let service = "head -c 2000000000 /dev/zero; echo; echo enough; exit 3";
    for ready in ["line:ready", &url] {
        let arguments = ["measure", "--url", &url, "--ready", ready, "--", "sh", "-c", service];
        let ran = run(&place, &arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("enough"), "it was read to its end: {ran:?}");
    }
}
