//! Mixed precision as `torch.autocast` has it: operators compute in bfloat16 where libtorch's lists have them do so. The state belongs
//! to the calling thread.

use crate::Result;
use crate::shim::{self, check};
use std::ffi::c_int;
use std::marker::PhantomData;
use tch::{Device, Kind, Tensor};

/// What a scope was entered from, for [`end`].
pub type Before = u32;

/// Enters a scope for the operators of one kind of device; without `enabled` they compute in the dtypes they are given. `cache` says
/// whether casts of weights are kept until the outermost scope ends, or leaves that as it is.
pub fn begin(cuda: bool, enabled: bool, cache: Option<bool>) -> Result<Before> {
    let mut before = 0;
    // SAFETY: `before` is a local.
    check(unsafe {
        shim::recurra_autocast_begin(
            c_int::from(cuda),
            c_int::from(enabled),
            cache.map_or(-1, c_int::from),
            &mut before,
        )
    })?;
    Ok(before)
}

/// Leaves the scope that was entered last.
pub fn end(before: Before) -> Result<()> {
    // SAFETY: takes a plain value.
    check(unsafe { shim::recurra_autocast_end(before) })
}

/// Whether operators of this thread are in such a scope, for tensors on CUDA devices or on the CPU.
pub fn is_enabled(cuda: bool) -> bool {
    // SAFETY: reads a flag of the thread.
    unsafe { shim::recurra_autocast_enabled(c_int::from(cuda)) != 0 }
}

/// As [`is_enabled`], for a device.
pub(crate) fn active(device: Device) -> bool {
    is_enabled(device.is_cuda())
}

/// Whether autocast brings both tensors, of different dtypes, to one where it has an operator compute.
pub(crate) fn reconciles(a: &Tensor, b: &Tensor) -> bool {
    let castable = |tensor: &Tensor| tensor.f_kind().is_ok_and(|kind| matches!(kind, Kind::Float | Kind::BFloat16));
    active(b.device()) && castable(a) && castable(b)
}

/// While it lives, operators of this thread compute in bfloat16 where PyTorch's autocast has them do so.
pub struct Autocast {
    before: Before,
    /// Not for another thread.
    _here: PhantomData<*mut ()>,
}

impl Autocast {
    /// For the operators of a device.
    pub fn new(device: Device) -> Result<Self> {
        Ok(Self { before: begin(device.is_cuda(), true, Some(true))?, _here: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // Nothing in it can fail but a lock.
        let _: Result<()> = end(self.before);
    }
}
