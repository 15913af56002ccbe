//! The answer to a question about a service: [`assess`] is the only place where one is computed.
//!
//! It is pure: costs and a question in, an [`Assessment`] out, which serialises itself. Whatever
//! shows an answer shows fields of it. Decisions use the high end of a cost and the low end of a
//! capacity, and one function, [`Evaluator::evaluate`], decides for the target that is asked about, for
//! every server of a list, and for the sizes that are tried in search of a minimum.

mod assessment;
mod confidence;
mod evaluate;
mod finding;
mod from_plan;
mod minimum;
mod paste;
mod service;
#[cfg(test)]
mod tests;

pub use assessment::{
    Admission, Answer, Assessment, ByResource, Capacity, Component, ConcurrencyRow, Confidence,
    HeldOut, Memory, Note, Paste, Provenance, Question, RateRow, RequestKind, Resource, Schema,
    Server, ServiceName, Slo, Target, Text, TopologyRow, Verdict,
};
pub use evaluate::{Evaluation, Evaluator};
pub use finding::Finding;
pub use from_plan::assess_plan;
pub use service::{Offer, ServiceModel};

use std::collections::BTreeSet;

use self::evaluate::{queue_limit, utilisation};
use crate::model::MAX_CONCURRENCY;
use crate::model::queue::sharing::InFlight;
use crate::plan::{Curve, Warning};
use crate::units::{Cpus, Rate, Seconds, Source};

/// Rates of the table as shares of the throughput.
const SHARES: [f64; 4] = [0.3, 0.6, 0.85, 0.95];

/// How long a client waits where nobody says: proxies give up after 30 to 60 s (assumed).
const PATIENCE: Seconds = Seconds::new(30.0);

/// Answers `question` for `service`.
pub fn assess(service: &ServiceModel, question: &Question) -> Assessment {
    let evaluator = Evaluator::new(service, question);
    let target = question.target.clone().unwrap_or_default();
    let seen = evaluator.evaluate(&target);
    let assessor = Assessor { evaluator, target, seen };
    let servers = assessor.servers();
    let (doubts, warnings) = assessor.warnings();
    let verdict = assessor.verdict(&servers, doubts);
    Assessment {
        schema: Schema::V2,
        service: ServiceName { name: service.name.clone(), title: service.title.clone() },
        footprint: service.provenance.clone(),
        memory: assessor.memory(),
        capacity: assessor.capacity(),
        concurrency_rows: assessor.concurrency_rows(),
        rate_rows: assessor.rate_rows(),
        admission: assessor.admission(),
        paste: assessor.paste(),
        servers,
        topologies: service.topologies.clone(),
        request_kinds: service.request_kinds.clone(),
        verdict,
        warnings: warnings.into_iter().map(Note::from).collect(),
        question: question.clone(),
    }
}

struct Assessor<'a> {
    evaluator: Evaluator<'a>,
    target: Target,
    seen: Evaluation,
}

