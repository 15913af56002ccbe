//! Synthetic weights: seeded, the same on every machine, written as they are made.
//!
//! Their values do not matter for memory, but they do for time: a network whose activations fade
//! into denormal numbers runs many times slower than a trained one, and one that overflows is not a
//! network. So the variance follows the fan-in, and no value is denormal.

use std::io::{self, Write};

/// Values made between two writes.
const CHUNK: usize = 4096;

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// Written here and not taken from a crate because files are cached under a writer version: the
/// bytes may change only when that does, never with a dependency's update.
#[derive(Debug, Clone)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `-bound..bound`, on a grid of 2^-22 × `bound`: zero or far from denormal.
    fn uniform(&mut self, bound: f32) -> f32 {
        // The random bits are the mantissa of a float in 1..2; all of this is exact but the last
        // product, which IEEE 754 rounds alike everywhere.
        let one_to_two = f32::from_bits(0x3f80_0000 | (self.next_u64() >> 41) as u32);
        (one_to_two - 1.5) * (2.0 * bound)
    }

    /// Writes `count` values, each 4 bytes little endian.
    pub fn write_uniform(
        &mut self,
        out: &mut impl Write,
        count: usize,
        bound: f32,
    ) -> io::Result<()> {
        let mut buffer = [0; CHUNK * size_of::<f32>()];
        let mut left = count;
        while left > 0 {
            let values = left.min(CHUNK);
            let bytes = &mut buffer[..values * size_of::<f32>()];
            for value in bytes.chunks_exact_mut(size_of::<f32>()) {
                value.copy_from_slice(&self.uniform(bound).to_le_bytes());
            }
            out.write_all(bytes)?;
            left -= values;
        }
        Ok(())
    }
}

/// Half the width of a uniform distribution of variance `gain / fan_in`.
///
/// A gain of 2 keeps the signal's power through a convolution and a `ReLU` (He et al., "Delving deep
/// into rectifiers", 2015, equation 10); 1 keeps it where no `ReLU` follows.
pub(super) fn bound(gain: f64, fan_in: u32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
    let bound = (3.0 * gain / f64::from(fan_in)).sqrt() as f32;
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_numbers_of_its_reference_implementation() {
        // First outputs of Vigna's splitmix64.c for the state 1234567.
        let mut random = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| random.next_u64()), expected);
    }

    #[test]
    fn weights_have_the_variance_that_was_asked_for_and_no_denormals() {
        let mut random = SplitMix64::new(1);
        let bound = bound(2.0, 576);
        let values: Vec<f32> = (0..200_000).map(|_| random.uniform(bound)).collect();
        assert!(values.iter().all(|v| v.abs() <= bound && !v.is_subnormal()));
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 200_000.0;
        let power = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 200_000.0;
        assert!(mean.abs() < 1e-3, "{mean}");
        assert!((power * 576.0 / 2.0 - 1.0).abs() < 0.01, "{power}");
    }

    #[test]
    fn chunks_do_not_show_in_the_bytes() {
        let mut whole = Vec::new();
        SplitMix64::new(7).write_uniform(&mut whole, CHUNK + 3, 1.0).unwrap();
        let mut random = SplitMix64::new(7);
        let one_by_one: Vec<u8> =
            (0..CHUNK + 3).flat_map(|_| random.uniform(1.0).to_le_bytes()).collect();
        assert_eq!(whole, one_by_one);
    }
}
