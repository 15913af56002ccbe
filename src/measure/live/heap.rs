//! Runtimes that size their heap by the RAM that they may use, and collect garbage the later the
//! more there is: what such a service takes on one machine is not what it takes in another limit.

use std::fs;
use std::io::Read;

use super::tree::Root;
use crate::footprint::ManagedRuntime;
use crate::measure::host::files::Process;
use crate::measure::memory;

/// The note with a Go program's build id lies in its first pages: lengths of the name and of what
/// follows, the type 4, and the name (`cmd/internal/buildid` of Go).
const FIRST_PAGES: u64 = 1 << 16;
const GO_NOTE: &[u8] = b"\x04\0\0\0Go\0\0";

/// How a runtime is told, and how its users fix the size of its heap.
struct Known {
    runtime: ManagedRuntime,
    programs: &'static [&'static str],
    library: Option<&'static str>,
    /// Beginnings of arguments.
    arguments: &'static [&'static str],
    /// Variables with arguments in them.
    options: &'static [&'static str],
    /// Variables that are the size.
    sizes: &'static [&'static str],
}

const KNOWN: [Known; 4] = [
    Known {
        runtime: ManagedRuntime::Java,
        programs: &["java"],
        library: Some("libjvm.so"),
        arguments: &["-Xmx", "-XX:MaxHeapSize=", "-XX:MaxRAM="],
        options: &["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"],
        sizes: &[],
    },
    Known {
        runtime: ManagedRuntime::DotNet,
        programs: &["dotnet"],
        library: Some("libcoreclr.so"),
        arguments: &[],
        options: &[],
        sizes: &["DOTNET_GCHeapHardLimit", "COMPlus_GCHeapHardLimit"],
    },
    Known {
        runtime: ManagedRuntime::Node,
        programs: &["node", "nodejs"],
        library: Some("libnode.so"),
        arguments: &["--max-old-space-size", "--max_old_space_size"],
        options: &["NODE_OPTIONS"],
        sizes: &[],
    },
    Known {
        runtime: ManagedRuntime::Go,
        programs: &[],
        library: None,
        arguments: &[],
        options: &[],
        sizes: &["GOMEMLIMIT"],
    },
];

/// Of what all processes hold, less than this share in one of them does not matter.
const MATTERS: f64 = 0.1;

/// The runtime among these processes whose heap follows the RAM that there is: that of the largest;
/// `None` where there is none, or where its user has said how large the heap is.
pub fn following(root: &Root) -> Option<ManagedRuntime> {
    let mut members = root.standing().ok()?.members;
    let all: f64 = members.iter().map(|member| member.resident.as_f64()).sum();
    members.retain(|member| member.resident.as_f64() >= all * MATTERS);
    members.sort_by_key(|member| std::cmp::Reverse(member.resident));
    members.into_iter().find_map(|member| of_process(member.id))
}

fn of_process(id: u32) -> Option<ManagedRuntime> {
    let process = Process::Id(id);
    let program = fs::read_link(process.file("exe")).ok()?;
    let program = program.file_name()?.to_str()?.trim_end_matches(" (deleted)").to_owned();
    let files = memory::mapped_files(process).unwrap_or_default();
    let has_mapped = |library: &str| {
        files.iter().filter_map(|path| path.file_name()?.to_str()).any(|n| n.starts_with(library))
    };
    let known = KNOWN.iter().find(|known| match known.runtime {
        ManagedRuntime::Go => is_go(process),
        _ => known.programs.contains(&program.as_str()) || known.library.is_some_and(has_mapped),
    })?;
    let read = |name: &str| fs::read(process.file(name)).unwrap_or_default();
    let is_fixed = is_fixed(known, &words(&read("cmdline")), &words(&read("environ")));
    (!is_fixed).then_some(known.runtime)
}

/// Words that a zero ends.
fn words(bytes: &[u8]) -> Vec<String> {
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Whether the user has said how large the heap is.
fn is_fixed(known: &Known, arguments: &[String], environment: &[String]) -> bool {
    let is_size = |word: &str| known.arguments.iter().any(|start| word.starts_with(start));
    let variable = |names: &[&str], pair: &str| {
        let (name, value) = pair.split_once('=')?;
        names.contains(&name).then(|| value.to_owned())
    };
    let in_options = |pair: &String| {
        variable(known.options, pair).is_some_and(|value| value.split_whitespace().any(is_size))
    };
    arguments.iter().any(|word| is_size(word))
        || environment.iter().any(in_options)
        || environment.iter().any(|pair| variable(known.sizes, pair).is_some())
}

fn is_go(process: Process) -> bool {
    let mut pages = Vec::new();
    let read = fs::File::open(process.file("exe"))
        .and_then(|file| file.take(FIRST_PAGES).read_to_end(&mut pages));
    read.is_ok() && pages.windows(GO_NOTE.len()).any(|window| window == GO_NOTE)
}

#[cfg(test)]
mod tests {
    use ManagedRuntime::{DotNet, Go, Java, Node};

    use super::*;

    #[test]
    fn a_heap_whose_size_was_said_does_not_follow() {
        let of = |runtime, arguments: &[&str], environment: &[&str]| {
            let known = KNOWN.iter().find(|known| known.runtime == runtime).unwrap();
            let all = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
            is_fixed(known, &all(arguments), &all(environment))
        };
        assert!(of(Java, &["java", "-Xmx64m", "Serve"], &[]));
        assert!(of(Java, &[], &["JAVA_TOOL_OPTIONS=-server -XX:MaxRAM=1g"]));
        assert!(!of(Java, &["java", "-XX:MaxRAMPercentage=75"], &["PATH=-Xmx1m"]));
        assert!(of(Node, &["node", "--max-old-space-size=256"], &[]));
        assert!(!of(Node, &["node", "app.js"], &["NODE_OPTIONS=--inspect"]));
        assert!(of(DotNet, &[], &["DOTNET_GCHeapHardLimit=4000000"]));
        assert!(!of(DotNet, &[], &["DOTNET_GCHeapHardLimitPercent=4B"]));
        assert!(of(Go, &[], &["GOMEMLIMIT=200MiB"]) && !of(Go, &[], &["GOGC=50"]));
    }

    #[test]
    fn this_program_manages_its_memory_itself() {
        assert_eq!(of_process(std::process::id()), None);
    }
}
