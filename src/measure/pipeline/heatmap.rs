//! Class activation maps over the image, as Grad-CAM pictures show them.

use std::io::Cursor;

use anyhow::Context;
use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{ImageEncoder, RgbImage};

/// How strongly each part of the image speaks for the class.
#[derive(Debug)]
pub struct ActivationMap {
    width: u32,
    height: u32,
    values: Vec<f32>,
}

/// The image as it is shown under a map, with this longest edge.
pub fn background(image: &RgbImage, edge: u32) -> RgbImage {
    let (width, height) = fitted(image.dimensions(), edge);
    imageops::resize(image, width, height, FilterType::Triangle)
}

/// The largest size with this longest edge and the image's proportions; never enlarged.
fn fitted((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= edge {
        return (width, height);
    }
    let scale = |v: u32| {
        u32::try_from(u64::from(v) * u64::from(edge) / u64::from(longest)).unwrap_or(edge).max(1)
    };
    (scale(width), scale(height))
}

impl ActivationMap {
    /// The last two dimensions are rows and columns; `None` where there are no two.
    pub fn new(shape: &[i64], data: &[f32]) -> Option<Self> {
        let &[.., height, width] = shape else { return None };
        let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        let values = data.get(..(width as usize * height as usize))?.to_vec();
        (!values.is_empty()).then_some(Self { width, height, values })
    }

    /// The map over the image, as PNG.
    ///
    /// # Errors
    /// Where the encoder fails.
    pub fn png_over(&self, background: &RgbImage) -> anyhow::Result<Vec<u8>> {
        let overlay = self.over(background);
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new(&mut png)
            .write_image(
                &overlay,
                overlay.width(),
                overlay.height(),
                image::ExtendedColorType::Rgb8,
            )
            .context("cannot encode the heatmap")?;
        Ok(png.into_inner())
    }

    /// The map, scaled to the image and coloured, half and half over it.
    fn over(&self, image: &RgbImage) -> RgbImage {
        let low = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let high = self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = if high > low { high - low } else { 1.0 };
        let small = image::ImageBuffer::<image::Luma<f32>, Vec<f32>>::from_fn(
            self.width,
            self.height,
            |x, y| image::Luma([(self.values[(y * self.width + x) as usize] - low) / range]),
        );
        let large = imageops::resize(&small, image.width(), image.height(), FilterType::Triangle);
        let mut overlay = image.clone();
        for (pixel, heat) in overlay.pixels_mut().zip(large.pixels()) {
            let colour = jet(heat[0]);
            for c in 0..3 {
                pixel[c] = u8::midpoint(pixel[c], colour[c]);
            }
        }
        overlay
    }
}

/// The colour map that Grad-CAM pictures use: blue, green, yellow, red for 0 to 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255")]
fn jet(heat: f32) -> [u8; 3] {
    let channel =
        |centre: f32| ((1.5 - (4.0 * heat - centre).abs()).clamp(0.0, 1.0) * 255.0).round() as u8;
    [channel(3.0), channel(2.0), channel(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_map_runs_from_blue_to_red() {
        assert_eq!(jet(0.0), [0, 0, 128]);
        assert_eq!(jet(0.5), [128, 255, 128]);
        assert_eq!(jet(1.0), [128, 0, 0]);
    }

    #[test]
    fn a_heatmap_keeps_the_proportions() {
        assert_eq!(fitted((1600, 1200), 512), (512, 384));
        assert_eq!(fitted((300, 200), 512), (300, 200));
        assert_eq!(fitted((10_000, 1), 512), (512, 1));
    }

    #[test]
    fn the_hottest_place_is_red() {
        let map = ActivationMap::new(&[1, 2, 2], &[0.0, 0.0, 0.0, 1.0]).unwrap();
        let over = map.over(&RgbImage::from_pixel(64, 64, image::Rgb([0, 0, 0])));
        let (cold, hot) = (over.get_pixel(0, 0), over.get_pixel(63, 63));
        assert!(hot[0] > hot[2] && cold[2] > cold[0], "{hot:?} {cold:?}");
    }
}
