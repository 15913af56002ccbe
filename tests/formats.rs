//! Reports of declared services in every format and language: as snapshots, in files, as rules; and
//! what is asked of them that they do not have.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Place, Ran, onnx};
use serde_json::Value;

const DECLARED: [&str; 2] = ["qreader-pytorch", "mediscope-pytorch"];

fn at(place: &Place, columns: u16, arguments: &[&str]) -> Ran {
    let mut command = place.command(arguments);
    command
        .env("COLUMNS", columns.to_string())
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", "1767052800");
    command.output().unwrap().into()
}

fn answered(ran: Ran) -> String {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout
}

fn refused(ran: &Ran) -> &str {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    ran.stderr.trim_end()
}

#[test]
fn whole_reports_in_both_languages_and_every_format() {
    let place = Place::new();
    for profile in DECLARED {
        for language in ["en", "es"] {
            for format in ["text", "markdown", "csv", "html"] {
                let asked = ["--profile", profile, "--lang", language, "--format", format];
                let asked = [&asked[..], &["--section", "all"]].concat();
                let text = answered(at(&place, 80, &asked));
                assert!(
                    !text.contains('⟨') && !text.contains("{ $"),
                    "{profile} {language} {format}"
                );
                if format == "text" {
                    let widest = text.lines().map(|l| l.chars().count()).max().unwrap();
                    // Code is not broken.
                    assert!(widest <= 88, "{widest} columns");
                }
                insta::assert_snapshot!(format!("{profile}_{language}_{format}"), text);
            }
        }
        let asked = ["--profile", profile, "--format", "json"];
        insta::assert_snapshot!(format!("{profile}_json"), answered(at(&place, 80, &asked)));
    }
}

#[test]
fn a_wide_terminal_and_one_that_knows_only_ascii() {
    let place = Place::new();
    let asked = ["--profile", "qreader-pytorch", "--section", "summary,ram,limits"];
    insta::assert_snapshot!("wide", answered(at(&place, 140, &asked)));
    for language in ["en", "es"] {
        let ascii = [&asked[..], &["--ascii", "--lang", language]].concat();
        let text = answered(at(&place, 80, &ascii));
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(format!("ascii_{language}"), text);
    }
}

#[test]
fn the_locale_chooses_the_language() {
    let place = Place::new();
    let asked = ["--profile", "qreader-pytorch", "--section", "formula"];
    let mut command = place.command(&asked);
    let spanish: Ran = command.env("LC_ALL", "es_ES.UTF-8").output().unwrap().into();
    assert!(spanish.stdout.contains("La fórmula"), "{spanish:?}");
    let mut command = place.command(&asked);
    let other: Ran = command.env("LC_ALL", "de_DE.UTF-8").output().unwrap().into();
    assert!(other.stdout.contains("The formula"), "{other:?}");
}

#[test]
fn sections_come_alone_and_in_the_order_of_the_report() {
    let place = Place::new();
    let text = answered(at(&place, 80, &["--profile", "qreader-pytorch", "--section", "cpu,ram"]));
    let (ram, cpu) =
        (text.find("RAM by requests").unwrap(), text.find("CPU and response").unwrap());
    assert!(ram < cpu && !text.contains("Monitoring"));
    let one = ["--profile", "qreader-pytorch", "--section", "workload", "--format", "csv"];
    let rows = answered(at(&place, 80, &one));
    assert!(rows.starts_with("Your workload: Requests\n"), "{rows}");
    let single = ["--profile", "qreader-pytorch", "--section", "mix", "--format", "csv"];
    assert!(answered(at(&place, 80, &single)).starts_with("Request,Share,"), "one table alone");
    let wrong = at(&place, 80, &["--profile", "qreader-pytorch", "--section", "ramm"]);
    assert!(refused(&wrong).starts_with("error: there is no section `ramm`: there is all, "));
    let absent = at(&place, 80, &["--profile", "qreader-pytorch", "--section", "traffic"]);
    assert!(refused(&absent).contains("has no part traffic: it has summary"), "{absent:?}");
}

