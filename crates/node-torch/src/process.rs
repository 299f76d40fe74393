//! What belongs to the whole process or thread: seed, grad mode, version, threads, CUDA.

use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_torch::{autograd, context, fused, late};

/// Seeds the global generators, as `torch.manual_seed`.
#[napi(catch_unwind)]
pub fn manual_seed(seed: i64) {
    context::manual_seed(seed);
}

/// Whether this thread records operations for gradients.
#[napi(catch_unwind)]
pub fn is_grad_enabled() -> bool {
    autograd::is_grad_enabled()
}

/// Sets whether this thread records operations for gradients; returns what it was.
#[napi(catch_unwind)]
pub fn set_grad_enabled(on: bool) -> bool {
    autograd::set_grad_enabled(on)
}

/// The libtorch version that this addon was compiled for.
#[napi(catch_unwind)]
pub fn torch_version() -> String {
    context::torch_version()
}

/// How many threads one operation may use.
#[napi(catch_unwind)]
pub fn get_num_threads() -> i32 {
    context::num_threads()
}

/// Sets how many threads one operation may use.
#[napi(catch_unwind)]
pub fn set_num_threads(threads: i32) -> napi::Result<()> {
    context::set_num_threads(threads).js()
}

/// Whether a CUDA device can be used.
#[napi(catch_unwind)]
pub fn cuda_is_available() -> bool {
    context::cuda_is_available()
}

/// The number of CUDA devices.
#[napi(catch_unwind)]
pub fn cuda_device_count() -> i64 {
    context::cuda_device_count()
}

/// Turns the fused kernels and the late optimizer steps on or off, for comparisons; returns what it was.
#[napi(catch_unwind)]
pub fn set_fused_kernels(on: bool) -> bool {
    fused::set_fused_kernels(on)
}

/// The number of weights of which rows may have missed steps of an optimizer; for tests.
#[napi(catch_unwind)]
pub fn late_weights() -> u32 {
    late::pending() as u32
}
