//! One target against one question: the only place where a need meets what there is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::assessment::{Answer, Question, Resource, Slo, Target};
use super::finding::Finding;
use super::service::ServiceModel;
use crate::model::queue::sharing::InFlight;
use crate::model::queue::{Arrivals, Served, Server, Work, percentile, poisson, simulate};
use crate::model::{Capacity, MAX_CONCURRENCY};
use crate::units::{Bytes, Cpus, Rate, Seconds, Source, Span};

/// From this share of what there is on, a need is tight.
pub const TIGHT: f64 = 0.8;

/// The chance per day of running out of memory from which on a concurrency limit is needed.
pub const RISK: f64 = 0.01;

/// The share of the time in which the number of requests is not above what is planned for.
const MOMENTS: f64 = 0.999;

/// Steps of halving towards the highest rate at which a latency target is met: to a thousandth of the
/// throughput.
const HALVINGS: u32 = 10;

/// Seconds.
const DAY: f64 = 86_400.0;

/// What a target does for the service.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// In one word.
    pub answer: Answer,
    /// Each resource that was asked about, in the order in which one is said to decide.
    pub by_resource: Vec<(Resource, Answer)>,
    /// The one that decides.
    pub binding: Option<Resource>,
    /// Why.
    pub reasons: Vec<Finding>,
    /// What the RAM holds.
    pub holds: Option<Capacity>,
    /// Requests that keep the CPUs busy.
    pub saturation: Option<u32>,
    /// Requests to admit at a time.
    pub concurrency_limit: Option<u32>,
    /// Requests per second.
    pub throughput: Option<Span<Rate>>,
    /// A lone request.
    pub response: Option<Span<Seconds>>,
    /// The highest rate at which the latency target is met; only where it was asked for, see
    /// [`Evaluator::rate_at_slo`].
    pub meets_slo: Option<bool>,
    /// Requests that the memory limit is for.
    pub design: u32,
}

/// Latencies at 50, 95 and 99 %.
pub type Latencies = [Seconds; 3];

/// What identifies a simulation: rate, CPUs and limit.
type Key = (u64, u64, u32);

/// By rate and CPUs; `None` where the CPUs cannot keep up.
type InFlightByRate = HashMap<(u64, u64), Option<Rc<InFlight>>>;

/// Evaluates targets for one service and one question; simulations are done once.
pub struct Evaluator<'a> {
    /// The costs.
    pub service: &'a ServiceModel,
    /// What is asked.
    pub question: &'a Question,
    work: Vec<Work>,
    played: RefCell<HashMap<Key, Vec<f64>>>,
    in_flight: RefCell<InFlightByRate>,
    holds: RefCell<HashMap<Bytes, Capacity>>,
}

impl<'a> Evaluator<'a> {
    /// For this service and question.
    pub fn new(service: &'a ServiceModel, question: &'a Question) -> Self {
        let mut random = fastrand::Rng::with_seed(1);
        let work = service.demand.draw(service.simulated_requests, &mut random);
        let (played, in_flight) = (RefCell::default(), RefCell::default());
        Self { service, question, work, played, in_flight, holds: RefCell::default() }
    }

    /// The memory limit that `n` requests need.
    pub fn limit(&self, n: u32) -> Span<Bytes> {
        self.service.memory.limit(n, !self.question.warmed)
    }

    /// Concurrent requests that so much RAM holds.
    fn holds(&self, ram: Bytes) -> Capacity {
        let cold = !self.question.warmed;
        let mut known = self.holds.borrow_mut();
        *known.entry(ram).or_insert_with(|| self.service.memory.max_concurrency(ram, cold))
    }

    /// Requests per second that CPUs alone can answer.
    fn cpu_throughput(&self, cpus: Cpus) -> Span<Rate> {
        self.service.cpu.throughput(cpus)
    }

    /// Requests per second that RAM and CPUs together can answer: as many as the CPUs where the RAM holds
    /// what keeps them busy, else no more than so many requests one after the other (Little's law).
    fn throughput(&self, cpus: Cpus, holds: Option<Capacity>) -> Span<Rate> {
        let of_cpus = self.cpu_throughput(cpus);
        let Some(holds) = holds else { return of_cpus };
        let saturation = self.saturation(cpus);
        let response = self.service.cpu.response(cpus);
        let at = |holds: u32, of_cpus: Rate, response: Seconds| {
            if holds >= saturation {
                return of_cpus;
            }
            let most = f64::from(holds) / response.get().max(f64::MIN_POSITIVE);
            Rate::per_second(most.min(of_cpus.get()))
        };
        Span::around(
            at(holds.low, of_cpus.low(), response.high()),
            at(holds.typical, of_cpus.typical(), response.typical()),
            at(holds.high, of_cpus.high(), response.low()),
            of_cpus.source().max(Source::Fitted),
        )
    }

