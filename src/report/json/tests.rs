use serde_json::{Value, json};

use super::contract::{assert_strict, assert_valid, notation, validator};
use super::{json as render, planted};
use crate::plan::Plan;
use crate::report::sentences::Sentences;
use crate::units::{Rate, Source, Span};

const SCHEMA: &str = include_str!("../../../schemas/report-1.schema.json");

/// The contract's keys in order, with a box, CPUs and a concurrency asked about.
const CONTRACT: &str = "{schema,profile{name,title},topology,source,
    box{ram_bytes,cpus,disk_bytes,bandwidth_bytes_per_month},
    demand{concurrency,rps},
    ram{base_bytes S,buffer_bytes S,per_session_bytes S,per_worker_bytes S,
        load_peak_bytes S,cold_burst_bytes S,limit_bytes S,kill_limit_bytes S,
        max_concurrency{low,typical,high},
        states[{name,base_bytes S}],
        request_kinds[{name,share,buffer_bytes S,held_bytes S,cpu_seconds S}],
        components[{name,scope,bytes S}],
        rows[{state,concurrency,base_bytes,buffers_bytes,total_bytes,low_bytes,high_bytes,fits,
            source}],
        boxes[{ram_bytes,max_concurrency}]},
    cpu{seconds_per_request S,throughput_rps S,best_concurrency{low,high},max_useful_concurrency},
    load{capacity_rps,rows[{rate_rps,utilisation,mean_seconds,p50_seconds,p95_seconds,p99_seconds,
            mean_in_flight,often_in_flight,exceeds_per_day,exceeds_limited_per_day,
            refused_share}],
        objective{share,latency_seconds,max_rate_rps},
        admission{limit,queue,timeout_seconds,ram_bytes,ram_without_bytes},
        held[{in_flight,without_bytes,with_bytes}]},
    disk{needed_bytes S,recommended_bytes S},bandwidth{needed_bytes_per_month S},
    tiers[{name,ram_bytes,cpus,disk_bytes,bandwidth_bytes_per_month,price_dollars_per_month S,
        max_concurrency{low,high},at_once{low,high},response_seconds S,status}],
    alternatives[{topology,total_bytes S,throughput_rps S}],
    warnings[{code,text}],
    upgrades[{resource,concurrency,minimum,recommended}],
    verdict{overall,binding,by_resource[{resource,status,current,minimum,recommended}],
        reasons[]}}";

fn value(plan: &Plan) -> Value {
    serde_json::from_str(&render(plan).unwrap()).unwrap()
}

#[test]
fn every_key_of_the_contract_is_there_in_its_order() {
    let expected = CONTRACT.lines().map(str::trim).collect::<String>();
    let actual = notation(&render(&planted::with_box()).unwrap());
    assert_eq!(actual, expected);
}

