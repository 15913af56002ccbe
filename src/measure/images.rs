//! The images that requests carry: a user's files, or one that is generated, always as encoded
//! bytes in a file.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::error::{ImageFormatHint, UnsupportedError};
use image::{DynamicImage, ImageDecoder, ImageError as Fault, ImageFormat, Limits, RgbImage};

use crate::files::{self, Unfit};
use crate::units::{Bytes, Megapixels};

/// An image that decodes to more than this is refused, before it is decoded: 100 megapixels of
/// RGB, twice what the largest phone cameras give.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The longest edge that a JPEG can have, for a PNG too: one of a pixel a row takes as long as a hundred.
const LONGEST_EDGE: u32 = 65_535;

/// No encoded image of [`MAX_PIXELS`] takes more: 16 bits a channel, not compressed, and a GiB is
/// still refused before it is read.
pub const MOST_BYTES: Bytes = Bytes::GIB;

/// The images of a folder that are used: more than requests are ever in flight together.
const MAX_IMAGES: usize = 256;

/// Entries of a folder that are looked at.
const MOST_FILES: usize = 100_000;

/// What texts and colour profiles of a PNG may take in memory, in bytes: they are compressed, and a
/// megabyte of them can unpack to gigabytes. Colour profiles of printers have some megabytes.
const MOST_METADATA: u64 = 64 << 20;

/// An image that was looked at but not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Encoded size.
    pub encoded: Bytes,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file cannot be read.
    #[error(
        "cannot read the image {path}: {reason}; name a JPEG or PNG file, a folder of them, or a size as in 4mp"
    )]
    Unreadable {
        /// What was asked for.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A device or a pipe, which a measured process could not read again, or a file too large.
    #[error("{path} is not a file of at most 1 GiB, and an image is; name a JPEG or PNG file")]
    NoFile {
        /// What was asked for.
        path: PathBuf,
    },
    /// It holds no image.
    #[error("{path} is not an image that can be decoded ({reason}); use a JPEG or PNG file")]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// It has no pixels.
    #[error("{path} has {width}×{height} pixels; an image needs at least one")]
    Empty {
        /// The file.
        path: PathBuf,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// It decodes to more than [`MAX_PIXELS`].
    #[error(
        "{path} has {width}×{height} pixels, more than the limit of 100 megapixels, or of {LONGEST_EDGE} \
         along an edge; scale it down"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A folder without any.
    #[error("{path} holds no JPEG or PNG image; put the images that requests carry into it")]
    NoneInFolder {
        /// The folder.
        path: PathBuf,
    },
}

/// Decodes encoded bytes to pixels.
///
/// # Errors
/// Where they are no JPEG or PNG, or damaged.
pub fn decode(encoded: &[u8]) -> image::ImageResult<RgbImage> {
    let bytes = Cursor::new(encoded);
    let image = match format(encoded)? {
        ImageFormat::Png => DynamicImage::from_decoder(png(encoded)?)?,
        _ => DynamicImage::from_decoder(JpegDecoder::new(bytes)?)?,
    };
    Ok(image.into_rgb8())
}

/// Pixels across and down, from the header.
fn dimensions(encoded: &[u8]) -> image::ImageResult<(u32, u32)> {
    Ok(match format(encoded)? {
        // The first chunk of a PNG is as long in every one.
        ImageFormat::Png => match encoded.get(12..24).map(<[u8]>::as_chunks) {
            Some(([[b'I', b'H', b'D', b'R'], width, height], _)) => {
                (u32::from_be_bytes(*width), u32::from_be_bytes(*height))
            }
            _ => png(encoded)?.dimensions(),
        },
        _ => JpegDecoder::new(Cursor::new(encoded))?.dimensions(),
    })
}

/// JPEG or PNG.
fn format(encoded: &[u8]) -> image::ImageResult<ImageFormat> {
    let other = |hint| Err(Fault::Unsupported(UnsupportedError::from(hint)));
    match image::guess_format(encoded) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(format) => other(ImageFormatHint::Exact(format)),
        Err(_) => other(ImageFormatHint::Unknown),
    }
}

/// A decoder that unpacks no more of texts and colour profiles than [`MOST_METADATA`]. The pixels do not
/// count: their number is checked before they are decoded.
fn png(encoded: &[u8]) -> image::ImageResult<PngDecoder<Cursor<&[u8]>>> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_METADATA);
    PngDecoder::with_limits(Cursor::new(encoded), limits)
}

