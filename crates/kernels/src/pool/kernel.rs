//! What a pooling is to a head.

use std::ops::Range;

use super::space::{Mats, NO_MATS, Space};
use crate::encoder::encoded::{Encoded, Needs};
use crate::recurrent::segments::Segment;
use crate::simd::gemm::{Mat, PackedB};
use crate::threads::Member;

/// Rows of a batch that one thread pools.
pub(crate) struct Pooled<'a> {
    pub encoded: Encoded<'a>,
    pub rows: Range<usize>,
    /// As [`Pool::fit`] gave them.
    pub mats: Mats,
    /// As [`Pool::pack`] made them.
    pub packs: &'a [PackedB],
    /// All parameters but the embedding.
    pub flat: *const f32,
}

/// A pooling: the vectors of a row's own tokens, or its final states, become one vector, as wide as an output. It is chosen
/// once a batch, not once a row.
pub(crate) trait Pool: Send + Sync {
    /// What it reads.
    fn needs(&self) -> Needs;

    /// Its parameters, in the order of the state dict.
    fn segments(&self) -> Vec<&Segment> {
        Vec::new()
    }

    /// Packs the parameters; `backward` also packs what only the way back needs.
    fn pack(&self, _packs: &mut Vec<PackedB>, _flat: &[f32], _backward: bool) {}

    /// Room for a batch of `rows` rows with `total` positions; without `backward` for its prediction only.
    fn fit(&self, _space: &mut Space, _rows: usize, _total: usize, _backward: bool) -> Mats {
        NO_MATS
    }

    /// From the outputs or states to the pooled vectors.
    ///
    /// # Safety
    /// The matrices must have the sizes of the batch; these rows must be this thread's alone.
    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat);

    /// From the gradients of the pooled vectors, which may be overwritten, to those of the outputs or states.
    ///
    /// # Safety
    /// As [`Pool::forward`], which must have come before.
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat);

    /// This member's share of the parameters' gradients, once all rows have gone back: for each segment 16 of its rows at a
    /// time.
    ///
    /// # Safety
    /// Nothing may change during the call; all members of the team must call it.
    unsafe fn weight_grads(&self, _member: &Member<'_>, _encoded: &Encoded<'_>, _mats: &Mats, _grads: *mut f32) {}
}
