//! A document with all that a document can hold, as a report would fill it.

use crate::report::document::{
    Axis, Bar, Block, Chart, Column, Document, Facts, Item, Leaf, Mark, Mood, Plot, Row, RowKind,
    Section, Series, Table, Tree,
};

pub fn document() -> Document {
    Document {
        language: "en",
        title: "Classifier of chest images".into(),
        about: "Measured on an 8-core machine with ONNX Runtime 1.26 [1], 40 sessions.".into(),
        sections: vec![answer(), memory(), throughput(), setup(), edges()],
        footnotes: vec![
            "Measured twice; the larger is shown.".into(),
            "A session shares its weights with nobody, see [1].".into(),
        ],
        footnotes_title: "Notes".into(),
        closing: vec!["Made on 2 March; measure again when the model changes.".into()],
    }
}

fn section(id: &'static str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id, title: title.into(), blocks }
}

fn answer() -> Section {
    let verdict = |mood, text: &str| Block::Verdict { mood, text: text.into() };
    let item = |mood, text: &str| Item { mood, text: text.into() };
    section(
        "answer",
        "Does it fit?",
        vec![
            verdict(Mood::Good, "It fits: 4 requests at once need 3.1 GiB of 8 GiB [1]."),
            verdict(Mood::Fair, "It fits, with 120 MiB to spare: any other process on this box may end it."),
            verdict(Mood::Bad, "It does not fit."),
            verdict(Mood::Neutral, "Nothing was asked about throughput."),
            Block::Paragraph("What was measured is the peak of the resident set of the whole process, and a request is held from its first byte to its last [2], [9].".into()),
            Block::List(vec![
                item(Mood::Neutral, "One process, four sessions."),
                item(Mood::Good, "The arena is off: memory returns after each request."),
                item(Mood::Fair, "Weights are loaded twice while starting, which takes 1.2 GiB more than the steady state for about four seconds."),
                item(Mood::Bad, "Images above 12 megapixels are killed."),
            ]),
        ],
    )
}

fn row(kind: RowKind, cells: &[&str]) -> Row {
    Row { cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), kind }
}

fn leaf(name: &str, value: &str, note: &str, total: bool) -> Leaf {
    Leaf { name: name.into(), value: value.into(), note: note.into(), total }
}

fn memory() -> Section {
    let column = |title: &str, numeric| Column { title: title.into(), numeric };
    let table = Table {
        is_compact: false,
        title: "Memory by requests at once".into(),
        columns: vec![
            column("Box", false),
            column("At once", true),
            column("Base", true),
            column("Buffers", true),
            column("Limit to set", true),
            column("Requests a second", true),
            column("Remark", false),
        ],
        rows: vec![
            row(RowKind::Group, &["One process", "", "", "", "", "", ""]),
            row(RowKind::Plain, &["4 GiB", "1", "812 MiB", "402 MiB", "1.3 GiB", "9.5", "fits"]),
            row(
                RowKind::Asked,
                &["8 GiB", "4", "812 MiB", "1.6 GiB", "2.7 GiB", "31.0", "asked about [2]"],
            ),
            row(RowKind::Group, &["Four processes"]),
            row(RowKind::Plain, &["16 GiB", "16", "3.2 GiB", "6.4 GiB", "10.6 GiB", "88.1"]),
            row(RowKind::Total, &["Together", "21", "4.8 GiB", "8.4 GiB", "14.6 GiB", "128.6", ""]),
        ],
    };
    let tree = Tree {
        title: "Of what the limit is made".into(),
        leaves: vec![
            leaf("Weights", "612 MiB", "as in the file", false),
            leaf("ONNX Runtime", "200 MiB", "", false),
            leaf(
                "Buffers of 4 requests",
                "1 640 MiB",
                "the slope of the line, times four [1]",
                false,
            ),
            leaf("Limit", "2 452 MiB", "", true),
        ],
    };
    section(
        "memory",
        "Memory",
        vec![Block::Table(table), Block::Tree(tree), Block::Chart(curves()), Block::Chart(parts())],
    )
}

fn axis(title: &str, logarithmic: bool) -> Axis {
    Axis { title: title.into(), logarithmic }
}

fn series(name: &str, mark: Mark, points: &[(f64, f64)]) -> Series {
    Series { name: name.into(), mark, points: points.to_vec() }
}

pub fn curves() -> Chart {
    let line = |base: f64, slope: f64| [(0.0, base), (16.0, base + 16.0 * slope)];
    Chart {
        id: "ram",
        title: "Memory of one process".into(),
        plot: Plot::Lines {
            x: axis("Requests at once", false),
            y: axis("Peak of the resident set [GiB]", false),
            series: vec![
                series("Fitted line", Mark::Line, &line(0.8, 0.4)),
                series("Lower bound, 95 %", Mark::Bound, &line(0.75, 0.37)),
                series("Upper bound, 95 %", Mark::Bound, &line(0.85, 0.43)),
                series(
                    "Measured",
                    Mark::Points,
                    &[(1.0, 1.2), (2.0, 1.62), (4.0, 2.38), (8.0, 4.05), (16.0, 7.3)],
                ),
                series("Limit of the container", Mark::Limit, &[(0.0, 6.0)]),
                series("Box", Mark::Limit, &[(0.0, 8.0)]),
                series("Box, less what the system takes", Mark::Limit, &[(0.0, 7.8)]),
            ],
        },
    }
}

