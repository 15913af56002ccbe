//! The map of rooms in `src/lib.rs`, held: which room may name which other room, which crates and
//! which part of the world. A new arrow is drawn here first, where somebody sees it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A room, and what its files may name.
struct Room {
    name: &'static str,
    /// Other rooms; `*` is every room.
    rooms: &'static [&'static str],
    /// Crates besides the standard library; `*` is every crate but those of [`ONLY_IN`].
    crates: &'static [&'static str],
    /// Whether it may see files, the clock, the environment and processes.
    world: bool,
}

const ROOMS: &[Room] = &[
    Room { name: "text", rooms: &[], crates: &["serde_json"], world: false },
    Room { name: "units", rooms: &[], crates: &["schemars", "serde", "thiserror"], world: false },
    Room { name: "files", rooms: &["units"], crates: &["rustix", "thiserror"], world: true },
    Room {
        name: "footprint",
        rooms: &["text", "units"],
        crates: &["serde", "serde_json"],
        world: false,
    },
    Room { name: "service", rooms: &["footprint", "units"], crates: &["serde"], world: false },
    Room {
        name: "model",
        rooms: &["units"],
        crates: &["fastrand", "statrs", "thiserror"],
        world: false,
    },
    Room {
        name: "plan",
        rooms: &["model", "footprint", "service", "units"],
        crates: &["fastrand", "schemars", "serde", "thiserror"],
        world: false,
    },
    Room {
        name: "report",
        rooms: &["plan", "model", "footprint", "service", "text", "units"],
        crates: &[
            "anstyle",
            "comfy_table",
            "csv",
            "deunicode",
            "fluent_bundle",
            "minijinja",
            "quick_junit",
            "serde",
            "serde_json",
            "sha2",
            "svg",
            "textplots",
            "textwrap",
            "unic_langid",
        ],
        world: false,
    },
    Room {
        name: "reference",
        rooms: &["files", "units"],
        crates: &["fastrand", "prost", "serde", "sha2", "thiserror"],
        world: true,
    },
    Room {
        name: "profile",
        rooms: &["files", "footprint", "reference", "service", "text", "units"],
        crates: &["percent_encoding", "saphyr", "serde", "serde_yaml", "thiserror"],
        world: true,
    },
    Room {
        name: "measure",
        rooms: &["files", "footprint", "model", "profile", "reference", "text", "units"],
        crates: &["*"],
        world: true,
    },
    Room {
        name: "cli",
        rooms: &["footprint", "text", "units"],
        crates: &["clap", "clap_complete", "clap_mangen"],
        world: true,
    },
    Room { name: "commands", rooms: &["*"], crates: &["*"], world: true },
    Room { name: "main", rooms: &["cli", "commands", "measure", "text"], crates: &[], world: true },
    Room { name: "lib", rooms: &[], crates: &[], world: false },
];

