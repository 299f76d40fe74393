//! What a pooling is to a head.

use super::pooled::Pooled;
use super::space::{Mats, NO_MATS, Space};
use super::training::PoolTraining;
use crate::encoder::encoded::Needs;
use crate::recurrent::segments::Segment;
use crate::simd::gemm::{Mat, PackedB};

/// A pooling: the vectors of a row's own tokens, or its final states, become one vector, as wide as an output. It is chosen
/// once a batch, not once a row.
pub(crate) trait Pool: PoolTraining + Send + Sync {
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
}
