//! What becomes of a model's outputs, up to the answer.

use anyhow::{Context, anyhow};
use base64::Engine;
use image::RgbImage;
use ort::value::DynValue;
use serde::Serialize;

use super::heatmap::{self, ActivationMap};
use super::{Model, Pipeline, Request};
use crate::measure::protocol::{Content, Fit};
use crate::measure::segmentation::{self, Detection, Mask, Outputs, Placing, Selection};

/// The output that is taken for a class activation map.
const CAM: &str = "cam";

/// The outputs that are taken for boxes with mask coefficients, and mask prototypes.
const SEGMENTS: [&str; 2] = ["output0", "output1"];

/// As many as if that many things were in the image: scores decide nothing here, as those of
/// synthetic weights say nothing. An assumption; the other numbers are the predictor's own.
const SELECTION: Selection =
    Selection { score: 0.0, candidates: 300, overlap: 0.7, detections: 10 };

/// What one model said of a request.
#[derive(Debug, Default)]
pub struct Finding {
    /// The place of the model.
    model: usize,
    scores: Vec<f32>,
    map: Option<ActivationMap>,
    heatmap: Vec<u8>,
    segments: Option<Outputs>,
    detections: Vec<Detection>,
    masks: Vec<Mask>,
}

#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_png: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    class: usize,
    score: f32,
    corners: [f32; 4],
    mask_pixels: usize,
}

impl Model {
    /// Whether it draws a class activation map.
    pub fn has_map(&self) -> bool {
        self.outputs.iter().any(|o| o == CAM)
    }

    /// Whether it finds things with their outlines.
    pub fn has_segments(&self) -> bool {
        SEGMENTS.iter().all(|name| self.outputs.iter().any(|o| o == name))
    }
}

impl Finding {
    /// From the outputs of a run, in the order of their names.
    pub fn new(place: usize, model: &Model, values: &[DynValue]) -> Self {
        let mut finding = Self { model: place, ..Self::default() };
        if model.has_segments() {
            let of = |name: &str| {
                let found = model.outputs.iter().zip(values).find(|(o, _)| *o == name);
                found.and_then(|(_, value)| value.try_extract_tensor::<f32>().ok())
            };
            if let [Some(found), Some(prototypes)] = SEGMENTS.map(of) {
                finding.segments =
                    Outputs::new((&found.0[..], found.1), (&prototypes.0[..], prototypes.1));
            }
            return finding;
        }
        for (name, value) in model.outputs.iter().zip(values) {
            let Ok((shape, data)) = value.try_extract_tensor::<f32>() else { continue };
            if name == CAM {
                finding.map = ActivationMap::new(shape, data);
            } else if finding.scores.is_empty() {
                finding.scores = data.to_vec();
            }
        }
        finding
    }
}

impl Pipeline {
    pub(super) fn heatmap(&self, request: &mut Request<'_>) -> anyhow::Result<()> {
        let background = heatmap::background(image_of(request.image.as_ref())?, self.heatmap_edge);
        for finding in &mut request.findings {
            if let Some(map) = &finding.map {
                finding.heatmap = map.png_over(&background)?;
            }
        }
        Ok(())
    }

    pub(super) fn boxes(request: &mut Request<'_>) {
        for finding in &mut request.findings {
            if let Some(outputs) = &finding.segments {
                finding.detections = segmentation::detections(outputs, &SELECTION);
            }
        }
    }

    pub(super) fn masks(&self, request: &mut Request<'_>) -> anyhow::Result<()> {
        let original = image_of(request.image.as_ref())?.dimensions();
        for finding in &mut request.findings {
            let Some(outputs) = finding.segments.take() else { continue };
            let model = self.model(finding.model).ok_or_else(|| anyhow!("no model"))?;
            let Some(placing) = placing(model, original) else { continue };
            finding.masks = segmentation::masks(&outputs, &finding.detections, &placing);
        }
        Ok(())
    }

    pub(super) fn respond(&self, request: &mut Request<'_>) -> anyhow::Result<()> {
        let engine = base64::engine::general_purpose::STANDARD;
        let answer = |finding: &Finding| {
            let best = best(&finding.scores);
            let found = finding.detections.iter().zip(&finding.masks);
            let found = found.map(|(detection, mask)| Found {
                class: detection.class,
                score: detection.score,
                corners: detection.corners,
                mask_pixels: mask.pixels().filter(|p| p.0[0] > 0).count(),
            });
            Some(Answer {
                model: &self.model(finding.model)?.name,
                class: best.map(|(class, _)| class),
                score: best.map(|(_, score)| score),
                heatmap_png: finding.map.is_some().then(|| engine.encode(&finding.heatmap)),
                found: found.collect(),
            })
        };
        let answers: Vec<Answer<'_>> = request.findings.iter().filter_map(answer).collect();
        request.answer = serde_json::to_string(&answers)?;
        Ok(())
    }
}

fn image_of(image: Option<&RgbImage>) -> anyhow::Result<&RgbImage> {
    image.context("no image was decoded")
}

/// Where the image lay in the input of a model; `None` where the model takes no image.
fn placing(model: &Model, original: (u32, u32)) -> Option<Placing> {
    model.inputs.iter().find_map(|input| {
        let Content::Image(content) = input.content else { return None };
        let &[_, a, b, c] = input.shape.as_slice() else { return None };
        let (height, width) = if content.channels_last { (a, b) } else { (b, c) };
        let size = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        Some(match content.fit {
            Fit::Stretch => Placing::stretched(original, size),
            Fit::Letterbox => Placing::fitted(original, size),
        })
    })
}

/// The class with the highest score; `None` where there are none.
fn best(scores: &[f32]) -> Option<(usize, f32)> {
    scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
}
