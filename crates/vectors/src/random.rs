//! Numbers that are drawn the same way every time.

/// SplitMix64: fast, and any seed will do.
pub(crate) struct Random(u64);

impl Random {
    /// For a purpose: the parts say which one.
    pub(crate) fn new(seed: u64, parts: [u64; 3]) -> Self {
        Self(recurra_kernels::random::key(seed, parts))
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
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
