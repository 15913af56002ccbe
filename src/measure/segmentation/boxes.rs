//! Boxes out of anchors: the best of those that cover the same thing.

use super::Outputs;

/// Boxes of different classes never cover each other: each class is moved by this many pixels, more
/// than any input has.
const CLASS_OFFSET: f32 = 7680.0;

/// What is taken of the anchors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// Scores above this are candidates, 0 to 1.
    pub score: f32,
    /// The most candidates, those with the best scores.
    pub candidates: usize,
    /// Of two boxes that share more than this of their union, the better one stays, 0 to 1.
    pub overlap: f32,
    /// The most boxes that are left.
    pub detections: usize,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The class with the highest score.
    pub class: usize,
    /// That score, 0 to 1.
    pub score: f32,
    /// Left, top, right, bottom, in pixels of the input.
    pub corners: [f32; 4],
    /// Weights of the mask prototypes.
    pub coefficients: Vec<f32>,
}

/// What was found, best first: candidates by score, then non-maximum suppression class by class.
/// Equal scores stay in the order of the anchors.
pub fn detections(outputs: &Outputs, selection: &Selection) -> Vec<Detection> {
    let mut candidates: Vec<(usize, usize, f32)> = (0..outputs.anchors)
        .filter_map(|anchor| {
            let scores = (0..outputs.classes()).map(|c| (c, outputs.value(4 + c, anchor)));
            // Of equal scores the first class.
            let (class, score) = scores.reduce(|best, s| if s.1 > best.1 { s } else { best })?;
            (score > selection.score).then_some((anchor, class, score))
        })
        .collect();
    candidates.sort_by(|a, b| b.2.total_cmp(&a.2));
    candidates.truncate(selection.candidates);
    let boxes: Vec<([f32; 4], [f32; 4])> = candidates
        .iter()
        .map(|&(anchor, class, _)| {
            let corners = corners(outputs, anchor);
            #[expect(clippy::cast_precision_loss, reason = "there are few classes")]
            let offset = class as f32 * CLASS_OFFSET;
            (corners, corners.map(|c| c + offset))
        })
        .collect();
    let mut kept: Vec<usize> = Vec::new();
    for (i, (_, moved)) in boxes.iter().enumerate() {
        if kept.len() >= selection.detections {
            break;
        }
        if kept.iter().all(|&k| overlap(&boxes[k].1, moved) <= selection.overlap) {
            kept.push(i);
        }
    }
    let first = 4 + outputs.classes();
    let detection = |i: usize| {
        let (anchor, class, score) = candidates[i];
        let coefficients = (first..outputs.rows()).map(|row| outputs.value(row, anchor)).collect();
        Detection { class, score, corners: boxes[i].0, coefficients }
    };
    kept.into_iter().map(detection).collect()
}

