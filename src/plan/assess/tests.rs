//! Random services and questions: whatever an assessment says in one place must agree with what it says in
//! every other, and with what it says when it is asked again.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::model::queue::{Demand, Work};
use crate::model::{CpuModel, DeclaredRam, Late, Mixture, RamModel, Sample, line_of_peaks};

use crate::plan::Charge;
use crate::units::{Bytes, Convention, Span};

/// Cases in CI; `PROPTEST_CASES` sets another number.
const CASES: u32 = 2_000;

fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let usual = 256;
    let cases = if given.cases == usual { CASES } else { given.cases };
    // The same cases each time, or a change would be blamed for what others did; `PROPTEST_RNG_SEED` sets
    // others.
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let (failure_persistence, max_shrink_iters) = (None, 200);
    ProptestConfig { cases, rng_seed, failure_persistence, max_shrink_iters, ..given }
}

fn mib(mib: f64) -> Bytes {
    Bytes::from_f64(mib * 1_048_576.0)
}

/// A value from `low` to `high`, as likely in each decade.
fn decades(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

fn declared() -> impl Strategy<Value = Curve> {
    let spread = || 1.0..2.0_f64;
    (decades(1.0, 8_000.0), spread(), decades(0.05, 2_000.0), spread(), 0..3_usize).prop_map(
        |(base, wide, buffer, wider, kinds)| {
            let span = |x: f64, by: f64| {
                Span::around(mib(x), mib(x * f64::midpoint(1.0, by)), mib(x * by), Source::Declared)
            };
            let shares = [0.6, 0.3, 0.1];
            let kinds = (0..kinds).map(|k| (shares[k], mib(buffer * (1.0 + shares[k]))));
            Curve::Declared(DeclaredRam::new(
                span(base, wide),
                span(buffer, wider),
                kinds.collect(),
            ))
        },
    )
}

/// A fit with noise, and all that a measured service may have besides.
fn fitted() -> impl Strategy<Value = (Curve, Option<Charge>)> {
    let line = (decades(5.0, 8_000.0), decades(0.05, 1_000.0), 0.0..0.1_f64, any::<u64>());
    let extra = (0..4_u32, 0.0..1.0_f64, prop::option::of(1..20_u32), 0.0..0.5_f64, any::<bool>());
    (line, extra).prop_map(|((base, buffer, noise, seed), (workers, cold, most, share, late))| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut model = |files: f64| {
            let samples: Vec<Sample> = (0..3_u32)
                .flat_map(|process| [1.0, 2.0, 4.0, 8.0].map(|n| (process, n)))
                .map(|(process, x)| {
                    let y = base + files + buffer * x;
                    let y = y * (1.0 + noise * (random.f64() - 0.5));
                    Sample { x, y: mib(y).as_f64(), process }
                })
                .collect();
            let line = line_of_peaks(&samples).expect("twelve points");
            let burst = mib(base + files + 8.0 * buffer * (1.0 + cold));
            let model = RamModel::new(line, &[(8, burst)], mib(base * 1.1), mib(3.0));
            let model = model.of_processes(workers + 1);
            let model = match most {
                Some(most) => model.at_most(most.max(workers + 1), mib(0.2)),
                None => model,
            };
            let spread =
                Span::around(mib(buffer), mib(buffer * 2.0), mib(buffer * 3.0), Source::Fitted);
            let late =
                late.then(|| Late { resident: mib(base / 3.0), load_extra: mib(base / 5.0) });
            if share > 0.1 {
                model.mixed(Mixture::new(1.0 - share, &[(share, spread)], late))
            } else {
                model
            }
        };
        let resident = model(20.0);
        let charge = Charge { anonymous: model(0.0), needed: model(10.0) };
        (Curve::Fitted(Box::new(resident)), Some(charge))
    })
}

