//! Plans made by hand, for tests: every list has something in it, and every number is its own.

mod footprint;
mod live;

pub use live::live;

use footprint::footprint;

use crate::footprint::{Copies, Killed, ManagedRuntime, Topology};
use crate::model::{Capacity, CpuModel};
use crate::plan::assess::Finding;
use crate::plan::figure::{Shown, Value};
use crate::plan::{
    Alternative, Bend, BoxRow, Component, CpuAnswers, CpuPlan, Fit, HeldOut, Market, Offer, Plan,
    Question, RamPlan, RamRow, Scope, Status, Warning,
};
use crate::service::{Quantity, Tier};
use crate::units::{Bytes, Cpus, Megapixels, Rate, Seconds, Source, Span};

/// 512 MiB and half a CPU, ten requests in flight.
pub fn with_box() -> Plan {
    let ram = Bytes::mib(512);
    let mut plan = without_box();
    plan.question.ram = Some(ram);
    plan.question.cpus = Cpus::new(0.5);
    plan.question.concurrency = Some(10);
    plan.design_concurrency = 10;
    plan.ram.max_concurrency = Some(Capacity { low: 7, typical: 9, high: 11 });
    for row in &mut plan.ram.rows {
        row.fits = Some(row.total.high() <= ram);
    }
    plan.cpu.answers = Some(cpu_answers());
    plan.alternatives[0].throughput = Some(rates(15.0, 16.0, 17.0));
    plan.question.disk = Some(Bytes::new(35_000_000_000));
    plan.question.bandwidth = Some(Bytes::new(1_000_000_000_000));
    plan.market = market();
    plan
}

/// Nothing was asked about, and nothing could be checked.
pub fn without_box() -> Plan {
    Plan {
        name: "planted".to_owned(),
        title: "A planted service".to_owned(),
        topology: Topology::Shared,
        source: Source::Fitted,
        question: Question::default(),
        design_concurrency: 1,
        ram: ram(),
        mix: None,
        cpu: CpuPlan {
            seconds_per_request: seconds(0.029),
            seconds_alone: seconds(0.031),
            answers: None,
        },
        alternatives: vec![Alternative {
            topology: "workers:4".to_owned(),
            total: mib(1300, Source::Assumed),
            instead_of: mib(400, Source::Fitted),
            throughput: None,
            check: None,
        }],
        warnings: warnings(),
        footprint: Some(footprint()),
        states: vec![],
        charge: None,
        cpu_model: CpuModel::new(seconds(0.029), seconds(0.031)),
        market: Market::default(),
    }
}

/// One box that is sold, and what is stored and sent.
fn market() -> Market {
    let volume = |gb: u64| {
        Shown::plain(Value::Volume(Span::exact(Bytes::new(gb * 1_000_000_000), Source::Declared)))
    };
    Market {
        disk: Some(volume(2)),
        disk_recommended: Some(volume(5)),
        month: Some(volume(25)),
        response_threshold: None,
        offers: vec![Offer {
            tier: Tier {
                name: "small".to_owned(),
                purpose: None,
                users_below: None,
                ram: "1GB".parse().unwrap(),
                cpus: Cpus::new(1.0).unwrap(),
                disk: "25GB".parse().ok(),
                bandwidth: "1000GB".parse().ok(),
                price: Quantity::parse("$6-12").ok(),
                providers: vec![],
            },
            ram: Bytes::GIB,
            disk: Some(Bytes::new(25_000_000_000)),
            bandwidth: Some(Bytes::new(1_000_000_000_000)),
            holds: (7, 11),
            at_once: (1, 2),
            response: seconds(0.031),
            status: Status::Sufficient,
        }],
        declared: true,
        minimum: Some(0),
        recommended: Some(0),
    }
}

fn mib(typical: u64, source: Source) -> Span<Bytes> {
    Span::new(Bytes::mib(typical - 1), Bytes::mib(typical), Bytes::mib(typical + 2), source)
        .unwrap()
}

