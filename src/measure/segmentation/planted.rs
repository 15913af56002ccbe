//! Planted outputs through `ultralytics` 8.4.190 and torch 2.15, and through here.
//!
//! The expected numbers are of `nms.non_max_suppression(found, 0.5, 0.2, nc=2)`; of
//! `(coefficients @ prototypes).sigmoid()`, `ops.crop_mask` with boxes in the prototypes' pixels,
//! `F.interpolate(…, (640, 640), mode="bilinear")`, `ops.scale_masks` to the image and `> 0.5` of
//! its first six; and of `LetterBox((640, 640), auto=False)`.

use super::{Detection, Outputs, Placing, Selection, detections, masks};

const ANCHORS: usize = 200;
const SIDE: usize = 40;

/// Whole numbers below 1000, the same in every language (the constants of ANSI C's `rand`).
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> f64 {
        self.0 = (self.0 * 1_103_515_245 + 12_345) % (1 << 31);
        let small = u16::try_from((self.0 >> 8) % 1000).unwrap();
        f64::from(small)
    }
}

/// Two classes, three coefficients, no two scores alike; prototypes smoothed over 7 × 7, so that
/// masks have areas.
#[expect(clippy::cast_possible_truncation, reason = "the outputs of networks are of 32 bits")]
fn planted() -> Outputs {
    let mut random = Lcg(12_345);
    let mut found = vec![0.0_f32; 9 * ANCHORS];
    for (anchor, number) in (0..ANCHORS).zip(0_u32..) {
        let mut put = |row: usize, value: f64| found[row * ANCHORS + anchor] = value as f32;
        for row in 0..2 {
            put(row, random.next() * 640.0 / 1000.0);
        }
        for row in 2..4 {
            put(row, 60.0 + random.next() / 5.0);
        }
        for row in 4..6 {
            put(row, random.next() / 1000.0 + f64::from(number) * 1e-6);
        }
        for row in 6..9 {
            put(row, random.next() / 500.0 - 1.0);
        }
    }
    let rough: Vec<f64> = (0..3 * SIDE * SIDE).map(|_| random.next() / 500.0 - 1.0).collect();
    let prototypes = (0..rough.len()).map(|i| (8.0 * smooth(&rough, i)) as f32).collect();
    Outputs { found, anchors: ANCHORS, prototypes, prototype_shape: [3, SIDE, SIDE] }
}

/// Mean of the 7 × 7 around a place, edges repeated.
fn smooth(rough: &[f64], place: usize) -> f64 {
    let (layer, y, x) = (place / (SIDE * SIDE), place / SIDE % SIDE, place % SIDE);
    let near = |at: usize, by: usize| (at + by).saturating_sub(3).min(SIDE - 1);
    let row = |dy| (0..7).map(move |dx| (layer * SIDE + near(y, dy)) * SIDE + near(x, dx));
    (0..7).flat_map(row).map(|at| rough[at]).sum::<f64>() / 49.0
}

fn found(outputs: &Outputs) -> Vec<Detection> {
    let selection = Selection { score: 0.5, candidates: 30_000, overlap: 0.2, detections: 300 };
    detections(outputs, &selection)
}

#[test]
fn the_same_boxes_of_two_classes_are_kept() {
    let kept = [
        87, 49, 193, 133, 38, 148, 123, 9, 88, 147, 100, 108, 78, 97, 93, 85, 104, 53, 75, 36, 155,
        42, 64, 29, 34, 80, 99, 69, 110, 157, 149, 180, 127, 122, 183, 45, 84, 54, 67, 22, 27, 12,
        73, 101, 172, 174, 86, 120, 11, 185, 10, 140, 18, 72, 28, 39, 106, 163, 96, 89, 194,
    ];
    let outputs = planted();
    let anchor =
        |d: &Detection| (0..ANCHORS).find(|&a| outputs.value(4 + d.class, a) == d.score).unwrap();
    let found = found(&outputs);
    assert_eq!(found.iter().map(anchor).collect::<Vec<_>>(), kept);
    assert!(found.iter().any(|d| d.class == 0) && found.iter().any(|d| d.class == 1));
}

/// Areas within a fiftieth or a few pixels: the interpolations round otherwise.
#[test]
fn masks_cover_the_same() {
    let outputs = planted();
    let found = found(&outputs);
    for (size, areas) in [
        ((816, 612), [1420, 4437, 1014, 14055, 20317, 13842]),
        ((640, 640), [1033, 2730, 625, 8644, 12523, 8510]),
        ((700, 900), [2031, 5389, 1230, 17081, 24272, 7900]),
    ] {
        let placing = Placing::fitted(size, (640, 640));
        let masks = masks(&outputs, &found[..6], &placing);
        let covered: Vec<i32> =
            masks.iter().map(|m| m.pixels().map(|p| i32::from(p.0[0] > 0)).sum()).collect();
        let alike = |(here, there): (&i32, &i32)| (here - there).abs() <= 5 + there / 50;
        assert!(covered.iter().zip(&areas).all(alike), "{size:?}: {covered:?} {areas:?}");
    }
}

/// Width and height; columns and rows of the image in the input: first, and how many.
#[test]
fn images_are_placed_where_the_predictor_places_them() {
    for (original, corner, size) in [
        ((1632, 1224), (0, 80), (640, 480)),
        ((100, 333), (224, 0), (192, 640)),
        ((5000, 1), (0, 319), (640, 1)),
        // 481 × 640 / 639 = 481.75, rounded.
        ((639, 481), (0, 79), (640, 482)),
    ] {
        let placing = Placing::fitted(original, (640, 640));
        assert_eq!((placing.corner, placing.size), (corner, size), "{original:?}");
    }
}
