//! Against other people's numbers.

use super::*;

pub(super) fn points(pairs: &[(f64, f64)]) -> Vec<Sample> {
    pairs.iter().map(|&(x, y)| Sample { x, y, process: 0 }).collect()
}

/// NIST `StRD`, linear regression, data set Norris (ozone calibration, 36 observations).
const NORRIS: [(f64, f64); 36] = [
    (0.2, 0.1),
    (337.4, 338.8),
    (118.2, 118.1),
    (884.6, 888.0),
    (10.1, 9.2),
    (226.5, 228.1),
    (666.3, 668.5),
    (996.3, 998.5),
    (448.6, 449.1),
    (777.0, 778.9),
    (558.2, 559.2),
    (0.4, 0.3),
    (0.6, 0.1),
    (775.5, 778.1),
    (666.9, 668.8),
    (338.0, 339.3),
    (447.5, 448.9),
    (11.6, 10.8),
    (556.0, 557.7),
    (228.1, 228.3),
    (995.8, 998.0),
    (887.6, 888.8),
    (120.2, 119.6),
    (0.3, 0.3),
    (0.3, 0.6),
    (556.8, 557.6),
    (339.1, 339.3),
    (887.2, 888.0),
    (999.0, 998.5),
    (779.0, 778.9),
    (11.1, 10.2),
    (118.3, 117.6),
    (229.2, 228.9),
    (669.1, 668.4),
    (448.9, 449.2),
    (0.5, 0.2),
];

pub(super) fn close(value: f64, certified: f64, digits: i32) {
    let error = ((value - certified) / certified).abs();
    assert!(error < 10f64.powi(-digits), "{value} is not {certified} to {digits} digits");
}

#[test]
fn norris_to_its_certified_digits() {
    let line = Line::fit(&points(&NORRIS)).unwrap();
    close(line.intercept(), -0.262_323_073_774_029, 11);
    close(line.slope(), 1.002_116_818_020_45, 13);
    close(line.intercept_sd(), 0.232_818_234_301_152, 11);
    close(line.slope_sd(), 0.429_796_848_199_937E-03, 11);
    close(line.within_sd(), 0.884_796_396_144_373, 11);
    assert_eq!((line.processes(), line.between_sd()), (1, None));
    close(line.slope_degrees_of_freedom(), 34.0, 12);
    close(line.intercept_degrees_of_freedom(), 34.0, 12);
    close(line.r_squared(), 0.999_993_745_883_712, 13);
}

/// 160, 310 and 610 MB at 1, 2 and 4 threads, as reported in ONNX Runtime's issue 9152.
#[test]
fn a_published_footprint() {
    let line = Line::fit(&points(&[(1.0, 160.0), (2.0, 310.0), (4.0, 610.0)])).unwrap();
    close(line.intercept(), 10.0, 12);
    close(line.slope(), 150.0, 12);
    assert_eq!(line.within_sd(), 0.0);
}

#[test]
fn quantiles_of_student_as_printed_in_tables() {
    for (df, t) in [(1.0, 12.706), (2.0, 4.303), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042)] {
        assert!((student_t(0.95, df) - t).abs() < 5e-4, "{df}");
    }
    // One and two degrees of freedom have closed forms: tan(π p / 2) and p sqrt(2 / (1 - p²)).
    close(student_t(0.95, 1.0), (0.475 * std::f64::consts::PI).tan(), 11);
    close(student_t(0.95, 2.0), 0.95 * (2.0f64 / (1.0 - 0.95 * 0.95)).sqrt(), 11);
}

#[test]
fn what_is_no_line_is_refused() {
    assert_eq!(Line::fit(&points(&[(1.0, 1.0), (2.0, 2.0)])), Err(FitError::TooFew(2)));
    assert_eq!(Line::fit(&points(&[(1.0, 1.0); 3])), Err(FitError::OneConcurrency));
    let infinite = points(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0)]);
    assert_eq!(Line::fit(&infinite), Err(FitError::NotFinite));
    // The mean of three times 0.1 is not 0.1, and the square of 10^200 is infinite.
    let tenths = points(&[(0.1, 1.0), (0.1, 2.0), (0.1, 3.0)]);
    assert_eq!(Line::fit(&tenths), Err(FitError::OneConcurrency));
    let huge = points(&[(1e200, 1.0), (2.0, 2.0), (3.0, 1.0)]);
    assert_eq!(Line::fit(&huge), Err(FitError::NotFinite));
}

