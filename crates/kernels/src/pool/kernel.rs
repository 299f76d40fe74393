//! The interface between a pooling and a head.

use super::pooled::Pooled;
use super::space::{Mats, NO_MATS, Space};
use super::training::PoolTraining;
use crate::encoder::encoded::Needs;
use crate::recurrent::segments::Segment;
use crate::simd::gemm::{Mat, PackedB};

/// A pooling: turns the vectors of a row's own tokens, or its final states, into one vector of the width of an output.
/// It is selected once per batch, not per row.
pub(crate) trait Pool: PoolTraining + Send + Sync {
    /// The part of the encoder's output that it reads.
    fn needs(&self) -> Needs;

    /// Its parameters, in the order of the state dict.
    fn segments(&self) -> Vec<&Segment> {
        Vec::new()
    }

    /// Packs the parameters; with `backward`, also what the backward pass needs.
    fn pack(&self, _packs: &mut Vec<PackedB>, _flat: &[f32], _backward: bool) {}

    /// Allocates buffers for a batch of `rows` rows with `total` positions; without `backward`, only for prediction.
    fn fit(&self, _space: &mut Space, _rows: usize, _total: usize, _backward: bool) -> Mats {
        NO_MATS
    }

    /// Computes the pooled vectors from the outputs or states.
    ///
    /// # Safety
    /// The matrices must have the sizes of the batch; these rows must belong to this thread.
    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat);
}
