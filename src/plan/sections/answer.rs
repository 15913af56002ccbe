//! The headline and the last word: memory is not multiplied by requests.

use crate::plan::assess::{Answer, Resource};
use crate::plan::book::{Maker, derived, exact};
use crate::plan::figure::{Form, Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, Section, says};
use crate::units::{Bytes, Source, Span};

/// Requests of the example.
const MANY: u32 = 10;

/// `answer`.
pub(super) fn answer(maker: &mut Maker<'_>) -> Option<Section> {
    let process = process(maker);
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    for n in [1, MANY] {
        let all = multiplied(maker, &process, n);
        wrong.push(Leaf::new(says!("requests", n = n), all).note(says!(
            "n-times",
            n = n,
            each = process.clone()
        )));
        for state in maker.states() {
            let ram = maker.flat(state, n);
            let note = says!("base-and-buffers", base = ram.base, buffers = ram.buffers);
            let models = Phrase::Joined(" + ", state.models.iter().map(Phrase::from).collect());
            right.push(
                Leaf::new(says!("requests-with", n = n, models = models), ram.total).note(note),
            );
        }
    }
    Some(Section {
        id: "answer",
        blocks: vec![
            Block::Paragraph(says!("answer-no")),
            Block::Tree(says!("answer-wrong"), wrong),
            Block::Tree(says!("answer-right"), right),
            Block::Paragraph(says!("answer-reason")),
        ],
    })
}

impl From<&String> for Phrase {
    fn from(text: &String) -> Self {
        Self::Verbatim(text.clone())
    }
}

/// What one request costs in the eyes of who multiplies the whole process.
fn process(maker: &mut Maker<'_>) -> Shown {
    let declared = maker.subject.declared.and_then(|costs| costs.request.process.as_ref());
    let first = maker.first();
    match declared {
        Some(size) => {
            let value = Value::Bytes(size.bytes(maker.subject.convention()));
            maker.figures.put("answer.process_bytes", value, "as declared", &[])
        }
        None => {
            let one = maker.flat(first, 1);
            maker.figures.put(
                "answer.process_bytes",
                one.total.value,
                "base + buffer: a process with one request",
                &[("base", &one.base), ("buffer", &one.buffers)],
            )
        }
    }
}

fn multiplied(maker: &mut Maker<'_>, process: &Shown, n: u32) -> Shown {
    let Value::Bytes(each) = process.value else { return process.clone() };
    let count = Shown::plain(Value::count(n));
    maker.figures.put(
        format!("answer.wrong.{n}"),
        Value::Bytes(each.map(|b| b * u64::from(n))),
        "process × N",
        &[("process", process), ("N", &count)],
    )
}

/// `conclusion`.
pub(super) fn conclusion(maker: &mut Maker<'_>) -> Option<Section> {
    let process = process(maker);
    let wrong = multiplied(maker, &process, MANY);
    let (first, last) = (maker.first(), maker.last());
    let mean = maker.mean_buffer(last);
    let Value::Bytes(each) = mean.value else { return None };
    let mega = maker.subject.convention().mega();
    let whole = Bytes::from_f64((each.typical().as_f64() / mega.as_f64()).round() * mega.as_f64());
    // Less than half a megabyte is not rounded away.
    let whole = if whole == Bytes::ZERO { each.typical() } else { whole };
    let about = maker.figures.put(
        "conclusion.buffer_bytes",
        Value::Bytes(exact(whole, each.source())),
        "mean buffer in whole megabytes",
        &[("mean buffer", &mean)],
    );
    let count = Shown::plain(Value::count(MANY));
    let buffers = maker.figures.put(
        "conclusion.buffers_bytes",
        Value::Bytes(exact(whole * u64::from(MANY), each.source())),
        "N × buffer",
        &[("N", &count), ("buffer", &about)],
    );
    let base = maker.base(last);
    let Value::Bytes(shared) = base.value else { return None };
    let total = maker.figures.put(
        "conclusion.total_bytes",
        Value::Bytes(exact(shared.typical() + whole * u64::from(MANY), derived(&base))),
        "base + buffers",
        &[("base", &base), ("buffers", &buffers)],
    );
    let (smaller, larger) = (maker.ram(first, MANY).total, maker.ram(last, MANY).total);
    let (Value::Bytes(low), Value::Bytes(high)) = (smaller.value, larger.value) else {
        return None;
    };
    let range = maker.figures.put_range(
        "conclusion.range_bytes",
        Value::Bytes(Span::around(
            low.typical().min(high.typical()),
            low.typical().max(high.typical()).min(high.typical()),
            low.typical().max(high.typical()),
            low.source().max(high.source()),
        )),
        "from the smaller state to the larger",
        &[("smaller", &smaller), ("larger", &larger)],
    );
    let mut points = vec![
        (Some(Status::Insufficient), says!("conclusion-wrong", n = MANY, total = wrong)),
        (Some(Status::Excellent), says!("conclusion-right", n = MANY, range = range)),
        (None, says!("conclusion-base", base = base)),
        (None, says!("conclusion-buffers", n = MANY, each = about, buffers = buffers)),
        (None, says!("conclusion-total", total = total.form(Form::Typical))),
        (None, says!("conclusion-multiplied")),
    ];
    points.extend(for_this_box(maker));
    if maker.plan.topology == crate::footprint::Topology::Shared {
        points.push((Some(Status::Excellent), says!("conclusion-shared")));
    }
    Some(Section { id: "conclusion", blocks: vec![Block::List(points)] })
}

/// Whether the box is enough, for how many, and what gives out first.
fn for_this_box(maker: &mut Maker<'_>) -> Vec<(Option<Status>, Phrase)> {
    let mut points = Vec::new();
    let Some(ram) = maker.plan.question.ram else { return points };
    let holds = Maker::flat_holds(maker.last(), ram);
    let shown = Shown::plain(Value::Box(ram));
    if let Some(status) = maker.answer_for(Resource::Memory).map(Answer::status) {
        let text = says!("conclusion-box", ram = shown.clone(), status = status.phrase());
        points.push((Some(status), text));
    }
    let holds = maker.figures.put(
        "conclusion.holds",
        Value::Count(exact(holds, Source::Declared)),
        "floor((RAM − base) / buffer)",
        &[("RAM", &shown)],
    );
    points.push((None, says!("conclusion-holds", n = holds)));
    if let Some(binding) = maker.assessment.and_then(|a| a.verdict.binding) {
        let rate = maker.plan.cpu.answers.map(|a| Shown::plain(Value::Rate(a.throughput)));
        points.push((
            None,
            match (binding, rate) {
                (Resource::Cpu, Some(rate)) => says!("conclusion-cpu", rate = rate),
                (Resource::Cpu, None) => says!("conclusion-cpu-unknown"),
                (_, _) => says!("conclusion-ram"),
            },
        ));
    }
    points
}

impl Status {
    /// The word for it in the catalogue.
    pub fn phrase(self) -> Phrase {
        Phrase::word(match self {
            Self::Unknown => "status-unknown",
            Self::Insufficient => "status-insufficient",
            Self::Marginal => "status-marginal",
            Self::Sufficient => "status-sufficient",
            Self::Excellent => "status-excellent",
        })
    }
}