#[test]
fn intervals_are_the_estimate_and_t_standard_deviations() {
    let line = Line::fit(&points(&NORRIS)).unwrap();
    assert_eq!(line.x_range(), (0.2, 999.0));
    // t(0.975, 34) of a printed table.
    let t = 2.032_244_5;
    close(line.slope_interval(0.95).high, 1.002_116_818_020_45 + t * 0.429_796_848_2e-3, 9);
    close(line.intercept_interval(0.95).low, -0.262_323_073_774 - t * 0.232_818_234_301, 7);
    assert_eq!(line.intercept_interval(0.95), line.mean_interval(0.0, 0.95));
}

/// Reaction times of 18 people over 10 days of too little sleep: Belenky et al., Journal of Sleep
/// Research 12 (2003), as the data set `sleepstudy` of R's lme4. A row is a person.
const SLEEP: [[f64; 10]; 18] = [
    [
        249.56, 258.7047, 250.8006, 321.4398, 356.8519, 414.6901, 382.2038, 290.1486, 430.5853,
        466.3535,
    ],
    [
        222.7339, 205.2658, 202.9778, 204.707, 207.7161, 215.9618, 213.6303, 217.7272, 224.2957,
        237.3142,
    ],
    [
        199.0539, 194.3322, 234.32, 232.8416, 229.3074, 220.4579, 235.4208, 255.7511, 261.0125,
        247.5153,
    ],
    [
        321.5426, 300.4002, 283.8565, 285.133, 285.7973, 297.5855, 280.2396, 318.2613, 305.3495,
        354.0487,
    ],
    [
        287.6079, 285.0, 301.8206, 320.1153, 316.2773, 293.3187, 290.075, 334.8177, 293.7469,
        371.5811,
    ],
    [
        234.8606, 242.8118, 272.9613, 309.7688, 317.4629, 309.9976, 454.1619, 346.8311, 330.3003,
        253.8644,
    ],
    [
        283.8424, 289.555, 276.7693, 299.8097, 297.171, 338.1665, 332.0265, 348.8399, 333.36,
        362.0428,
    ],
    [
        265.4731, 276.2012, 243.3647, 254.6723, 279.0244, 284.1912, 305.5248, 331.5229, 335.7469,
        377.299,
    ],
    [
        241.6083, 273.9472, 254.4907, 270.8021, 251.4519, 254.6362, 245.4523, 235.311, 235.7541,
        237.2466,
    ],
    [
        312.3666, 313.8058, 291.6112, 346.1222, 365.7324, 391.8385, 404.2601, 416.6923, 455.8643,
        458.9167,
    ],
    [
        236.1032, 230.3167, 238.9256, 254.922, 250.7103, 269.7744, 281.5648, 308.102, 336.2806,
        351.6451,
    ],
    [
        256.2968, 243.4543, 256.2046, 255.5271, 268.9165, 329.7247, 379.4445, 362.9184, 394.4872,
        389.0527,
    ],
    [
        250.5265, 300.0576, 269.8939, 280.5891, 271.8274, 304.6336, 287.7466, 266.5955, 321.5418,
        347.5655,
    ],
    [
        221.6771, 298.1939, 326.8785, 346.8555, 348.7402, 352.8287, 354.4266, 360.4326, 375.6406,
        388.5417,
    ],
    [
        271.9235, 268.4369, 257.2424, 277.6566, 314.8222, 317.2135, 298.1353, 348.1229, 340.28,
        366.5131,
    ],
    [
        225.264, 234.5235, 238.9008, 240.473, 267.5373, 344.1937, 281.1481, 347.5855, 365.163,
        372.2288,
    ],
    [
        269.8804, 272.4428, 277.8989, 281.7895, 279.1705, 284.512, 259.2658, 304.6306, 350.7807,
        369.4692,
    ],
    [
        269.4117, 273.474, 297.5968, 310.6316, 287.1726, 329.6076, 334.4818, 343.2199, 369.1417,
        364.1236,
    ],
];

fn sleep() -> Vec<Sample> {
    let person = |(process, row): (u32, &[f64; 10])| {
        let days = (0..10).map(f64::from).zip(*row);
        days.map(|(x, y)| Sample { x, y, process }).collect::<Vec<_>>()
    };
    (0..).zip(&SLEEP).flat_map(person).collect()
}

/// What R's lme4 and lmerTest print for `lmer(Reaction ~ Days + (1 | Subject), sleepstudy)`, with
/// Satterthwaite's degrees of freedom.
#[test]
fn a_published_mixed_model_to_its_printed_digits() {
    let line = Line::fit(&sleep()).unwrap();
    assert_eq!(line.processes(), 18);
    close(line.intercept(), 251.4051, 6);
    close(line.intercept_sd(), 9.7467, 5);
    close(line.intercept_degrees_of_freedom(), 22.8102, 5);
    close(line.slope(), 10.4673, 5);
    close(line.slope_sd(), 0.8042, 4);
    close(line.slope_degrees_of_freedom(), 161.0, 6);
    close(line.between_sd().unwrap().powi(2), 1378.2, 4);
    close(line.within_sd().powi(2), 960.5, 4);
}

