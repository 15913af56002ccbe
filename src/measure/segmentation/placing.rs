//! Where an image lies in the network's input.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// Grey, half way: what the margin is filled with.
const MARGIN: Rgb<u8> = Rgb([114; 3]);

/// Where an image lies in an input, in pixels of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placing {
    /// Width and height of the input.
    pub input: (u32, u32),
    /// The image's left upper corner.
    pub corner: (u32, u32),
    /// The image's width and height there, 1 and up.
    pub size: (u32, u32),
    /// Width and height of the image itself.
    pub original: (u32, u32),
}

impl Placing {
    /// The image stretched over the whole input.
    pub fn stretched(original: (u32, u32), input: (u32, u32)) -> Self {
        Self { input, corner: (0, 0), size: input, original }
    }

    /// The image as large as fits with its proportions, in the middle.
    pub fn fitted(original: (u32, u32), input: (u32, u32)) -> Self {
        let scale = f64::min(
            f64::from(input.0) / f64::from(original.0.max(1)),
            f64::from(input.1) / f64::from(original.1.max(1)),
        );
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let scaled = |edge: u32, most: u32| {
            (f64::from(edge) * scale).round_ties_even().clamp(1.0, most.into()) as u32
        };
        let size = (scaled(original.0, input.0), scaled(original.1, input.1));
        // Of an odd margin the smaller half comes first.
        let corner = ((input.0 - size.0) / 2, (input.1 - size.1) / 2);
        Self { input, corner, size, original }
    }
}

/// The image in an input of this size, with its proportions, on grey.
pub fn letterbox(image: &RgbImage, input: (u32, u32)) -> RgbImage {
    let placing = Placing::fitted(image.dimensions(), input);
    let small = imageops::resize(image, placing.size.0, placing.size.1, FilterType::Triangle);
    let mut square = RgbImage::from_pixel(input.0, input.1, MARGIN);
    imageops::replace(&mut square, &small, placing.corner.0.into(), placing.corner.1.into());
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two as `ultralytics` 8.4's `LetterBox` does it: 1632 × 1224 in 640 is 640 × 480
    /// with 80 above; 100 × 333 in 640 is 192 × 640 with 224 on the left.
    #[test]
    fn images_keep_their_proportions() {
        let placing = Placing::fitted((1632, 1224), (640, 640));
        assert_eq!((placing.size, placing.corner), ((640, 480), (0, 80)));
        let placing = Placing::fitted((100, 333), (640, 640));
        assert_eq!((placing.size, placing.corner), ((192, 640), (224, 0)));
        let placing = Placing::fitted((5000, 1), (640, 640));
        assert_eq!((placing.size, placing.corner), ((640, 1), (0, 319)));
    }

    #[test]
    fn the_margin_is_grey() {
        let red = RgbImage::from_pixel(20, 10, Rgb([255, 0, 0]));
        let square = letterbox(&red, (8, 8));
        let column: Vec<_> = (0..8).map(|y| square.get_pixel(3, y).0).collect();
        let (grey, red) = ([114; 3], [255, 0, 0]);
        assert_eq!(column, [grey, grey, red, red, red, red, grey, grey]);
    }
}
