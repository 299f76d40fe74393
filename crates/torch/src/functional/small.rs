//! When plain loops (`shim/small.cpp`) are faster than libtorch's operators, which wake its threads whatever the size.

use crate::context;
use tch::{Device, Kind, Tensor};

/// Most multiplications of a linear layer for which plain loops are faster.
pub(super) const SMALL_LINEAR: i64 = 1 << 16;
/// Most logits of a cross entropy for which they are.
pub(super) const SMALL_LOGITS: i64 = 1 << 12;

/// Whether a tensor has few elements that lie in memory as plain loops read them.
pub(super) fn small(tensor: &Tensor, limit: i64) -> bool {
    context::fused_kernels()
        && tensor.device() == Device::Cpu
        && (1..=limit).contains(&(tensor.numel() as i64))
        && tensor.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && tensor.is_contiguous()
}
