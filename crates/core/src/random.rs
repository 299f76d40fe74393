//! Random numbers that are the same on every platform.

/// SplitMix64 (Steele, Lea and Flood, 2014, "Fast splittable pseudorandom number generators"): fast, and any seed is
/// good.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Creates a generator with this state as its seed.
    #[must_use]
    pub const fn new(state: u64) -> Self {
        Self(state)
    }

    /// The next 64 random bits.
    #[inline(always)]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random number in `[0, 1)` with 53 random bits.
    #[inline(always)]
    pub fn share(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        // The first outputs of the C code at prng.di.unimi.it for seed 1234567.
        let mut random = SplitMix64::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        let shares: Vec<f64> = drawn.iter().map(|&bits| (bits >> 11) as f64 / 9_007_199_254_740_992.0).collect();
        let mut again = SplitMix64::new(1_234_567);
        assert_eq!((0..3).map(|_| again.share()).collect::<Vec<f64>>(), shares);
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
