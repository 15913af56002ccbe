//! The least of each resource that answers the question: what the first of the profile's servers has, else
//! of a ladder of sizes that are sold.

use super::assessment::{Answer, ByResource, Resource, Target};
use super::{Assessor, Evaluation, Offer};
use crate::plan::sold;
use crate::units::{Bytes, Cpus};

/// Numbers of CPUs that are sold, and quotas that are usual below one.
const CPUS: [f64; 13] = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0, 96.0];

/// Powers of two of megabytes: 128 M to 1 T.
const SIZES: std::ops::RangeInclusive<u32> = 7..=20;

/// What a need is to be to what there is.
#[derive(Clone, Copy)]
enum Room {
    /// It answers the question.
    Enough,
    /// With room to spare.
    ToSpare,
}

impl Room {
    fn is_given_by(self, answer: Answer) -> bool {
        match self {
            Self::Enough => answer < Answer::DoesNotFit,
            Self::ToSpare => answer == Answer::Fits,
        }
    }
}

impl Assessor<'_> {
    /// Sizes that are sold, and the one that was asked about.
    fn sizes(&self) -> Vec<Bytes> {
        let convention = self.service().convention;
        let mut sizes: Vec<Bytes> = SIZES.map(|power| sold(1 << power, convention)).collect();
        sizes.extend(self.target.ram);
        sizes.sort_unstable();
        sizes
    }

    fn numbers(&self) -> Vec<Cpus> {
        let mut numbers: Vec<Cpus> = CPUS.iter().filter_map(|n| Cpus::new(*n)).collect();
        numbers.extend(self.target.cpus);
        numbers.sort_by(|a, b| a.get().total_cmp(&b.get()));
        numbers
    }

    fn at(&self, ram: Option<Bytes>, cpus: Option<Cpus>) -> Evaluation {
        self.evaluator.evaluate(&Target { ram, cpus, ..self.target.clone() })
    }

    /// The answer for the resources that RAM and CPUs decide.
    fn computing(seen: &Evaluation) -> Answer {
        let of = seen.by_resource.iter().filter(|(r, _)| *r < Resource::Disk);
        of.map(|(_, answer)| *answer).max().unwrap_or(Answer::Unknown)
    }

    /// The least CPUs with which some size of RAM answers.
    fn least_cpus_for(&self, room: Room) -> Option<Cpus> {
        let most = self.sizes().last().copied();
        self.numbers()
            .into_iter()
            .find(|cpus| room.is_given_by(Self::computing(&self.at(most, Some(*cpus)))))
    }

    /// The CPUs that RAM is looked for with: those that were asked about, where they suffice.
    fn cpus_for(&self, room: Room) -> Option<Cpus> {
        let least = self.least_cpus_for(room)?;
        Some(self.target.cpus.filter(|asked| *asked >= least).unwrap_or(least))
    }

    /// The least RAM that answers with those CPUs.
    fn least_ram_for(&self, room: Room) -> Option<Bytes> {
        let cpus = match (self.target.cpus, self.question().rate, self.question().slo) {
            // Nothing is asked of CPUs.
            (None, None, None) => None,
            _ => Some(self.cpus_for(room)?),
        };
        self.sizes()
            .into_iter()
            .find(|ram| room.is_given_by(Self::computing(&self.at(Some(*ram), cpus))))
    }

    pub(super) fn by_resource(&self) -> Vec<ByResource> {
        let question = self.question();
        let asks_of_cpus = question.rate.is_some() || question.slo.is_some();
        let mut rows: Vec<(Resource, Answer)> = self.seen.by_resource.clone();
        if self.service().is_unknown {
            return Vec::new();
        }
        // Without a target the least is looked for.
        for (resource, asked) in [
            (Resource::Memory, asks_of_cpus || question.concurrency.is_some()),
            (Resource::Cpu, asks_of_cpus),
        ] {
            if asked && rows.iter().all(|(r, _)| *r != resource) {
                rows.push((resource, Answer::Unknown));
            }
        }
        rows.sort_by_key(|(resource, _)| *resource);
        rows.into_iter().map(|(resource, answer)| self.of_resource(resource, answer)).collect()
    }

    /// The first server of the profile that answers.
    fn offer_for(&self, room: Room) -> Option<&Offer> {
        let offers = self.service().servers.iter().filter(|_| self.service().is_catalog);
        let mut meant = offers.filter(|offer| self.is_meant(offer));
        meant.find(|o| room.is_given_by(self.evaluator.evaluate(&o.target()).answer))
    }

    fn of_resource(&self, resource: Resource, answer: Answer) -> ByResource {
        // Of the profile's servers the first that answers has what is needed, where one does.
        let of = |room| match self.offer_for(room) {
            Some(offer) => Self::amount(&offer.target(), resource),
            None => self.of_ladder(resource, room),
        };
        let current = Self::amount(&self.target, resource);
        let (minimum, recommended) = (of(Room::Enough), of(Room::ToSpare));
        ByResource { resource, answer, current, minimum, recommended }
    }

    fn of_ladder(&self, resource: Resource, room: Room) -> Option<f64> {
        let share = match room {
            Room::Enough => 1.0,
            Room::ToSpare => super::evaluate::TIGHT,
        };
        let stored = |need: Option<Bytes>| need.map(|need| need.as_f64() / share);
        match resource {
            Resource::Memory => self.least_ram_for(room).map(Bytes::as_f64),
            Resource::Cpu => self.least_cpus_for(room).map(Cpus::get),
            Resource::Latency => None,
            Resource::Disk => stored(self.service().disk),
            Resource::Bandwidth => stored(self.service().bandwidth),
        }
    }

    fn amount(target: &Target, resource: Resource) -> Option<f64> {
        match resource {
            Resource::Memory => target.ram.map(Bytes::as_f64),
            Resource::Cpu => target.cpus.map(Cpus::get),
            Resource::Disk => target.disk.map(Bytes::as_f64),
            Resource::Bandwidth => target.bandwidth.map(Bytes::as_f64),
            Resource::Latency => None,
        }
    }
}
