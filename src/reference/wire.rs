//! Fields of a protocol-buffer file, one after another, without holding what is not wanted.
//!
//! A message that is decoded whole costs its size in memory, and a model is mostly weights. Here a
//! field is a key and a place: the caller walks into it, reads it, or skips it by seeking. Every
//! length is checked against what encloses it before anything is read or allocated.

use std::io::{self, BufRead, BufReader, Read, Seek};

/// The longest field that is read into memory: the declaration of an input, in bytes.
const LONGEST_READ: u64 = 1 << 20;

/// The longest name, in bytes: exporters write paths of modules and formulas of some hundred.
pub(super) const LONGEST_NAME: usize = 16 << 10;

/// Why a longer one is refused.
const NAME_TOO_LONG: Fault = Fault::Malformed("a name is longer than 16 KiB");

/// Why a field cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file ends this many bytes before the field does.
    PastTheEnd(u64),
    /// These are not the bytes of the message; the text says what they are instead.
    Malformed(&'static str),
    /// The system failed.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// An integer, already read.
    Varint(u64),
    /// A message, a text or bytes, not read yet: they go on until this place in the file.
    Until(u64),
    /// A number of this many bytes, already passed over.
    Fixed(u64),
}

/// A reader that knows where it is.
#[derive(Debug)]
pub(super) struct Wire<R> {
    reader: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Wire<R> {
    /// Reads `reader`, which holds `length` bytes, from where it stands.
    pub fn new(reader: R, length: u64) -> Self {
        Self { reader: BufReader::new(reader), position: 0, length }
    }

    /// The next field of a message that goes on until `end`: its number and what it holds. `None`
    /// where the message is over.
    pub fn field(&mut self, end: u64) -> Result<Option<(u64, Value)>, Fault> {
        if self.position == end {
            return Ok(None);
        }
        let key = self.varint(end)?;
        let number = key >> 3;
        if number == 0 {
            return Err(Fault::Malformed("a field has no number"));
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint(end)?),
            2 => self.delimited(end)?,
            1 => self.fixed(8, end)?,
            5 => self.fixed(4, end)?,
            _ => return Err(Fault::Malformed("a field has a kind that ONNX does not use")),
        };
        Ok(Some((number, value)))
    }

    /// Passes over what a field holds.
    pub fn skip(&mut self, value: Value) -> Result<(), Fault> {
        match value {
            Value::Varint(_) | Value::Fixed(_) => Ok(()),
            Value::Until(end) => self.jump(self.left(end), end),
        }
    }

    /// The bytes until `end`.
    pub fn bytes(&mut self, end: u64) -> Result<Vec<u8>, Fault> {
        let length = self.left(end);
        if length > LONGEST_READ {
            return Err(Fault::Malformed("a declaration is longer than 1 MiB"));
        }
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(length).read_to_end(&mut bytes)?;
        if (read as u64) < length {
            return Err(Fault::PastTheEnd(length - read as u64));
        }
        self.position = end;
        Ok(bytes)
    }

    /// The text until `end`.
    pub fn text(&mut self, end: u64) -> Result<String, Fault> {
        String::from_utf8(self.name(end)?).map_err(|_| Fault::Malformed("a name is not text"))
    }

    /// The text until `end`, where it only has to be recognised.
    pub fn lossy(&mut self, end: u64) -> Result<String, Fault> {
        Ok(String::from_utf8_lossy(&self.name(end)?).into_owned())
    }

    fn name(&mut self, end: u64) -> Result<Vec<u8>, Fault> {
        if self.left(end) > LONGEST_NAME as u64 {
            return Err(NAME_TOO_LONG);
        }
        self.bytes(end)
    }

