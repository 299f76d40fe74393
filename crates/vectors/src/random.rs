//! Numbers that are drawn the same way every time.

use recurra_core::random::SplitMix64;

/// What a purpose draws from.
pub(crate) struct Random(SplitMix64);

impl Random {
    /// For a purpose: the parts say which one.
    pub(crate) fn new(seed: u64, parts: [u64; 3]) -> Self {
        Self(SplitMix64::new(recurra_kernels::random::key(seed, parts)))
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// From 0 to below `n`.
    #[inline(always)]
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// From 0 to below 1, in steps of `2^-24`.
    #[inline(always)]
    pub(crate) fn share(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }
}