/// What exactly one room may name: a path, a word in a text, and the room.
const ONLY_IN: &[(&str, &str)] = &[
    ("ort", "measure"),
    ("libloading", "measure"),
    ("sysinfo", "measure"),
    ("signal_hook", "measure"),
    ("image", "measure"),
    ("zip", "measure"),
    ("ureq", "measure"),
    ("hdrhistogram", "measure"),
    ("nix", "measure"),
    ("std::process::Command", "measure"),
    ("\"/proc", "measure"),
    ("\"/sys/", "measure"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("indicatif", "commands"),
    ("anstream", "commands"),
    ("serde_yaml", "profile"),
    ("saphyr", "profile"),
    ("prost", "reference"),
    ("comfy_table", "report"),
    ("statrs", "model"),
    ("minijinja", "report"),
    ("quick_junit", "report"),
    ("svg", "report"),
];

/// The parts of the standard library that a room that thinks must not see.
const WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// The only files with `unsafe`, each with its reasoning in it.
const UNSAFE: &[&str] =
    &["measure/counting.rs", "measure/ffi.rs", "measure/hold.rs", "measure/memory/paging.rs"];

/// How a file is opened without a look at what it is.
const OPENS: &[&str] = &["File::open", "fs::read", "fs::read_to_string", "image::open"];

/// Where that may be: in the room for it, and where the files are the kernel's own or a folder.
const MAY_OPEN: &[&str] = &[
    "files.rs",
    "measure/control_group/",
    "measure/host/",
    "measure/interrupt.rs",
    "measure/live/headroom.rs",
    "measure/live/heap.rs",
    "measure/live/owner",
    "measure/live/tree.rs",
    "measure/live/usage.rs",
    "measure/memory.rs",
    "measure/memory/",
    "measure/runtime/install.rs",
];

/// What a file names.
#[derive(Default)]
struct Names {
    /// Paths with the line of their first word: `std::fs::File`, `crate::units::Bytes`.
    paths: Vec<(usize, Vec<String>)>,
    /// Texts in quotes, without documentation.
    texts: Vec<(usize, String)>,
    /// Lines with the word `unsafe`.
    unsafes: Vec<usize>,
}

impl Names {
    fn of(source: &str) -> Self {
        let mut names = Self::default();
        names.read(source.parse().unwrap());
        names
    }

    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(p) if p.as_char() == '#' && is_documentation(&tokens, at + 1) => {
                    at += 2;
                }
                TokenTree::Ident(_) => at = self.path(&tokens, at, &[]),
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    at += 1;
                }
                TokenTree::Literal(literal) => {
                    self.texts.push((literal.span().start().line, literal.to_string()));
                    at += 1;
                }
                TokenTree::Punct(_) => at += 1,
            }
        }
    }

    /// Reads the path that begins `at`, with the branches of `a::{b, c::d}`; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, before: &[String]) -> usize {
        let line = tokens[at].span().start().line;
        let mut path = before.to_vec();
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(word)) => {
                    if word == "unsafe" {
                        self.unsafes.push(line);
                    }
                    path.push(word.to_string());
                    at += 1;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut branch = 0;
                    while branch < inner.len() {
                        branch = match inner[branch] {
                            TokenTree::Ident(_) => self.path(&inner, branch, &path),
                            _ => branch + 1,
                        };
                    }
                    return at + 1;
                }
                // A glob, or the `<` of a turbofish.
                _ => break,
            }
            if !is_colons(tokens, at) {
                break;
            }
            at += 2;
        }
        self.paths.push((line, path));
        at
    }
}

fn is_documentation(tokens: &[TokenTree], at: usize) -> bool {
    let inner =
        usize::from(matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == '!'));
    let Some(TokenTree::Group(group)) = tokens.get(at + inner) else { return false };
    group.stream().into_iter().next().is_some_and(|word| word.to_string() == "doc")
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// The crates that `Cargo.toml` names, as they are written in code.
fn crates() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The room of a file, by its path below `src`.
fn room_of(file: &str) -> &'static Room {
    let name = file.split('/').next().unwrap().trim_end_matches(".rs");
    ROOMS.iter().find(|room| room.name == name).unwrap_or_else(|| {
        panic!("{file} is in no room of this table: add the room `{name}` and its arrows")
    })
}

/// How many modules deep a file is: 1 for `plan.rs`, 2 for `plan/build.rs`.
fn depth_of(file: &str) -> usize {
    match file {
        "lib.rs" | "main.rs" => 0,
        _ => file.trim_end_matches("/mod.rs").split('/').count(),
    }
}

/// The path from the crate's root, where the path leads there.
fn from_root(path: &[String], depth: usize) -> Option<&[String]> {
    match path[0].as_str() {
        "crate" | "mediscope_size" => Some(&path[1..]),
        "super" => {
            let up = path.iter().take_while(|word| *word == "super").count();
            // A module inside the file is one deeper, which only makes this stricter.
            (up >= depth).then_some(&path[up..])
        }
        _ => None,
    }
}