/// Three children with a ladder and three with one point: ResNet-18, MiB.
fn children(mib: f64) -> Vec<Sample> {
    let ladders =
        [[191.3, 209.1, 246.1, 330.0], [191.3, 209.2, 263.1, 330.7], [173.3, 194.1, 245.3, 329.2]];
    let ladder = |(process, row): (u32, [f64; 4])| {
        [1.0, 2.0, 4.0, 8.0].into_iter().zip(row).map(move |(x, y)| Sample { x, y, process })
    };
    let checks =
        (4..).zip([494.7, 516.8, 497.7]).map(|(process, y)| Sample { x: 16.0, y, process });
    let all = (0..).zip(ladders).flat_map(ladder).chain(checks);
    all.map(|s| Sample { y: s.y * mib, ..s }).collect()
}

/// What Python's statsmodels 0.15.0 gives for the same points,
/// `mixedlm("y ~ x", data, groups="process").fit(reml=True, method="powell")`.
#[test]
fn unequal_processes_against_another_implementation() {
    let line = Line::fit(&children(1.0)).unwrap();
    close(line.intercept(), 164.829_594_9, 7);
    close(line.slope(), 21.049_114_2, 7);
    close(line.between_sd().unwrap().powi(2), 55.085_160, 5);
    close(line.within_sd().powi(2), 33.612_916, 5);
    // It is the same in bytes.
    let bytes = Line::fit(&children(1_048_576.0)).unwrap();
    close(bytes.slope_sd(), line.slope_sd() * 1_048_576.0, 6);
    close(bytes.intercept_degrees_of_freedom(), line.intercept_degrees_of_freedom(), 5);
}

/// A balanced ladder, by hand: the variances are those of the analysis of variance, and what is
/// predicted of a new process at the mean x rests on one mean square with two degrees of freedom.
#[test]
fn three_processes_know_their_spread_by_two_degrees_of_freedom() {
    let offsets = [-7.0, 1.0, 6.0];
    let errors = [[0.3, -0.4, 0.1], [-0.2, 0.5, -0.3], [0.1, 0.2, -0.3]];
    let mut samples = Vec::new();
    for (process, (offset, errors)) in (0..).zip(offsets.into_iter().zip(errors)) {
        for (x, error) in [1.0, 2.0, 3.0].into_iter().zip(errors) {
            samples.push(Sample { x, y: 300.0 + 20.0 * x + offset + error, process });
        }
    }
    let line = Line::fit(&samples).unwrap();
    // Means less the grand mean are -7, 1 and 6, as the errors of each process sum to 0.
    let between = 3.0 * (49.0 + 1.0 + 36.0) / 2.0;
    // Σe² = 0.78 less the common slope: Sxy = -0.2 - 0.1 - 0.4 on Sxx = 6.
    let within = (0.78 - 0.7 * 0.7 / 6.0) / 5.0;
    close(line.within_sd().powi(2), within, 7);
    close(line.between_sd().unwrap().powi(2), (between - within) / 3.0, 7);
    close(line.slope_sd(), (within / 6.0).sqrt(), 7);
    close(line.slope_degrees_of_freedom(), 5.0, 6);
    let interval = line.prediction_interval(2.0, 0.95);
    let variance = (between - within) / 3.0 + within + between / 9.0;
    let t = (interval.high - line.at(2.0)) / variance.sqrt();
    assert!((4.2..4.31).contains(&t), "{t}");
}

#[test]
fn offsets_do_not_blur_the_slope() {
    let ladder = |offsets: [f64; 3]| {
        let mut samples = children(1.0);
        for sample in &mut samples {
            sample.y += offsets.get(sample.process as usize).copied().unwrap_or(0.0);
        }
        samples.retain(|s| s.x < 16.0);
        Line::fit(&samples).unwrap()
    };
    let (near, far) = (ladder([0.0; 3]), ladder([100.0, -50.0, 200.0]));
    close(near.slope(), far.slope(), 9);
    close(near.slope_sd(), far.slope_sd(), 6);
    assert!(far.intercept_sd() > 3.0 * near.intercept_sd());
}

#[test]
fn what_is_exact_has_no_doubt_but_of_its_processes() {
    let exact = |offset: f64, process: u32| {
        [1.0, 2.0, 4.0].map(|x: f64| Sample { x, y: 3e8 + 2e7 * x + offset, process })
    };
    let all = [exact(0.0, 0), exact(0.0, 1), exact(0.4, 2)].concat();
    let line = Line::fit(&all).unwrap().with_discrepancy(0.01);
    assert_eq!((line.within_sd(), line.between_sd()), (0.0, Some(0.0)));
    let at = line.at(16.0);
    assert_eq!(line.prediction_interval(16.0, 0.95), Interval { low: at, high: at });
    // Exact lines, side by side: the variance of 0, 7 and 14 MB is 49.
    let all = [exact(0.0, 0), exact(7e6, 1), exact(14e6, 2)].concat();
    let line = Line::fit(&all).unwrap();
    close(line.between_sd().unwrap(), 7e6, 3);
    assert!(line.slope_sd() < 200.0);
}

