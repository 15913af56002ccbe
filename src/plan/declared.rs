//! A plan of a service whose costs somebody wrote down.

use super::build::{boxes, cpu_plan, design_concurrency, row};
use super::curve::Curve;
use super::{
    Component, Market, MixPlan, Plan, PlanError, Question, ROWS, RamPlan, RequestKind, Scope,
    State, StateCurve,
};
use crate::footprint::{Load, Topology};
use crate::model::{CpuModel, DeclaredRam};
use crate::service::{Costs, Quantity};
use crate::units::{Bytes, Convention, Seconds, Share, Size, Source, Span};

/// Answers `question` for a service of declared `costs`, in which a megabyte is what `convention`
/// says.
///
/// # Errors
/// Where no part is said to take RAM, or no stage to take time.
pub fn declared(
    name: &str,
    title: &str,
    costs: &Costs,
    convention: Convention,
    question: &Question,
) -> Result<Plan, PlanError> {
    let parts = Parts { costs, convention };
    let states = parts.states();
    let Some(last) = states.last() else { return Err(PlanError::NoRam) };
    if last.curve.total(1).high() == Bytes::ZERO {
        return Err(PlanError::NoRam);
    }
    let (cpu, wall) = (parts.cpu(), parts.wall());
    if cpu.high() == Seconds::ZERO {
        return Err(PlanError::NoTime);
    }
    let wait = Seconds::new((wall.typical().get() - cpu.typical().get()).max(0.0));
    let cpu_model = CpuModel::new(cpu, wall).waiting_outside(wait);
    let cpu_model = if costs.request.parallel { cpu_model.parallel() } else { cpu_model };
    let cpu = cpu_plan(&cpu_model, question.cpus);
    let design = design_concurrency(&last.curve, &cpu, question);
    let ram = parts.ram(last, question, design);
    let mix = parts.mix(&states, question);
    Ok(Plan {
        name: name.to_owned(),
        title: title.to_owned(),
        topology: Topology::Shared,
        source: Source::Declared,
        question: *question,
        design_concurrency: design,
        mix,
        alternatives: Vec::new(),
        warnings: Vec::new(),
        ram,
        cpu,
        footprint: None,
        states,
        charge: None,
        cpu_model,
        market: Market::default(),
    })
}

/// What was declared, in bytes and seconds.
struct Parts<'a> {
    costs: &'a Costs,
    convention: Convention,
}

const NOTHING: Span<Bytes> = Span::exact(Bytes::ZERO, Source::Declared);

fn sum(spans: impl Iterator<Item = Span<Bytes>>) -> Span<Bytes> {
    spans.fold(NOTHING, |a, b| a.zip(&b, |a, b| a + b))
}