/// Everything that a file names and must not.
fn violations(file: &str, source: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let room = room_of(file);
    // Tests of a room that thinks may put a file somewhere to see what comes of it.
    let is_tests = file.ends_with("/tests.rs") || file.contains("/tests/");
    let tests_from = source.lines().position(|line| line.trim() == "#[cfg(test)]");
    let is_test = |line: usize| is_tests || tests_from.is_some_and(|from| line > from);
    let names = Names::of(source);
    let mut found = Vec::new();
    let mut refuse = |line: usize, what: String| found.push(format!("src/{file}:{line}: {what}"));
    for (line, path) in &names.paths {
        if let Some([other, ..]) = from_root(path, depth_of(file)) {
            let is_room = ROOMS.iter().any(|r| r.name == other);
            if is_room && other != room.name && !allows(room.rooms, other) {
                refuse(*line, format!("`{}` must not name the room `{other}`", room.name));
            }
            continue;
        }
        let first = &path[0];
        let is_exclusive = ONLY_IN.iter().any(|(name, _)| name == first);
        if crates.contains(first) && path.len() > 1 {
            let allowed = room.crates.contains(&first.as_str())
                || (room.crates.contains(&"*") && !is_exclusive)
                || ONLY_IN.contains(&(first.as_str(), room.name))
                || (is_test(*line) && first == "tempfile");
            if !allowed {
                refuse(*line, format!("`{}` must not use the crate `{first}`", room.name));
            }
        }
        let path = path.join("::");
        let starts = |name: &str| path == name || path.starts_with(&format!("{name}::"));
        for (name, only) in ONLY_IN.iter().filter(|(name, _)| name.contains("::")) {
            if starts(name) && *only != room.name {
                refuse(*line, format!("only `{only}` may use {name}"));
            }
        }
        if let Some(name) = WORLD.iter().find(|name| starts(name))
            && !room.world
        {
            refuse(*line, format!("`{}` thinks and must not see {name}", room.name));
        }
    }
    for (line, text) in &names.texts {
        for (start, only) in ONLY_IN.iter().filter(|(name, _)| name.starts_with('"')) {
            if text.starts_with(start) && *only != room.name {
                refuse(*line, format!("only `{only}` may name {start}…\""));
            }
        }
    }
    for line in names.unsafes.iter().filter(|_| !UNSAFE.contains(&file)) {
        refuse(*line, "`unsafe` belongs in one of the files that are listed for it".into());
    }
    found
}

fn allows(allowed: &[&str], name: &str) -> bool {
    allowed.contains(&"*") || allowed.contains(&name)
}

/// Every source file: its path below `src`, and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files.sort();
    let name = |f: &PathBuf| f.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|f| (name(f), fs::read_to_string(f).unwrap())).collect()
}

