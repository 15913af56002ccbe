use serde_json::{Value, json};

use super::footprint_json;
use crate::footprint::{Program, ProgramMemory, ProgramRecord};
use crate::plan::Plan;
use crate::report::json::contract::{assert_strict, assert_valid, notation, validator};
use crate::report::json::planted;
use crate::units::Bytes;

const SCHEMA: &str = include_str!("../../../schemas/footprint-1.schema.json");

/// The contract's keys in order.
const CONTRACT: &str = "{schema,
    environment{cpu_model,cores,kernel,onnxruntime,library_sha256,conditions[],tool,
        settings{threads,arena,memory_pattern,prepacking,spinning,optimization,topology}},
    models[{name,file_bytes,weight_bytes,sha256,load_seconds,load_peak_bytes,resident_bytes}],
    assumed[],program{name,source,resident_bytes,added_anon_bytes,added_file_bytes,imported[],missing[]},
    stages[{name,ram_bytes S,cpu_seconds S,wall_seconds S}],
    ram{start_bytes,runtime_bytes,load_peak_bytes,base_bytes S,buffer_bytes S,retained_bytes,
        points[{concurrency,peak_bytes,anon_bytes,file_bytes,repeat}],
        cold_burst[{concurrency,peak_bytes}],
        arena{in_use_bytes,max_in_use_bytes,per_run_bytes},
        runs[{topology,k,points[{concurrency,peak_bytes,anon_bytes,file_bytes,repeat}]}],
        held_out{points[{concurrency,predicted_bytes,observed_bytes,error}],max_error}},
    cpu{seconds_per_request S,throughput[{concurrency,rps}]},
    live{target,service,managed_heap{runtime,ram_bytes},attached,workers,processes,per_worker_bytes S,at_once,told_by,request_bytes,
        idle{anon_bytes,file_bytes},first{anon_bytes,file_bytes},after{anon_bytes,file_bytes},
        group_peak_bytes,
        charged,
        tmpfs[{path,peak_bytes,left_bytes}],
        left_behind{bytes,paths[]},
        different_requests,
        rounds[{concurrency,start,peak_bytes,anon_bytes,file_bytes,control,answered,errors[{kind,count}],
            throughput_rps,cpu_seconds,p50_seconds,p95_seconds,p99_seconds,max_seconds,driver_bound,
            driver_share}],
        accumulated{bytes,requests,levelled_off,bodies_used_up},
        unexplained{concurrency,anon_bytes,expected_bytes S},
        repeated{bodies,first_bytes,later_bytes,first_cpu_seconds,later_cpu_seconds},
        growth{bytes_per_request S,requests,limit_bytes,requests_until_limit,seconds_until_limit},growth_looks,
        failures[{concurrency,start,phase,what}],
        peaks_by,sampling_seconds,sampler_cpu,driver_cpu}}";

fn rendered(plan: &Plan) -> String {
    footprint_json(Some(plan), plan.footprint.as_ref().unwrap()).unwrap()
}

fn value(plan: &Plan) -> Value {
    serde_json::from_str(&rendered(plan)).unwrap()
}

/// Nothing checked, no bursts, no arena.
fn bare() -> Plan {
    let mut plan = planted::without_box();
    plan.ram.fit.as_mut().unwrap().held_out = None;
    let footprint = plan.footprint.as_mut().unwrap();
    footprint.cold_burst.clear();
    footprint.arena = None;
    footprint.throughput.clear();
    plan
}

/// As if it had been measured from outside.
fn live() -> Plan {
    let mut plan = planted::with_box();
    let footprint = plan.footprint.as_mut().unwrap();
    footprint.live = Some(planted::live());
    footprint.program = Some(program());
    plan
}

fn program() -> ProgramRecord {
    let size = Bytes::mib(120);
    ProgramRecord {
        program: Program::Declared(size),
        memory: ProgramMemory {
            imported: vec!["fastapi 0.1".to_owned()],
            missing: vec!["uvicorn".to_owned()],
            ..ProgramMemory::declared(size)
        },
        added_anon_bytes: size,
        added_file_bytes: Bytes::ZERO,
    }
}