/// Looks at a file, or at all images of a folder: largest first, so that a wave of N carries the
/// N largest and the measured peak is the one to plan for.
///
/// # Errors
/// Where one cannot be used, [`ImageError`] says why.
pub fn find(path: &Path) -> Result<Vec<Candidate>, ImageError> {
    let unreadable = |reason| ImageError::Unreadable { path: path.to_owned(), reason };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![examine(path).and_then(decoded)?]);
    }
    let files = files::list(path, MOST_FILES).map_err(unreadable)?;
    let mut found = Vec::new();
    for file in files.iter().filter(|file| has_image_ending(file) && file.is_file()) {
        found.push(examine(file)?);
    }
    if found.is_empty() {
        return Err(ImageError::NoneInFolder { path: path.to_owned() });
    }
    found.sort_by(|a, b| {
        let size = |c: &Candidate| u64::from(c.width) * u64::from(c.height);
        size(b).cmp(&size(a)).then_with(|| a.path.cmp(&b.path))
    });
    found.truncate(MAX_IMAGES);
    found.into_iter().map(decoded).collect()
}

fn has_image_ending(file: &Path) -> bool {
    file.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| ["jpg", "jpeg", "png"].iter().any(|k| e.eq_ignore_ascii_case(k)))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, ImageError> {
    files::read(path, MOST_BYTES).map_err(|reason| match Unfit::of(&reason) {
        Some(_) => ImageError::NoFile { path: path.to_owned() },
        None => ImageError::Unreadable { path: path.to_owned(), reason },
    })
}

/// Reads the size from the header.
fn examine(path: &Path) -> Result<Candidate, ImageError> {
    let owned = || path.to_owned();
    let bytes = bytes_of(path)?;
    let wrong =
        |reason: Fault| ImageError::NotAnImage { path: owned(), reason: reason.to_string() };
    let (width, height) = dimensions(&bytes).map_err(wrong)?;
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { path: owned(), width, height });
    }
    let is_large = u64::from(width) * u64::from(height) > MAX_PIXELS;
    if is_large || width.max(height) > LONGEST_EDGE {
        return Err(ImageError::TooLarge { path: owned(), width, height });
    }
    Ok(Candidate { path: owned(), encoded: Bytes::new(bytes.len() as u64), width, height })
}

/// The same once it was decoded: a file that is cut off is found here and not in the middle of a
/// measurement.
fn decoded(candidate: Candidate) -> Result<Candidate, ImageError> {
    let Candidate { path, .. } = &candidate;
    match decode(&bytes_of(path)?) {
        Ok(_) => Ok(candidate),
        Err(reason) => {
            Err(ImageError::NotAnImage { path: path.clone(), reason: reason.to_string() })
        }
    }
}

/// Changes whenever the generated bytes do.
const GENERATED_VERSION: u32 = 1;

/// What names the generated image of a size, in the cache and in its keys.
pub fn generated_name(size: Megapixels) -> String {
    // The size that is generated where none is given had no word in the first version.
    match size {
        Megapixels::TWO => format!("generated-v{GENERATED_VERSION}"),
        size => format!("generated-v{GENERATED_VERSION}-{size}"),
    }
}

/// The generated request image of this size as JPEG: smooth shapes with grain, so that it compresses and
/// decodes like a photograph and not like a flat colour.
///
/// # Errors
/// Where the encoder fails.
pub fn generate(size: Megapixels) -> image::ImageResult<Vec<u8>> {
    let (width, height) = size.dimensions();
    let mut grain = fastrand::Rng::with_seed(1);
    let image = RgbImage::from_fn(width, height, |x, y| {
        let wave = |fx: f32, fy: f32, phase: f32| {
            #[expect(clippy::cast_precision_loss, reason = "coordinates are below 2^24")]
            let angle = x as f32 * fx + y as f32 * fy + phase;
            angle.sin() * 70.0 + 128.0
        };
        let noise = grain.f32() * 24.0 - 12.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255"
        )]
        let channel = |value: f32| (value + noise).clamp(0.0, 255.0) as u8;
        image::Rgb([
            channel(wave(0.011, 0.004, 0.0)),
            channel(wave(0.003, 0.013, 1.0)),
            channel(wave(0.007, -0.009, 2.0)),
        ])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&image)?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_image_has_its_size_and_is_the_same_every_time() {
        for (size, encoded) in [("0.1mp", 20_000..80_000), ("2mp", 300_000..1_500_000)] {
            let size: Megapixels = size.parse().unwrap();
            let jpeg = generate(size).unwrap();
            assert_eq!(decode(&jpeg).unwrap().dimensions(), size.dimensions());
            assert!(encoded.contains(&jpeg.len()), "{} bytes", jpeg.len());
            assert_eq!(jpeg, generate(size).unwrap());
        }
    }

    #[test]
    fn a_folder_gives_its_largest_image_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, edge) in [("a.png", 4), ("b.PNG", 9), ("c.png", 6)] {
            RgbImage::new(edge, edge)
                .save_with_format(folder.path().join(name), image::ImageFormat::Png)
                .unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "no image").unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!(found.iter().map(|c| c.width).collect::<Vec<_>>(), [9, 6, 4]);
    }
}
