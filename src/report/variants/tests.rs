use serde_json::{Value, json};

use super::{variants_json, variants_text};
use crate::footprint::Footprint;
use crate::plan::variants::{Choice, Missing, Variant, Variants, compare};
use crate::plan::{Question, Warning};
use crate::report::json::contract::{assert_strict, assert_valid, notation, validator};
use crate::report::json::planted;
use crate::report::{Layout, Lines};
use crate::units::{Bytes, Cpus, Megapixels};

const SCHEMA: &str = include_str!("../../../schemas/variants-1.schema.json");

/// The contract's keys in order.
const CONTRACT: &str = "{schema,profile{name,title},
    environment{cpu_model,cores,kernel,onnxruntime,tool},
    box{ram_bytes,cpus},concurrency,
    variants[{name,varied[{key,value}],
        settings{threads,arena,memory_pattern,prepacking,spinning,optimization,malloc_arenas},
        image{origin,encoded_bytes,width,height},
        base_bytes S,buffer_bytes S,load_peak_bytes S,limit_bytes S,
        cpu_seconds S,throughput_rps S,max_concurrency,fits,warnings[{code,text}]}],
    tips[{variant,against,limit_bytes{low,typical,high,share,within_noise},
        cpu_seconds{low,typical,high,share,within_noise},makes_it_fit,text}],
    not_measured[{variant,reason}]}";

fn variant(value: &str, footprint: Footprint) -> Variant {
    let choice = Choice { key: "arena".into(), value: value.into(), is_input: false };
    let warnings = vec![Warning::LargestImage { sizes: vec![Megapixels::TWO] }];
    Variant { choices: vec![choice], footprint, warnings }
}

/// The second takes 100 MiB less at every concurrency.
fn two(question: &Question) -> Variants {
    let first = planted::without_box().footprint.unwrap();
    let mut second = first.clone();
    second.environment.settings.arena = false;
    for point in &mut second.points {
        point.peak_bytes = point.peak_bytes.saturating_sub(Bytes::mib(100));
    }
    for burst in &mut second.cold_burst {
        burst.peak_bytes = burst.peak_bytes.saturating_sub(Bytes::mib(100));
    }
    second.marks.load_peak_bytes = Bytes::mib(187);
    let missing = Missing { name: "arena=sometimes".into(), reason: "interrupted".into() };
    let both = [variant("on", first), variant("off", second)];
    compare("planted", "A planted service", &both, vec![missing], question).unwrap()
}

fn asked() -> Question {
    let ram = Some(Bytes::mib(512));
    Question { ram, cpus: Cpus::new(2.0), concurrency: Some(16), ..Question::default() }
}

fn value(variants: &Variants) -> Value {
    serde_json::from_str(&variants_json(variants).unwrap()).unwrap()
}

#[test]
fn every_key_of_the_contract_is_there_in_its_order() {
    let expected = CONTRACT.lines().map(str::trim).collect::<String>();
    assert_eq!(notation(&variants_json(&two(&asked())).unwrap()), expected);
}

#[test]
fn the_schema_knows_all_keys_and_no_others() {
    let validator = validator(SCHEMA);
    assert_strict(&validator, &variants_json(&two(&asked())).unwrap());
    let mut bare = two(&Question::default());
    bare.rows[0].image = None;
    bare.rows[0].throughput = None;
    assert_valid(&validator, &variants_json(&bare).unwrap());
    bare.rows.clear();
    bare.tips.clear();
    assert_valid(&validator, &variants_json(&bare).unwrap());
}

#[test]
fn the_schema_refuses_what_the_contract_does_not_know() {
    let validator = validator(SCHEMA);
    let good = value(&two(&asked()));
    for (pointer, wrong) in [
        ("/schema", json!("mediscope-size/variants/2")),
        ("/concurrency", json!(0)),
        ("/box/ram_bytes", json!("512M")),
        ("/variants/0/varied", json!([])),
        ("/variants/0/settings/threads", json!(0)),
        ("/variants/0/base_bytes", Value::Null),
        ("/variants/0/fits", json!("yes")),
        ("/tips/0/limit_bytes/share", json!("8 %")),
        ("/not_measured", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(!validator.is_valid(&bad), "{pointer} = {wrong}");
    }
}

#[test]
fn a_planted_saving_is_told_as_it_is() {
    let variants = two(&asked());
    assert_eq!(variants.concurrency, 16);
    let report = value(&variants);
    let saved = report["tips"][0]["limit_bytes"]["typical"].as_f64().unwrap();
    assert!((saved + Bytes::mib(100).as_f64()).abs() < 2.0, "{saved}");
    assert_eq!(report["tips"][0]["limit_bytes"]["within_noise"], json!(false));
    assert_eq!(report["tips"][0]["cpu_seconds"]["within_noise"], json!(true));
    assert_eq!(report["variants"][1]["settings"]["arena"], json!(false));
    let text = report["tips"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("arena=off saves 100 MiB at 16 requests in flight;"), "{text}");
}

#[test]
fn variants_are_compared_at_what_was_asked_else_at_what_keeps_the_cpus_busy() {
    let at = |question: Question| two(&question).concurrency;
    assert_eq!(at(Question::default()), 10);
    assert_eq!(at(Question { cpus: Cpus::new(2.0), ..Question::default() }), 4);
    assert_eq!(at(Question { concurrency: Some(3), ..asked() }), 3);
}

/// What holds for all is said once, and what holds for some with their names.
#[test]
fn notes_are_not_repeated() {
    let mut variants = two(&asked());
    variants.rows[1].warnings.push(Warning::Disturbed("the machine was busy".into()));
    let text = variants_text(&variants, Layout { width: 120, lines: Lines::Unicode });
    assert_eq!(text.matches("The weights are random").count(), 1, "{text}");
    assert!(text.contains("arena=off: The machine was busy"), "{text}");
    assert!(text.contains("Requests may carry images of 2mp"), "{text}");
    assert!(text.contains("arena=sometimes: interrupted"), "{text}");
}

/// The comma of a name and that of a sentence are not mistaken for each other.
#[test]
fn a_setting_at_another_input_is_told_with_the_input_first() {
    let mut variants = two(&asked());
    let image = Choice { key: "image".into(), value: "12mp".into(), is_input: true };
    for row in &mut variants.rows {
        row.choices.insert(0, image.clone());
    }
    let report = value(&variants);
    let text = report["tips"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("With image=12mp, arena=off saves 100 MiB at 16"), "{text}");
}
