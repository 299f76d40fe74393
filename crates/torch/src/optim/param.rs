//! One parameter with its state, and how it is laid out for a step.

use super::slots::Slots;
use crate::Result;
use crate::error::IntoResult;
use crate::late::{Gathered, Owner};
use tch::Tensor;

/// What a parameter that is stepped late has instead of state tensors.
pub(super) struct LateState {
    pub owner: Owner,
    pub gathered: Gathered,
}

/// One parameter with its state.
pub(super) struct Param {
    pub tensor: Tensor,
    pub group: usize,
    pub slots: Slots,
    /// State of a weight that is stepped late; the slots are then empty.
    pub late: Option<LateState>,
}

/// A parameter that moves in this step, with its gradient.
pub(super) struct Move<'a> {
    pub param: &'a Tensor,
    pub grad: Tensor,
    pub slots: &'a mut Slots,
}

/// libtorch's fused kernels walk over memory, so all tensors of a parameter must be laid out alike, row by row.
pub(super) fn dense(tensor: &Tensor) -> Result<Tensor> {
    tensor.f_contiguous().torch()
}

/// Writes a moved copy back where the parameter itself is not laid out row by row.
pub(super) fn write_back(param: &Tensor, moved: &Tensor) -> Result<()> {
    if param.is_contiguous() {
        return Ok(());
    }
    param.shallow_clone().f_copy_(moved).torch()
}