fn cpu() -> impl Strategy<Value = CpuModel> {
    let times = (decades(1e-4, 20.0), 1.0..1.6_f64, 0.8..4.0_f64);
    let more = (0.0..3.0_f64, any::<bool>(), 1..64_u32, 0.4..1.0_f64, prop::option::of(1..9_u32));
    (times, more).prop_map(|((seconds, wide, wall), (wait, in_place, cores, efficiency, turns))| {
        let middle = f64::midpoint(1.0, wide);
        let span = |x: f64| {
            let at = |by: f64| Seconds::new(x * by);
            Span::around(at(1.0), at(middle), at(wide), Source::Measured)
        };
        let model = CpuModel::new(span(seconds), span(seconds * wall.min(1.0) + wait * seconds));
        let model = model.scaling(cores, efficiency);
        let waits = Seconds::new(wait * seconds * middle);
        let model = match (wait > 0.1, in_place) {
            (false, _) => model,
            (true, true) => model.waiting_in_place(waits),
            (true, false) => model.waiting_outside(waits),
        };
        match turns {
            Some(turns) => model.with_turns(turns, Seconds::new(seconds * 0.7)),
            None => model,
        }
    })
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let offer =
        (6..15_u32, 0..5_u32, prop::option::of(2.0..400.0_f64), prop::option::of(30.0..1e6_f64));
    prop::collection::vec(offer, 0..5).prop_map(|offers| {
        let name = |(index, (ram, cpus, price, users)): (usize, (u32, u32, _, _))| Offer {
            name: format!("server {index}"),
            ram: Bytes::mib(1 << ram),
            cpus: Cpus::new(f64::from(1 << cpus) / 2.0),
            disk: Some(Bytes::mib(20_000)),
            bandwidth: Some(Bytes::mib(500_000)),
            price_per_month: price,
            users_below: users,
        };
        offers.into_iter().enumerate().map(name).collect()
    })
}

fn services() -> impl Strategy<Value = ServiceModel> {
    let memory = prop_oneof![declared().prop_map(|curve| (curve, None)), fitted()];
    let volumes = (prop::option::of(1.0..40_000.0_f64), prop::option::of(1.0..900_000.0_f64));
    (memory, cpu(), offers(), volumes, 0.01..8.0_f64, any::<(bool, bool)>()).prop_map(
        |((memory, charge), cpu, servers, (disk, bandwidth), waiting, (checked, catalog))| {
            let is_measured = charge.is_some();
            let work = |by: f64| Work {
                cpu: cpu.seconds_per_request().high().get() * by,
                wait: cpu.seconds_waiting().get(),
            };
            ServiceModel {
                name: "random".to_owned(),
                title: "A random service".to_owned(),
                provenance: Provenance {
                    source: if is_measured { Source::Measured } else { Source::Declared },
                    measured_on: is_measured.then(|| "a CPU".to_owned()),
                    topology: "shared".to_owned(),
                },
                eager: None,
                per_session: memory.base(),
                per_worker: memory.base(),
                load_peak: memory.base(),
                held_out: (checked && is_measured).then(|| HeldOut {
                    concurrency: 8,
                    predicted: memory.total(8),
                    observed: memory.total(8).typical(),
                    error: 0.0,
                    increment_error: 0.0,
                }),
                memory,
                charge,
                components: Vec::new(),
                waiting: Span::exact(mib(waiting), Source::Assumed),
                demand: Demand::new(vec![(0.5, work(0.8)), (0.5, work(1.2))]),
                cpu,
                topologies: Vec::new(),
                request_kinds: Vec::new(),
                response_threshold: None,
                disk: disk.map(mib),
                bandwidth: bandwidth.map(mib),
                is_catalog: catalog,
                servers,
                is_unknown: false,
                warnings: Vec::new(),
                measured_concurrency: is_measured.then_some(8),
                measured_cpus: is_measured.then_some((2, None)),
                convention: Convention::Binary,
                simulated_requests: 300,
            }
        },
    )
}

fn questions() -> impl Strategy<Value = Question> {
    let target = (
        prop::option::weighted(0.8, decades(16.0, 64_000.0)),
        prop::option::weighted(0.8, decades(0.1, 64.0)),
        prop::option::of(1.0..50_000.0_f64),
        prop::option::of(1.0..900_000.0_f64),
    );
    let load = (
        prop::option::weighted(0.3, 1..200_u32),
        prop::option::weighted(0.5, decades(0.01, 2_000.0)),
        prop::option::weighted(
            0.4,
            (prop::sample::select(vec![50.0, 95.0, 99.0]), decades(1e-3, 60.0)),
        ),
        prop::option::weighted(0.2, 30.0..1e6_f64),
        any::<bool>(),
    );
    (target, load).prop_map(
        |((ram, cpus, disk, bandwidth), (concurrency, rate, slo, users, warmed))| {
            let target = Target {
                name: None,
                ram: ram.map(mib),
                cpus: cpus.and_then(Cpus::new),
                disk: disk.map(mib),
                bandwidth: bandwidth.map(mib),
            };
            Question {
                target: Some(target).filter(|t| *t != Target::default()),
                concurrency,
                rate: rate.map(Rate::per_second),
                slo: slo.map(|(percentile, seconds)| Slo {
                    percentile,
                    seconds: Seconds::new(seconds),
                }),
                users_per_month: users,
                warmed,
            }
        },
    )
}

