//! One request, stage by stage, on real bytes: what an image-classification service does between
//! the socket and the answer.
//!
//! A request holds what a handler holds: the body and the decoded image until it is answered, the
//! tensor while models run, the outputs and heatmaps until they are encoded.

use std::io::Cursor;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use base64::Engine;
use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{ImageEncoder, RgbImage};
use serde::Serialize;

use super::images;
use super::sessions::Sessions;

/// Mean and standard deviation of `ImageNet`'s channels, with which published classifiers are
/// trained.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The output that is taken for a class activation map.
const CAM: &str = "cam";

/// A step of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body arrives in a buffer of its own.
    Receive,
    /// Encoded bytes to pixels.
    Decode,
    /// Pixels to a normalised tensor of the models' shape.
    Preprocess,
    /// The model of this number runs.
    Infer(usize),
    /// Class activation maps over the image, as PNG.
    Heatmap,
    /// The answer as JSON, with images in base64.
    Respond,
}

/// One model, opened, and where it stands in the request.
#[derive(Debug)]
pub struct Model {
    /// The profile's name for it.
    pub name: String,
    /// Open, each lent as the topology says.
    pub session: Sessions,
    /// `[1, 3, height, width]`.
    pub shape: [usize; 4],
    /// Names of its outputs, in order.
    pub outputs: Vec<String>,
}

/// The service: what all requests share.
#[derive(Debug)]
pub struct Pipeline {
    /// In the order in which they run.
    pub models: Vec<Model>,
    /// Encoded images, largest first, that requests carry in turn.
    pub images: Vec<PathBuf>,
    /// Longest edge of the answered heatmap.
    pub heatmap_edge: u32,
}

/// What one request holds.
#[derive(Debug, Default)]
pub struct Request {
    body: Vec<u8>,
    image: Option<RgbImage>,
    tensors: Vec<Tensor>,
    findings: Vec<Finding>,
    answer: String,
}

#[derive(Debug)]
struct Tensor {
    shape: [usize; 4],
    data: Vec<f32>,
}

#[derive(Debug)]
struct Finding {
    scores: Vec<f32>,
    map: Option<ActivationMap>,
    heatmap: Vec<u8>,
}

#[derive(Debug)]
struct ActivationMap {
    width: u32,
    height: u32,
    values: Vec<f32>,
}

#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    class: usize,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_png: Option<String>,
}