    /// Requests that keep the CPUs busy.
    pub fn saturation(&self, cpus: Cpus) -> u32 {
        self.service.cpu.best_concurrency(cpus).1.max(1)
    }

    /// Time of each of `n` requests that are always there, at the high end of cost: no less than that of one
    /// alone, and as long as the CPUs take to answer all of them (Little's law).
    pub fn response_at(&self, cpus: Cpus, n: u32) -> Seconds {
        let alone = self.service.cpu.response(cpus).high().get();
        let most = self.cpu_throughput(cpus).low().get().max(f64::MIN_POSITIVE);
        Seconds::new(alone.max(f64::from(n) / most))
    }

    /// What answers requests of the target, `limit` of them at a time: no faster than its throughput.
    fn server(&self, cpus: Cpus, limit: Option<u32>) -> Server {
        let mut server = self.service.cpu.server(cpus, cpus.get().ceil(), limit);
        // The limit is one of whole requests.
        server.waits_in_place = true;
        let effective = self.cpu_throughput(cpus).low().get() * self.mean_cpu();
        if effective < server.cpus {
            let has_quota = server.has_quota();
            server.cpus = effective.max(f64::MIN_POSITIVE);
            server.cores = if has_quota { server.cores } else { server.cpus };
        }
        server
    }

    fn mean_cpu(&self) -> f64 {
        self.service.demand.mean().cpu.max(1e-9)
    }

    /// The number of requests that are there at a rate if all are admitted; `None` where the CPUs
    /// cannot keep up.
    pub fn in_flight(&self, rate: Rate, cpus: Cpus) -> Option<Rc<InFlight>> {
        let key = (rate.get().to_bits(), cpus.get().to_bits());
        let mut known = self.in_flight.borrow_mut();
        let entry = known.entry(key).or_insert_with(|| {
            let server = self.server(cpus, None);
            self.service.cpu.in_flight(rate, self.mean_cpu(), &server).map(Rc::new)
        });
        entry.clone()
    }

    /// The chance per day that more than `safe` requests are there at a rate, if all are admitted.
    pub fn oom_risk(in_flight: &InFlight, safe: u32) -> f64 {
        in_flight.chance_of_exceeding(safe, DAY).clamp(0.0, 1.0)
    }

    /// Not exceeded 99.9 % of the time.
    pub fn often(in_flight: &InFlight) -> u32 {
        in_flight.percentile(MOMENTS)
    }

    /// Latencies at a rate behind a concurrency limit, sorted.
    fn latencies<T>(&self, rate: Rate, cpus: Cpus, limit: u32, f: impl Fn(&mut [f64]) -> T) -> T {
        let key = (rate.get().to_bits(), cpus.get().to_bits(), limit);
        let mut played = self.played.borrow_mut();
        let latencies = played.entry(key).or_insert_with(|| {
            // The same dice whatever the rate and the server: what differs is what is asked about.
            let mut random = fastrand::Rng::with_seed(2);
            let times = poisson(rate.get(), self.work.len(), &mut random);
            let server = self.server(cpus, Some(limit));
            let played = simulate(&self.work, Arrivals::Open(&times), &server);
            played.served.iter().map(Served::latency).collect()
        });
        f(latencies)
    }

    /// Latencies at a rate that the target can keep up with.
    pub fn latency(&self, rate: Rate, cpus: Cpus, limit: u32) -> Latencies {
        self.latencies(rate, cpus, limit, |of| {
            [0.5, 0.95, 0.99].map(|share| Seconds::new(percentile(of, share)))
        })
    }

    /// Whether the latency target is met at a rate. A request that is alone misses it at any rate.
    fn meets(&self, slo: Slo, rate: Rate, cpus: Cpus, limit: u32) -> bool {
        let at = self.latencies(rate, cpus, limit, |of| percentile(of, slo.percentile / 100.0));
        at <= slo.seconds.get()
    }

