//! How many requests, or users, each size of box holds.

use super::ram::models;
use crate::plan::BOXES;
use crate::plan::assess::{Answer, Resource};
use crate::plan::book::{Maker, derived, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Phrase, Row, RowKind, Section, Table, says};
use crate::units::{Bytes, Span};

/// Sizes by which users are counted, in M.
const USERS: [u64; 3] = [1024, 2048, 4096];

impl Maker<'_> {
    /// Sizes that are sold and the one that was asked about, ascending.
    fn sizes(&self, sold: &[u64]) -> Vec<Bytes> {
        let mut sizes: Vec<Bytes> =
            sold.iter().map(|m| crate::plan::sold(*m, self.subject.convention())).collect();
        sizes.extend(self.plan.question.ram);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// As in the names of figures: `512M`, whatever a M is.
    pub fn in_megas(&self, ram: Bytes) -> String {
        format!("{}M", (ram.as_f64() / self.subject.convention().mega().as_f64()).round())
    }

    /// Free beside the base, and requests that fit it by the simple formula.
    pub fn holds(&mut self, state: &crate::plan::StateCurve, ram: Bytes) -> (Shown, Shown) {
        let (base, buffer) = (self.base(state), self.buffer(state));
        let key = format!("limits.{}.{}", self.in_megas(ram), state.state.name());
        let shown = Shown::plain(Value::Box(ram));
        let free = ram.saturating_sub(state.curve.total(0).typical());
        let free = self.figures.put(
            format!("{key}.available_bytes"),
            Value::Bytes(exact(free, derived(&base))),
            "RAM − base",
            &[("RAM", &shown), ("base", &base)],
        );
        let holds = Maker::flat_holds(state, ram);
        let holds = self.figures.put(
            format!("{key}.max_concurrency"),
            Value::Count(exact(holds, derived(&buffer))),
            "floor((RAM − base) / buffer)",
            &[("RAM", &shown), ("base", &base), ("buffer", &buffer)],
        );
        (free, holds)
    }
}

/// `limits`.
pub(super) fn limits(maker: &mut Maker<'_>) -> Option<Section> {
    let several = maker.states().len() > 1;
    let mixed = maker.plan.mix.is_some() && maker.plan.footprint.is_none();
    let mut columns = vec!["#column-box"];
    columns.extend(several.then_some("column-loaded"));
    columns.extend(["#column-base", "#column-available", "#column-holds"]);
    columns.extend(mixed.then_some("#column-holds-mix"));
    columns.extend(["#column-plan-with", "column-remark"]);
    let mut table = Table::new(Phrase::blank(), &columns);
    let cold = !maker.plan.question.warmed;
    for ram in maker.sizes(&BOXES) {
        let asked = maker.plan.question.ram == Some(ram);
        for state in maker.states() {
            let (free, holds) = maker.holds(state, ram);
            let capacity = state.curve.max_concurrency(ram, cold);
            let key = format!("limits.{}.{}", maker.in_megas(ram), state.state.name());
            let (base, mean) = (maker.base(state), maker.mean_buffer(state));
            let by_mean = mean.value.ends()[1];
            let by_mix =
                if by_mean > 0.0 { (free.value.ends()[1] / by_mean + 1e-9).floor() } else { 0.0 };
            let mix = maker.figures.put(
                format!("{key}.max_concurrency_mix"),
                Value::Count(exact(by_mix, derived(&mean))),
                "floor((RAM − base) / mean buffer)",
                &[("available", &free), ("mean buffer", &mean)],
            );
            let plan_with = maker.figures.put(
                format!("{key}.plan_with"),
                Value::Count(exact(f64::from(capacity.low), derived(&mean))),
                "the most requests whose high end of cost fits",
                &[("RAM", &Shown::plain(Value::Box(ram)))],
            );
            let remark = match (asked, capacity.low) {
                (true, 0) => says!("remark-this-box-none"),
                (true, _) => says!("remark-this-box"),
                (false, 0) => says!("remark-none"),
                (false, _) => Phrase::blank(),
            };
            let kind = if asked { RowKind::Asked } else { RowKind::Plain };
            let mut cells = vec![Phrase::from(Shown::plain(Value::Box(ram)))];
            cells.extend(several.then(|| models(state)));
            cells.extend([base.into(), free.into(), holds.into()]);
            cells.extend(mixed.then(|| mix.into()));
            cells.extend([plan_with.into(), remark]);
            table.rows.push(Row { kind, cells });
        }
    }
    let mut blocks = vec![Block::Table(table), Block::Paragraph(says!("limits-columns"))];
    if let Some(capacity) = maker.plan.ram.max_concurrency {
        maker.figures.put_range(
            "ram.max_concurrency",
            Value::Count(Span::around(
                f64::from(capacity.low),
                f64::from(capacity.typical),
                f64::from(capacity.high),
                maker.plan.ram.limit.source(),
            )),
            "the most N whose limit fits the box: at high, typical and low cost",
            &[],
        );
    }
    blocks.extend(binding(maker));
    Some(Section { id: "limits", blocks })
}

