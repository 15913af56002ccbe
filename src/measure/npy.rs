//! Arrays of `.npy` files, format 1 to 3 (`NumPy` enhancement proposal 1).
//!
//! Read by hand: the header is one line with three fixed keys, and the crates that read it bring a
//! parser generator, big numbers or an array library into the process that is measured.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::tensor::{Tensor, can_be_made};
use crate::files::{self, Unfit};
use crate::reference::ElementType;
use crate::units::Bytes;

/// The largest array: more than any request carries.
pub const MOST_BYTES: Bytes = Bytes::mib(4 << 10);

/// Longest header that is read: arrays of plain numbers have about 120 bytes.
const MOST_HEADER: usize = 64 << 10;

/// Why a file cannot be fed.
#[derive(Debug, thiserror::Error)]
pub enum NpyError {
    /// The file cannot be read.
    #[error("cannot read the array {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It is no array of plain numbers.
    #[error("{path} is not an array that can be fed: {reason}; write one with numpy.save()")]
    NotAnArray {
        /// The file.
        path: PathBuf,
        /// What is wrong, as a clause.
        reason: String,
    },
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What its elements are.
    pub element: ElementType,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Bytes before the elements.
    pub offset: usize,
}

/// Reads the header of a file and checks that the elements are all there.
///
/// # Errors
/// Where the file cannot be read or fed, [`NpyError`] says why.
pub fn examine(path: &Path) -> Result<Header, NpyError> {
    let unreadable = |reason| NpyError::Unreadable { path: path.to_owned(), reason };
    let wrong = |reason: String| NpyError::NotAnArray { path: path.to_owned(), reason };
    let (file, length) = files::open(path).map_err(unreadable)?;
    if length > MOST_BYTES.get() {
        return Err(unreadable(Unfit::TooLarge(MOST_BYTES).into()));
    }
    let mut begin = Vec::new();
    file.take(MOST_HEADER as u64).read_to_end(&mut begin).map_err(unreadable)?;
    let header = header(&begin).map_err(wrong)?;
    let needed = header
        .shape
        .iter()
        .try_fold(header.element.bytes(1).unwrap_or(0), |bytes, &dim| bytes.checked_mul(dim as u64))
        .and_then(|bytes| bytes.checked_add(header.offset as u64));
    match needed {
        Some(needed) if needed == length => Ok(header),
        Some(needed) => {
            Err(wrong(format!("it has {length} bytes where its header asks for {needed}")))
        }
        None => Err(wrong("its shape is larger than any memory".into())),
    }
}

/// The array in the bytes of a file that was examined before.
///
/// # Errors
/// Where they are no array.
pub fn parse(bytes: &[u8]) -> anyhow::Result<Tensor> {
    let header = header(bytes).map_err(anyhow::Error::msg)?;
    Tensor::from_bytes(header.element, &header.shape, &bytes[header.offset..])
}

fn header(bytes: &[u8]) -> Result<Header, String> {
    let rest = bytes
        .strip_prefix(b"\x93NUMPY")
        .ok_or("it does not begin as one (an .npz archive holds .npy files: unpack it)")?;
    let (length, before) = match rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        [2 | 3, _, a, b, c, d, ..] => {
            (usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX), 12)
        }
        _ => return Err("its format is not of version 1 to 3".into()),
    };
    let end = before + length.min(MOST_HEADER);
    let text = bytes.get(before..end).ok_or("its header is cut short")?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is not text")?;
    if value(text, "fortran_order")?.starts_with("True") {
        return Err("it is in column order: save numpy.ascontiguousarray(array)".into());
    }
    Ok(Header {
        element: element(value(text, "descr")?)?,
        shape: shape(value(text, "shape")?)?,
        offset: end,
    })
}

/// What stands behind a key of the dictionary.
fn value<'a>(text: &'a str, key: &str) -> Result<&'a str, String> {
    let missing = || format!("its header has no `{key}`");
    let (_, rest) = text.split_once(&format!("'{key}'")).ok_or_else(missing)?;
    Ok(rest.trim_start().strip_prefix(':').ok_or_else(missing)?.trim_start())
}