    /// Whether a lone request meets it.
    fn meets_alone(&self, slo: Slo, response: &Span<Seconds>) -> bool {
        let mut alone: Vec<f64> = self.work.iter().map(|w| w.cpu + w.wait).collect();
        let mean = self.mean_cpu() + self.service.cpu.seconds_waiting().get();
        // Requests differ; the response time is that of the mean request.
        let stretch = response.high().get() / mean.max(1e-9);
        percentile(&mut alone, slo.percentile / 100.0) * stretch.max(1.0) <= slo.seconds.get()
    }

    /// The highest rate at which the latency target is met, 0 where a lone request misses it. It
    /// agrees with [`Evaluation::meets_slo`]: the asked rate is one of those that are tried.
    pub fn rate_at_slo(&self, target: &Target, seen: &Evaluation) -> Option<Rate> {
        let (slo, cpus, limit) = (self.question.slo?, target.cpus?, seen.concurrency_limit?);
        let (throughput, response) = (seen.throughput?, seen.response?);
        if seen.holds.is_some_and(|h| h.low == 0) || !self.meets_alone(slo, &response) {
            return Some(Rate::per_second(0.0));
        }
        let (mut met, mut missed) = (0.0, throughput.low().get());
        match (self.question.rate, seen.meets_slo) {
            (Some(rate), Some(true)) => met = rate.get(),
            (Some(rate), Some(false)) => missed = missed.min(rate.get()),
            _ => {}
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(met, missed);
            if self.meets(slo, Rate::per_second(middle), cpus, limit) {
                met = middle;
            } else {
                missed = middle;
            }
        }
        Some(Rate::per_second(met))
    }

    /// What `target` does for the service.
    pub fn evaluate(&self, target: &Target) -> Evaluation {
        let holds = target.ram.map(|ram| self.holds(ram));
        let saturation = target.cpus.map(|cpus| self.saturation(cpus));
        let throughput = target.cpus.map(|cpus| self.throughput(cpus, holds));
        let in_flight = match (self.question.rate, target.cpus, throughput) {
            (Some(rate), Some(cpus), Some(most)) if rate < most.low() => self.in_flight(rate, cpus),
            _ => None,
        };
        let limit = saturation.map(|n| holds.map_or(n, |h| h.low.min(n)).max(1));
        let needed = in_flight.as_deref().map(Self::often);
        let design = self.question.concurrency.unwrap_or_else(|| {
            let most = limit.unwrap_or(1);
            needed.map_or(most, |n| n.min(most)).max(1)
        });
        let mut seen = Evaluation {
            answer: Answer::Unknown,
            by_resource: Vec::new(),
            binding: None,
            reasons: Vec::new(),
            holds,
            saturation,
            concurrency_limit: limit,
            throughput,
            response: target.cpus.map(|cpus| self.service.cpu.response(cpus)),
            meets_slo: None,
            design,
        };
        if self.service.is_unknown {
            seen.reasons.push(Finding::CostsUnknown);
            return seen;
        }
        self.memory(target, &mut seen);
        Self::risk(in_flight.as_deref(), &mut seen);
        self.cpu(target, &mut seen);
        self.latency_target(target, &mut seen);
        self.volumes(target, &mut seen);
        seen.answer = seen.by_resource.iter().map(|(_, a)| *a).max().unwrap_or(Answer::Unknown);
        seen.binding = Self::binding(&seen);
        seen
    }

    fn memory(&self, target: &Target, seen: &mut Evaluation) {
        let (Some(ram), Some(holds)) = (target.ram, seen.holds) else { return };
        let limit = self.limit(seen.design).high();
        let (concurrency, limit_bytes, ram_bytes) = (seen.design, limit, ram);
        let mut answer = Answer::Fits;
        let finding = if holds.low == 0 {
            answer = Answer::DoesNotFit;
            Finding::NoRequestFits { limit_bytes: self.limit(1).high(), ram_bytes }
        } else if concurrency > holds.low {
            answer = Answer::DoesNotFit;
            Finding::TooManyConcurrent { concurrency, limit_bytes, ram_bytes }
        } else if limit.as_f64() > ram.as_f64() * TIGHT {
            answer = Answer::Tight;
            Finding::LittleMemoryLeft { concurrency, limit_bytes, ram_bytes }
        } else {
            Finding::MemoryFits { concurrency, limit_bytes, ram_bytes }
        };
        seen.reasons.push(finding);
        let below = seen.saturation.filter(|n| *n > holds.low && holds.low > 0);
        if let Some(saturation_concurrency) = below {
            let safe_concurrency = holds.low;
            // Of a rate it is said by the throughput.
            if self.question.rate.is_none() && self.question.concurrency.is_none() {
                answer = answer.max(Answer::Tight);
            }
            seen.reasons
                .push(Finding::MemoryBelowSaturation { safe_concurrency, saturation_concurrency });
        }
        seen.by_resource.push((Resource::Memory, answer));
    }

