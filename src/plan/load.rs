//! What comes in and what it takes: latency at a rate, the largest rate for an objective, and how
//! likely it is that more are in flight than RAM holds.

use super::{MixPlan, Plan, Question, RamPlan};
use crate::footprint::ServiceTimes;
use crate::model::queue::{
    Arrivals, Demand, Played, Seen, Served, Server, Work, percentile, poisson, seen, simulate,
};
use crate::model::{Capacity, CpuModel, MAX_CONCURRENCY};
use crate::plan::Curve;
use crate::units::{Bytes, Cpus, Objective, Rate, Seconds, Source, Span};

/// Rates of the table where none is asked about, as shares of what the CPUs can do.
const SHARES: [f64; 4] = [0.3, 0.6, 0.85, 0.95];

/// Requests that are simulated for one rate: chance moves its 95 % latency by 1 or 2 %.
const SIMULATED: usize = 40_000;

/// Steps of halving towards the largest rate: to a thousandth of what the CPUs can do.
const HALVINGS: u32 = 10;

const DAY: f64 = 86_400.0;

/// How long a client waits where nobody says: the usual patience of a proxy is 30 to 60 s (assumed).
const PATIENCE: Seconds = Seconds::new(30.0);

/// So often the number in flight is not above the one that is shown.
const OFTEN: f64 = 0.999;

/// The answers.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// Requests a second that the CPUs can do.
    pub capacity: Rate,
    /// Rates, ascending.
    pub rows: Vec<LoadRow>,
    /// The objective, and the largest rate at which it is kept, at the high end of CPU time; 0 where
    /// not even a lone request keeps it.
    pub objective: Option<(Objective, Rate)>,
    /// What to admit.
    pub admission: Admission,
    /// RAM with so many in flight, waiting ones included.
    pub held: Vec<HeldRow>,
}

/// One rate.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRow {
    /// Requests a second.
    pub rate: Rate,
    /// The share of the CPUs that they take.
    pub busy: f64,
    /// Whether it was asked about.
    pub asked: bool,
    /// `None` where the CPUs cannot keep up.
    pub flow: Option<Flow>,
}

impl LoadRow {
    /// Whether its latencies are known.
    pub fn is_simulated(&self) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.latency.is_some())
    }
}

/// What a rate that the CPUs can keep up with comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The mean time to the answer: the mean number in flight, by Little's law.
    pub mean: Seconds,
    /// At 50, 95 and 99 %, first come first served behind the admission limit, simulated; only where a
    /// rate or an objective is asked about.
    pub latency: Option<[Seconds; 3]>,
    /// The mean number in flight.
    pub in_flight: f64,
    /// Not exceeded 99.9 % of the time.
    pub often: u32,
    /// The chance that within a day more are in flight than RAM holds, with everything admitted;
    /// `None` without a box.
    pub exceeds: Option<f64>,
    /// The same behind the admission limit, where those that wait hold little.
    pub exceeds_limited: Option<f64>,
    /// The share that is refused behind the admission limit with its bounded queue, simulated; known
    /// where latencies are.
    pub refused: Option<f64>,
}

/// What to admit, and what it buys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission {
    /// Requests that run at once (a semaphore).
    pub limit: u32,
    /// Requests that may wait; the next one is refused.
    pub queue: u32,
    /// How long one may wait.
    pub timeout: Seconds,
    /// Where that comes from.
    pub timeout_source: Source,
    /// RAM at the limit with a full queue, and with those that wait for somebody else, high end.
    pub ram: Bytes,
    /// The same with as many in flight and everything admitted.
    pub ram_without: Bytes,
}

/// RAM with so many in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldRow {
    /// Requests that are there.
    pub in_flight: u32,
    /// All of them running, high end.
    pub without: Bytes,
    /// No more than the limit running, the others waiting, high end.
    pub with: Bytes,
}

/// What a load is made of.
pub(super) struct Parts<'a> {
    pub curve: &'a Curve,
    pub cpu: &'a CpuModel,
    pub ram: &'a RamPlan,
    pub mix: Option<&'a MixPlan>,
    pub times: Option<&'a ServiceTimes>,
    pub question: &'a Question,
}