pub fn parts() -> Chart {
    let bar = |name: &str, value: &str, mood, parts: &[(&str, f64)]| Bar {
        name: name.into(),
        value: value.into(),
        parts: parts.iter().map(|(name, length)| ((*name).to_owned(), *length)).collect(),
        mood,
    };
    Chart {
        id: "parts",
        title: "What memory is made of".into(),
        plot: Plot::Bars {
            axis: axis("GiB", false),
            bars: vec![
                bar(
                    "1 process",
                    "2.7 GiB of 8 GiB",
                    Mood::Good,
                    &[("Weights", 0.6), ("Runtime", 0.2), ("Buffers", 1.9)],
                ),
                bar(
                    "2 processes",
                    "5.2 GiB of 8 GiB",
                    Mood::Fair,
                    &[("Weights", 1.2), ("Runtime", 0.4), ("Buffers", 3.6)],
                ),
                bar(
                    "4 processes, each with a session of its own and nothing shared",
                    "9.9 GiB of 8 GiB",
                    Mood::Bad,
                    &[("Weights", 2.4), ("Runtime", 0.8), ("Buffers", 6.7)],
                ),
            ],
        },
    }
}

fn throughput() -> Section {
    let growing: Vec<(f64, f64)> = (0..=6).map(|n| (2f64.powi(n), 9.5 * 1.6f64.powi(n))).collect();
    let flat: Vec<(f64, f64)> = growing.iter().map(|(x, y)| (*x, y.min(60.0))).collect();
    let chart = Chart {
        id: "rate",
        title: "Requests a second by CPUs".into(),
        plot: Plot::Lines {
            x: axis("CPUs", true),
            y: axis("Requests a second", true),
            series: vec![
                series("One thread a request", Mark::Line, &growing),
                series("All threads a request", Mark::Line, &flat),
                series("Demand", Mark::Limit, &[(0.0, 40.0)]),
            ],
        },
    };
    let bar = |name: &str, length: f64, mood| Bar {
        name: name.into(),
        value: format!("{length} ms"),
        parts: vec![(String::new(), length)],
        mood,
    };
    let bars = Chart {
        id: "latency",
        title: "Time of a request".into(),
        plot: Plot::Bars {
            axis: axis("Milliseconds", true),
            bars: vec![
                bar("Decode", 3.0, Mood::Neutral),
                bar("Resize", 41.0, Mood::Good),
                bar("Network", 870.0, Mood::Fair),
                bar("Waiting", 20500.0, Mood::Bad),
            ],
        },
    };
    section("throughput", "Throughput", vec![Block::Chart(chart), Block::Chart(bars)])
}

fn setup() -> Section {
    let facts = Facts {
        title: "Configuration of the service".into(),
        groups: vec![
            (
                "Process".into(),
                vec![
                    leaf("Sessions", "4", "", false),
                    leaf("Threads a session", "2", "as the CPUs are 8 [1]", false),
                    leaf("Arena", "off", "", false),
                ],
            ),
            (String::new(), vec![leaf("Limit", "2.7 GiB", "", true)]),
        ],
    };
    let code = "import onnxruntime as ort\n\noptions = ort.SessionOptions()\noptions.enable_cpu_mem_arena = False  # names[1] < 2 && \"quoted\"\nsession = ort.InferenceSession(\"model.onnx\", options, providers=[\"CPUExecutionProvider\"])\n";
    section(
        "setup",
        "How to set it up",
        vec![
            Block::Facts(facts),
            Block::Heading("In Python".into()),
            Block::Code { language: "python", text: code.into() },
        ],
    )
}

/// What a chart may get, and should not.
fn edges() -> Section {
    let chart = |id, series: Vec<Series>| {
        let plot = Plot::Lines { x: axis("Across", false), y: axis("Up", false), series };
        Block::Chart(Chart { id, title: format!("At the edge: {id}"), plot })
    };
    let long = "a name that goes on and on, as names of models and of boxes do when they say all that they were made of, ".repeat(2);
    let close: Vec<Series> = (0..4)
        .map(|n| series(&format!("{n}: {long}"), Mark::Limit, &[(0.0, 1e9 + f64::from(n))]))
        .collect();
    let far =
        [(1e-5, 1.0), (1.0, 5e8), (2e9, f64::NAN), (3e9, 2e9), (4e9, 1.5e9), (f64::INFINITY, 1.0)];
    let wide = Chart {
        id: "wide",
        title: "At the edge: bars".into(),
        plot: Plot::Bars {
            axis: axis(&long, false),
            bars: vec![
                Bar {
                    name: long.clone(),
                    value: long.clone(),
                    parts: vec![
                        (long.clone(), 5.0),
                        (String::new(), 1.0),
                        ("nothing".into(), f64::NAN),
                    ],
                    mood: Mood::Bad,
                },
                Bar {
                    name: "Less than nothing".into(),
                    value: "−1".into(),
                    parts: vec![("a".into(), -1.0)],
                    mood: Mood::Neutral,
                },
                Bar { name: "Empty".into(), value: String::new(), parts: vec![], mood: Mood::Good },
                Bar {
                    name: "W".repeat(60),
                    value: "W".repeat(60),
                    parts: vec![("a".into(), 6.0)],
                    mood: Mood::Neutral,
                },
            ],
        },
    };
    section(
        "edges",
        "Edges",
        vec![
            chart("empty", vec![]),
            chart("void", vec![series("Nothing", Mark::Line, &[])]),
            chart("point", vec![series("One", Mark::Line, &[(3.0, 5.0)])]),
            chart("zero", vec![series("Zero", Mark::Points, &[(0.0, 0.0), (1.0, 0.0)])]),
            chart("huge", [close, vec![series(&long, Mark::Line, &far)]].concat()),
            Block::Chart(wide),
        ],
    )
}