#[test]
fn every_key_of_the_contract_is_there_in_its_order() {
    let expected = CONTRACT.lines().map(str::trim).collect::<String>();
    assert_eq!(notation(&rendered(&live())), expected);
}

#[test]
fn the_schema_accepts_every_footprint() {
    let validator = validator(SCHEMA);
    for plan in [live(), planted::with_box(), planted::without_box(), bare()] {
        assert_valid(&validator, &rendered(&plan));
    }
}

/// A service that failed before there were enough points for a line.
#[test]
fn the_schema_accepts_a_footprint_without_a_line() {
    let plan = live();
    let text = footprint_json(None, plan.footprint.as_ref().unwrap()).unwrap();
    assert_valid(&validator(SCHEMA), &text);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(value["ram"].is_null());
    assert_eq!(value["live"]["failures"][0]["concurrency"], 8);
}

#[test]
fn the_schema_knows_all_keys_and_no_others() {
    assert_strict(&validator(SCHEMA), &rendered(&live()));
}

#[test]
fn the_schema_describes_runs_of_other_topologies() {
    let validator = validator(SCHEMA);
    let mut footprint = value(&planted::with_box());
    let points = footprint["ram"]["points"].clone();
    footprint["ram"]["runs"] = json!([{"topology": "pool:2", "k": 2, "points": points}]);
    assert!(validator.is_valid(&footprint));
    footprint["ram"]["runs"][0]["k"] = json!(0);
    assert!(!validator.is_valid(&footprint));
}

#[test]
fn what_was_not_checked_has_no_error() {
    let ram = &value(&bare())["ram"];
    assert_eq!(ram["held_out"], json!({"points": [], "max_error": null}));
    assert_eq!(ram["arena"], Value::Null);
    let mut nothing_observed = planted::with_box();
    nothing_observed.ram.fit.as_mut().unwrap().held_out.as_mut().unwrap().error = f64::NAN;
    let held_out = &value(&nothing_observed)["ram"]["held_out"];
    assert_eq!(held_out, &json!({"points": [], "max_error": null}));
}

#[test]
fn numbers_arrive_where_they_belong() {
    let footprint = value(&planted::with_box());
    let mib = 1_048_576_u64;
    for (pointer, expected) in [
        ("/schema", json!("mediscope-size/footprint/1")),
        ("/environment/settings/optimization", json!("all")),
        ("/environment/settings/topology", json!("shared")),
        ("/models/0/load_seconds", json!(0.25)),
        ("/models/0/resident_bytes", json!(250 * mib)),
        ("/stages/0/wall_seconds/typical", json!(0.012)),
        ("/ram/start_bytes", json!(6 * mib)),
        ("/ram/runtime_bytes", json!(21 * mib)),
        ("/ram/load_peak_bytes", json!(287 * mib)),
        ("/ram/base_bytes/typical", json!(277 * mib)),
        ("/ram/buffer_bytes/high", json!(10 * mib)),
        ("/ram/retained_bytes", json!(50 * mib)),
        ("/ram/points/0/peak_bytes", json!(285 * mib)),
        ("/ram/points/0/anon_bytes", json!(258 * mib)),
        ("/ram/points/0/file_bytes", json!(27 * mib)),
        ("/ram/cold_burst/0", json!({"concurrency": 16, "peak_bytes": 410 * mib})),
        ("/ram/arena/per_run_bytes", json!(7 * mib)),
        ("/ram/held_out/points/0/predicted_bytes", json!(400 * mib)),
        ("/ram/held_out/points/0/error", json!(-5.0 / 405.0)),
        ("/ram/held_out/max_error", json!(5.0 / 405.0)),
        ("/cpu/throughput/0", json!({"concurrency": 4, "rps": 60.5})),
    ] {
        assert_eq!(footprint.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[test]
fn processes_are_counted_from_0_without_gaps() {
    let footprint = value(&planted::with_box());
    let points = footprint["ram"]["points"].as_array().unwrap();
    let repeats: Vec<&Value> = points.iter().map(|point| &point["repeat"]).collect();
    // Children 0, 4 and 2.
    assert_eq!(repeats, [0, 2, 1]);
}
