//! What requests of a service ask for, and what serves them.

use super::{MixPlan, Plan};
use crate::footprint::ServiceTimes;
use crate::model::CpuModel;
use crate::model::queue::{Demand, Server, Work};
use crate::units::{Cpus, Seconds, Span};

/// What requests of a service ask for, at this end of what is known.
pub(crate) fn demand(
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

impl Plan {
    /// What requests ask for, as far as it is known, and what serves them on a machine with so many
    /// cores, `limit` at once: what a load that is really driven is held against.
    pub fn queue(&self, cpus: Cpus, cores: f64, limit: u32) -> (Demand, Server) {
        let times = self.footprint.as_ref().and_then(|f| f.service_times.as_ref());
        let demand = demand(&self.cpu_model, self.mix.as_ref(), times, Span::typical);
        (demand, self.cpu_model.server(cpus, cores, Some(limit)))
    }
}