/// Which resource gives out first.
fn binding(maker: &Maker<'_>) -> Option<Block> {
    let holds = maker.plan.ram.max_concurrency?.low;
    let useful = maker.plan.cpu.answers?.max_useful_concurrency;
    Some(match maker.assessment?.verdict.binding? {
        Resource::Cpu => {
            Block::Verdict(Status::Sufficient, says!("binding-cpu", holds = holds, useful = useful))
        }
        _ => Block::Verdict(
            if holds == 0 { Status::Insufficient } else { Status::Marginal },
            says!("binding-ram", holds = holds, useful = useful),
        ),
    })
}

/// What a box of this size has left for requests, and whom it serves.
pub(in crate::plan) struct Served {
    pub free: Shown,
    pub users: Shown,
    pub full: Shown,
    pub least: f64,
    pub most: f64,
}

impl Maker<'_> {
    /// What is always there, at the high end of cost.
    pub fn fixed(&mut self) -> Shown {
        let last = self.last();
        let base = self.base(last);
        self.figures.put_as(
            "users.fixed_bytes",
            base.value,
            Form::High,
            "base, high end",
            &[("base", &base)],
        )
    }

    /// Users at once in `ram`: the cheapest and the dearest request beside what is always there.
    pub fn users(&mut self, ram: Bytes) -> Served {
        let state = self.last();
        let fixed = self.fixed();
        let key = format!("users.{}", self.in_megas(ram));
        let shown = Shown::plain(Value::Box(ram));
        let free = ram.saturating_sub(state.curve.total(0).high());
        let each = state.curve.buffer();
        let free_shown = self.figures.put(
            format!("{key}.available_bytes"),
            Value::Bytes(exact(free, derived(&fixed))),
            "RAM − fixed",
            &[("RAM", &shown), ("fixed", &fixed)],
        );
        let fit =
            |b: Bytes| if b == Bytes::ZERO { 0.0 } else { (free.as_f64() / b.as_f64()).floor() };
        let (least, most) = (fit(each.high()), fit(each.low()));
        let request = Shown::plain(Value::Bytes(each)).range();
        let users = self.figures.put_range(
            format!("{key}.concurrent"),
            Value::Count(Span::around(
                least,
                fit(each.typical()).clamp(least, most.max(least)),
                most,
                each.source(),
            )),
            "floor((RAM − fixed) / request), of the dearest and the cheapest request",
            &[("RAM", &shown), ("fixed", &fixed), ("request", &request)],
        );
        let taken = state.curve.total(0).high().as_f64() + least * each.high().as_f64();
        let full = self.figures.put(
            format!("{key}.full_share"),
            Value::Share(exact(taken / ram.as_f64().max(1.0), each.source())),
            "(fixed + users × dearest request) / RAM",
            &[("fixed", &fixed), ("users", &users), ("request", &request.form(Form::High))],
        );
        Served { free: free_shown, users, full, least, most }
    }
}

/// `users`.
pub(super) fn users(maker: &mut Maker<'_>) -> Option<Section> {
    let mut table = Table::new(
        Phrase::blank(),
        &[
            "#column-box",
            "#column-fixed",
            "#column-available",
            "#column-users",
            "#column-full",
            "#column-at-once-cpu",
            "column-result",
        ],
    );
    let at_once = maker.plan.cpu.answers.map(|a| a.best_concurrency.0);
    for ram in maker.sizes(&USERS) {
        let fixed = maker.fixed();
        let Served { free, users, full, least, most } = maker.users(ram);
        let result = if least == 0.0 && most == 0.0 {
            says!("users-oom")
        } else if least == 0.0 {
            says!("users-may-oom")
        } else if least < 5.0 {
            says!("users-light")
        } else if least < 20.0 {
            says!("users-moderate")
        } else {
            says!("users-heavy")
        };
        let kind =
            if maker.plan.question.ram == Some(ram) { RowKind::Asked } else { RowKind::Plain };
        let cpu = at_once.map_or_else(|| "–".into(), Phrase::from);
        table.row(
            kind,
            [
                Shown::plain(Value::Box(ram)).into(),
                fixed.into(),
                free.into(),
                users.into(),
                full.into(),
                cpu,
                result,
            ],
        );
    }
    let mut blocks = vec![Block::Table(table), Block::Paragraph(says!("users-note"))];
    let status = maker.answer_for(Resource::Memory).map(Answer::status);
    if let (Some(status), Some(ram)) = (status, maker.plan.question.ram) {
        let has = Shown::plain(Value::Box(ram));
        blocks.push(Block::Verdict(
            status,
            says!("verdict-ram", has = has, status = status.phrase()),
        ));
    }
    Some(Section { id: "users", blocks })
}