/// Whether two numbers are the same but for their last digits.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-12
}

fn memory_agrees(a: &Assessment) {
    let memory = &a.memory;
    assert!(memory.design_concurrency >= 1);
    assert!(memory.limit.high() >= memory.load_peak.typical().min(memory.limit.high()));
    if let Some(threshold) = memory.oom_threshold {
        assert!(threshold.low() <= memory.limit.low(), "{memory:?}");
        assert!(threshold.typical() <= memory.limit.typical(), "{memory:?}");
        assert!(threshold.high() <= memory.limit.high(), "{memory:?}");
    }
    let rows: Vec<&ConcurrencyRow> =
        a.concurrency_rows.iter().filter(|r| r.state == "loaded").collect();
    for pair in rows.windows(2) {
        let (fewer, more) = (pair[0], pair[1]);
        assert!(fewer.concurrency < more.concurrency);
        assert!(fewer.memory.typical() <= more.memory.typical(), "{pair:?}");
        assert!(fewer.memory.high() <= more.memory.high(), "{pair:?}");
        assert!(fewer.limit <= more.limit, "{pair:?}");
        assert!(fewer.fits >= more.fits, "{pair:?}");
        assert!(fewer.throughput.map(Rate::get) <= more.throughput.map(|t| t.get() + 1e-9));
        if fewer.concurrency > 0 {
            assert!(fewer.response <= more.response, "{pair:?}");
        }
    }
    let design = rows.iter().find(|r| r.concurrency == memory.design_concurrency);
    assert_eq!(design.map(|r| r.limit), Some(memory.limit.high()));
    if let Some(safe) = a.capacity.safe_concurrency {
        assert!(safe <= a.capacity.typical_concurrency.unwrap());
        for row in &rows {
            if row.concurrency > 0 {
                assert_eq!(row.fits, Some(row.concurrency <= safe), "{row:?} {safe}");
            }
        }
    }
}

fn capacity_agrees(a: &Assessment) {
    let (capacity, question) = (&a.capacity, &a.question);
    let Some(throughput) = capacity.throughput else {
        assert!(a.rate_rows.is_empty() && a.admission.is_none());
        return;
    };
    let admission = a.admission.unwrap();
    let saturation = capacity.saturation_concurrency.unwrap();
    assert!(admission.concurrency_limit <= saturation);
    if let Some(safe) = capacity.safe_concurrency.filter(|n| *n > 0) {
        assert!(admission.concurrency_limit <= safe);
        let ram = question.target.as_ref().unwrap().ram.unwrap();
        assert!(admission.limit <= ram, "{admission:?}");
    }
    if question.concurrency.is_none() {
        assert!(a.memory.design_concurrency <= admission.concurrency_limit);
    }
    for row in &a.rate_rows {
        assert!(same(row.utilisation, (row.rate.get() / throughput.low().get()).min(1e9)));
        assert_eq!(row.mean_concurrency.is_some(), row.p999_concurrency.is_some());
        if row.utilisation >= 1.0 {
            assert!(row.p95.is_none() && row.mean_concurrency.is_none());
        }
        assert!(row.p50 <= row.p95 && row.p95 <= row.p99, "{row:?}");
        if let Some(risk) = row.oom_risk_per_day {
            assert!((0.0..=1.0).contains(&risk));
        }
    }
    for pair in a.rate_rows.windows(2) {
        assert!(pair[0].utilisation <= pair[1].utilisation);
        assert!(
            pair[0].mean_concurrency.unwrap_or(0.0) <= pair[1].mean_concurrency.unwrap_or(f64::MAX)
        );
        assert!(
            pair[0].oom_risk_per_day.map(|r| r - 1e-12) <= pair[1].oom_risk_per_day,
            "{pair:?}"
        );
    }
    if let (Some(most), Some(asked)) = (capacity.rate_at_slo, question.rate) {
        assert!(most.get() <= throughput.low().get().max(asked.get()));
        let latency =
            a.verdict.by_resource.iter().find(|r| r.resource == Resource::Latency).unwrap();
        let fits = latency.answer < Answer::DoesNotFit;
        assert_eq!(fits, asked <= most && most.get() > 0.0, "{latency:?} {most:?} {asked:?}");
        if fits && let Some(slo) = question.slo.filter(|slo| slo.percentile == 95.0) {
            let row = a.rate_rows.iter().find(|row| row.asked).unwrap();
            assert!(row.p95.unwrap() <= slo.seconds, "{row:?} {slo:?}");
        }
    }
}