impl Assessor<'_> {
    fn service(&self) -> &ServiceModel {
        self.evaluator.service
    }

    fn question(&self) -> &Question {
        self.evaluator.question
    }

    fn memory(&self) -> Memory {
        let (service, n) = (self.service(), self.seen.design);
        let cold = !self.question().warmed;
        Memory {
            base: service.memory.base(),
            buffer: service.memory.mean_buffer(),
            per_session: service.per_session,
            per_worker: service.per_worker,
            waiting: service.waiting,
            load_peak: service.load_peak,
            cold_burst: if cold { service.memory.cold(n) } else { None },
            design_concurrency: n,
            limit: self.evaluator.limit(n),
            oom_threshold: service
                .charge
                .as_ref()
                .map(|charge| charge.oom_threshold(&service.memory, n, cold)),
            held_out: service.held_out,
            components: service.components.clone(),
        }
    }

    fn capacity(&self) -> Capacity {
        let seen = &self.seen;
        Capacity {
            safe_concurrency: seen.holds.map(|h| h.low),
            typical_concurrency: seen.holds.map(|h| h.typical),
            saturation_concurrency: seen.saturation,
            throughput: seen.throughput,
            rate_at_slo: self.evaluator.rate_at_slo(&self.target, seen),
            response: seen.response,
            cpu_seconds_per_request: self.service().cpu.seconds_per_request(),
        }
    }

    /// The rows that matter: none, one, what keeps the CPUs busy, what the RAM holds, the next power of
    /// two, and what was asked for; where neither RAM nor CPUs are known, 4 and 16.
    fn concurrencies(&self) -> BTreeSet<u32> {
        let seen = &self.seen;
        if self.service().is_unknown {
            return BTreeSet::new();
        }
        let holds = seen.holds.map(|h| h.low);
        let known = [seen.saturation, holds, self.question().concurrency, Some(seen.design)];
        let mut rows: BTreeSet<u32> = known.into_iter().flatten().chain([0, 1]).collect();
        let most = rows.last().copied().unwrap_or(1);
        match (holds, seen.saturation) {
            (None, None) => rows.extend([4, 16]),
            _ => {
                let next = most.saturating_add(1).checked_next_power_of_two().unwrap_or(most);
                rows.insert(next.min(MAX_CONCURRENCY).max(most));
            }
        }
        rows
    }

    fn concurrency_rows(&self) -> Vec<ConcurrencyRow> {
        let rows = self.concurrencies();
        let eager =
            self.service().eager.iter().map(|curve| self.concurrency_row("eager", curve, 0));
        let loaded =
            rows.iter().map(|n| self.concurrency_row("loaded", &self.service().memory, *n));
        eager.chain(loaded).collect()
    }

    fn concurrency_row(&self, state: &'static str, curve: &Curve, n: u32) -> ConcurrencyRow {
        let limit = curve.limit(n, !self.question().warmed).high();
        let memory = curve.total(n);
        let response = self.target.cpus.map(|cpus| self.evaluator.response_at(cpus, n));
        let throughput = self.seen.throughput.zip(response).map(|(most, response)| {
            let rate = f64::from(n) / response.get().max(f64::MIN_POSITIVE);
            Rate::per_second(rate.min(most.low().get()))
        });
        ConcurrencyRow {
            state,
            concurrency: n,
            memory,
            limit,
            fits: self.target.ram.map(|ram| limit <= ram),
            throughput,
            response: response.filter(|_| n > 0),
            source: memory.source(),
        }
    }

    fn rate_rows(&self) -> Vec<RateRow> {
        let (Some(cpus), Some(throughput)) = (self.target.cpus, self.seen.throughput) else {
            return Vec::new();
        };
        let most = throughput.low().get();
        let asked = self.question().rate;
        let mut rates: Vec<(Rate, bool)> =
            SHARES.iter().map(|s| (Rate::per_second(most * s), false)).collect();
        if let Some(rate) = asked {
            rates.retain(|(other, _)| (other.get() / rate.get() - 1.0).abs() > 1e-6);
            rates.push((rate, true));
        }
        rates.retain(|(rate, asked)| *asked || rate.get() > 0.0);
        rates.sort_by(|a, b| a.0.get().total_cmp(&b.0.get()));
        rates.into_iter().map(|(rate, asked)| self.rate_row(rate, asked, cpus)).collect()
    }

    fn rate_row(&self, rate: Rate, asked: bool, cpus: Cpus) -> RateRow {
        let most = self.seen.throughput.map_or(Rate::per_second(0.0), |t| t.low());
        let keeps_up = rate < most;
        let is_simulated = self.question().rate.is_some() || self.question().slo.is_some();
        let limit = self.seen.concurrency_limit.filter(|_| keeps_up && is_simulated);
        let latency = limit.map(|limit| self.evaluator.latency(rate, cpus, limit));
        let in_flight = if keeps_up { self.evaluator.in_flight(rate, cpus) } else { None };
        let risk = |holds: crate::model::Capacity| match &in_flight {
            Some(in_flight) => Evaluator::oom_risk(in_flight, holds.low),
            None => 1.0,
        };
        RateRow {
            rate,
            asked,
            utilisation: utilisation(rate, most),
            p50: latency.map(|l| l[0]),
            p95: latency.map(|l| l[1]),
            p99: latency.map(|l| l[2]),
            mean_concurrency: in_flight.as_deref().map(InFlight::mean),
            p999_concurrency: in_flight.as_deref().map(Evaluator::often),
            oom_risk_per_day: self.seen.holds.map(risk),
        }
    }

    fn admission(&self) -> Option<Admission> {
        let limit = self.seen.concurrency_limit?;
        let alone = self.seen.response?.typical().get();
        // What is left of the latency target once a request has been served.
        let left = self.question().slo.map(|slo| slo.seconds.get() - alone).filter(|s| *s > 0.0);
        let (queue_timeout, queue_timeout_source) = match left {
            Some(left) => (Seconds::new(left), Source::Declared),
            None => (PATIENCE, Source::Assumed),
        };
        let queue = queue_limit(&self.evaluator, &self.target, &self.seen, queue_timeout);
        let waiting = self.service().waiting.high() * u64::from(queue);
        Some(Admission {
            concurrency_limit: limit,
            queue_limit: queue,
            queue_timeout,
            queue_timeout_source,
            limit: self.evaluator.limit(limit).high() + waiting,
        })
    }

    fn servers(&self) -> Vec<Server> {
        self.service().servers.iter().map(|offer| self.server(offer)).collect()
    }

    /// Whether the server is meant for as many users as are asked about.
    fn is_meant(&self, offer: &Offer) -> bool {
        match (offer.users_below, self.question().users_per_month) {
            (Some(most), Some(users)) => users < most,
            _ => true,
        }
    }

    fn server(&self, offer: &Offer) -> Server {
        let target = offer.target();
        let mut seen = self.evaluator.evaluate(&target);
        if let Some(users_below) = offer.users_below.filter(|_| !self.is_meant(offer)) {
            seen.reasons.push(Finding::MeantForFewerUsers { users_below });
            seen.answer = seen.answer.max(Answer::DoesNotFit);
        }
        Server {
            name: offer.name.clone(),
            ram: offer.ram,
            cpus: offer.cpus,
            price_per_month: offer.price_per_month,
            safe_concurrency: seen.holds.map_or(0, |h| h.low),
            throughput: seen.throughput,
            rate_at_slo: self.evaluator.rate_at_slo(&target, &seen),
            answer: seen.answer,
            fits: seen.answer < Answer::DoesNotFit,
            asked: self.target.ram == target.ram && self.target.cpus == target.cpus,
            reasons: seen.reasons.into_iter().map(Text::from).collect(),
        }
    }

    fn verdict(&self, servers: &[Server], doubts: Vec<Warning>) -> Verdict {
        // What answers with room to spare comes first, then what is cheap, then what is small.
        let price = |server: &Server| server.price_per_month.unwrap_or(f64::INFINITY);
        let best = servers.iter().filter(|s| s.fits).min_by(|a, b| {
            a.answer.cmp(&b.answer).then(price(a).total_cmp(&price(b))).then(a.ram.cmp(&b.ram))
        });
        Verdict {
            answer: self.seen.answer,
            confidence: self.confidence(&doubts),
            confidence_reasons: doubts.into_iter().map(Note::from).collect(),
            binding: self.seen.binding,
            by_resource: self.by_resource(),
            reasons: self.seen.reasons.iter().cloned().map(Text::from).collect(),
            recommended_server: best.map(|server| server.name.clone()),
        }
    }
}
