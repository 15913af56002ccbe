//! Two habits that multiply memory, and what to do instead: a model for each request, and a
//! process for each core.

use crate::plan::book::{Maker, derived, exact};
use crate::plan::figure::{Shown, Value};
use crate::plan::finding::Status;
use crate::plan::page::{Block, Leaf, Phrase, Section, says};
use crate::units::{Bytes, Span};

/// Requests of the examples.
const MANY: u32 = 10;

/// `antipatterns`.
pub(super) fn antipatterns(maker: &mut Maker<'_>) -> Option<Section> {
    let first = maker.first();
    let base = maker.base(first);
    let copies = |maker: &mut Maker<'_>, n: u32| {
        let all = Value::Bytes(spread(&base).map(|b| b * u64::from(n)));
        let count = Shown::plain(Value::count(n));
        maker.figures.put(
            format!("antipatterns.copies.{n}"),
            all,
            "N × base: a copy of everything a request",
            &[("N", &count), ("base", &base)],
        )
    };
    let (two, ten) = (copies(maker, 2), copies(maker, MANY));
    let again = maker.figures.put(
        "antipatterns.second_request_bytes",
        Value::Bytes(exact(Bytes::ZERO, derived(&base))),
        "base × 0 further copies",
        &[("base", &base)],
    );
    let flat = maker.flat(first, MANY);
    let own = spread(&base).zip(&first.curve.buffer(), |a, b| a + b).map(|b| b * u64::from(MANY));
    let buffer = maker.buffer(first);
    let per_request = maker.figures.put(
        "antipatterns.per_request.10",
        Value::Bytes(own),
        "N × (base + buffer)",
        &[("N", &Shown::plain(Value::count(MANY))), ("base", &base), ("buffer", &buffer)],
    );
    let names = Names::of(maker);
    let mut blocks = vec![
        Block::Heading(says!("habits-singleton")),
        Block::Code("python", names.right(&base, &again)),
        Block::Code("python", names.wrong(&base, &two, &ten)),
        Block::Heading(says!("habits-per-request")),
        Block::Code("python", names.route_wrong(&base)),
        Block::Verdict(
            Status::Insufficient,
            says!("habits-per-request-cost", n = MANY, copies = ten.clone(), total = per_request),
        ),
        Block::Code("python", names.route_right(&base)),
        Block::Verdict(
            Status::Excellent,
            says!("habits-right-cost", n = MANY, total = flat.total.clone()),
        ),
        Block::Heading(says!("habits-workers")),
    ];
    blocks.extend(workers(maker, &base, &names));
    blocks.push(Block::Paragraph(says!("habits-locks")));
    Some(Section { id: "antipatterns", blocks })
}

fn spread(shown: &Shown) -> Span<Bytes> {
    match shown.value {
        Value::Bytes(span) => span,
        _ => exact(Bytes::ZERO, derived(shown)),
    }
}

/// Every process loads the model for itself.
fn workers(maker: &mut Maker<'_>, base: &Shown, names: &Names) -> Vec<Block> {
    let declared = maker.subject.service.workers.clone();
    let count = declared.as_ref().map_or(4, |w| w.count.max(1));
    let first = maker.first();
    let convention = maker.subject.convention();
    let buffers = declared.as_ref().and_then(|w| w.buffers.as_ref()).map_or_else(
        || {
            first
                .curve
                .buffer()
                .map(|b| Bytes::from_f64(b.as_f64() * f64::from(MANY) / f64::from(count)))
        },
        |size| size.bytes(convention),
    );
    let own = maker.figures.put(
        "antipatterns.worker.buffers_bytes",
        Value::Bytes(buffers),
        "buffers of one process",
        &[],
    );
    let each = maker.figures.put(
        "antipatterns.worker.total_bytes",
        Value::Bytes(spread(base).zip(&buffers, |a, b| a + b)),
        "model + buffers",
        &[("model", base), ("buffers", &own)],
    );
    let times = Shown::plain(Value::count(count));
    let many = |span: Span<Bytes>| Value::Bytes(span.map(|b| b * u64::from(count)));
    let models = maker.figures.put(
        "antipatterns.workers.models_bytes",
        many(spread(base)),
        "workers × model",
        &[("workers", &times), ("model", base)],
    );
    let all_buffers = maker.figures.put(
        "antipatterns.workers.buffers_bytes",
        many(buffers),
        "workers × buffers",
        &[("workers", &times), ("buffers", &own)],
    );
    let total = maker.figures.put(
        "antipatterns.workers.total_bytes",
        many(spread(&each)),
        "workers × (model + buffers)",
        &[("workers", &times), ("each", &each)],
    );
    let ten = maker.flat(first, MANY);
    let same = spread(base).map(|b| b * u64::from(count)).zip(&spread(&ten.buffers), |a, b| a + b);
    let same = maker.figures.put(
        "antipatterns.workers.same_load_bytes",
        Value::Bytes(same),
        "workers × model + N × buffer: as many requests as beside it",
        &[("workers", &times), ("model", base), ("buffers", &ten.buffers)],
    );
    let mut leaves: Vec<Leaf> = (1..=count.min(8))
        .map(|i| {
            Leaf::new(says!("workers-worker", i = i), each.clone()).note(says!(
                "base-and-buffers",
                base = base.clone(),
                buffers = own.clone()
            ))
        })
        .collect();
    leaves.push(
        Leaf::new(says!("tree-total"), total)
            .note(says!("base-and-buffers", base = models, buffers = all_buffers))
            .total(),
    );
    let right = vec![
        Leaf::new(says!("habits-one-copy"), base.clone()),
        Leaf::new(says!("tree-requests", n = MANY), ten.buffers.clone()),
        Leaf::new(says!("tree-total"), ten.total.clone())
            .note(says!("formula-short", base = base.clone(), buffer = maker.buffer(first)))
            .total(),
    ];
    vec![
        Block::Code(
            "bash",
            vec![
                says!("code-each-worker"),
                Phrase::from(format!("gunicorn --workers {count} app:app")),
            ],
        ),
        Block::Tree(says!("habits-workers-wrong", count = count), leaves),
        Block::Verdict(
            Status::Insufficient,
            says!("habits-loaded", count = count, n = MANY, total = same),
        ),
        Block::Code("bash", vec![says!("code-one-process"), names.script.clone().into()]),
        Block::Tree(says!("habits-workers-right"), right),
    ]
}

