//! The data of a pooling pass.

use std::ops::Range;

use super::space::Mats;
use crate::encoder::encoded::Encoded;
use crate::simd::gemm::PackedB;

/// Rows of a batch that one thread pools.
pub(crate) struct Pooled<'a> {
    pub encoded: Encoded<'a>,
    pub rows: Range<usize>,
    /// From [`super::kernel::Pool::fit`].
    pub mats: Mats,
    /// From [`super::kernel::Pool::pack`].
    pub packs: &'a [PackedB],
    /// All parameters except the embedding.
    pub flat: *const f32,
}