fn seconds(typical: f64) -> Span<Seconds> {
    let [low, typical, high] = [typical * 0.9, typical, typical * 1.2].map(Seconds::new);
    Span::new(low, typical, high, Source::Measured).unwrap()
}

fn rates(low: f64, typical: f64, high: f64) -> Span<Rate> {
    let [low, typical, high] = [low, typical, high].map(Rate::per_second);
    Span::new(low, typical, high, Source::Fitted).unwrap()
}

fn ram() -> RamPlan {
    RamPlan {
        base: mib(277, Source::Fitted),
        buffer: mib(8, Source::Fitted),
        per_session: mib(250, Source::Measured),
        per_worker: mib(245, Source::Assumed),
        load_peak: mib(287, Source::Measured),
        cold_burst: Some(mib(410, Source::Fitted)),
        limit: mib(415, Source::Fitted),
        kill_limit: mib(390, Source::Fitted),
        max_concurrency: None,
        rows: vec![row(1, Source::Fitted), row(100, Source::Extrapolated)],
        boxes: vec![BoxRow {
            ram: Bytes::mib(512),
            max_concurrency: Capacity { low: 7, typical: 9, high: 11 },
            asked: false,
        }],
        components: vec![component("program", Scope::Shared), component("decode", Scope::Request)],
        held: mib(6, Source::Measured),
        fit: Some(fit()),
        warm_up_saves: Some(Bytes::mib(12)),
        retained: Bytes::mib(50),
    }
}

fn row(concurrency: u32, source: Source) -> RamRow {
    let buffers = 8 * u64::from(concurrency);
    RamRow {
        concurrency,
        base: Bytes::mib(277),
        buffers: Bytes::mib(buffers),
        total: mib(277 + buffers, source),
        need: Bytes::mib(290 + buffers),
        fits: None,
    }
}

fn component(name: &str, scope: Scope) -> Component {
    Component { name: name.to_owned(), scope, bytes: mib(5, Source::Measured) }
}

fn fit() -> Fit {
    Fit {
        r_squared: 0.9991,
        measured: vec![1, 16],
        children: 2,
        bends: None,
        held_out: Some(HeldOut {
            concurrency: 16,
            predicted: mib(400, Source::Extrapolated),
            observed: Bytes::mib(405),
            error: -5.0 / 405.0,
            increment_error: -5.0 / 128.0,
        }),
    }
}

fn cpu_answers() -> CpuAnswers {
    CpuAnswers {
        cpus: Cpus::new(0.5).unwrap(),
        throughput: rates(14.0, 17.0, 19.0),
        response_alone: Seconds::new(0.031),
        best_concurrency: (1, 2),
        max_useful_concurrency: 5,
        response_at_useful: Seconds::new(0.29),
    }
}