/// The answers for the CPUs that are asked about; `None` without them.
pub(super) fn load(parts: &Parts<'_>) -> Option<LoadPlan> {
    let question = parts.question;
    let cpus = question.cpus.filter(|_| !question.is_gate)?;
    let typical = parts.demand(Span::typical);
    let capacity = parts.capacity(cpus, &typical);
    let holds = question.ram.map(|ram| parts.curve.max_concurrency(ram, !question.warmed));
    let admission = parts.admission(cpus, holds);
    let cores = cpus.get().ceil();
    let queue = Queue {
        parts,
        admitting: parts.cpu.server(cpus, cores, None),
        limited: parts.cpu.server(cpus, cores, Some(admission.limit)),
        typical,
        dear: parts.demand(Span::high),
    };
    let asked = question.rps.is_some() || question.objective.is_some();
    let mut rates: Vec<(Rate, bool)> =
        SHARES.iter().map(|s| (Rate::per_second(capacity.get() * s), false)).collect();
    if let Some(rate) = question.rps {
        // A rate that is asked about is one row, whatever share of the CPUs it is.
        rates.retain(|(other, _)| (other.get() / rate.get() - 1.0).abs() > 1e-6);
        rates.push((rate, true));
    }
    rates.sort_by(|a, b| a.0.get().total_cmp(&b.0.get()));
    let rows = rates
        .into_iter()
        .map(|(rate, is_asked)| LoadRow {
            rate,
            busy: rate.get() / capacity.get().max(f64::MIN_POSITIVE),
            asked: is_asked,
            flow: queue.flow(rate, asked, holds, &admission),
        })
        .collect();
    Some(LoadPlan {
        capacity,
        rows,
        objective: question.objective.map(|o| (o, queue.largest_rate(o))),
        admission,
        held: [5, 10, 20, 50, 100].map(|n| parts.held(n, admission.limit)).to_vec(),
    })
}

impl Parts<'_> {
    fn admission(&self, cpus: Cpus, holds: Option<Capacity>) -> Admission {
        let best = self.cpu.best_running(cpus).max(1);
        let limit = holds.map_or(best, |h| h.low.min(best)).max(1);
        // What is left of the objective when a request has been served.
        let alone = self.cpu.seconds_alone(cpus).get();
        let left = self.question.objective.map(|o| o.latency.get() - alone).filter(|s| *s > 0.0);
        let (timeout, timeout_source) = match left {
            Some(left) => (Seconds::new(left), Source::Declared),
            None => (PATIENCE, Source::Assumed),
        };
        let rate = self.cpu.throughput(cpus).low().get();
        // Who stands further back would have to wait for longer than that.
        let in_time = whole(rate * timeout.get());
        // Those that wait for somebody else are there too, and hold as much.
        let outside =
            if self.cpu.waits_in_place() { 0.0 } else { self.cpu.seconds_waiting().get() };
        let away = whole((rate * outside).ceil());
        let fits = self.waiting_that_fit(limit).unwrap_or(MAX_CONCURRENCY);
        let queue = in_time.min(fits.saturating_sub(away));
        let all = limit.saturating_add(queue).saturating_add(away.min(fits));
        Admission {
            limit,
            queue,
            timeout,
            timeout_source,
            ram: self.held(all, limit).with,
            ram_without: self.held(all, limit).without,
        }
    }

    /// Requests that may wait beside `limit` that run, for their RAM; `None` without a box.
    fn waiting_that_fit(&self, limit: u32) -> Option<u32> {
        let running = self.curve.limit(limit, !self.question.warmed).high();
        let left = self.question.ram?.saturating_sub(running).as_f64();
        let each = self.ram.held.high().as_f64();
        Some(if each > 0.0 { whole(left / each) } else { MAX_CONCURRENCY })
    }

    /// `RAM = base + running × inference + waiting × held`.
    fn held(&self, in_flight: u32, limit: u32) -> HeldRow {
        let need = |n| self.curve.limit(n, !self.question.warmed).high();
        let waiting = in_flight.saturating_sub(limit);
        HeldRow {
            in_flight,
            without: need(in_flight),
            with: need(in_flight.min(limit)) + self.ram.held.high() * u64::from(waiting),
        }
    }

    /// What requests ask for, at this end of what is known: times as they were measured of requests
    /// that came at random, else the time of each kind in waves.
    fn demand(&self, end: fn(&Span<Seconds>) -> Seconds) -> Demand {
        demand(self.cpu, self.mix, self.times, end)
    }

    /// Requests a second that keep the CPUs busy without a pause.
    fn capacity(&self, cpus: Cpus, demand: &Demand) -> Rate {
        let server = self.cpu.server(cpus, cpus.get().ceil(), None);
        let most = self.cpu.throughput(cpus).typical().get();
        Rate::per_second(capacity(&server, demand).get().min(most))
    }
}