    /// An integer of a message that goes on until `end`, seven bits a byte.
    pub fn varint(&mut self, end: u64) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte(end)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::Malformed("a number is longer than ten bytes"))
    }

    /// Bytes between here and `end`.
    pub fn left(&self, end: u64) -> u64 {
        end.saturating_sub(self.position)
    }

    /// Where the file ends.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn delimited(&mut self, end: u64) -> Result<Value, Fault> {
        let length = self.varint(end)?;
        self.check(length, end)?;
        Ok(Value::Until(self.position + length))
    }

    /// Floats that are not part of a tensor: their values are never wanted, only how many.
    fn fixed(&mut self, width: u64, end: u64) -> Result<Value, Fault> {
        self.jump(width, end)?;
        Ok(Value::Fixed(width))
    }

    fn byte(&mut self, end: u64) -> Result<u8, Fault> {
        self.check(1, end)?;
        let Some(&byte) = self.reader.fill_buf()?.first() else {
            return Err(Fault::PastTheEnd(1));
        };
        self.reader.consume(1);
        self.position += 1;
        Ok(byte)
    }

    fn jump(&mut self, length: u64, end: u64) -> Result<(), Fault> {
        self.check(length, end)?;
        let offset = i64::try_from(length).map_err(|_| Fault::PastTheEnd(length))?;
        self.reader.seek_relative(offset)?;
        self.position += length;
        Ok(())
    }

    /// That `length` more bytes are inside the message and inside the file.
    fn check(&self, length: u64, end: u64) -> Result<(), Fault> {
        let in_file = self.length.saturating_sub(self.position);
        if length > in_file {
            Err(Fault::PastTheEnd(length - in_file))
        } else if length > self.left(end) {
            Err(Fault::Malformed("a field is longer than what holds it"))
        } else {
            Ok(())
        }
    }
}

/// That a name that was part of a message is not too long either.
pub(super) fn short(name: Option<&String>) -> Result<(), Fault> {
    match name {
        Some(name) if name.len() > LONGEST_NAME => Err(NAME_TOO_LONG),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn wire(bytes: &[u8]) -> (Wire<Cursor<Vec<u8>>>, u64) {
        let length = bytes.len() as u64;
        (Wire::new(Cursor::new(bytes.to_vec()), length), length)
    }

    /// The examples of the protocol-buffer documentation: field 1 is 150, field 2 is "testing".
    #[test]
    fn fields_of_the_format_description_are_read() {
        let (mut wire, end) = wire(b"\x08\x96\x01\x12\x07testing");
        assert_eq!(wire.field(end).unwrap(), Some((1, Value::Varint(150))));
        assert_eq!(wire.field(end).unwrap(), Some((2, Value::Until(12))));
        assert_eq!(wire.text(12).unwrap(), "testing");
        assert_eq!(wire.field(end).unwrap(), None);
    }

    #[test]
    fn what_is_not_wanted_is_skipped() {
        let (mut wire, end) = wire(b"\x0a\x03abc\x0dabcd\x09abcdefgh\x10\x01");
        let Some((1, text)) = wire.field(end).unwrap() else { panic!() };
        wire.skip(text).unwrap();
        assert_eq!(wire.field(end).unwrap(), Some((1, Value::Fixed(4))));
        assert_eq!(wire.field(end).unwrap(), Some((1, Value::Fixed(8))));
        assert_eq!(wire.field(end).unwrap(), Some((2, Value::Varint(1))));
    }

    #[test]
    fn a_length_beyond_the_file_says_how_much_is_missing() {
        let (mut wire, end) = wire(b"\x0a\x05abc");
        assert!(matches!(wire.field(end), Err(Fault::PastTheEnd(2))));
        let (mut wire, end) = self::wire(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc");
        assert!(matches!(wire.field(end), Err(Fault::PastTheEnd(_))));
    }

    #[test]
    fn a_length_beyond_its_message_is_malformed() {
        let (mut wire, end) = wire(b"\x0a\x02\x0a\x03abc");
        let Some((1, Value::Until(inner))) = wire.field(end).unwrap() else { panic!() };
        assert!(matches!(wire.field(inner), Err(Fault::Malformed(_))));
    }
}
