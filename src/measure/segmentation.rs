//! What a service does around a network that finds things and their outlines: the image fitted to
//! the network's square before, boxes and masks out of its two outputs after.
//!
//! The steps are those of Ultralytics' predictor, which most services of these networks run.

mod boxes;
mod masks;
mod placing;
#[cfg(test)]
mod planted;

pub use boxes::{Detection, Selection, detections};
pub use masks::{Mask, masks};
pub use placing::{Placing, letterbox};

/// The outputs of one run.
#[derive(Debug)]
pub struct Outputs {
    /// `[4 + classes + M, A]`: middle, size, scores and mask coefficients of each anchor.
    pub found: Vec<f32>,
    /// A.
    pub anchors: usize,
    /// `[M, height, width]`.
    pub prototypes: Vec<f32>,
    /// M, height, width.
    pub prototype_shape: [usize; 3],
}

impl Outputs {
    /// From two tensors; `None` where their shapes are not those of such a network: `[1, 4 +
    /// classes + M, A]` with at least one class, and `[1, M, height, width]`.
    pub fn new(found: (&[i64], &[f32]), prototypes: (&[i64], &[f32])) -> Option<Self> {
        let sizes = |shape: &[i64]| -> Option<Vec<usize>> {
            shape.iter().map(|&d| usize::try_from(d).ok()).collect()
        };
        let &[1, rows, anchors] = sizes(found.0)?.as_slice() else { return None };
        let &[1, coefficients, height, width] = sizes(prototypes.0)?.as_slice() else {
            return None;
        };
        let is_whole = found.1.len() == rows * anchors
            && prototypes.1.len() == coefficients * height * width
            && rows > 4 + coefficients
            && height > 0
            && width > 0;
        is_whole.then(|| Self {
            found: found.1.to_vec(),
            anchors,
            prototypes: prototypes.1.to_vec(),
            prototype_shape: [coefficients, height, width],
        })
    }

    /// Values of each anchor.
    fn rows(&self) -> usize {
        self.found.len() / self.anchors.max(1)
    }

    /// Scores of each anchor.
    fn classes(&self) -> usize {
        self.rows() - 4 - self.prototype_shape[0]
    }

    /// One value of one anchor.
    fn value(&self, row: usize, anchor: usize) -> f32 {
        self.found[row * self.anchors + anchor]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_shapes_are_of_other_networks() {
        let (found, prototypes) = (vec![0.0; 7 * 3], vec![0.0; 2 * 4 * 4]);
        let outputs = |f: &[i64], p: &[i64]| Outputs::new((f, &found), (p, &prototypes));
        let good = outputs(&[1, 7, 3], &[1, 2, 4, 4]).unwrap();
        assert_eq!((good.rows(), good.classes()), (7, 1));
        assert!(outputs(&[1, 21], &[1, 2, 4, 4]).is_none());
        assert!(outputs(&[1, 7, 3], &[2, 4, 4]).is_none());
        assert!(outputs(&[1, 3, 7], &[1, 2, 4, 4]).is_none(), "no class is left");
        assert!(outputs(&[1, -7, 3], &[1, 2, 4, 4]).is_none());
        assert!(outputs(&[1, 7, 4], &[1, 2, 4, 4]).is_none());
    }
}
