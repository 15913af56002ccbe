use super::*;
use crate::footprint::Settings;

fn mib(low: u64, typical: u64, high: u64) -> Span<Bytes> {
    Span::new(Bytes::mib(low), Bytes::mib(typical), Bytes::mib(high), Source::Fitted).unwrap()
}

fn row(value: &str, is_input: bool, ram: Span<Bytes>, cpu: f64) -> Row {
    let key = if is_input { "image" } else { "arena" };
    let choice = Choice { key: key.into(), value: value.into(), is_input };
    Row {
        name: name_of(std::slice::from_ref(&choice)),
        choices: vec![choice],
        environment: Environment {
            cpu_model: "Some CPU".into(),
            cores: 2,
            kernel: "6.1.0".into(),
            onnxruntime: "1.31.1".into(),
            library_sha256: None,
            conditions: Vec::new(),
            tool: "0.1.0".into(),
            settings: Settings::default(),
            default_threads: None,
            cpu_score: None,
        },
        image: None,
        base: ram,
        buffer: ram,
        load_peak: ram,
        ram,
        cpu: Span::exact(Seconds::new(cpu), Source::Measured),
        throughput: None,
        max_concurrency: None,
        fits: Some(ram.high() <= Bytes::mib(512)),
        warnings: Vec::new(),
    }
}

#[test]
fn intervals_that_overlap_tell_nothing_apart() {
    let difference = |first, other| Difference::between(&first, &other, Bytes::as_f64);
    let mebibyte = Bytes::mib(1).as_f64();
    let apart = difference(mib(490, 500, 510), mib(370, 380, 390));
    assert!((apart.typical + 120.0 * mebibyte).abs() < 1.0 && !apart.is_noise());
    assert!((apart.low + 140.0 * mebibyte).abs() < 1.0);
    assert!((apart.high + 100.0 * mebibyte).abs() < 1.0);
    assert!((apart.share + 0.24).abs() < 1e-9);
    let overlapping = difference(mib(450, 500, 550), mib(440, 470, 460 + 40));
    assert!(overlapping.is_noise());
    assert!(overlapping.beyond_noise().abs() < f64::EPSILON);
    let exact_and_tiny = difference(mib(500, 500, 500), mib(497, 497, 497));
    assert!(exact_and_tiny.is_noise());
    assert!(!difference(mib(500, 500, 500), mib(490, 490, 490)).is_noise());
    let of_nothing = difference(mib(0, 0, 0), mib(1, 1, 1));
    assert!(of_nothing.share.is_finite());
}

#[test]
fn what_saves_most_comes_first_and_noise_before_what_costs() {
    let rows = [
        row("first", false, mib(590, 600, 610), 0.1),
        row("costs", false, mib(690, 700, 710), 0.1),
        row("noise", false, mib(500, 590, 680), 0.1),
        row("saves some", false, mib(490, 500, 510), 0.1),
        row("saves most", false, mib(390, 400, 410), 0.12),
        row("saves time", false, mib(590, 600, 610), 0.05),
    ];
    let tips = tips(&rows);
    let order: Vec<&str> = tips.iter().map(|t| rows[t.row].choices[0].value.as_str()).collect();
    assert_eq!(order, ["saves most", "saves some", "saves time", "noise", "costs"]);
    assert!(tips[0].makes_it_fit && !tips[0].cpu.is_noise());
    assert!(tips[1].makes_it_fit && tips[1].cpu.is_noise());
    assert!(!tips[3].makes_it_fit);
    assert!(tips.iter().all(|tip| !tip.is_input));
}

#[test]
fn another_input_is_no_saving_of_the_service() {
    let rows = [row("1mp", true, mib(1, 1, 1), 0.1), row("4mp", true, mib(4, 4, 4), 0.4)];
    assert!(tips(&rows)[0].is_input);
    assert_eq!(tips(&rows[..1]), []);
    // Two settings of two inputs: each setting is compared at its own input.
    let with = |arena: &str, size: &str, ram| {
        let mut row = row(size, true, mib(ram, ram, ram), 0.1);
        row.choices.push(Choice { key: "arena".into(), value: arena.into(), is_input: false });
        row
    };
    let rows = [
        with("on", "1mp", 100),
        with("off", "1mp", 90),
        with("on", "4mp", 400),
        with("off", "4mp", 300),
    ];
    let told: Vec<_> = tips(&rows).iter().map(|t| (t.row, t.against, t.is_input)).collect();
    assert_eq!(told, [(3, 2, false), (1, 0, false), (2, 0, true)]);
    assert_eq!(tips(&[]), []);
}