    fn risk(in_flight: Option<&InFlight>, seen: &mut Evaluation) {
        let (Some(in_flight), Some(holds)) = (in_flight, seen.holds) else { return };
        let Some(limit) = seen.concurrency_limit else { return };
        let risk = Self::oom_risk(in_flight, holds.low);
        if risk > RISK && holds.low > 0 {
            seen.reasons.push(Finding::NeedsConcurrencyLimit {
                concurrency_limit: limit,
                oom_risk_per_day: risk,
            });
            raise(seen, Resource::Memory, Answer::Tight);
        }
    }

    fn cpu(&self, target: &Target, seen: &mut Evaluation) {
        let (Some(cpus), Some(throughput), Some(response)) =
            (target.cpus, seen.throughput, seen.response)
        else {
            return;
        };
        let mut answer = Answer::Fits;
        if let Some(rate) = self.question.rate {
            let throughput_rps = throughput.low();
            let utilisation = utilisation(rate, throughput_rps);
            let of_cpus = utilisation_answer(utilisation_of(rate, self.cpu_throughput(cpus).low()));
            let both = utilisation_answer(utilisation);
            answer = of_cpus;
            // What the CPUs alone could answer and both together cannot, is the RAM's to say.
            if both > of_cpus && seen.holds.is_some() {
                raise(seen, Resource::Memory, both);
            }
            seen.reasons.push(match both {
                Answer::DoesNotFit | Answer::Unknown => {
                    Finding::RateAboveThroughput { rate_rps: rate, throughput_rps }
                }
                Answer::Tight => {
                    Finding::LittleThroughputLeft { rate_rps: rate, throughput_rps, utilisation }
                }
                Answer::Fits => Finding::RateFits { rate_rps: rate, throughput_rps, utilisation },
            });
        }
        let slow = self.service.response_threshold.filter(|most| response.high() > *most);
        if let Some(threshold_seconds) = slow {
            answer = answer.max(Answer::Tight);
            seen.reasons.push(Finding::SlowerThanThreshold {
                response_seconds: response.high(),
                threshold_seconds,
            });
        }
        let alone = self.service.cpu.wall_seconds().typical();
        if cpus.get() < 1.0 && response.typical().get() > alone.get() * 1.05 {
            seen.reasons
                .push(Finding::QuotaBelowOneCpu { cpus, response_seconds: response.typical() });
        }
        seen.by_resource.push((Resource::Cpu, answer));
    }

    fn latency_target(&self, target: &Target, seen: &mut Evaluation) {
        let (Some(slo), Some(cpus), Some(limit)) =
            (self.question.slo, target.cpus, seen.concurrency_limit)
        else {
            return;
        };
        let (Some(throughput), Some(response)) = (seen.throughput, seen.response) else { return };
        let can = throughput.low();
        let none = Rate::per_second(0.0);
        let alone = seen.holds.is_none_or(|h| h.low > 0) && self.meets_alone(slo, &response);
        let (answer, finding) = match self.question.rate {
            _ if !alone => (Answer::DoesNotFit, Finding::SloMissed { rate_at_slo_rps: none }),
            Some(rate) => {
                let meets = rate < can && self.meets(slo, rate, cpus, limit);
                seen.meets_slo = Some(meets);
                let nearly = Rate::per_second(rate.get() / TIGHT);
                let easily = meets && nearly < can && self.meets(slo, nearly, cpus, limit);
                let most = self.rate_at_slo(target, seen).unwrap_or(none);
                match (meets, easily) {
                    (false, _) => {
                        (Answer::DoesNotFit, Finding::SloMissed { rate_at_slo_rps: most })
                    }
                    (true, true) => (Answer::Fits, Finding::SloMet { rate_at_slo_rps: most }),
                    (true, false) => {
                        (Answer::Tight, Finding::SloNearlyMissed { rate_at_slo_rps: most })
                    }
                }
            }
            None => {
                let most = self.rate_at_slo(target, seen).unwrap_or(none);
                let met = Finding::SloMet { rate_at_slo_rps: most };
                match self.question.concurrency {
                    Some(concurrency) => {
                        let response_seconds = self.response_at(cpus, concurrency);
                        if response_seconds > slo.seconds {
                            let slow =
                                Finding::ConcurrencyTooSlow { concurrency, response_seconds };
                            (Answer::DoesNotFit, slow)
                        } else {
                            (Answer::Fits, met)
                        }
                    }
                    None => (Answer::Fits, met),
                }
            }
        };
        seen.reasons.push(finding);
        seen.by_resource.push((Resource::Latency, answer));
    }