#[test]
fn a_file_is_written_whole_in_the_format_of_its_ending() {
    let place = Place::new();
    for (ending, begins) in [
        ("md", "# QReader"),
        ("html", "<!doctype html>"),
        ("csv", "Verdict"),
        ("json", "{\n  \"schema\": \"mediscope-size/report/2\""),
        ("txt", "QReader in PyTorch"),
    ] {
        let path = place.file(&format!("report.{ending}"));
        let name = path.to_str().unwrap();
        let ran = at(&place, 80, &["--profile", "qreader-pytorch", "-o", name]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
        assert_eq!(ran.stderr, format!("note: wrote {name}\n"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.to_lowercase().starts_with(&begins.to_lowercase()), "{ending}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600, "{ending}");
        assert_ne!(mode & 0o044, 0, "others may read it as any file: {mode:o}");
    }
    let named = ["--profile", "qreader-pytorch", "-o", "report.docx"];
    assert!(refused(&at(&place, 80, &named)).contains("no format ends in `.docx`"));
    let folder = ["--profile", "qreader-pytorch", "--format", "html", "-o", "."];
    assert!(refused(&at(&place, 80, &folder)).contains("is a folder"));
    let nowhere = ["--profile", "qreader-pytorch", "-o", "/proc/no/such.md"];
    assert!(
        refused(&at(&place, 80, &nowhere))
            .contains("cannot write /proc/no/such.md: there is no folder /proc/no")
    );
}

#[test]
fn two_profiles_stand_side_by_side() {
    let place = Place::new();
    let asked = ["--profile", "qreader-pytorch", "--compare", "mediscope-pytorch", "--ram", "2G"];
    let asked = [&asked[..], &["--cpus", "2", "--section", "compare"]].concat();
    let text = answered(at(&place, 100, &asked));
    insta::assert_snapshot!("compare", text);
    let unknown = ["--profile", "qreader-pytorch", "--compare", "nobody"];
    assert!(refused(&at(&place, 80, &unknown)).contains("unknown profile `nobody`"));
}

#[test]
fn a_number_is_explained_with_its_inputs() {
    let place = Place::new();
    let explain = |key: &str| {
        at(
            &place,
            80,
            &["--profile", "qreader-pytorch", "--ram", "1G", "--cpus", "2", "--explain", key],
        )
    };
    insta::assert_snapshot!("explain", answered(explain("ram.rows.after_lazy.5.total_bytes")));
    let capacity = answered(explain("ram.max_concurrency"));
    assert!(capacity.starts_with("ram.max_concurrency = 30–83"), "{capacity}");
    let key = answered(explain("verdict.answer"));
    assert!(key.starts_with("verdict.answer = \"fits\""), "{key}");
    assert!(refused(&explain("ram.nonsense")).contains("there is no figure `ram.nonsense`"));
}

/// Every key of the JSON report has an explanation.
#[test]
fn every_key_of_the_contract_is_explained() {
    let place = Place::new();
    let asked = ["--profile", "qreader-pytorch", "--format", "json"];
    let report: Value = serde_json::from_str(&answered(at(&place, 80, &asked))).unwrap();
    let mut keys = Vec::new();
    for (key, value) in report.as_object().unwrap() {
        keys.push(key.clone());
        keys.extend(value.as_object().into_iter().flatten().map(|(k, _)| format!("{key}.{k}")));
    }
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        let told = answered(at(&place, 80, &["--profile", "qreader-pytorch", "--explain", &key]));
        assert!(told.starts_with(&key) && told.lines().count() > 1, "{told}");
    }
}

#[test]
fn alert_rules_are_yaml_with_an_expression_and_a_summary_each() {
    let place = Place::new();
    let asked =
        ["--profile", "mediscope-pytorch", "--section", "monitoring", "--format", "prometheus"];
    let text = answered(at(&place, 80, &asked));
    let rules: Value = serde_yaml::from_str(&text).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len(), 7, "{text}");
    for rule in rules {
        assert!(rule["expr"].as_str().is_some_and(|e| e.contains(" > ") || e.contains(" < ")));
        assert!(rule["annotations"]["summary"].as_str().is_some_and(|s| s.contains("mediscope")));
    }
    let all = ["--profile", "mediscope-pytorch", "--format", "prometheus"];
    assert!(refused(&at(&place, 80, &all)).contains("add --section monitoring"));
}

#[test]
fn lint_finds_what_does_not_follow() {
    let place = Place::new();
    let found = place.run(&["lint", "qreader-pytorch"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(
        found.stdout.contains("line 176: ram.rows.after_lazy.5.buffers_bytes is stated as 60MB")
    );
    assert!(found.stdout.contains("what follows is 66 MB"));
    let clean = place.run(&["lint", "mediscope"]);
    assert_eq!(
        (clean.code, clean.stdout.as_str()),
        (Some(0), "Everything that is stated follows from the costs.\n")
    );
    let path = place.file("stated.yaml");
    let text = include_str!("../profiles/qreader-pytorch.yaml");
    let (costs, _) = text.split_once("\nstated:").unwrap();
    // 92 and not 95: the one total that does not follow.
    let costs = costs.replace("total: 95MB", "total: 92MB");
    let stated = "\nstated:\n  - {key: ram.rows.eager.1.total_bytes, value: 107MB}\n  - {key: no.such, value: 1}\n";
    fs::write(&path, format!("{costs}{stated}")).unwrap();
    let other = place.run(&["lint", path.to_str().unwrap()]);
    assert_eq!((other.code, other.stdout.lines().count()), (Some(1), 2), "{other:?}");
    assert!(other.stdout.contains("no.such is stated as 1; no figure has that name"));
    let unknown = place.run(&["lint", "nobody"]);
    assert!(refused(&unknown).contains("unknown profile `nobody`"));
}

#[test]
fn embedded_profiles_are_listed_and_shown() {
    let place = Place::new();
    insta::assert_snapshot!("profiles", answered(place.run(&["profiles"])));
    let shown = answered(place.run(&["profiles", "show", "qreader-pytorch"]));
    assert_eq!(shown, include_str!("../profiles/qreader-pytorch.yaml"));
    assert!(refused(&place.run(&["profiles", "show", "nobody"])).contains("there is mediscope, "));
    let json: Value =
        serde_json::from_str(&answered(place.run(&["profiles", "--format", "json"]))).unwrap();
    assert_eq!(json["schema"], "mediscope-size/profiles/1");
    assert_eq!(json["profiles"].as_array().unwrap().len(), 4);
}

#[test]
fn a_profile_is_begun_from_a_model() {
    let place = Place::new();
    let model = onnx::echo(&[("pixels", onnx::FLOAT, &["batch", "3", "8", "8"])]);
    let written = onnx::write(&place.file(""), &model);
    fs::rename(written, place.file("scan.onnx")).unwrap();
    let text = answered(place.run(&["init", "--model", "scan.onnx"]));
    assert!(text.contains("# inputs: {pixels: {shape: [1, 3, 8, 8]}}"), "{text}");
    assert!(text.contains("name: scan\n") && text.contains("path: scan.onnx\n"), "{text}");
    let ran = place.run(&["init", "--model", "scan.onnx", "-o", "service.yaml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fs::read_to_string(place.file("service.yaml")).unwrap(), text);
    let again = place.run(&["init", "--model", "scan.onnx", "-o", "service.yaml"]);
    assert!(refused(&again).contains("name a file that is not there yet"), "{again:?}");
    let missing = place.run(&["init", "--model", "no.onnx"]);
    assert!(refused(&missing).contains("no.onnx"), "{missing:?}");
}

/// What editors complete is what the program reads.
#[test]
fn the_schema_of_profiles_accepts_what_the_program_does() {
    let schema: Value =
        serde_json::from_str(include_str!("../schemas/profile-1.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for folder in ["profiles", "examples"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yaml") {
                let value: Value =
                    serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
                let problems: Vec<String> = validator
                    .iter_errors(&value)
                    .map(|e| format!("{}: {e}", e.instance_path()))
                    .collect();
                assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
                read += 1;
            }
        }
    }
    assert!(read >= 5, "{read}");
    // Every key that the program knows, the schema knows: the program's own words for a wrong one.
    let place = Place::new();
    fs::write(place.file("wrong.yaml"), "name: s\nwrong: 1\n").unwrap();
    let told = place.run(&["--profile", "wrong.yaml", "--ram", "1G"]).stderr;
    let known = told.split("expected one of ").nth(1).unwrap().lines().next().unwrap();
    for key in known.split(", ").map(|k| k.trim_matches('`')) {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    for wrong in [
        "{name: s}",
        "{name: s, models: {a: {path: x.onnx}}, declared: {}}",
        "{name: s, models: {a: {path: x.onnx}}, tiers: [{name: t}]}",
        "{name: s, models: {a: {path: x.onnx}}, unheard_of: 1}",
        "{name: s, declared: {shared: {parts: {a: many}}}}",
    ] {
        let value: Value = serde_yaml::from_str(wrong).unwrap();
        assert!(!validator.is_valid(&value), "{wrong}");
    }
}

/// The schema of the contract is generated from the types; `UPDATE=1` writes it.
#[test]
fn the_schema_of_the_contract_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report-2.schema.json");
    let schema = schemars::schema_for!(mediscope_size::plan::assess::Assessment);
    let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &generated).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap();
    assert!(kept == generated, "{path} is stale: run this test with UPDATE=1");
}

/// What the screen says is what the JSON says, row by row.
#[test]
fn the_screen_says_what_json_says() {
    let place = Place::new();
    let targets: [&[&str]; 4] =
        [&["--ram", "512M", "--cpus", "1"], &["--ram", "2G"], &["--ram", "4G", "--cpus", "4"], &[]];
    let loads: [&[&str]; 4] =
        [&[], &["--rps", "3"], &["--rps", "20", "--slo", "p95=300ms"], &["--concurrency", "12"]];
    for profile in DECLARED {
        for (target, load) in targets.iter().flat_map(|t| loads.iter().map(move |l| (t, l))) {
            let asked = [&["--profile", profile][..], target, load].concat();
            let text = answered(at(&place, 120, &asked));
            let json = [&asked[..], &["--format", "json"]].concat();
            let json: Value = serde_json::from_str(&answered(at(&place, 120, &json))).unwrap();
            let word = |answer: &Value| match answer.as_str().unwrap() {
                "fits" => "FITS",
                "tight" => "TIGHT",
                "does_not_fit" => "DOES NOT FIT",
                _ => "NEEDS",
            };
            let verdict = text.lines().skip_while(|l| !l.starts_with("── ")).nth(1).unwrap();
            let is_asked = !json["question"]["target"].is_null();
            if is_asked {
                assert!(verdict.contains(word(&json["verdict"]["answer"])), "{asked:?}\n{text}");
                let confidence = json["verdict"]["confidence"].as_str().unwrap();
                assert!(verdict.contains(&format!("{confidence} confidence")), "{text}");
            }
            for server in json["servers"].as_array().unwrap() {
                let name = server["name"].as_str().unwrap();
                let row = text.lines().find(|l| l.trim_start().starts_with(name));
                let row = row.unwrap_or_else(|| panic!("{name}\n{text}"));
                assert!(row.contains(&format!(" {}", word(&server["answer"]))), "{row}\n{text}");
                let is_best = json["verdict"]["recommended_server"] == server["name"];
                assert_eq!(row.contains("cheapest"), is_best, "{row}");
                let holds = server["safe_concurrency"].to_string();
                assert!(row.split_whitespace().any(|cell| cell == holds), "{holds}: {row}");
            }
            for row in json["concurrency_rows"].as_array().unwrap() {
                let n = row["concurrency"].to_string();
                let Some(fits) = row["fits"].as_bool() else { continue };
                let mark = if fits { '✔' } else { '✘' };
                let is_it = |l: &&str| l.split_whitespace().next() == Some(&n) && l.contains(mark);
                assert!(text.lines().any(|l| is_it(&l)), "{n} {mark}\n{text}");
            }
            match json["paste"]["docker"].as_str() {
                Some(docker) => assert!(text.contains(&format!("docker run {docker} IMAGE"))),
                None => assert!(!text.contains("docker run"), "{text}"),
            }
        }
    }
}
