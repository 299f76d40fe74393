//! What a pooling goes through.

use std::ops::Range;

use super::space::Mats;
use crate::encoder::encoded::Encoded;
use crate::simd::gemm::PackedB;

/// Rows of a batch that one thread pools.
pub(crate) struct Pooled<'a> {
    pub encoded: Encoded<'a>,
    pub rows: Range<usize>,
    /// As [`super::kernel::Pool::fit`] gave them.
    pub mats: Mats,
    /// As [`super::kernel::Pool::pack`] made them.
    pub packs: &'a [PackedB],
    /// All parameters but the embedding.
    pub flat: *const f32,
}