/// Every finding.
pub fn findings() -> Vec<Finding> {
    let (limit_bytes, ram_bytes) = (Bytes::mib(417), Bytes::mib(512));
    let (need_bytes, disk_bytes) = (Bytes::new(2_000_000_000), Bytes::new(1_000_000_000));
    let bandwidth_bytes = disk_bytes;
    let (rate_rps, throughput_rps) = (Rate::per_second(5.0), Rate::per_second(17.0));
    let (concurrency, utilisation) = (10, 0.3);
    let rate_at_slo_rps = Rate::per_second(9.0);
    let response_seconds = Seconds::new(0.204);
    vec![
        Finding::NoRequestFits { limit_bytes, ram_bytes },
        Finding::TooManyConcurrent { concurrency, limit_bytes, ram_bytes },
        Finding::LittleMemoryLeft { concurrency, limit_bytes, ram_bytes },
        Finding::MemoryFits { concurrency: 1, limit_bytes, ram_bytes },
        Finding::MemoryBelowSaturation { safe_concurrency: 3, saturation_concurrency: 5 },
        Finding::NeedsConcurrencyLimit { concurrency_limit: 3, oom_risk_per_day: 0.2 },
        Finding::RateAboveThroughput { rate_rps, throughput_rps },
        Finding::LittleThroughputLeft { rate_rps, throughput_rps, utilisation },
        Finding::RateFits { rate_rps, throughput_rps, utilisation },
        Finding::SloMissed { rate_at_slo_rps: Rate::per_second(0.0) },
        Finding::SloMissed { rate_at_slo_rps },
        Finding::SloNearlyMissed { rate_at_slo_rps },
        Finding::SloMet { rate_at_slo_rps },
        Finding::ConcurrencyTooSlow { concurrency, response_seconds },
        Finding::SlowerThanThreshold { response_seconds, threshold_seconds: Seconds::new(0.1) },
        Finding::QuotaBelowOneCpu { cpus: Cpus::new(0.5).unwrap(), response_seconds },
        Finding::DiskTooSmall { need_bytes, disk_bytes },
        Finding::LittleDiskLeft { need_bytes, disk_bytes },
        Finding::TooLittleBandwidth { need_bytes, bandwidth_bytes },
        Finding::LittleBandwidthLeft { need_bytes, bandwidth_bytes },
        Finding::MeantForFewerUsers { users_below: 1000.0 },
        Finding::CostsUnknown,
    ]
}

/// Each warning once.
pub fn warnings() -> Vec<Warning> {
    vec![
        Warning::SyntheticWeights,
        Warning::Partial,
        Warning::Killed { concurrency: 24, signal: 9 },
        Warning::TopologyKilled {
            topology: Topology::Pool(Copies::FOUR),
            killed: Killed { concurrency: 16, signal: 9 },
        },
        Warning::NotALine(Bend { upward: true, share_of_increment: 0.12 }),
        Warning::NotFlat { concurrency: 16 },
        Warning::NotChecked,
        Warning::NotTried,
        Warning::Extrapolated { measured: 16 },
        Warning::Disturbed("other processes used 25 % of the CPUs".to_owned()),
        Warning::NoRoom { concurrency: 16 },
        Warning::AssumedShape(vec!["ids: sequence = 128".to_owned()]),
        Warning::AssumedValue(vec!["max_length = 1".to_owned()]),
        Warning::OneStep { model: "decoder".to_owned(), port: "past.0.key".to_owned() },
        Warning::ModelAlone,
        Warning::OtherCpu { measured_on: "Some CPU".to_owned() },
        Warning::LargestImage { sizes: vec![Megapixels::TWO] },
        Warning::MoreCpus { measured_on: 2, together: Some(1.9) },
        Warning::ThreadsAboveCpus { threads: 4 },
        Warning::Grows { per_request: Bytes::new(64 << 10), until_full: Some(1000) },
        Warning::CouldNotStand { concurrency: 16, what: "3 × reset".to_owned() },
        Warning::BurstFailed { concurrency: 8, what: "8 × reset".to_owned() },
        Warning::OneBurst { concurrency: 16 },
        Warning::NotTheService,
        Warning::HeapFollowsRam {
            runtime: ManagedRuntime::Java,
            measured_with: Bytes::mib(24_000),
            asked: Some(Bytes::mib(512)),
        },
        Warning::StillAccumulates { bytes: Bytes::mib(300), requests: 300, bodies_used_up: false },
        Warning::StillAccumulates { bytes: Bytes::mib(10), requests: 10, bodies_used_up: true },
        Warning::UnexplainedHistory(live::unexplained()),
        Warning::RepeatedBodies(live::repeated()),
        Warning::TmpfsGrew { path: "/dev/shm".to_owned(), bytes: Bytes::mib(60) },
        Warning::DeclaredCosts,
        Warning::ValidationFailed { error: -0.07 },
        Warning::WideMemory { half_width: 0.3 },
        Warning::WideCpu { half_width: 0.2 },
    ]
}