fn verdict_agrees(a: &Assessment, is_catalog: bool) {
    let verdict = &a.verdict;
    let target = a.question.target.clone().unwrap_or_default();
    let worst =
        verdict.by_resource.iter().map(|r| r.answer).filter(|x| *x != Answer::Unknown).max();
    assert_eq!(verdict.answer, worst.unwrap_or(Answer::Unknown));
    if a.paste.is_none() {
        assert_eq!(verdict.answer, Answer::DoesNotFit);
    }
    let asked = a.rate_rows.iter().find(|row| row.asked);
    if let Some(row) = asked {
        assert_eq!(Some(row.rate), a.question.rate);
        if row.utilisation >= 1.0 {
            assert_eq!(verdict.answer, Answer::DoesNotFit);
        }
        if verdict.answer == Answer::Fits {
            assert!(row.utilisation <= 0.8);
            // A risk of more than 1 % per day and an answer without a condition never meet.
            assert!(row.oom_risk_per_day.unwrap_or(0.0) <= 0.01, "{row:?}");
        }
    }
    if let (Some(safe), Some(_)) = (a.capacity.safe_concurrency, target.ram) {
        let asked = a.question.concurrency.unwrap_or(1);
        if asked.max(1) > safe {
            assert_eq!(verdict.answer, Answer::DoesNotFit);
        }
    }
    match verdict.answer {
        Answer::DoesNotFit | Answer::Tight => assert!(verdict.binding.is_some()),
        Answer::Fits | Answer::Unknown => {}
    }
    if let Some(binding) = verdict.binding.filter(|_| verdict.answer > Answer::Fits) {
        let row = verdict.by_resource.iter().find(|r| r.resource == binding).unwrap();
        assert_eq!(row.answer, verdict.answer);
    }
    for row in &verdict.by_resource {
        if !is_catalog {
            assert!(row.minimum.unwrap_or(0.0) <= row.recommended.unwrap_or(f64::MAX), "{row:?}");
        }
        if row.recommended.is_some() {
            assert!(row.minimum.is_some(), "{row:?}");
        }
    }
    if verdict.confidence == Confidence::High {
        assert!(a.memory.held_out.is_some() && verdict.confidence_reasons.is_empty());
    }
    if let Some(asked) = a.servers.iter().find(|s| s.asked) {
        assert_eq!(Some(asked.safe_concurrency), a.capacity.safe_concurrency);
        if asked.cpus == target.cpus {
            assert_eq!(asked.throughput, a.capacity.throughput);
        }
    }
}

/// Servers that cost more of everything do no less.
fn servers_agree(a: &Assessment) {
    for server in &a.servers {
        assert_eq!(server.fits, server.answer < Answer::DoesNotFit);
        if server.safe_concurrency == 0 {
            assert!(!server.fits, "{server:?}");
        }
        for larger in a.servers.iter().filter(|s| s.ram >= server.ram && s.cpus >= server.cpus) {
            assert!(server.safe_concurrency <= larger.safe_concurrency);
            let low = |s: &Server| s.throughput.map(|t| t.low().get());
            assert!(low(server).map(|t| t * (1.0 - 1e-9)) <= low(larger), "{server:?} {larger:?}");
        }
    }
    match &a.verdict.recommended_server {
        Some(name) => assert!(a.servers.iter().any(|s| s.name == *name && s.fits)),
        None => assert!(a.servers.iter().all(|s| !s.fits)),
    }
}

fn again(
    service: &ServiceModel,
    question: &Question,
    change: impl FnOnce(&mut Question),
) -> Assessment {
    let mut question = question.clone();
    change(&mut question);
    assess(service, &question)
}

