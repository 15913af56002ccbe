//! The budget that gates a pipeline: every rule, every end, every format, and what can go wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use std::path::Path;
use std::process::Command;

use common::{Place, Ran, onnx, real};
use serde_json::Value;

/// 300 MiB and 20 MiB a request, measured in a blink.
const HONEST: &str = "base=300M,buffer=20M,noise=0.001,seed=1,load_peak=320M,cpu=0.05";
/// The same, a tenth more for each request.
const GROWN: &str = "base=300M,buffer=22M,noise=0.001,seed=1,load_peak=320M,cpu=0.05";

fn check(place: &Place, planted: &str, arguments: &[&str]) -> Ran {
    let mut command = place.command(&[&["check", "--synthetic", planted], arguments].concat());
    command.env("LC_ALL", "C").env("COLUMNS", "80").env_remove("GITHUB_ACTIONS");
    command.output().unwrap().into()
}

/// What was said, as if the terminal were wide.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn budget(place: &Place, rules: &str) {
    let indented = rules.trim_end().replace('\n', "\n      ");
    let text =
        format!("services:\n  scan:\n    profile: mediscope\n    rules:\n      {indented}\n");
    fs::write(place.file("budget.yaml"), text).unwrap();
}

#[test]
fn each_rule_is_kept_or_broken() {
    let place = Place::new();
    for (kept, broken) in [
        (
            &["--max-ram", "512M", "--concurrency", "5"][..],
            &["--max-ram", "384M", "--concurrency", "5"][..],
        ),
        (&["--max-buffer", "21M"], &["--max-buffer", "19M"]),
        (&["--max-load-peak", "330M"], &["--max-load-peak", "310M"]),
        (&["--max-cpu-seconds", "60ms"], &["--max-cpu-seconds", "40ms"]),
        (&["--min-rps", "15", "--cpus", "1"], &["--min-rps", "25", "--cpus", "1"]),
        // The planted file is as large as its base, 315 MB: files are decimal here and in a budget.
        (&["--max-model-file", "315MB"], &["--max-model-file", "301M"]),
    ] {
        let ran = check(&place, HONEST, kept);
        assert_eq!(ran.code, Some(0), "{kept:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("1 within, 0 over"), "{}", ran.stdout);
        let ran = check(&place, HONEST, broken);
        assert_eq!(ran.code, Some(1), "{broken:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("0 within, 1 over"), "{}", ran.stdout);
    }
}

/// An interval that straddles the limit is no answer, and is one where the user wants one.
#[test]
fn what_straddles_the_limit_is_undecided() {
    let place = Place::new();
    let noisy = "base=300M,buffer=20M,noise=0.03,seed=1,load_peak=320M";
    let asked = ["--max-ram", "530M", "--concurrency", "10"];
    let ran = check(&place, noisy, &asked);
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("straddles the limit"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("--max-time") && ran.stdout.contains("× as long"),
        "{}",
        ran.stdout
    );
    let strict = check(&place, noisy, &[&asked[..], &["--strict"]].concat());
    assert_eq!(strict.code, Some(1), "{}", strict.stdout);
    assert!(strict.stdout.contains("--strict counts as over"), "{}", strict.stdout);
}

#[test]
fn growth_is_compared_with_a_committed_baseline() {
    let place = Place::new();
    let baseline = ["--baseline", "footprint.yaml"];
    let missing = check(&place, HONEST, &baseline);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("--update-baseline"), "{}", missing.stderr);
    let written = check(&place, HONEST, &[&baseline[..], &["--update-baseline"]].concat());
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let same = check(&place, HONEST, &[&baseline[..], &["--max-growth", "5%"]].concat());
    assert_eq!(same.code, Some(0), "{}{}", same.stdout, same.stderr);
    let grown = check(&place, GROWN, &[&baseline[..], &["--why"]].concat());
    assert_eq!(grown.code, Some(1), "{}{}", grown.stdout, grown.stderr);
    assert!(grown.stdout.contains("a request +10.0 %"), "{}", grown.stdout);
    assert!(grown.stdout.contains("infer planted 20 MiB → 22 MiB"), "{}", grown.stdout);
    // A tenth is less than an eighth.
    let allowed = check(&place, GROWN, &[&baseline[..], &["--max-growth", "12.5%"]].concat());
    assert_eq!(allowed.code, Some(0), "{}", allowed.stdout);
    // Another setting is another service.
    let other = check(&place, HONEST, &[&baseline[..], &["--arena", "off"]].concat());
    assert_eq!(other.code, Some(2));
    assert!(
        other.stderr.contains("arena=on") && other.stderr.contains("arena=off"),
        "{}",
        other.stderr
    );
    // What was measured elsewhere is said.
    let text = fs::read_to_string(place.file("footprint.yaml")).unwrap();
    let elsewhere = text.replace("cpu_model: planted", "cpu_model: Another");
    assert_ne!(elsewhere, text);
    fs::write(place.file("footprint.yaml"), elsewhere).unwrap();
    let cpu = check(&place, HONEST, &baseline);
    assert_eq!(cpu.code, Some(0), "{}", cpu.stderr);
    assert!(cpu.stdout.contains("another CPU (Another;"), "{}", cpu.stdout);
    fs::write(place.file("footprint.yaml"), &text[..text.len() / 2]).unwrap();
    let corrupt = check(&place, HONEST, &baseline);
    assert_eq!(corrupt.code, Some(2));
    assert!(corrupt.stderr.contains("footprint.yaml"), "{}", corrupt.stderr);
    fs::write(place.file("footprint.yaml"), "name: x\nmodels: {m: {architecture: resnet18}}\n")
        .unwrap();
    let bare = check(&place, HONEST, &baseline);
    assert!(bare.stderr.contains("holds no footprint"), "{}", bare.stderr);
}

const RULES: &str = "\
- name: fits the pod
  max_ram: 512M
  concurrency: 5
- name: one more request
  max_buffer: 19M
  reason: three of them must fit beside the others
- {max_load_peak: 400M}
";

#[test]
fn a_budget_file_is_held_in_every_format() {
    let place = Place::new();
    budget(&place, RULES);
    for format in ["text", "github", "markdown", "json", "junit", "sarif", "gitlab"] {
        let ran = check(&place, HONEST, &["--format", format, "--why"]);
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.stderr);
        insta::with_settings!({filters => vec![
            (r#"uuid="[^"]*""#, r#"uuid="…""#),
            (r#"timestamp="[^"]*""#, r#"timestamp="…""#),
        ]}, {
            insta::assert_snapshot!(format!("budget_{format}"), ran.stdout);
        });
    }
}

/// Each file beside the answer, in the format that its name says.
#[test]
fn several_formats_are_written_at_once() {
    let place = Place::new();
    budget(&place, RULES);
    let files = ["report.xml", "results.sarif", "summary.md", "check.json", "gitlab=quality.json"];
    let outputs: Vec<&str> = files.iter().flat_map(|file| ["-o", file]).collect();
    let ran = check(&place, HONEST, &outputs);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("2 within, 1 over"), "{}", ran.stdout);
    let read = |name: &str| fs::read_to_string(place.file(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    assert!(read("report.xml").contains("<failure "));
    assert!(read("summary.md").contains("over its budget"));
    let found = json("check.json");
    let schema = include_str!("../schemas/check-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(validator.is_valid(&found), "{:?}", validator.iter_errors(&found).next());
    assert_eq!(found["rules"][1]["outcome"], "over");
    assert_eq!(found["rules"][1]["line"], 8);
    // What the two specifications require of a finding.
    let result = &json("results.sarif")["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "max_buffer");
    let place_of = &result["locations"][0]["physicalLocation"];
    assert_eq!(place_of["artifactLocation"]["uri"], "budget.yaml");
    assert_eq!(place_of["region"]["startLine"], 8);
    let issue = &json("quality.json")[0];
    for key in ["description", "check_name", "fingerprint", "severity"] {
        assert!(issue[key].is_string(), "{key}: {issue}");
    }
    assert_eq!(issue["location"]["lines"]["begin"], 8);
    let wrong = check(&place, HONEST, &["-o", "report.pdf"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("does not say its format"), "{}", wrong.stderr);
    let nowhere = check(&place, HONEST, &["-o", "no/such/folder/report.xml"]);
    assert_eq!(nowhere.code, Some(2));
    assert!(
        nowhere.stderr.contains("cannot write no/such/folder/report.xml"),
        "{}",
        nowhere.stderr
    );
    let dry = check(&place, HONEST, &["--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    assert!(dry.stdout.contains("measure"), "{}", dry.stdout);
    let html = check(&place, HONEST, &["--format", "html"]);
    assert!(html.stderr.contains("junit"), "{}", html.stderr);
}

#[test]
fn what_is_wrong_with_a_budget_is_said_with_its_line() {
    let place = Place::new();
    let nothing = check(&place, HONEST, &[]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.stderr.contains("--max-ram 512M --concurrency 10"), "{}", nothing.stderr);
    for (rules, said) in [
        ("- {max_rams: 1G}", "budget.yaml:5:"),
        ("- {max_rams: 1G}", "unknown key `max_rams`"),
        ("- {max_ram: 1G}", "add `concurrency: 10`"),
        ("- {max_growth: 5%}", "names no"),
        ("- {max_model_file: 5 apples}", "budget.yaml:5:"),
        ("- {max_ram: 1G, concurrency: 4000000000}", "give at most 100000"),
        ("- {max_buffer: 0}", "a limit of 0 bytes cannot be kept"),
        ("- {max_growth: 0%}", "less than two measurements of the same service differ by"),
    ] {
        budget(&place, rules);
        let ran = check(&place, HONEST, &["budget.yaml"]);
        assert_eq!(ran.code, Some(2), "{rules}: {}", ran.stdout);
        let said = said.replace("names no", "there is none");
        let all = format!("{}{}", flat(&ran.stdout), ran.stderr);
        assert!(all.contains(&said), "{rules}: {all}");
    }
    let missing = check(&place, HONEST, &["nowhere.yaml"]);
    assert!(missing.stderr.contains("cannot read the budget nowhere.yaml"), "{}", missing.stderr);
    let both = check(&place, HONEST, &["budget.yaml", "--max-buffer", "1M"]);
    assert!(both.stderr.contains("leave out one of them"), "{}", both.stderr);
    let baseline = check(&place, HONEST, &["budget.yaml", "--max-buffer", "1M", "--baseline", "x"]);
    assert!(baseline.stderr.contains("leave out one of them"), "{}", baseline.stderr);
    for (wrong, said) in [
        (["--max-buffer", "0"], "cannot be kept"),
        (["--max-buffer", "1"], "did you mean 1M?"),
        (["--max-growth", "0%"], "give 0.5% or more"),
        (["-o", "json=-"], "give --format instead"),
    ] {
        let ran = check(&place, HONEST, &wrong);
        assert_eq!(ran.code, Some(2), "{wrong:?}");
        assert!(ran.stderr.contains(said), "{wrong:?}: {}", ran.stderr);
    }
    let alone = check(&place, HONEST, &["--max-ram", "1G"]);
    assert!(alone.stderr.contains("--concurrency"), "{}", alone.stderr);
}

/// Who reads annotations sees what keeps the rules from being held, at its line.
#[test]
fn a_budget_that_cannot_be_read_is_annotated() {
    let place = Place::new();
    let github = ["--format", "github"];
    budget(&place, "- {max_rams: 1G}");
    let ran = check(&place, HONEST, &[&github[..], &["budget.yaml"]].concat());
    assert_eq!(ran.code, Some(2));
    let begun = "::error file=budget.yaml,line=5,title=memory budget::budget.yaml";
    assert!(ran.stdout.starts_with(begun), "{}", ran.stdout);
    assert!(ran.stdout.contains("unknown key `max_rams`"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let typed = place.run(
        &[&["check"][..], &github, &["--profile", "gone.yaml", "--max-buffer", "1M"]].concat(),
    );
    assert_eq!(typed.code, Some(2));
    assert!(typed.stdout.starts_with("::error file=gone.yaml,line=1,"), "{}", typed.stdout);
    let nothing = check(&place, HONEST, &[&github[..], &["--max-ram", "1G"]].concat());
    assert_eq!(nothing.code, Some(2), "{}", nothing.stdout);
}

/// What is undecided is a warning, or an error where it counts as over; and why a rule is there is said
/// wherever it is not kept.
#[test]
fn undecided_rules_in_every_format() {
    let place = Place::new();
    budget(&place, "- {max_buffer: 20M, reason: the quota of the pod}");
    for (format, lenient, strict) in [
        ("github", "::warning file=budget.yaml,line=5", "::error file=budget.yaml,line=5"),
        ("junit", "<error ", "<failure "),
        ("sarif", "\"level\": \"warning\"", "\"level\": \"error\""),
        ("gitlab", "\"severity\": \"minor\"", "\"severity\": \"major\""),
        ("json", "\"outcome\": \"undecided\"", "\"outcome\": \"over\""),
        ("markdown", "0 within, 0 over, 1 undecided", "--strict counts as over"),
        ("text", "0 within, 0 over, 1 undecided", "--strict counts as over"),
    ] {
        for (more, said, code) in [(&[][..], lenient, 2), (&["--strict"], strict, 1)] {
            let ran = check(&place, HONEST, &[&["--format", format], more].concat());
            assert_eq!(ran.code, Some(code), "{format}: {}", ran.stderr);
            let text = flat(&ran.stdout);
            assert!(text.contains(said), "{format} {more:?}: {text}");
            assert!(text.contains("the quota of the pod"), "{format}: {text}");
        }
    }
}

/// A change that may be more than is allowed or less is neither; and a contract has it.
#[test]
fn growth_that_straddles_the_limit_is_undecided() {
    let place = Place::new();
    let noisy = |buffer: &str| {
        format!("base=300M,buffer={buffer},noise=0.03,seed=1,load_peak=320M,cpu=0.05")
    };
    let baseline = ["--baseline", "footprint.yaml"];
    let written = check(&place, &noisy("20M"), &[&baseline[..], &["--update-baseline"]].concat());
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let asked = ["--max-growth", "5%", "--format", "json"];
    let ran = check(&place, &noisy("21.2M"), &[&baseline[..], &asked].concat());
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    valid(&found, include_str!("../schemas/check-1.schema.json"));
    let rule = &found["rules"][0];
    assert_eq!(
        (&rule["outcome"], &rule["kind"]),
        (&"undecided".into(), &"max_growth".into()),
        "{rule}"
    );
}

/// What cannot be measured ends in the same way, typed or in a file.
#[test]
fn strict_counts_trouble_wherever_it_is_asked() {
    let place = Place::new();
    fs::write(
        place.file("budget.yaml"),
        "services: {a: {profile: gone.yaml, rules: [{max_buffer: 1M}]}}\n",
    )
    .unwrap();
    let typed = &["--profile", "gone.yaml", "--max-buffer", "1M"][..];
    for asked in [&["budget.yaml"][..], typed] {
        for (more, code) in [(&[][..], 2), (&["--strict"], 1)] {
            let ran = place.run(&[&["check"], asked, more].concat());
            assert_eq!(ran.code, Some(code), "{asked:?} {more:?}: {}{}", ran.stdout, ran.stderr);
        }
    }
}

/// What the kernel ends before there is an answer does not fit.
#[test]
fn a_measurement_that_is_killed_is_over() {
    let place = Place::new();
    let asked = ["--max-ram", "1G", "--concurrency", "10"];
    let first = check(&place, &format!("{HONEST},kill_at=1"), &asked);
    assert_eq!(first.code, Some(1), "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("killed by the kernel with 1 in flight"), "{}", first.stdout);
    let serving = check(&place, &format!("{HONEST},kill_at=8"), &asked);
    assert_eq!(serving.code, Some(1), "{}{}", serving.stdout, serving.stderr);
    let said = flat(&serving.stdout);
    assert!(said.contains("at most 1 GiB; killed by the kernel with 8 in flight"), "{said}");
    assert!(said.contains("It is over because 8 in flight took"), "{said}");
    // While the models are loaded: nothing of it is kept, and what is not about memory is not told.
    let loading = check(
        &place,
        &format!("{HONEST},kill_at=0"),
        &[
            &asked[..],
            &["--max-load-peak", "1G", "--max-cpu-seconds", "60ms", "--max-model-file", "400MB"],
        ]
        .concat(),
    );
    assert_eq!(loading.code, Some(1), "{}{}", loading.stdout, loading.stderr);
    let said = "killed by the kernel while the models were loaded";
    let all = flat(&loading.stdout);
    assert_eq!(all.matches(said).count(), 2, "{all}");
    assert!(all.contains("1 within, 2 over, 1 undecided"), "{all}");
    assert!(all.contains("the kernel ended the measurement"), "{all}");
    // What fewer in flight need is known.
    let fewer =
        check(&place, &format!("{HONEST},kill_at=8"), &["--max-ram", "512M", "--concurrency", "2"]);
    assert_eq!(fewer.code, Some(0), "{}{}", fewer.stdout, fewer.stderr);
}

#[test]
fn declared_costs_are_held_as_they_are() {
    let place = Place::new();
    let held =
        |most: &str| place.run(&["check", "--profile", "qreader-pytorch", "--max-buffer", most]);
    assert_eq!((held("30M").code, held("9M").code), (Some(0), Some(1)));
    let between = held("20M");
    assert_eq!(between.code, Some(2), "{}", between.stderr);
    assert!(between.stdout.contains("declared range"), "{}", between.stdout);
    let files = place.run(&["check", "--profile", "qreader-pytorch", "--max-model-file", "20M"]);
    assert_eq!(files.code, Some(2));
    assert!(files.stderr.contains("none that are known"), "{}", files.stderr);
}

/// Two profiles side by side.
#[test]
fn two_footprints_are_put_side_by_side() {
    let place = Place::new();
    for (planted, file) in [(HONEST, "from.yaml"), (GROWN, "to.yaml")] {
        let ran = place.run(&["measure", "--synthetic", planted, "--quiet", "-o", file]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    let mut command = place.command(&["diff", "from.yaml", "to.yaml"]);
    let text: Ran = command.env("LC_ALL", "C").env("COLUMNS", "80").output().unwrap().into();
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    insta::assert_snapshot!("diff_text", text.stdout);
    let ran = place.run(&["diff", "from.yaml", "to.yaml", "--format", "markdown"]);
    insta::assert_snapshot!("diff_markdown", ran.stdout);
    let ran = place.run(&["diff", "from.yaml", "to.yaml", "--format", "csv"]);
    assert_eq!((ran.code, ran.stderr.contains("--format markdown")), (Some(2), true));
    let ran = place.run(&["diff", "from.yaml", "to.yaml", "--format", "json"]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = include_str!("../schemas/diff-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(validator.is_valid(&found), "{:?}", validator.iter_errors(&found).next());
    let change = found.pointer("/ram/1/change").and_then(Value::as_f64).unwrap();
    // What a thousandth of noise on 300 MiB leaves of a slope over sixteen requests of 20 MiB.
    assert!((change - 0.1).abs() < 1e-3, "{change}");
    assert_eq!(found["different"], serde_json::json!([]));
    assert_eq!(found["boxes"][0]["to_verdict"], "fits");
    // Of other terms all are said; declared costs are put beside measured ones.
    let text = fs::read_to_string(place.file("to.yaml")).unwrap();
    let text = text.replace("cpu_model: planted", "cpu_model: Another");
    fs::write(place.file("to.yaml"), text.replace("onnxruntime: none", "onnxruntime: 1.0"))
        .unwrap();
    let other = place.run(&["diff", "from.yaml", "to.yaml"]);
    for said in ["another ONNX Runtime (none, then 1.0)", "another CPU (planted, then Another)"] {
        assert!(other.stdout.contains(said), "{}", other.stdout);
    }
    let declared = place.run(&["diff", "from.yaml", "qreader-pytorch"]);
    assert_eq!(declared.code, Some(0), "{}", declared.stderr);
    assert!(declared.stdout.contains("(measured, then declared)"), "{}", declared.stdout);
    let none = place.run(&["diff", "from.yaml", "mediscope"]);
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("holds no footprint"), "{}", none.stderr);
}

/// What shells and `man` read comes from the command line's own definition.
#[test]
fn completions_and_manual_pages() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = place.run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains("update-baseline"), "{shell}");
    }
    let ran = place.run(&["man", "--output", "pages"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let page = fs::read_to_string(place.file("pages/mediscope-size-check.1")).unwrap();
    assert!(page.contains("max\\-buffer") && page.contains(".TH mediscope-size-check"), "{page}");
}

/// A group of memory with a limit, for a run of the tool, until this goes.
struct Group(std::path::PathBuf);

impl Group {
    /// `None` where there are no groups of version 1, or none may be made.
    fn of(megas: u32) -> Option<Self> {
        let path = Path::new("/sys/fs/cgroup/memory")
            .join(format!("mediscope-size-test.{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Self(path);
        fs::write(group.0.join("memory.limit_in_bytes"), format!("{megas}M")).ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel may still be clearing what was killed.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// The same for real: planted costs that really take the memory, where there is less of it.
#[test]
fn what_the_kernel_kills_while_it_loads_is_over_where_there_was_as_much_as_the_rule_allows() {
    let place = Place::new();
    let Some(group) = Group::of(200) else {
        println!("skipped: no group of memory can be made here");
        return;
    };
    let planted = "base=300M,buffer=20M,load_peak=320M,touched=1";
    let tool = place.command(&[]);
    let script = format!("echo $$ > {}/tasks && exec \"$@\"", group.0.display());
    // In 200 MiB nobody sees whether 1 GiB would do, nor what a request would take.
    for (rules, code, outcome) in [
        (&["--max-ram", "150M", "--concurrency", "4"][..], 1, "over"),
        // Of the 200 MiB this tool takes a few itself.
        (&["--max-load-peak", "190M"], 1, "over"),
        (&["--max-load-peak", "200M"], 2, "undecided"),
        (&["--max-ram", "1G", "--concurrency", "4"], 2, "undecided"),
        (&["--max-buffer", "30M"], 2, "undecided"),
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(tool.get_program());
        command.args(["check", "--synthetic", planted, "--format", "json"]).args(rules);
        command.current_dir(place.file(""));
        command.envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran: Ran = command.output().unwrap().into();
        assert_eq!(ran.code, Some(code), "{rules:?}: {}{}", ran.stdout, ran.stderr);
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(found["rules"][0]["outcome"], outcome, "{found}");
        assert_eq!(found["rules"][0]["killed_at"], 0);
    }
}

/// A footprint answers only for what it was measured of.
#[test]
fn a_footprint_of_a_model_that_has_changed_is_measured_anew() {
    let folder = tempfile::tempdir().unwrap();
    let model = |inputs: &[&str]| {
        onnx::write(folder.path(), &onnx::echo(&[("pixels", onnx::FLOAT, inputs)]))
    };
    let path = model(&["1", "3", "8", "8"]);
    let profile = folder.path().join("scan.yaml").display().to_string();
    let asked =
        ["measure", "--model", &path, "--max-time", "1s", "--remeasure", "-q", "-o", &profile];
    let measured = real(&asked);
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    let gate = || {
        let asked = ["check", "--profile", &profile, "--max-buffer", "100M", "--max-time", "1s"];
        Ran::from(real(&asked))
    };
    let size = || Ran::from(real(&["--profile", &profile, "--ram", "1G"]));
    let same = gate();
    assert_eq!((same.code, same.stderr.as_str()), (Some(0), ""), "{}", same.stdout);
    assert!(!same.stdout.contains("what is there now"), "{}", same.stdout);
    assert_eq!(size().stderr, "");
    // Another library, or larger heatmaps.
    let measured = fs::read_to_string(&profile).unwrap();
    let of = |from: &str, to: &str| {
        let at = measured.find(from).unwrap_or_else(|| panic!("no {from}: {measured}"));
        let end = at + measured[at..].find('\n').unwrap();
        fs::write(&profile, format!("{}{to}{}", &measured[..at], &measured[end..])).unwrap();
        let ran = gate();
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        flat(&ran.stdout)
    };
    let older = of("onnxruntime: ", "onnxruntime: 1.17.0");
    assert!(older.contains("was measured with ONNX Runtime 1.17.0, and 1."), "{older}");
    assert!(older.contains("--remeasure measures with that"), "{older}");
    let larger = of("heatmap_edge: ", "heatmap_edge: 256");
    assert!(larger.contains("heatmaps are 256 pixels across, and were 512"), "{larger}");
    fs::write(&profile, &measured).unwrap();
    assert_eq!(model(&["1", "3", "8", "9"]), path);
    let changed = gate();
    assert_eq!(changed.code, Some(0), "{}{}", changed.stdout, changed.stderr);
    assert!(changed.stdout.contains("has changed"), "{}", changed.stdout);
    let sized = size();
    assert!(sized.stderr.contains("has changed; --remeasure measures that"), "{}", sized.stderr);
    fs::remove_file(&path).unwrap();
    let gone = gate();
    assert_eq!(gone.code, Some(2), "{}", gone.stdout);
    assert!(gone.stderr.contains("put the file where the profile says"), "{}", gone.stderr);
    let sized = size();
    assert_eq!(sized.code, Some(0), "{}", sized.stderr);
    assert!(sized.stderr.contains("it is taken as it is"), "{}", sized.stderr);
}

/// The same of settings and inputs, and the advice to measure longer is followed.
#[test]
fn what_a_profile_brings_along_is_held_against_the_profile() {
    let place = Place::new();
    let noisy = "base=300M,buffer=20M,noise=0.03,seed=1,load_peak=320M";
    let measured =
        place.run(&["measure", "--synthetic", noisy, "--max-time", "10s", "-q", "-o", "scan.yaml"]);
    assert_eq!(measured.code, Some(0), "{}", measured.stderr);
    let asked = ["--profile", "scan.yaml", "--max-ram", "530M", "--concurrency", "10"];
    let undecided = check(&place, noisy, &asked);
    assert_eq!(undecided.code, Some(2), "{}{}", undecided.stdout, undecided.stderr);
    assert!(!undecided.stdout.contains("what is there now"), "{}", undecided.stdout);
    assert!(undecided.stdout.contains("--remeasure --max-time"), "{}", undecided.stdout);
    let text = fs::read_to_string(place.file("scan.yaml")).unwrap();
    for (from, to, said) in
        [("arena: true", "arena: false", "arena=off"), ("heatmap_edge: 512", "batch: 2", "batch 2")]
    {
        assert!(text.contains(from), "{from}: {text}");
        fs::write(place.file("scan.yaml"), text.replacen(from, to, 1)).unwrap();
        let ran = check(&place, noisy, &asked);
        assert!(flat(&ran.stdout).contains(said), "{said}: {}", ran.stdout);
    }
}

/// One service that cannot be measured says nothing of the others.
#[test]
fn a_service_that_cannot_be_measured_leaves_the_others_decided() {
    let place = Place::new();
    fs::write(
        place.file("budget.yaml"),
        "services:\n  gone:\n    profile: gone.yaml\n    rules:\n      - {max_buffer: 21M}\n  \
         scan:\n    profile: mediscope\n    rules:\n      - {max_buffer: 21M}\n      - {max_buffer: 19M}\n",
    )
    .unwrap();
    let ran = check(&place, HONEST, &["-o", "check.json", "-o", "gitlab=quality.json"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 within, 1 over, 1 undecided"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not measured (budget.yaml:5)"), "{}", ran.stdout);
    let json = |name| -> Value {
        serde_json::from_str(&fs::read_to_string(place.file(name)).unwrap()).unwrap()
    };
    let found = json("check.json");
    valid(&found, include_str!("../schemas/check-1.schema.json"));
    assert!(found["rules"][0]["trouble"].as_str().unwrap().contains("gone.yaml"), "{found}");
    // Two rules that are alike are two findings.
    fs::write(
        place.file("budget.yaml"),
        "services:\n  scan:\n    profile: mediscope\n    rules: [{max_buffer: 18M}, {max_buffer: 19M}]\n",
    )
    .unwrap();
    let ran = check(&place, HONEST, &["-o", "gitlab=quality.json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let found = json("quality.json");
    assert_ne!(found[0]["fingerprint"], found[1]["fingerprint"]);
}

fn valid(found: &Value, schema: &str) {
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(found).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What the reader should know is in every format, and a baseline of other inputs is refused.
#[test]
fn a_baseline_of_other_terms() {
    let place = Place::new();
    fs::write(
        place.file("budget.yaml"),
        "services:\n  scan:\n    profile: mediscope\n    baseline: footprint.yaml\n    rules:\n      \
         - {max_growth: 5%}\n      - {max_buffer: 30M}\n",
    )
    .unwrap();
    // The default budget says where the baseline is kept.
    let written = check(&place, HONEST, &["--update-baseline"]);
    assert_eq!(written.code, Some(0), "{}{}", written.stdout, written.stderr);
    let text = fs::read_to_string(place.file("footprint.yaml")).unwrap();
    fs::write(
        place.file("footprint.yaml"),
        text.replace("cpu_model: planted", "cpu_model: Another"),
    )
    .unwrap();
    for format in ["text", "github", "markdown", "json", "junit", "sarif", "gitlab"] {
        let ran = check(&place, HONEST, &["--format", format]);
        assert_eq!(ran.code, Some(0), "{format}: {}", ran.stderr);
        assert!(ran.stdout.contains("another CPU (Another"), "{format}: {}", ran.stdout);
        if format == "junit" {
            // What the published schema does not have.
            assert_eq!(ran.stdout.matches("skipped=").count(), 1, "{}", ran.stdout);
            assert!(!ran.stdout.contains(" line="), "{}", ran.stdout);
        }
    }
    // The other rule is decided, and each refusal is said once.
    let other = check(&place, HONEST, &["--batch", "2"]);
    assert_eq!(other.code, Some(1), "{}{}", other.stdout, other.stderr);
    let said = flat(&other.stdout);
    assert_eq!(said.matches("another set of inputs").count(), 1, "{said}");
    assert!(said.contains("0 within, 1 over, 1 undecided"), "{said}");
}

/// Where the bytes are of the rules that are not about RAM, and what would bring growth back.
#[test]
fn why_is_said_of_every_rule() {
    let place = Place::new();
    for (rule, said) in [
        (&["--max-cpu-seconds", "40ms"][..], "`infer planted` takes most CPU time"),
        (&["--min-rps", "25", "--cpus", "1"], "It would be kept with 1.3 CPUs."),
        (&["--max-model-file", "100MB"], "The file of `planted` is too large, 315 MB"),
    ] {
        let ran = check(&place, HONEST, &[rule, &["--why"]].concat());
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    let baseline = ["--baseline", "footprint.yaml"];
    check(&place, HONEST, &[&baseline[..], &["--update-baseline"]].concat());
    let grown = check(&place, GROWN, &[&baseline[..], &["--why"]].concat());
    assert!(grown.stdout.contains("MiB less for a request"), "{}", grown.stdout);
    assert!(grown.stdout.contains("`infer planted` has grown most"), "{}", grown.stdout);
}

/// What decides is seen, and no number is torn from its unit.
#[test]
fn numbers_are_told_as_closely_as_they_decide() {
    let place = Place::new();
    let ran = check(&place, HONEST, &["--max-buffer", "20M"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    let said = flat(&ran.stdout);
    assert!(said.contains("19.99 MiB (19.93 MiB to 20.04 MiB), at most 20 MiB"), "{said}");
    let noisy = HONEST.replace("noise=0.001", "noise=0.02");
    for rule in [["--max-buffer", "20M"], ["--max-load-peak", "319M"]] {
        let ran = check(&place, &noisy, &[&rule[..], &["--why"]].concat());
        for line in ran.stdout.lines() {
            let begun = line.trim_start();
            let unit =
                ["MiB", "GiB", "KiB", "%", "±", "ms"].iter().find(|u| begun.starts_with(**u));
            assert_eq!(unit, None, "{}", ran.stdout);
        }
    }
}

/// The limits of a service that counts in megabytes of 1000² bytes are counted so, too.
#[test]
fn limits_are_counted_as_the_service_counts() {
    let place = Place::new();
    let of = |units: &str| {
        let text = format!("name: s\n{units}models: {{m: {{architecture: resnet18}}}}\n");
        fs::write(place.file("s.yaml"), text).unwrap();
        check(&place, HONEST, &["--profile", "s.yaml", "--max-load-peak", "330M"]).code
    };
    assert_eq!(of(""), Some(0));
    assert_eq!(of("units: {box: decimal, display: decimal}\n"), Some(1));
}