#[test]
fn keys_that_nobody_asked_about_are_null_and_not_missing() {
    let report = value(&planted::without_box());
    let (ram, cpu) = (&report["ram"], &report["cpu"]);
    assert_eq!(
        report["box"],
        json!({"ram_bytes": null, "cpus": null, "disk_bytes": null, "bandwidth_bytes_per_month": null})
    );
    for (parent, key) in [
        (&report, "demand"),
        (&report, "load"),
        (&report, "disk"),
        (&report, "bandwidth"),
        (ram, "max_concurrency"),
        (&ram["rows"][0], "fits"),
        (cpu, "throughput_rps"),
        (cpu, "best_concurrency"),
        (cpu, "max_useful_concurrency"),
        (&report["alternatives"][0], "throughput_rps"),
        (&report["verdict"], "binding"),
    ] {
        assert_eq!(parent.get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(report["verdict"]["overall"], "unknown");
    assert_eq!(report["tiers"], json!([]));
}

#[test]
fn the_schema_accepts_every_report() {
    let validator = validator(SCHEMA);
    let mut bare = planted::without_box();
    bare.ram.cold_burst = None;
    bare.upgrade = None;
    bare.warnings.clear();
    bare.alternatives.clear();
    for plan in [planted::with_box(), planted::without_box(), bare] {
        assert_valid(&validator, &render(&plan).unwrap());
    }
}

#[test]
fn the_schema_knows_all_keys_and_no_others() {
    assert_strict(&validator(SCHEMA), &render(&planted::with_box()).unwrap());
}

#[test]
fn the_schema_refuses_what_the_contract_does_not_know() {
    let validator = validator(SCHEMA);
    let good = value(&planted::with_box());
    for (pointer, wrong) in [
        ("/schema", json!("mediscope-size/report/2")),
        ("/source", json!("guessed")),
        ("/source", Value::Null),
        ("/topology", json!("workers:0")),
        ("/box/ram_bytes", json!("512M")),
        ("/box/ram_bytes", json!(-1)),
        ("/box/cpus", json!(0)),
        ("/ram/base_bytes", Value::Null),
        ("/ram/base_bytes/low", json!(0.5)),
        ("/ram/base_bytes/source", json!("guessed")),
        ("/ram/components/0/scope", json!("everyone")),
        ("/ram/rows/0/state", json!("lazy")),
        ("/cpu/seconds_per_request", Value::Null),
        ("/warnings/0/code", json!("Not a code")),
        ("/verdict/overall", json!("maybe")),
        ("/verdict/binding", json!("gpu")),
        ("/verdict/by_resource/0/status", json!("good")),
        ("/verdict/by_resource/0/current", json!(0.5)),
        ("/tiers", json!([{}])),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(!validator.is_valid(&bad), "{pointer} = {wrong}");
    }
}

#[test]
fn numbers_arrive_where_they_belong() {
    let report = value(&planted::with_box());
    let mib = 1_048_576_u64;
    for (pointer, expected) in [
        ("/schema", json!("mediscope-size/report/1")),
        ("/profile/name", json!("planted")),
        ("/box/ram_bytes", json!(512 * mib)),
        ("/box/cpus", json!(0.5)),
        ("/demand/concurrency", json!(10)),
        ("/ram/base_bytes/low", json!(276 * mib)),
        ("/ram/base_bytes/typical", json!(277 * mib)),
        ("/ram/base_bytes/high", json!(279 * mib)),
        ("/ram/base_bytes/source", json!("fitted")),
        ("/ram/buffer_bytes/typical", json!(8 * mib)),
        ("/ram/per_session_bytes/typical", json!(250 * mib)),
        ("/ram/per_worker_bytes/typical", json!(245 * mib)),
        ("/ram/load_peak_bytes/typical", json!(287 * mib)),
        ("/ram/cold_burst_bytes/typical", json!(410 * mib)),
        ("/ram/limit_bytes/typical", json!(415 * mib)),
        ("/ram/kill_limit_bytes/typical", json!(390 * mib)),
        ("/ram/max_concurrency", json!({"low": 7, "typical": 9, "high": 11})),
        ("/ram/states/0/name", json!("eager")),
        ("/ram/states/0/base_bytes/typical", json!(277 * mib)),
        ("/ram/request_kinds/0/share", json!(1.0)),
        ("/ram/request_kinds/0/held_bytes/typical", json!(6 * mib)),
        ("/ram/request_kinds/0/cpu_seconds/typical", json!(0.029)),
        ("/ram/components/1/scope", json!("request")),
        ("/ram/rows/1/total_bytes", json!(1077 * mib)),
        ("/ram/rows/1/low_bytes", json!(1076 * mib)),
        ("/ram/rows/1/high_bytes", json!(1079 * mib)),
        ("/ram/rows/1/fits", json!(false)),
        ("/ram/rows/1/source", json!("extrapolated")),
        ("/ram/boxes/0/max_concurrency", json!(7)),
        ("/cpu/throughput_rps/high", json!(19.0)),
        ("/cpu/best_concurrency", json!({"low": 1, "high": 2})),
        ("/cpu/max_useful_concurrency", json!(5)),
        ("/alternatives/0/total_bytes/typical", json!(1300 * mib)),
        ("/upgrades/0/minimum", json!(512 * mib)),
        ("/upgrades/0/recommended", json!(1024 * mib)),
        ("/verdict/binding", json!("cpu")),
        ("/verdict/by_resource/0/minimum", json!(417 * mib)),
        ("/verdict/by_resource/1/minimum", json!(0.01)),
    ] {
        assert_eq!(report.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[test]
fn sentences_are_those_of_the_text_report() {
    let plan = planted::with_box();
    let report = value(&plan);
    let mut sentences = Sentences::new();
    let (code, text) = (plan.warnings[0].code(), sentences.warning(&plan.warnings[0]));
    assert_eq!(report["warnings"][0], json!({"code": code, "text": text}));
    let reason = sentences.reason(&plan.verdict.reasons[0]);
    assert_eq!(report["verdict"]["reasons"][0], json!(reason));
}

#[test]
fn a_rate_that_json_has_no_number_for_is_null() {
    let mut plan = planted::with_box();
    let endless = Span::exact(Rate::per_second(f64::INFINITY), Source::Measured);
    plan.cpu.answers.as_mut().unwrap().throughput = endless;
    assert_eq!(value(&plan)["cpu"]["throughput_rps"], Value::Null);
    assert_valid(&validator(SCHEMA), &render(&plan).unwrap());
}

#[test]
fn the_text_ends_with_one_line_break() {
    let text = render(&planted::with_box()).unwrap();
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
}