/// What stands in the examples of code.
struct Names {
    loader: String,
    route: String,
    script: String,
}

impl Names {
    fn of(maker: &Maker<'_>) -> Self {
        let project = maker.subject.service.project.as_ref();
        let text =
            |value: Option<&String>, or: &str| value.cloned().unwrap_or_else(|| or.to_owned());
        Self {
            loader: text(
                project.and_then(|p| p.loader.as_ref()),
                "onnxruntime.InferenceSession('model.onnx')",
            ),
            route: text(project.and_then(|p| p.route.as_ref()), "/predict"),
            script: project.and_then(|p| p.script.as_ref()).map_or_else(
                || "gunicorn --workers 1 --threads 8 app:app".to_owned(),
                |script| format!("python {script}"),
            ),
        }
    }

    fn getter(&self, base: &Shown) -> Vec<Phrase> {
        vec![
            says!("code-right"),
            "import threading".into(),
            Phrase::blank(),
            "model = None".into(),
            "loading = threading.Lock()".into(),
            Phrase::blank(),
            "def get_model():".into(),
            "    global model".into(),
            says!("code-lock"),
            "        if model is None:".into(),
            Phrase::Joined(
                "  ",
                vec![
                    format!("            model = {}", self.loader).into(),
                    says!("code-once", bytes = base.clone()),
                ],
            ),
            Phrase::Joined("  ", vec!["    return model".into(), says!("code-reuse")]),
        ]
    }

    fn right(&self, base: &Shown, again: &Shown) -> Vec<Phrase> {
        let mut lines = self.getter(base);
        lines.extend([
            Phrase::blank(),
            Phrase::Joined(
                "  ",
                vec![
                    "get_model().detect(image1)".into(),
                    says!("code-first", bytes = base.clone()),
                ],
            ),
            Phrase::Joined(
                "  ",
                vec![
                    "get_model().detect(image2)".into(),
                    says!("code-second", bytes = again.clone()),
                ],
            ),
        ]);
        lines
    }

    fn wrong(&self, base: &Shown, two: &Shown, ten: &Shown) -> Vec<Phrase> {
        vec![
            says!("code-wrong"),
            "def detect(image):".into(),
            Phrase::Joined(
                "  ",
                vec![
                    format!("    model = {}", self.loader).into(),
                    says!("code-every-time", bytes = base.clone()),
                ],
            ),
            "    return model.detect(image)".into(),
            Phrase::blank(),
            says!("code-two", bytes = two.clone()),
            says!("code-many", n = MANY, bytes = ten.clone()),
        ]
    }

    fn route_wrong(&self, base: &Shown) -> Vec<Phrase> {
        vec![
            format!("@app.route('{}', methods=['POST'])", self.route).into(),
            "def detect():".into(),
            Phrase::Joined(
                "  ",
                vec![
                    format!("    model = {}", self.loader).into(),
                    says!("code-every-time", bytes = base.clone()),
                ],
            ),
            "    return model.detect(image)".into(),
        ]
    }

    fn route_right(&self, base: &Shown) -> Vec<Phrase> {
        let mut lines = self.getter(base);
        lines.extend([
            Phrase::blank(),
            format!("@app.route('{}', methods=['POST'])", self.route).into(),
            "def detect():".into(),
            Phrase::Joined(
                "  ",
                vec!["    return get_model().detect(image)".into(), says!("code-reuse")],
            ),
        ]);
        lines
    }
}