impl Parts<'_> {
    fn bytes(&self, size: &Quantity<Size>) -> Span<Bytes> {
        size.bytes(self.convention)
    }

    /// What is loaded at the start, and with the models that are loaded late.
    fn base(&self, state: State) -> Span<Bytes> {
        let shared = &self.costs.shared;
        let models = |load: Load| {
            let of = self.costs.models.iter().filter(move |(_, m)| m.load == load);
            sum(of.filter_map(|(_, m)| m.resident.as_ref()).map(|r| self.bytes(r)))
        };
        let start = match &shared.total {
            Some(total) => self.bytes(total),
            None => {
                let parts = sum(shared.parts.iter().map(|(_, size)| self.bytes(size)));
                let cache = shared.model_cache.as_ref().map_or(NOTHING, |size| self.bytes(size));
                sum([parts, cache, models(Load::Eager)].into_iter())
            }
        };
        match state {
            State::Eager => start,
            State::AfterLazy => start.zip(&models(Load::Lazy), |a, b| a + b),
        }
    }

    /// What a request adds: the ends from its stages, what is expected as declared by itself.
    fn buffer(&self) -> Span<Bytes> {
        let request = &self.costs.request;
        let stages = sum(request
            .stages
            .iter()
            .filter_map(|(_, s)| s.ram.as_ref())
            .map(|size| self.bytes(size)));
        let Some(declared) = request.buffer.as_ref().map(|size| self.bytes(size)) else {
            return stages;
        };
        Span::around(
            if stages.high() == Bytes::ZERO { declared.low() } else { stages.low() },
            declared.typical(),
            stages.high().max(declared.high()),
            Source::Declared,
        )
    }

    fn states(&self) -> Vec<StateCurve> {
        let all = || self.costs.models.iter().filter(|(_, m)| m.resident.is_some());
        let is_late = all().any(|(_, m)| m.load == Load::Lazy);
        let names = |late: bool| {
            let loaded = all().filter(|(_, m)| late || m.load == Load::Eager);
            loaded.map(|(name, _)| name.to_owned()).collect()
        };
        let curve = |state, kinds| {
            Curve::Declared(DeclaredRam::new(self.base(state), self.buffer(), kinds))
        };
        let kinds: Vec<(f64, Bytes)> = self
            .kinds()
            .map(|(_, share, size)| (share.get(), self.bytes(size).typical()))
            .collect();
        let eager_kinds = if is_late { Vec::new() } else { kinds.clone() };
        let eager = StateCurve {
            state: State::Eager,
            models: names(false),
            curve: curve(State::Eager, eager_kinds),
        };
        if !is_late {
            return vec![eager];
        }
        let after = StateCurve {
            state: State::AfterLazy,
            models: names(true),
            curve: curve(State::AfterLazy, kinds),
        };
        vec![eager, after]
    }

    /// Models that serve a share of the requests, with a buffer of their own.
    fn kinds(&self) -> impl Iterator<Item = (&str, Share, &Quantity<Size>)> {
        let models = self.costs.models.iter();
        models.filter_map(|(name, m)| Some((name, m.share?, m.buffer.as_ref()?)))
    }

    /// CPU time of a request: of all stages but those that wait for somebody else. A time that was
    /// declared by itself counts where no stage waits.
    fn cpu(&self) -> Span<Seconds> {
        let request = &self.costs.request;
        let waits = request.stages.iter().any(|(_, s)| s.external);
        let of_stages = self.time(false);
        match &request.time {
            Some(time) if !waits || of_stages.high() == Seconds::ZERO => time.span(),
            _ => of_stages,
        }
    }

    /// How long a request takes alone.
    fn wall(&self) -> Span<Seconds> {
        match &self.costs.request.time {
            Some(time) => time.span(),
            None => self.time(true),
        }
    }

    fn time(&self, with_waiting: bool) -> Span<Seconds> {
        let stages = self.costs.request.stages.iter().map(|(_, stage)| stage);
        let counted = stages.filter(|stage| with_waiting || !stage.external);
        counted
            .filter_map(|stage| stage.time.as_ref())
            .map(Quantity::<Seconds>::span)
            .fold(Span::exact(Seconds::ZERO, Source::Declared), |a, b| a.zip(&b, |a, b| a + b))
    }

    fn ram(&self, last: &StateCurve, question: &Question, design: u32) -> RamPlan {
        let curve = &last.curve;
        let limit = curve.limit(design, false);
        let models = self.costs.models.iter().filter_map(|(_, m)| m.resident.as_ref());
        RamPlan {
            base: curve.base(),
            buffer: curve.mean_buffer(),
            per_session: sum(models.map(|size| self.bytes(size))),
            per_worker: curve.base(),
            load_peak: curve.base().with_source(Source::Assumed),
            cold_burst: None,
            limit,
            kill_limit: limit.with_source(Source::Assumed),
            max_concurrency: question.ram.map(|ram| curve.max_concurrency(ram, false)),
            rows: ROWS.iter().map(|&n| row(curve, n, question)).collect(),
            boxes: boxes(curve, question),
            components: self.components(),
            held: self.held().unwrap_or_else(|| curve.buffer()).with_source(Source::Assumed),
            fit: None,
            warm_up_saves: None,
            retained: Bytes::ZERO,
        }
    }

    /// What a request holds while it waits for its turn: what it came with, which is the first stage
    /// that takes memory (assumed).
    fn held(&self) -> Option<Span<Bytes>> {
        let mut stages = self.costs.request.stages.iter();
        stages.find_map(|(_, stage)| Some(self.bytes(stage.ram.as_ref()?)))
    }

    fn components(&self) -> Vec<Component> {
        let component = |name: &str, scope, size: &Quantity<Size>| Component {
            name: name.to_owned(),
            scope,
            bytes: self.bytes(size),
        };
        let shared = &self.costs.shared;
        let parts = shared.parts.iter().map(|(name, size)| component(name, Scope::Shared, size));
        let models = self.costs.models.iter().filter_map(|(name, m)| {
            Some(component(&format!("model {name}"), Scope::Shared, m.resident.as_ref()?))
        });
        let cache =
            shared.model_cache.iter().map(|size| component("model cache", Scope::Shared, size));
        let stages = self.costs.request.stages.iter();
        let stages =
            stages.filter_map(|(name, s)| Some(component(name, Scope::Request, s.ram.as_ref()?)));
        parts.chain(models).chain(cache).chain(stages).collect()
    }

    fn mix(&self, states: &[StateCurve], question: &Question) -> Option<MixPlan> {
        let kinds: Vec<RequestKind> = self
            .kinds()
            .map(|(name, share, size)| RequestKind {
                name: name.to_owned(),
                share,
                buffer: self.bytes(size),
                cpu: self.cpu(),
            })
            .collect();
        let [eager, _] = states else {
            return (!kinds.is_empty()).then(|| MixPlan {
                kinds,
                late: Vec::new(),
                eager_base: None,
                eager_rows: Vec::new(),
                check: None,
            });
        };
        let late = self.costs.models.iter().filter(|(_, m)| m.load == Load::Lazy);
        Some(MixPlan {
            kinds,
            late: late.map(|(name, _)| name.to_owned()).collect(),
            eager_base: Some(eager.curve.base()),
            eager_rows: ROWS.iter().map(|&n| row(&eager.curve, n, question)).collect(),
            check: None,
        })
    }
}
