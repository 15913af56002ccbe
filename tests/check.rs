//! The budget that gates a pipeline: every rule, every end, every format, and what can go wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Place, Ran};
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
    assert!(ran.stdout.contains("--budget") && ran.stdout.contains("× as long"), "{}", ran.stdout);
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
    ] {
        budget(&place, rules);
        let ran = check(&place, HONEST, &["budget.yaml"]);
        assert_eq!(ran.code, Some(2), "{rules}: {}", ran.stdout);
        let said = said.replace("names no", "there is none");
        assert!(ran.stderr.contains(&said), "{rules}: {}", ran.stderr);
    }
    let missing = check(&place, HONEST, &["nowhere.yaml"]);
    assert!(missing.stderr.contains("cannot read the budget nowhere.yaml"), "{}", missing.stderr);
    let both = check(&place, HONEST, &["budget.yaml", "--max-buffer", "1M"]);
    assert!(both.stderr.contains("leave out one of them"), "{}", both.stderr);
    let alone = check(&place, HONEST, &["--max-ram", "1G"]);
    assert!(alone.stderr.contains("--concurrency"), "{}", alone.stderr);
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
    assert!(serving.stdout.contains("killed by the kernel with 8 in flight"), "{}", serving.stdout);
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
    let ran = place.run(&["diff", "from.yaml", "to.yaml", "--format", "json"]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = include_str!("../schemas/diff-1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(validator.is_valid(&found), "{:?}", validator.iter_errors(&found).next());
    let change = found.pointer("/ram/1/change").and_then(Value::as_f64).unwrap();
    assert!((change - 0.1).abs() < 1e-6, "{change}");
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
