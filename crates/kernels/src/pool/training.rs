//! The way back of a pooling.

use super::pooled::Pooled;
use super::space::Mats;
use crate::encoder::encoded::Encoded;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// What a pooling does in training alone.
pub(crate) trait PoolTraining {
    /// From the gradients of the pooled vectors, which may be overwritten, to those of the outputs or states.
    ///
    /// # Safety
    /// As [`super::kernel::Pool::forward`], which must have come before.
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat);

    /// This member's share of the parameters' gradients, once all rows have gone back: for each segment 16 of its rows at a
    /// time.
    ///
    /// # Safety
    /// Nothing may change during the call; all members of the team must call it.
    unsafe fn weight_grads(&self, _member: &Member<'_>, _encoded: &Encoded<'_>, _mats: &Mats, _grads: *mut f32) {}
}