/// What requests of a service ask for.
fn demand(
    cpu: &CpuModel,
    mix: Option<&MixPlan>,
    times: Option<&ServiceTimes>,
    end: fn(&Span<Seconds>) -> Seconds,
) -> Demand {
    let wait = cpu.seconds_waiting().get();
    let work = |cpu: f64| Work { cpu, wait };
    Demand::new(match (times, mix) {
        (Some(times), _) => {
            let dearer = end(&times.mean).get() / times.mean.typical().get().max(f64::MIN_POSITIVE);
            times.shares.iter().map(|share| (1.0, work(share.get() * dearer))).collect()
        }
        (None, Some(mix)) => {
            mix.kinds.iter().map(|k| (k.share.get(), work(end(&k.cpu).get()))).collect()
        }
        (None, None) => vec![(1.0, work(end(&cpu.seconds_per_request()).get()))],
    })
}

/// Requests a second that keep the CPUs of a server busy without a pause.
fn capacity(server: &Server, demand: &Demand) -> Rate {
    Rate::per_second(server.cpus / demand.mean().cpu.max(f64::MIN_POSITIVE))
}

impl Plan {
    /// What requests ask for, as far as it is known, and what serves them on a machine with so many
    /// cores, `limit` at once: what a load that is really driven is held against.
    pub fn queue(&self, cpus: Cpus, cores: f64, limit: u32) -> (Demand, Server) {
        let times = self.footprint.as_ref().and_then(|f| f.service_times.as_ref());
        let demand = demand(&self.cpu_model, self.mix.as_ref(), times, Span::typical);
        (demand, self.cpu_model.server(cpus, cores, Some(limit)))
    }
}

/// A service with everything admitted, and behind its admission limit.
struct Queue<'a> {
    parts: &'a Parts<'a>,
    admitting: Server,
    limited: Server,
    typical: Demand,
    dear: Demand,
}

impl Queue<'_> {
    fn flow(
        &self,
        rate: Rate,
        simulated: bool,
        holds: Option<Capacity>,
        admission: &Admission,
    ) -> Option<Flow> {
        let in_flight = self.parts.cpu.in_flight(rate, self.typical.mean().cpu, &self.admitting)?;
        let waiting = self.parts.waiting_that_fit(admission.limit);
        // The closed form is that of CPUs that are shared evenly; a quota is spent in periods.
        let (mean, often) = if self.admitting.has_quota() {
            let seen = self.seen(rate, &self.admitting);
            (seen.mean_in_flight(), seen.percentile(OFTEN))
        } else {
            (in_flight.mean(), in_flight.percentile(OFTEN))
        };
        Some(Flow {
            mean: Seconds::new(mean / rate.get().max(f64::MIN_POSITIVE)),
            latency: simulated.then(|| self.seen(rate, &self.limited).latency.map(Seconds::new)),
            in_flight: mean,
            often,
            exceeds: holds.map(|h| in_flight.chance_of_exceeding(h.low, DAY)),
            exceeds_limited: waiting
                .map(|w| in_flight.chance_of_exceeding(admission.limit.saturating_add(w), DAY)),
            refused: simulated.then(|| self.refused(rate, admission.queue)),
        })
    }

    fn seen(&self, rate: Rate, server: &Server) -> Seen {
        seen(&self.played(rate, server).served)
    }

    fn refused(&self, rate: Rate, queue: u32) -> f64 {
        let bounded = Server { queue: Some(queue), ..self.limited };
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let share = self.played(rate, &bounded).refused as f64 / SIMULATED as f64;
        share
    }

    fn played(&self, rate: Rate, server: &Server) -> Played {
        let mut random = fastrand::Rng::with_seed(1);
        let times = poisson(rate.get(), SIMULATED, &mut random);
        let work = self.typical.draw(SIMULATED, &mut random);
        simulate(&work, Arrivals::Open(&times), server)
    }

    /// The largest rate at which the objective is kept, by halving: latency rises with the rate.
    fn largest_rate(&self, objective: Objective) -> Rate {
        let capacity = capacity(&self.limited, &self.dear).get();
        let mut random = fastrand::Rng::with_seed(1);
        let work = self.dear.draw(SIMULATED, &mut random);
        let keeps = |rate: f64| {
            let times = poisson(rate, SIMULATED, &mut random.clone());
            let played = simulate(&work, Arrivals::Open(&times), &self.limited);
            let mut latencies: Vec<f64> = played.served.iter().map(Served::latency).collect();
            percentile(&mut latencies, objective.share.get()) <= objective.latency.get()
        };
        let (mut kept, mut broken) = (0.0, capacity);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(kept, broken);
            if keeps(middle) {
                kept = middle;
            } else {
                broken = middle;
            }
        }
        Rate::per_second(kept)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(number: f64) -> u32 {
    number.floor().clamp(0.0, f64::from(MAX_CONCURRENCY)) as u32
}