/// What is recommended is assessed itself.
fn recommendations_hold(service: &ServiceModel, a: &Assessment) {
    let of = |resource| a.verdict.by_resource.iter().find(move |r| r.resource == resource);
    let (memory, cpu) = (of(Resource::Memory), of(Resource::Cpu));
    let target = a.question.target.clone().unwrap_or_default();
    for is_recommended in [false, true] {
        let of = |row: &ByResource| if is_recommended { row.recommended } else { row.minimum };
        let room = if is_recommended { Answer::Fits } else { Answer::Tight };
        let is_catalog = service.is_catalog && a.servers.iter().any(|s| s.answer <= room);
        let Some(ram) = memory.and_then(of) else { continue };
        let least = cpu.and_then(of).and_then(Cpus::new);
        let cpus = match (target.cpus, least) {
            (Some(has), Some(least)) if has >= least && !is_catalog => Some(has),
            (_, least) => least,
        };
        let better = again(service, &a.question, |question| {
            question.target = Some(Target {
                ram: Some(Bytes::from_f64(ram)),
                cpus,
                disk: None,
                bandwidth: None,
                name: None,
            });
            question.users_per_month = None;
        });
        let answer = better.verdict.answer;
        if is_recommended {
            assert_eq!(answer, Answer::Fits, "{:#?}", better.verdict);
        } else {
            assert!(answer < Answer::DoesNotFit, "{:#?}", better.verdict);
        }
    }
    if let Some(name) = &a.verdict.recommended_server {
        let server = a.servers.iter().find(|s| s.name == *name).unwrap();
        let offer = service.servers.iter().find(|o| o.name == *name);
        let better = again(service, &a.question, |question| {
            question.target = Some(Target {
                name: None,
                ram: Some(server.ram),
                cpus: server.cpus,
                disk: offer.map_or(target.disk, |o| o.disk),
                bandwidth: offer.map_or(target.bandwidth, |o| o.bandwidth),
            });
        });
        assert_eq!(better.verdict.answer, server.answer, "{:#?}", better.verdict);
        assert_eq!(better.capacity.throughput, server.throughput);
        assert_eq!(better.capacity.rate_at_slo, server.rate_at_slo);
    }
}

/// A question that asks for less, or a target that has more, never has a worse answer.
fn answers_are_monotone(service: &ServiceModel, a: &Assessment) {
    let computing = |a: &Assessment| {
        let of = a.verdict.by_resource.iter().filter(|r| r.answer != Answer::Unknown);
        of.filter(|r| r.resource < Resource::Disk).map(|r| r.answer).max()
    };
    let target = a.question.target.clone().unwrap_or_default();
    if let Some(ram) = target.ram {
        let more = again(service, &a.question, |q| {
            q.target.as_mut().unwrap().ram = Some(ram * 2);
        });
        assert!(more.capacity.safe_concurrency >= a.capacity.safe_concurrency);
        if a.question.slo.is_none() {
            assert!(computing(&more) <= computing(a), "{:#?} {:#?}", a.verdict, more.verdict);
        }
        let low = |a: &Assessment| a.capacity.throughput.map(|t| t.low());
        assert!(low(&more) >= low(a));
    }
    if let Some(cpus) = target.cpus.and_then(|cpus| Cpus::new(cpus.get() * 2.0)) {
        let more = again(service, &a.question, |q| q.target.as_mut().unwrap().cpus = Some(cpus));
        let low = |a: &Assessment| a.capacity.throughput.map(|t| t.low().get());
        assert!(
            low(&more) >= low(a).map(|t| t * (1.0 - 1e-9)),
            "{:?} {:?}",
            a.capacity,
            more.capacity
        );
        assert!(more.capacity.response.unwrap().high() <= a.capacity.response.unwrap().high());
    }
    if let Some(rate) = a.question.rate {
        let less =
            again(service, &a.question, |q| q.rate = Some(Rate::per_second(rate.get() / 2.0)));
        if a.question.slo.is_none() {
            assert!(computing(&less) <= computing(a), "{:#?} {:#?}", a.verdict, less.verdict);
        }
    }
    if let Some(slo) = a.question.slo {
        let looser = again(service, &a.question, |q| {
            q.slo = Some(Slo { seconds: Seconds::new(slo.seconds.get() * 2.0), ..slo });
        });
        let is_fit = |a: &Assessment| a.verdict.answer < Answer::DoesNotFit;
        assert!(!is_fit(a) || is_fit(&looser), "{:#?} {:#?}", a.verdict, looser.verdict);
        assert!(
            looser.capacity.rate_at_slo
                >= a.capacity.rate_at_slo.map(|r| Rate::per_second(r.get() * 0.99))
        );
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_assessment_agrees_with_itself(service in services(), question in questions()) {
        let a = assess(&service, &question);
        memory_agrees(&a);
        capacity_agrees(&a);
        verdict_agrees(&a, service.is_catalog);
        servers_agree(&a);
    }

    #[test]
    fn what_is_recommended_answers_the_question(service in services(), question in questions()) {
        let a = assess(&service, &question);
        recommendations_hold(&service, &a);
    }

    #[test]
    fn more_does_no_less(service in services(), question in questions()) {
        answers_are_monotone(&service, &assess(&service, &question));
    }
}
