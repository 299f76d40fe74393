//! Seeded random numbers.

use recurra_core::random::SplitMix64;

/// A random number generator for one purpose.
pub(crate) struct Random(SplitMix64);

impl Random {
    /// Creates a generator; `parts` identify its purpose.
    pub(crate) fn new(seed: u64, parts: [u64; 3]) -> Self {
        Self(SplitMix64::new(recurra_kernels::random::key(seed, parts)))
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// A number in `[0, n)`.
    #[inline(always)]
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number in `[0, 1)`, a multiple of `2^-24`.
    #[inline(always)]
    pub(crate) fn share(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }
}