#[test]
fn no_file_names_what_its_room_must_not() {
    let (sources, crates) = (sources(), crates());
    assert!(sources.len() > 50 && crates.contains("ort"), "the sources were not found");
    let found: Vec<String> =
        sources.iter().flat_map(|(file, text)| violations(file, text, &crates)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whatever a path leads to: what is read is a regular file of a size that its kind may have.
#[test]
fn only_one_room_opens_files_that_others_wrote() {
    let (mut found, mut used) = (Vec::new(), BTreeSet::new());
    for (file, text) in sources().iter().filter(|(file, _)| !file.contains("tests")) {
        let allowed = MAY_OPEN.iter().find(|allowed| file.starts_with(**allowed));
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        for (line, path) in Names::of(code).paths {
            let path = path.join("::");
            if !OPENS.iter().any(|open| path == *open || path.ends_with(&format!("::{open}"))) {
                continue;
            }
            if let Some(allowed) = allowed {
                used.insert(*allowed);
            } else {
                found.push(format!("src/{file}:{line}: `{path}`: use the room `files`"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let allowed: BTreeSet<&str> = MAY_OPEN.iter().copied().filter(|a| *a != "files.rs").collect();
    assert_eq!(used, allowed, "a file of the list no longer opens any");
}

/// A table that allows more than is used says nothing about what is used.
#[test]
fn every_arrow_of_the_table_is_used() {
    let sources = sources();
    for room in ROOMS.iter().filter(|room| !room.rooms.contains(&"*")) {
        let used: BTreeSet<String> = sources
            .iter()
            .filter(|(file, _)| room_of(file).name == room.name)
            .flat_map(|(file, text)| {
                let names = Names::of(text);
                let at_root = |(_, path): &(usize, Vec<String>)| {
                    from_root(path, depth_of(file)).and_then(|p| p.first().cloned())
                };
                names.paths.iter().filter_map(at_root).collect::<Vec<_>>()
            })
            .collect();
        for other in room.rooms {
            assert!(used.contains(*other), "`{}` no longer names `{other}`", room.name);
        }
    }
}

/// The checker, checked: each of these must be found, with its line.
#[test]
fn planted_violations_are_found() {
    let crates = crates();
    for (file, source, line, complaint) in [
        ("units/bytes.rs", "use crate::footprint::Footprint;", 1, "the room `footprint`"),
        ("units/bytes.rs", "\n\nuse super::super::plan;", 3, "the room `plan`"),
        ("units.rs", "fn f() -> super::plan::Plan { todo!() }", 1, "the room `plan`"),
        ("report/text.rs", "use crate::{units::Bytes, measure::host};", 1, "the room `measure`"),
        ("cli.rs", "type T = crate::plan::Plan;", 1, "the room `plan`"),
        ("main.rs", "use mediscope_size::{cli, plan};", 1, "the room `plan`"),
        ("plan/build.rs", "use clap::Parser;", 1, "the crate `clap`"),
        ("plan/build.rs", "fn f() {\n    ort::init();\n}", 2, "the crate `ort`"),
        ("commands/size.rs", "use ort::session::Session;", 1, "the crate `ort`"),
        ("measure/host.rs", "use clap::Parser;", 1, "the crate `clap`"),
        ("plan.rs", "use std::{fmt, fs::File};", 1, "must not see std::fs"),
        ("plan.rs", "use std::time::{Duration, Instant};", 1, "must not see std::time::Instant"),
        ("model/line.rs", "fn f() { std::env::var(\"A\"); }", 1, "must not see std::env"),
        ("report.rs", "fn f() { std::process::exit(1) }", 1, "must not see std::process"),
        ("commands/size.rs", "use std::process::{Command, Stdio};", 1, "only `measure` may use"),
        ("commands/size.rs", "const A: &str = \"/proc/meminfo\";", 1, "only `measure` may name"),
        ("profile.rs", "const A: &str = \"/sys/fs/cgroup\";", 1, "only `measure` may name"),
        ("plan.rs", "fn f() { unsafe { g() } }", 1, "`unsafe` belongs"),
        ("measure/host.rs", "unsafe impl Send for A {}", 1, "`unsafe` belongs"),
    ] {
        let found = violations(file, source, &crates);
        let start = format!("src/{file}:{line}: ");
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with(&start) && one.contains(complaint)),
            "{file}: {source}: {found:?}"
        );
    }
}

/// What is allowed is not complained about.
#[test]
fn what_is_allowed_is_not_found() {
    for (file, source) in [
        (
            "plan/build.rs",
            "/// crate::measure and /proc are only talked about.\nuse crate::units::Bytes;",
        ),
        ("plan/build.rs", "// use std::fs;\nuse super::verdict; use crate::model::Line;"),
        ("plan/build.rs", "fn f() -> std::time::Duration { let ort = 1; todo!() }"),
        ("plan.rs", "const A: &str = \"use crate::measure::host; unsafe\";"),
        ("measure/ffi.rs", "use ort::AsPointer; fn f() { unsafe { g() } }"),
        ("measure/host.rs", "const A: &str = \"/proc/meminfo\"; use std::process::Command;"),
        ("commands/size.rs", "use crate::{measure, plan}; use std::process::ExitCode;"),
    ] {
        assert_eq!(violations(file, source, &crates()), Vec::<String>::new(), "{source}");
    }
}