/// As in `'<f4'`: byte order, kind, bytes.
fn element(text: &str) -> Result<ElementType, String> {
    use ElementType as E;
    let name = text.strip_prefix('\'').and_then(|t| t.split_once('\'')).map_or(text, |(n, _)| n);
    let element = match name.trim_start_matches(['<', '|', '=']) {
        "f2" => E::Float16,
        // What numpy.save() makes of the type that numpy itself does not know.
        "V2" => E::Bfloat16,
        "f4" => E::Float32,
        "f8" => E::Float64,
        "u1" => E::Uint8,
        "u2" => E::Uint16,
        "u4" => E::Uint32,
        "u8" => E::Uint64,
        "i1" => E::Int8,
        "i2" => E::Int16,
        "i4" => E::Int32,
        "i8" => E::Int64,
        "b1" => E::Bool,
        _ => return Err(format!("its elements are {name}, not plain little-endian numbers")),
    };
    debug_assert!(can_be_made(element), "every kind above can be fed");
    Ok(element)
}

/// As in `(1, 3, 224, 224)`, `(5,)` or `()`.
fn shape(text: &str) -> Result<Vec<usize>, String> {
    let inside = text.strip_prefix('(').and_then(|t| t.split_once(')')).map(|(dims, _)| dims);
    inside
        .and_then(|dims| {
            let dims = dims.split(',').map(str::trim).filter(|d| !d.is_empty());
            dims.map(|d| d.parse().ok()).collect()
        })
        .ok_or_else(|| "its header has no shape that can be read".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that `numpy.save` 2.3 writes for `np.array([[1, 2, 3]], dtype=np.int64)`.
    fn saved() -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let text = "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 3), }";
        bytes.extend(format!("{text:<117}\n").bytes());
        bytes.extend([1_i64, 2, 3].iter().flat_map(|v| v.to_le_bytes()));
        bytes
    }

    #[test]
    fn an_array_that_numpy_saved_is_read() {
        let tensor = parse(&saved()).unwrap();
        let values = [1.0, 2.0, 3.0].into_iter();
        assert_eq!(tensor, Tensor::from_values(ElementType::Int64, &[1, 3], values).unwrap());
    }

    #[test]
    fn what_is_no_plain_array_is_refused_with_its_reason() {
        let text = |from: &str, to: &str| {
            let saved = saved();
            let header = String::from_utf8_lossy(&saved[10..128]).replace(from, to);
            let mut bytes = saved[..10].to_vec();
            bytes.extend(format!("{:<118}", header.trim_end()).bytes());
            super::header(&bytes).unwrap_err()
        };
        assert!(text("'<i8'", "'|O'").contains("|O"));
        assert!(text("'<i8'", "'>i8'").contains(">i8"));
        assert!(text("False", "True").contains("column order"));
        assert!(text("(1, 3)", "(1, x)").contains("shape"));
        assert!(text("'descr'", "'d'").contains("`descr`"));
        assert!(super::header(b"PK\x03\x04").unwrap_err().contains("unpack"));
        assert!(super::header(b"\x93NUMPY\x09\x00").unwrap_err().contains("version"));
        assert!(super::header(b"\x93NUMPY\x01\x00\xff\xff{").unwrap_err().contains("cut short"));
    }

    #[test]
    fn a_file_that_lacks_elements_is_found_before_it_is_fed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.npy");
        std::fs::write(&path, saved()).unwrap();
        assert_eq!(examine(&path).unwrap().shape, [1, 3]);
        std::fs::write(&path, &saved()[..140]).unwrap();
        assert!(examine(&path).unwrap_err().to_string().contains("140 bytes"));
        assert!(examine(folder.path()).is_err());
        assert!(examine(&folder.path().join("none.npy")).is_err());
    }
}