    fn volumes(&self, target: &Target, seen: &mut Evaluation) {
        if let (Some(disk_bytes), Some(need_bytes)) = (target.disk, self.service.disk) {
            let answer = utilisation_answer_of(need_bytes, disk_bytes);
            match answer {
                Answer::DoesNotFit => {
                    seen.reasons.push(Finding::DiskTooSmall { need_bytes, disk_bytes });
                }
                Answer::Tight => {
                    seen.reasons.push(Finding::LittleDiskLeft { need_bytes, disk_bytes });
                }
                Answer::Fits | Answer::Unknown => {}
            }
            seen.by_resource.push((Resource::Disk, answer));
        }
        if let (Some(bandwidth_bytes), Some(need_bytes)) =
            (target.bandwidth, self.service.bandwidth)
        {
            let answer = utilisation_answer_of(need_bytes, bandwidth_bytes);
            match answer {
                Answer::DoesNotFit => {
                    seen.reasons.push(Finding::TooLittleBandwidth { need_bytes, bandwidth_bytes });
                }
                Answer::Tight => {
                    seen.reasons.push(Finding::LittleBandwidthLeft { need_bytes, bandwidth_bytes });
                }
                Answer::Fits | Answer::Unknown => {}
            }
            seen.by_resource.push((Resource::Bandwidth, answer));
        }
    }

    /// The first resource with the worst answer; where all fit, the one that limits how many requests
    /// are answered.
    fn binding(seen: &Evaluation) -> Option<Resource> {
        if seen.answer == Answer::Fits {
            let limited = match (seen.holds, seen.saturation) {
                (Some(holds), Some(most)) => {
                    Some(if holds.low < most { Resource::Memory } else { Resource::Cpu })
                }
                _ => None,
            };
            return limited;
        }
        seen.by_resource.iter().find(|(_, answer)| *answer == seen.answer).map(|(r, _)| *r)
    }
}

/// Makes the answer for a resource no better than this.
fn raise(seen: &mut Evaluation, resource: Resource, answer: Answer) {
    if let Some((_, of)) = seen.by_resource.iter_mut().find(|(r, _)| *r == resource) {
        *of = (*of).max(answer);
    }
}

/// The share of the throughput.
pub fn utilisation(rate: Rate, throughput: Rate) -> f64 {
    utilisation_of(rate, throughput)
}

fn utilisation_of(rate: Rate, throughput: Rate) -> f64 {
    // A target that answers nothing is overloaded by any rate, and JSON knows no infinity.
    if throughput.get() > 0.0 { (rate.get() / throughput.get()).min(1e9) } else { 1e9 }
}

fn utilisation_answer(utilisation: f64) -> Answer {
    match utilisation {
        u if u >= 1.0 => Answer::DoesNotFit,
        u if u > TIGHT => Answer::Tight,
        _ => Answer::Fits,
    }
}

fn utilisation_answer_of(need: Bytes, has: Bytes) -> Answer {
    match need.as_f64() / has.as_f64().max(1.0) {
        u if u > 1.0 => Answer::DoesNotFit,
        u if u > TIGHT => Answer::Tight,
        _ => Answer::Fits,
    }
}

/// Requests that may wait: as many as are answered in `timeout`, and no more than fit in the RAM
/// beside those that are worked on.
pub fn queue_limit(
    evaluator: &Evaluator<'_>,
    target: &Target,
    seen: &Evaluation,
    timeout: Seconds,
) -> u32 {
    let in_time = seen.throughput.map_or(0.0, |t| t.low().get() * timeout.get());
    let each = evaluator.service.waiting.high().as_f64();
    let room = target.ram.zip(seen.concurrency_limit).map_or(f64::INFINITY, |(ram, limit)| {
        let left = ram.saturating_sub(evaluator.limit(limit).high()).as_f64();
        if each > 0.0 { left / each } else { f64::INFINITY }
    });
    whole(in_time.min(room))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(number: f64) -> u32 {
    number.floor().clamp(0.0, f64::from(MAX_CONCURRENCY)) as u32
}
