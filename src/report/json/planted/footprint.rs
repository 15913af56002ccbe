//! A footprint made by hand.

use super::{mib, seconds};
use crate::footprint::{
    ArenaRecord, ColdBurst, Copies, Environment, FOOTPRINT_VERSION, Footprint, ImageRecord, Marks,
    ModelRecord, Point, Settings, StageRecord, Throughput, Topology, TopologyRun,
};
use crate::units::{Bytes, Rate, Seconds, Source};

pub(super) fn footprint() -> Footprint {
    Footprint {
        version: FOOTPRINT_VERSION,
        topology: Topology::Shared,
        environment: environment(),
        image: Some(ImageRecord {
            origin: "generated".to_owned(),
            encoded_bytes: Bytes::new(700_000),
            width: 1600,
            height: 1200,
            heatmap_edge: None,
        }),
        assumed: Vec::new(),
        assumed_values: Vec::new(),
        mix: None,
        no_room: None,
        models: vec![model()],
        stages: vec![StageRecord {
            name: "decode".to_owned(),
            ram: mib(5, Source::Measured),
            cpu: seconds(0.011),
            wall: seconds(0.012),
        }],
        marks: marks(),
        points: vec![point(1, 0), point(16, 4), point(1, 2)],
        cold_burst: vec![ColdBurst {
            concurrency: 16,
            peak_bytes: Bytes::mib(410),
            anon_bytes: Bytes::mib(390),
        }],
        arena: Some(ArenaRecord {
            in_use_bytes: Bytes::mib(100),
            max_in_use_bytes: Bytes::mib(150),
            per_run_bytes: Bytes::mib(7),
        }),
        cpu_seconds: seconds(0.029),
        wall_seconds: seconds(0.031),
        service_times: None,
        throughput: vec![Throughput { concurrency: 4, rps: Rate::per_second(60.5) }],
        partial: false,
        heap_bytes: Some(Bytes::mib(200)),
        runs: vec![TopologyRun {
            topology: Topology::Pool(Copies::TWO),
            points: vec![point(2, 0)],
            throughput: vec![Throughput { concurrency: 2, rps: Rate::per_second(50.5) }],
            cpu_seconds: seconds(0.03),
            heap_bytes: None,
            killed: None,
        }],
        killed: None,
        disturbances: vec![],
        program: None,
        budget_seconds: None,
        live: None,
    }
}

fn environment() -> Environment {
    Environment {
        cpu_model: "Some CPU".to_owned(),
        cores: 2,
        kernel: "6.1.0".to_owned(),
        onnxruntime: "1.31.1".to_owned(),
        library_sha256: None,
        conditions: Vec::new(),
        tool: "0.1.0".to_owned(),
        settings: Settings::default(),
        default_threads: None,
        cpu_score: None,
    }
}

fn model() -> ModelRecord {
    ModelRecord {
        name: "binary".to_owned(),
        synthetic: true,
        lazy: false,
        from_bytes: false,
        step: None,
        file_bytes: Bytes::new(102_000_000),
        weight_bytes: Bytes::new(101_000_000),
        sha256: "0123abcd".to_owned(),
        inputs: Vec::new(),
        load_seconds: Seconds::new(0.25),
        load_peak_bytes: Bytes::mib(287),
        resident_bytes: Bytes::mib(250),
    }
}

fn marks() -> Marks {
    Marks {
        start_bytes: Bytes::mib(6),
        runtime_bytes: Bytes::mib(21),
        load_peak_bytes: Bytes::mib(287),
        load_peak_anon_bytes: Bytes::mib(260),
        loaded_bytes: Bytes::mib(271),
        warm_bytes: Bytes::mib(280),
        idle_bytes: Bytes::mib(330),
        kernel_bytes: Bytes::mib(1),
        file_in_use_bytes: None,
        load_file_in_use_bytes: None,
    }
}

fn point(concurrency: u32, child: u32) -> Point {
    let anonymous = Bytes::mib(250 + 8 * u64::from(concurrency));
    Point {
        concurrency,
        peak_bytes: anonymous + Bytes::mib(27),
        anon_bytes: anonymous,
        file_bytes: Bytes::mib(27),
        file_in_use_bytes: None,
        repeat: child,
        held_out: concurrency == 16,
        flat: true,
    }
}
