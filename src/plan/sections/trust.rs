//! How far the numbers can be trusted: what they rest on, and how well they predicted what they
//! were not made from.

use crate::plan::book::{Maker, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Phrase, Section, says};
use crate::plan::{Fit, HeldOut};
use crate::units::Source;

/// `trust`.
pub(super) fn trust(maker: &mut Maker<'_>) -> Option<Section> {
    let Some(fit) = maker.plan.ram.fit.clone() else {
        return Some(Section { id: "trust", blocks: declared(maker) });
    };
    let mut blocks = vec![Block::Paragraph(measured(&fit))];
    if let Some(held_out) = &fit.held_out {
        blocks.push(prediction(maker, held_out));
    }
    if let Some(arena) = maker.plan.footprint.as_ref().and_then(|f| f.arena) {
        let bound = Shown::plain(Value::Bytes(exact(arena.per_run_bytes, Source::Measured)));
        let reached = maker.mean_buffer(maker.last());
        blocks.push(Block::Paragraph(says!("trust-arena", bound = bound, reached = reached)));
    }
    let kept = maker.figures.put(
        "ram.retained_bytes",
        Value::Bytes(exact(maker.plan.ram.retained, Source::Measured)),
        "idle after the largest wave − idle after the warm-up",
        &[],
    );
    blocks.push(Block::Paragraph(says!("trust-retained", bytes = kept)));
    Some(Section { id: "trust", blocks })
}

fn declared(maker: &Maker<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(says!("trust-declared"))];
    if let Some(units) = maker.subject.service.units {
        use crate::units::Convention::{Binary, Decimal};
        let id = match (units.boxes, units.display) {
            (Binary, Binary) => "units-binary",
            (Binary, Decimal) => "units-binary-decimal",
            (Decimal, _) => "units-decimal",
        };
        blocks.push(Block::Paragraph(Phrase::word(id)));
    }
    blocks
}

fn measured(fit: &Fit) -> Phrase {
    let all: Vec<String> = fit.measured.iter().map(u32::to_string).collect();
    let r = Phrase::from(format!("{:.4}", fit.r_squared));
    if fit.children == 1 {
        says!("trust-measured-one", ns = all.join(", "), r = r)
    } else {
        says!("trust-measured", ns = all.join(", "), n = fit.children, r = r)
    }
}

fn prediction(maker: &mut Maker<'_>, held_out: &HeldOut) -> Block {
    let HeldOut { concurrency, predicted, observed, error, increment_error } = *held_out;
    let share = |e| Shown::plain(Value::Share(exact(e, Source::Measured))).form(Form::Signed);
    let predicted = maker.figures.put(
        "trust.predicted_bytes",
        Value::Bytes(predicted),
        "the line of the smaller N alone",
        &[],
    );
    let observed = maker.figures.put(
        "trust.observed_bytes",
        Value::Bytes(exact(observed, Source::Measured)),
        "median of other processes",
        &[],
    );
    let status = if held_out.is_inside() { Status::Excellent } else { Status::Marginal };
    let id = if held_out.is_inside() { "trust-inside" } else { "trust-outside" };
    Block::Verdict(
        status,
        Phrase::says(
            id,
            [
                ("n", concurrency.into()),
                ("predicted", predicted.clone().into()),
                ("range", predicted.range().into()),
                ("observed", observed.into()),
                ("error", share(error).into()),
                ("increment", share(increment_error).into()),
            ],
        ),
    )
}
