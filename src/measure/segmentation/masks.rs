//! Outlines: each mask is a weighted sum of the prototypes, cut to its box.

use image::imageops::{self, FilterType};
use image::{GrayImage, ImageBuffer, Luma};

use super::{Detection, Outputs, Placing};

/// A mask of the original image, 255 where the thing is.
pub type Mask = GrayImage;

/// Values of one mask, 0 to 1.
type Soft = ImageBuffer<Luma<f32>, Vec<f32>>;

/// The masks of what was found, in its order, each in the size of the original image.
///
/// All are held at each step, as where a batch of them is one tensor. Each is cut at the size of
/// the prototypes and then grown; `ultralytics` 8.4.190 grows first and cuts last, so that its
/// edges lie elsewhere.
pub fn masks(outputs: &Outputs, detections: &[Detection], placing: &Placing) -> Vec<Mask> {
    let small: Vec<Soft> = detections
        .iter()
        .map(|detection| cropped(raw(outputs, &detection.coefficients), detection, placing))
        .collect();
    let (width, height) = placing.input;
    let large: Vec<Soft> =
        small.iter().map(|m| imageops::resize(m, width, height, FilterType::Triangle)).collect();
    large.iter().map(|mask| original(mask, placing)).collect()
}

/// `sigmoid(coefficients · prototypes)` at the size of the prototypes.
fn raw(outputs: &Outputs, coefficients: &[f32]) -> Soft {
    let [_, height, width] = outputs.prototype_shape;
    let mut sums = vec![0.0_f32; height * width];
    for (weight, prototype) in coefficients.iter().zip(outputs.prototypes.chunks(height * width)) {
        for (sum, value) in sums.iter_mut().zip(prototype) {
            *sum += weight * value;
        }
    }
    for sum in &mut sums {
        *sum = 1.0 / (1.0 + (-*sum).exp());
    }
    let edge = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
    Soft::from_raw(edge(width), edge(height), sums).unwrap_or_default()
}

/// Nothing outside of the box.
fn cropped(mut mask: Soft, detection: &Detection, placing: &Placing) -> Soft {
    let [x_scale, y_scale] = [
        f64::from(mask.width()) / f64::from(placing.input.0),
        f64::from(mask.height()) / f64::from(placing.input.1),
    ];
    let [left, top, right, bottom] = detection.corners.map(f64::from);
    let inside = |at: u32, from: f64, to: f64, scale: f64| {
        (from * scale..to * scale).contains(&f64::from(at))
    };
    for (x, y, value) in mask.enumerate_pixels_mut() {
        if !inside(x, left, right, x_scale) || !inside(y, top, bottom, y_scale) {
            value.0 = [0.0];
        }
    }
    mask
}

/// Without the margin, in the size of the original, yes or no.
fn original(mask: &Soft, placing: &Placing) -> Mask {
    let ((left, top), (width, height)) = (placing.corner, placing.size);
    let image = imageops::crop_imm(mask, left, top, width, height).to_image();
    let (width, height) = placing.original;
    let image = imageops::resize(&image, width, height, FilterType::Triangle);
    Mask::from_fn(width, height, |x, y| {
        Luma([if image.get_pixel(x, y).0[0] > 0.5 { 255 } else { 0 }])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two prototypes of 4 × 4, left half and top half; the input is 8 × 8, the image 16 × 8, so
    /// that it lies in rows 2 to 5 of the input.
    fn mask_of(coefficients: [f32; 2], corners: [f32; 4]) -> Mask {
        let half = |yes: fn(usize) -> bool| (0..16).map(move |i| if yes(i) { 9.0 } else { -9.0 });
        let prototypes = half(|i| i % 4 < 2).chain(half(|i| i / 4 < 2)).collect();
        let outputs =
            Outputs { found: vec![0.0; 7], anchors: 1, prototypes, prototype_shape: [2, 4, 4] };
        let placing = Placing::fitted((16, 8), (8, 8));
        let detection =
            Detection { class: 0, score: 1.0, corners, coefficients: coefficients.to_vec() };
        masks(&outputs, &[detection], &placing).remove(0)
    }

    fn rows(mask: &Mask) -> Vec<String> {
        let sign = |x, y| if mask.get_pixel(x, y).0[0] > 0 { '#' } else { '.' };
        (0..mask.height()).map(|y| (0..mask.width()).map(|x| sign(x, y)).collect()).collect()
    }

    #[test]
    fn a_mask_is_the_weighted_prototypes_in_the_image() {
        let left = rows(&mask_of([1.0, 0.0], [0.0, 0.0, 8.0, 8.0]));
        assert_eq!(left, ["########........"; 8]);
        let top = rows(&mask_of([0.0, 1.0], [0.0, 0.0, 8.0, 8.0]));
        assert_eq!(top[..4], ["################"; 4]);
        assert_eq!(top[4..], ["................"; 4]);
        let right = rows(&mask_of([-1.0, 0.0], [0.0, 0.0, 8.0, 8.0]));
        assert_eq!(right, ["........########"; 8]);
    }

    #[test]
    fn a_mask_ends_at_its_box() {
        let mask = rows(&mask_of([1.0, 0.0], [0.0, 0.0, 2.0, 8.0]));
        assert!(
            mask.iter().all(|row| row.starts_with("###.") || row.starts_with("####.")),
            "{mask:#?}"
        );
    }
}
