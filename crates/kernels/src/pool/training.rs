//! The backward pass of a pooling.

use super::pooled::Pooled;
use super::space::Mats;
use crate::encoder::encoded::Encoded;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// The part of a pooling that only training needs.
pub(crate) trait PoolTraining {
    /// From the gradients of the pooled vectors, which may be overwritten, to those of the outputs or states.
    ///
    /// # Safety
    /// As [`super::kernel::Pool::forward`], which must have been called before.
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat);

    /// Computes this member's share of the parameters' gradients, after the backward pass of all rows: 16 rows of each
    /// segment at a time.
    ///
    /// # Safety
    /// Nothing may change during the call; all members of the team must call it.
    unsafe fn weight_grads(&self, _member: &Member<'_>, _encoded: &Encoded<'_>, _mats: &Mats, _grads: *mut f32) {}
}