#[test]
fn one_point_a_process_is_ordinary_least_squares() {
    let pooled = children(1.0).into_iter().map(|s| Sample { process: 0, ..s }).collect::<Vec<_>>();
    let each = (0..).zip(&pooled).map(|(process, s)| Sample { process, ..*s }).collect::<Vec<_>>();
    let (pooled, each) = (Line::fit(&pooled).unwrap(), Line::fit(&each).unwrap());
    assert_eq!(pooled.prediction_interval(9.0, 0.9), each.prediction_interval(9.0, 0.9));
    assert_eq!((pooled.between_sd(), each.between_sd()), (None, Some(0.0)));
}

#[test]
fn more_processes_have_a_steadier_median_but_the_discrepancy_stays() {
    let line = Line::fit(&children(1.0)).unwrap();
    let half = |line: &Line, k| line.median_interval(16.0, k, 0.95).high - line.at(16.0);
    let halves: Vec<f64> = (1..9).map(|k| half(&line, k)).collect();
    assert!(halves.is_sorted_by(|a, b| a >= b), "{halves:?}");
    // 1 - √3/π is the variance of the median of three.
    close(variance_of_median(3), 1.0 - 3f64.sqrt() / std::f64::consts::PI, 5);
    let wide = line.with_discrepancy(0.02);
    close(half(&wide, 3), half(&line, 3).hypot(1.959_964 * 0.02 * line.at(16.0)), 6);
    let new = |line: &Line| line.prediction_interval(16.0, 0.95).high - line.at(16.0);
    close(new(&wide), new(&line).hypot(1.959_964 * 0.02 * line.at(16.0)), 6);
}

#[test]
fn no_confidence_breaks_an_interval() {
    let exact = Line::fit(&points(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)])).unwrap();
    assert_eq!(exact.slope_interval(1.0), Interval { low: 1.0, high: 1.0 });
    let line = Line::fit(&points(&NORRIS)).unwrap();
    for confidence in [-1.0, 0.0, 1.0, 2.0, f64::NAN] {
        let interval = line.slope_interval(confidence);
        assert!(interval.low <= interval.high, "{confidence}: {interval:?}");
    }
}

#[test]
fn the_lower_bound_peaks_where_it_is_said_to() {
    for (slope, noise) in [(0.3, 20.0), (0.0, 20.0), (-0.3, 20.0)] {
        let samples: Vec<_> = curve(0.0, noise)
            .iter()
            .map(|s| Sample { y: s.y + (slope - 20.0) * s.x, ..*s })
            .collect();
        for share in [0.0, 0.05] {
            let line = Line::fit(&samples).unwrap().with_discrepancy(share);
            let peak = line.peak_of_lower_prediction(0.95);
            let bound = |x: f64| line.prediction_interval(x, 0.95).low;
            assert!(peak.is_finite(), "{slope}");
            assert!(bound(peak) > bound(peak - 0.1) && bound(peak) > bound(peak + 0.1), "{slope}");
        }
    }
}

#[test]
fn a_steep_line_has_no_peak() {
    let peak = |slope: f64| {
        let tilt = |s: &Sample| Sample { y: s.y + (slope - 20.0) * s.x, ..*s };
        let samples: Vec<_> = curve(0.0, 20.0).iter().map(tilt).collect();
        Line::fit(&samples).unwrap().peak_of_lower_prediction(0.95)
    };
    let peaks: Vec<f64> = (-40..=40).map(|tenths| peak(f64::from(tenths) / 10.0)).collect();
    assert!(peaks.is_sorted() && !peaks.iter().any(|p| p.is_nan()));
    assert_eq!((peaks[0], peaks[80]), (f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn a_new_observation_is_less_certain_than_the_mean() {
    let line = Line::fit(&points(&NORRIS)).unwrap();
    let (mean, new) = (line.mean_interval(500.0, 0.95), line.prediction_interval(500.0, 0.95));
    assert!(new.low < mean.low && mean.high < new.high);
}

pub(super) fn curve(bend: f64, noise: f64) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(7);
    [1.0, 2.0, 4.0, 8.0, 16.0]
        .iter()
        .cycle()
        .take(15)
        .map(|&x: &f64| {
            let y = 300.0 + 20.0 * x + bend * x * x + noise * (random.f64() - 0.5);
            Sample { x, y, process: 0 }
        })
        .collect()
}