impl Pipeline {
    /// The stages of a request, in order.
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages = vec![Stage::Receive, Stage::Decode, Stage::Preprocess];
        stages.extend((0..self.models.len()).map(Stage::Infer));
        if self.models.iter().any(|m| m.outputs.iter().any(|o| o == CAM)) {
            stages.push(Stage::Heatmap);
        }
        stages.push(Stage::Respond);
        stages
    }

    /// The name under which a stage is reported.
    pub fn stage_name(&self, stage: Stage) -> String {
        match stage {
            Stage::Receive => "receive".into(),
            Stage::Decode => "decode".into(),
            Stage::Preprocess => "preprocess".into(),
            Stage::Infer(i) => match self.models.get(i) {
                Some(model) => format!("infer {}", model.name),
                None => format!("infer {i}"),
            },
            Stage::Heatmap => "heatmap".into(),
            Stage::Respond => "respond".into(),
        }
    }

    /// Takes `request`, the one of number `index` in its wave, through one stage.
    ///
    /// # Errors
    /// Where the image cannot be read or ONNX Runtime fails.
    pub fn step(&self, stage: Stage, index: usize, request: &mut Request) -> anyhow::Result<()> {
        match stage {
            Stage::Receive => self.receive(index, request),
            Stage::Decode => {
                request.image = Some(images::decode(&request.body)?);
                Ok(())
            }
            Stage::Preprocess => self.preprocess(request),
            Stage::Infer(i) => self.infer(i, request),
            Stage::Heatmap => self.heatmap(request),
            Stage::Respond => self.respond(request),
        }
    }

    /// Serves one whole request and returns the length of its answer.
    ///
    /// # Errors
    /// As [`Pipeline::step`].
    pub fn serve(&self, index: usize) -> anyhow::Result<usize> {
        let mut request = Request::default();
        for stage in self.stages() {
            self.step(stage, index, &mut request)?;
        }
        Ok(request.answer.len())
    }

    /// The body comes from a file and not from a socket: a fresh buffer of the same size, and the
    /// file's pages belong to the kernel's cache, not to this process.
    fn receive(&self, index: usize, request: &mut Request) -> anyhow::Result<()> {
        let path = &self.images[index % self.images.len()];
        request.body = std::fs::read(path)
            .with_context(|| format!("cannot read the image {}", path.display()))?;
        Ok(())
    }

    fn preprocess(&self, request: &mut Request) -> anyhow::Result<()> {
        let image = request.image.as_ref().context("no image was decoded")?;
        for model in &self.models {
            if !request.tensors.iter().any(|t| t.shape == model.shape) {
                let data = normalised(image, model.shape)?;
                request.tensors.push(Tensor { shape: model.shape, data });
            }
        }
        Ok(())
    }

    fn infer(&self, index: usize, request: &mut Request) -> anyhow::Result<()> {
        let model = &self.models[index];
        let tensor = request
            .tensors
            .iter()
            .find(|t| t.shape == model.shape)
            .context("no tensor was prepared")?;
        let values = model
            .session
            .enter()
            .run(&tensor.shape, &tensor.data)
            .map_err(|e| anyhow!("the model {} failed: {}", model.name, e.message()))?;
        let mut finding = Finding { scores: Vec::new(), map: None, heatmap: Vec::new() };
        for (name, value) in model.outputs.iter().zip(&values) {
            let Ok((shape, data)) = value.try_extract_tensor::<f32>() else { continue };
            if name == CAM {
                finding.map = ActivationMap::new(shape, data);
            } else if finding.scores.is_empty() {
                finding.scores = data.to_vec();
            }
        }
        request.findings.push(finding);
        if index + 1 == self.models.len() {
            request.tensors = Vec::new();
        }
        Ok(())
    }

    fn heatmap(&self, request: &mut Request) -> anyhow::Result<()> {
        let image = request.image.as_ref().context("no image was decoded")?;
        let (width, height) = fitted(image.dimensions(), self.heatmap_edge);
        let small = imageops::resize(image, width, height, FilterType::Triangle);
        for finding in &mut request.findings {
            let Some(map) = &finding.map else { continue };
            let overlay = map.over(&small);
            let mut png = Cursor::new(Vec::new());
            PngEncoder::new(&mut png)
                .write_image(&overlay, width, height, image::ExtendedColorType::Rgb8)
                .context("cannot encode the heatmap")?;
            finding.heatmap = png.into_inner();
        }
        Ok(())
    }

    fn respond(&self, request: &mut Request) -> anyhow::Result<()> {
        let engine = base64::engine::general_purpose::STANDARD;
        let answers: Vec<Answer<'_>> = self
            .models
            .iter()
            .zip(&request.findings)
            .map(|(model, finding)| {
                let (class, score) = best(&finding.scores);
                let heatmap_png = finding.map.is_some().then(|| engine.encode(&finding.heatmap));
                Answer { model: &model.name, class, score, heatmap_png }
            })
            .collect();
        request.answer = serde_json::to_string(&answers)?;
        Ok(())
    }
}

/// The image as a normalised tensor, channels first.
fn normalised(image: &RgbImage, shape: [usize; 4]) -> anyhow::Result<Vec<f32>> {
    let [_, channels, height, width] = shape;
    let small = imageops::resize(
        image,
        u32::try_from(width)?,
        u32::try_from(height)?,
        FilterType::Triangle,
    );
    let mut data = vec![0.0; channels * height * width];
    for (c, plane) in data.chunks_exact_mut(height * width).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(small.pixels()) {
            *value = (f32::from(pixel[c]) / 255.0 - MEAN[c]) / DEVIATION[c];
        }
    }
    Ok(data)
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

/// The class with the highest score; class 0 where there are none.
fn best(scores: &[f32]) -> (usize, f32) {
    scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

impl ActivationMap {
    /// The last two dimensions are rows and columns; `None` where there are no two.
    fn new(shape: &[i64], data: &[f32]) -> Option<Self> {
        let &[.., height, width] = shape else { return None };
        let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        let values = data.get(..(width as usize * height as usize))?.to_vec();
        (!values.is_empty()).then_some(Self { width, height, values })
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
    fn a_tensor_is_channels_first_and_normalised() {
        let image = RgbImage::from_pixel(8, 4, image::Rgb([255, 0, 0]));
        let data = normalised(&image, [1, 3, 2, 2]).unwrap();
        let expected = [(1.0 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225];
        for (c, value) in expected.iter().enumerate() {
            for v in &data[c * 4..c * 4 + 4] {
                assert!((v - value).abs() < 1e-5, "{data:?}");
            }
        }
    }

    #[test]
    fn the_hottest_place_is_red() {
        let map = ActivationMap::new(&[1, 2, 2], &[0.0, 0.0, 0.0, 1.0]).unwrap();
        let over = map.over(&RgbImage::from_pixel(64, 64, image::Rgb([0, 0, 0])));
        let (cold, hot) = (over.get_pixel(0, 0), over.get_pixel(63, 63));
        assert!(hot[0] > hot[2] && cold[2] > cold[0], "{hot:?} {cold:?}");
    }
}
