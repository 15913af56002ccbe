//! What a model is fed with: the request's image as the model wants it, values that are legal for
//! the input, or an array of the user's.

use std::path::Path;

use anyhow::{Context, bail};
use image::RgbImage;
use image::imageops::{self, FilterType};

use crate::measure::npy;
use crate::measure::protocol::{Content, Fit, ImageContent, InputJob, Scaling};
use crate::measure::segmentation;
use crate::measure::tensor::Tensor;

/// Mean and standard deviation of `ImageNet`'s channels, with which published classifiers are
/// trained.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// ITU-R BT.601: what decoders and image libraries call grey.
const GREY: [f64; 3] = [0.299, 0.587, 0.114];

/// What a request carries that tensors are made from.
#[derive(Debug, Clone, Copy)]
pub struct Carried<'a> {
    /// The decoded image, where there is one.
    pub image: Option<&'a RgbImage>,
    /// The files that came with it, with their bytes.
    pub files: &'a [(&'a Path, Vec<u8>)],
    /// Of values that are made up. Others in each request, as rows of a table that is mapped and not
    /// copied are in memory only where some request has read them.
    pub seed: u64,
}

/// The tensor for one input.
///
/// # Errors
/// Where the request does not carry what it is made from.
pub fn tensor(input: &InputJob, carried: Carried<'_>) -> anyhow::Result<Tensor> {
    let made = |values: &mut dyn Iterator<Item = f64>| {
        Tensor::from_values(input.element, &input.shape, values)
    };
    let mut random = fastrand::Rng::with_seed(carried.seed);
    match &input.content {
        Content::Image(content) => {
            let image = carried.image.context("no image was decoded")?;
            image_tensor(input, *content, image)
        }
        // Below 2^53, so that a float holds it exactly.
        #[expect(clippy::cast_precision_loss, reason = "tables have fewer rows than 2^53")]
        Content::Ids { below } => made(&mut std::iter::repeat_with(|| random.u64(..*below) as f64)),
        Content::Constant(value) => made(&mut std::iter::repeat(*value)),
        Content::Values(values) => made(&mut values.iter().copied()),
        Content::Noise => made(&mut std::iter::repeat_with(|| random.f64() * 2.0 - 1.0)),
        Content::File(path) => {
            let found = carried.files.iter().find(|(p, _)| p == path);
            let (_, bytes) = found.context("the request carries no such file")?;
            npy::parse(bytes).with_context(|| format!("cannot feed {}", path.display()))
        }
    }
}

/// The image in the model's size, layout and scale; the same one for every place of a batch.
fn image_tensor(
    input: &InputJob,
    content: ImageContent,
    image: &RgbImage,
) -> anyhow::Result<Tensor> {
    let &[batch, a, b, c] = input.shape.as_slice() else {
        bail!("an image needs four dimensions");
    };
    let (channels, height, width) = if content.channels_last { (c, a, b) } else { (a, b, c) };
    let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
    let small = match content.fit {
        Fit::Stretch => imageops::resize(image, width, height, FilterType::Triangle),
        Fit::Letterbox => segmentation::letterbox(image, (width, height)),
    };
    let value = |pixel: &image::Rgb<u8>, channel: usize| {
        let level = match channels {
            1 => (0..3).map(|i| GREY[i] * f64::from(pixel[i])).sum(),
            _ => f64::from(pixel[channel]),
        };
        match content.scaling {
            Scaling::Levels => level,
            Scaling::Unit => level / 255.0,
            Scaling::ImageNet => (level / 255.0 - MEAN[channel]) / DEVIATION[channel],
        }
    };
    let places = 0..batch;
    if content.channels_last {
        let values = places
            .flat_map(|_| small.pixels().flat_map(|p| (0..channels).map(move |i| value(p, i))));
        Tensor::from_values(input.element, &input.shape, values)
    } else {
        let values = places
            .flat_map(|_| (0..channels).flat_map(|i| small.pixels().map(move |p| value(p, i))));
        Tensor::from_values(input.element, &input.shape, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ElementType;

    fn input(element: ElementType, shape: &[usize], content: Content) -> InputJob {
        InputJob { name: "x".into(), element, shape: shape.to_vec(), content }
    }

    fn image(channels_last: bool, scaling: Scaling) -> Content {
        Content::Image(ImageContent { channels_last, scaling, fit: Fit::Stretch })
    }

    fn filled(input: &InputJob) -> Tensor {
        let red = RgbImage::from_pixel(8, 4, image::Rgb([255, 0, 0]));
        tensor(input, Carried { image: Some(&red), files: &[], seed: 1 }).unwrap()
    }

    fn expected(input: &InputJob, values: &[f64]) -> Tensor {
        Tensor::from_values(input.element, &input.shape, values.iter().copied()).unwrap()
    }

    #[test]
    fn a_tensor_is_channels_first_and_normalised() {
        let input = input(ElementType::Float32, &[1, 3, 2, 2], image(false, Scaling::ImageNet));
        let [r, g, b] = [(1.0 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225];
        assert_eq!(filled(&input), expected(&input, &[r, r, r, r, g, g, g, g, b, b, b, b]));
    }

    #[test]
    fn proportions_are_kept_on_a_grey_margin() {
        let content =
            ImageContent { channels_last: false, scaling: Scaling::Levels, fit: Fit::Letterbox };
        let input = input(ElementType::Float32, &[1, 3, 2, 1], Content::Image(content));
        // The image is twice as wide as high: a row of it, and one of the margin.
        let margin = 114.0;
        assert_eq!(filled(&input), expected(&input, &[255.0, margin, 0.0, margin, 0.0, margin]));
    }

    #[test]
    fn layouts_types_channels_and_batches_are_those_of_the_input() {
        let last = input(ElementType::Uint8, &[1, 1, 2, 3], image(true, Scaling::Levels));
        assert_eq!(filled(&last), expected(&last, &[255.0, 0.0, 0.0, 255.0, 0.0, 0.0]));
        let grey = input(ElementType::Float16, &[2, 1, 1, 1], image(false, Scaling::Unit));
        assert_eq!(filled(&grey), expected(&grey, &[0.299, 0.299]));
    }

    #[test]
    fn made_up_values_are_legal() {
        let ids = input(ElementType::Int64, &[1, 100], Content::Ids { below: 2 });
        let drawn = filled(&ids);
        assert!(drawn != expected(&ids, &[]) && drawn != expected(&ids, &[1.0; 100]));
        let mask = input(ElementType::Bool, &[2], Content::Constant(1.0));
        assert_eq!(filled(&mask), expected(&mask, &[1.0, 1.0]));
    }
}