/// From middle and size.
fn corners(outputs: &Outputs, anchor: usize) -> [f32; 4] {
    let [x, y, width, height] = [0, 1, 2, 3].map(|row| outputs.value(row, anchor));
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

/// Share of the union that is in both (the Jaccard index), 0 to 1.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |c: &[f32; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let both = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    let union = area(a) + area(b) - both;
    if union > 0.0 { both / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anchors as middle, size, two scores and one coefficient.
    fn outputs(anchors: &[[f32; 7]]) -> Outputs {
        let found = (0..7).flat_map(|row| anchors.iter().map(move |a| a[row])).collect();
        Outputs { found, anchors: anchors.len(), prototypes: vec![1.0], prototype_shape: [1, 1, 1] }
    }

    const ALL: Selection =
        Selection { score: 0.25, candidates: 100, overlap: 0.5, detections: 100 };

    #[test]
    fn the_best_of_boxes_that_cover_the_same_is_left() {
        let outputs = outputs(&[
            [10.0, 10.0, 10.0, 10.0, 0.6, 0.1, 1.0],
            // Two thirds of the union with the first.
            [12.0, 10.0, 10.0, 10.0, 0.9, 0.1, 2.0],
            // A third of the union with the second.
            [17.0, 10.0, 10.0, 10.0, 0.3, 0.2, 3.0],
            // Where the second is, of the other class.
            [12.0, 10.0, 10.0, 10.0, 0.1, 0.5, 4.0],
            // Too low.
            [90.0, 90.0, 10.0, 10.0, 0.25, 0.1, 5.0],
        ]);
        let found = detections(&outputs, &ALL);
        let told: Vec<_> = found.iter().map(|d| (d.class, d.coefficients[0])).collect();
        assert_eq!(told, [(0, 2.0), (1, 4.0), (0, 3.0)]);
        assert_eq!(found[0].corners, [7.0, 5.0, 17.0, 15.0]);
        let few = detections(&outputs, &Selection { detections: 1, ..ALL });
        assert_eq!(few, found[..1]);
        let best = detections(&outputs, &Selection { candidates: 2, ..ALL });
        assert_eq!(best, found[..1]);
    }

    /// `torchvision.ops.nms` 0.29.2 on the same 40 boxes (middle, size, rank of the score), with
    /// an overlap of 0.4, keeps these in this order.
    #[test]
    fn another_implementation_keeps_the_same() {
        const BOXES: [[u8; 5]; 40] = [
            [95, 70, 50, 32, 28],
            [74, 91, 76, 72, 31],
            [66, 82, 26, 48, 11],
            [86, 38, 76, 70, 34],
            [24, 44, 60, 56, 13],
            [42, 89, 18, 62, 37],
            [93, 20, 46, 20, 2],
            [59, 85, 30, 50, 27],
            [30, 83, 62, 48, 10],
            [29, 57, 54, 70, 21],
            [85, 44, 58, 38, 18],
            [47, 42, 56, 54, 15],
            [77, 40, 22, 18, 16],
            [99, 55, 58, 40, 22],
            [58, 60, 54, 36, 36],
            [66, 64, 30, 24, 39],
            [60, 99, 40, 68, 6],
            [84, 83, 40, 40, 7],
            [76, 69, 52, 78, 24],
            [47, 99, 40, 52, 26],
            [57, 37, 44, 54, 20],
            [87, 32, 44, 56, 30],
            [88, 69, 50, 58, 17],
            [29, 23, 76, 24, 12],
            [55, 22, 50, 44, 0],
            [31, 61, 38, 30, 38],
            [97, 57, 18, 40, 8],
            [84, 93, 68, 22, 1],
            [85, 70, 40, 76, 14],
            [55, 61, 76, 28, 3],
            [41, 59, 16, 58, 5],
            [50, 39, 16, 34, 35],
            [99, 20, 46, 70, 33],
            [27, 35, 20, 58, 19],
            [97, 75, 50, 24, 4],
            [90, 36, 70, 70, 29],
            [77, 49, 46, 76, 9],
            [59, 20, 54, 72, 23],
            [69, 86, 76, 52, 25],
            [73, 32, 32, 24, 32],
        ];
        let kept = [
            15, 25, 5, 14, 31, 3, 32, 39, 1, 0, 7, 19, 37, 13, 9, 33, 12, 11, 28, 23, 8, 26, 30, 6,
            27,
        ];
        // The coefficient is the number of the box.
        let anchor = |(i, b): (u8, &[u8; 5])| {
            let [x, y, width, height, rank] = b.map(f32::from);
            [x, y, width, height, 0.5 + rank / 100.0, 0.0, f32::from(i)]
        };
        let outputs = outputs(&(0..).zip(&BOXES).map(anchor).collect::<Vec<_>>());
        let found = detections(&outputs, &Selection { overlap: 0.4, ..ALL });
        let numbers: Vec<f32> = found.iter().map(|d| d.coefficients[0]).collect();
        assert_eq!(numbers, kept.map(|i: u8| f32::from(i)));
    }
}
