//! What a profile says of a request: the images that it may carry, and what it answers.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::footprint::checked::{room_for_another, whole_number};
use crate::units::Megapixels;

/// What a request carries and answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestSpec {
    /// The image that it carries; one of two megapixels is generated where nothing is said.
    pub image: Option<RequestImage>,
    /// Longest edge of the answered heatmap, pixels, 1 to 8192.
    pub heatmap_edge: HeatmapEdge,
    /// How many things one run takes: the first dimension of inputs that leave it open.
    pub batch: Batch,
}

/// The image of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestImage {
    /// A JPEG that is generated.
    Generated(Megapixels),
    /// An image file or a folder of them.
    Files(PathBuf),
    /// Users may send any of several sizes, two or more, ascending.
    OneOf(Vec<Megapixels>),
}

/// The keys of the section.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Sizes>,
    heatmap_edge: HeatmapEdge,
    #[serde(skip_serializing_if = "Batch::is_one")]
    batch: Batch,
}

impl Default for Keys {
    fn default() -> Self {
        Self { image: None, images: None, heatmap_edge: HeatmapEdge::default(), batch: Batch::ONE }
    }
}

impl Serialize for RequestSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (image, images) = match self.image.clone() {
            None => (None, None),
            Some(RequestImage::OneOf(sizes)) => (None, Some(Sizes(sizes))),
            Some(image) => (Some(Word(image)), None),
        };
        Keys { image, images, heatmap_edge: self.heatmap_edge, batch: self.batch }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RequestSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = RequestSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what a request carries, as in {image: scan.jpg}")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RequestSpec, A::Error> {
        let Keys { image, images, heatmap_edge, batch } =
            Keys::deserialize(MapAccessDeserializer::new(map))?;
        let image = match (image, images) {
            (Some(_), Some(_)) => {
                return Err(A::Error::custom(
                    "a request has an `image` and a list of `images`: keep one of them",
                ));
            }
            (Some(Word(image)), None) => Some(image),
            (None, images) => images.map(|Sizes(sizes)| RequestImage::OneOf(sizes)),
        };
        Ok(RequestSpec { image, heatmap_edge, batch })
    }
}

/// `4mp` or the name of a file or folder.
struct Word(RequestImage);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            RequestImage::Generated(size) => size.serialize(serializer),
            RequestImage::Files(path) => path.serialize(serializer),
            RequestImage::OneOf(sizes) => sizes.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordVisitor)
    }
}

struct WordVisitor;

impl Visitor<'_> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image file, a folder of them, or a size as in 4mp")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(match Megapixels::if_size(text) {
            Some(size) => RequestImage::Generated(size.map_err(E::custom)?),
            None => RequestImage::Files(PathBuf::from(text)),
        }))
    }
}

/// Sizes that users may send, ascending and each once.
#[derive(Serialize)]
#[serde(transparent)]
struct Sizes(Vec<Megapixels>);

impl<'de> Deserialize<'de> for Sizes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SizesVisitor)
    }
}

struct SizesVisitor;

impl<'de> Visitor<'de> for SizesVisitor {
    type Value = Sizes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sizes, as in [1mp, 4mp, 12mp]")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Sizes, A::Error> {
        let mut sizes: Vec<Megapixels> = Vec::new();
        while let Some(size) = list.next_element()? {
            if sizes.contains(&size) {
                return Err(A::Error::custom(format!("{size} is given twice: keep one of them")));
            }
            room_for_another(sizes.len())?;
            sizes.push(size);
        }
        if sizes.len() < 2 {
            return Err(A::Error::custom(
                "a list of `images` has two sizes or more, as in [1mp, 4mp]; of one size write \
                 `image: 4mp`",
            ));
        }
        sizes.sort_unstable();
        Ok(Sizes(sizes))
    }
}

/// How many things one run takes: 1 to 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Batch(#[serde(deserialize_with = "batch")] u32);

fn batch<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole_number(d, "batch", 1..=1024)
}

impl Batch {
    /// One thing a run.
    pub const ONE: Self = Self(1);

    /// This many; `None` outside of 1 to 1024.
    pub fn new(batch: u32) -> Option<Self> {
        (1..=1024).contains(&batch).then_some(Self(batch))
    }

    /// How many.
    pub const fn get(self) -> u32 {
        self.0
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_one(&self) -> bool {
        *self == Self::ONE
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::ONE
    }
}

/// The longest edge of a heatmap in pixels: 1 to 8192, 512 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeatmapEdge(#[serde(deserialize_with = "pixels")] u32);

fn pixels<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole_number(d, "edge of a heatmap in pixels", 1..=8192)
}

impl HeatmapEdge {
    /// In pixels.
    pub const fn pixels(self) -> u32 {
        self.0
    }
}

impl Default for HeatmapEdge {
    fn default() -> Self {
        Self(512)
    }
}
