//! What belongs to the whole process or thread: seed, grad mode, version, threads, CUDA.

use napi_derive::napi;
use recurra_binding::{IntoJs, to_js};
use recurra_torch::count::OperatorCount;
use recurra_torch::{Error, ErrorCode, autocast, autograd, context, cuda, late};
use std::sync::{Mutex, PoisonError};

/// Seeds the global generators, as `torch.manual_seed`.
#[napi(catch_unwind)]
pub fn manual_seed(seed: i64) -> napi::Result<()> {
    cuda::manual_seed(seed).js()
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

/// Enters a scope of mixed precision of this thread, for the operators of one kind of device; returns what `autocastEnd` needs.
#[napi(catch_unwind)]
pub fn autocast_begin(cuda: bool, enabled: bool, cache_enabled: Option<bool>) -> napi::Result<u32> {
    autocast::begin(cuda, enabled, cache_enabled).js()
}

/// Leaves the scope that was entered last.
#[napi(catch_unwind)]
pub fn autocast_end(before: u32) -> napi::Result<()> {
    autocast::end(before).js()
}

/// Whether operators of this thread compute in mixed precision, on one kind of device.
#[napi(catch_unwind)]
pub fn is_autocast_enabled(cuda: bool) -> bool {
    autocast::is_enabled(cuda)
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

/// Takes CUDA into use, after `libtorch_cuda.so` was opened.
#[napi(catch_unwind)]
pub fn begin_cuda() -> napi::Result<()> {
    cuda::begin().js()
}

/// The number of CUDA devices; 0 before CUDA is in use.
#[napi(catch_unwind)]
pub fn cuda_device_count() -> i64 {
    cuda::device_count()
}

/// Waits until everything that was started on a CUDA device is done.
#[napi(catch_unwind)]
pub fn cuda_synchronize(index: i64) -> napi::Result<()> {
    cuda::synchronize(index).js()
}

/// How exactly float32 is computed.
#[napi(object, object_from_js = false)]
pub struct Float32Precision {
    /// Of products of matrices: `highest`, `high` or `medium`.
    pub matmul: String,
    /// Whether cuDNN's recurrent layers may round to TF32.
    pub recurrent_tf32: bool,
}

/// How exactly float32 is computed now.
#[napi(catch_unwind)]
pub fn float32_precision() -> napi::Result<Float32Precision> {
    let (matmul, recurrent_tf32) = cuda::float32_matmul_precision().js()?;
    Ok(Float32Precision { matmul: matmul.to_owned(), recurrent_tf32 })
}

/// Sets how exactly float32 is computed, as `torch.set_float32_matmul_precision`.
#[napi(catch_unwind)]
pub fn set_float32_matmul_precision(precision: String) -> napi::Result<()> {
    cuda::set_float32_matmul_precision(&precision).js()
}

/// Turns the fused kernels and the late optimizer steps on or off, for comparisons; returns what it was.
#[napi(catch_unwind)]
pub fn set_fused_kernels(on: bool) -> bool {
    context::set_fused_kernels(on)
}

/// The number of weights of which rows may have missed steps of an optimizer; for tests.
#[napi(catch_unwind)]
pub fn late_weights() -> u32 {
    late::pending() as u32
}

/// How often an operator ran.
#[napi(object, object_from_js = false)]
pub struct OperatorRuns {
    /// libtorch's name.
    pub name: String,
    /// How often.
    pub count: i64,
}

static COUNTING: Mutex<Option<OperatorCount>> = Mutex::new(None);

/// Begins to count the operators that libtorch runs in all threads; for tests and benchmarks.
#[napi(catch_unwind)]
pub fn count_operators_begin() -> napi::Result<()> {
    let mut counting = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    if counting.is_some() {
        return Err(to_js(Error::new(ErrorCode::InvalidArgument, "operators are being counted already")));
    }
    *counting = Some(OperatorCount::begin().js()?);
    Ok(())
}

/// Ends it, and gives the innermost ones that computed or copied something.
#[napi(catch_unwind)]
pub fn count_operators_end() -> napi::Result<Vec<OperatorRuns>> {
    let counting = COUNTING.lock().unwrap_or_else(PoisonError::into_inner).take();
    let counts = counting.map_or(Ok(Vec::new()), OperatorCount::end).js()?;
    Ok(counts.into_iter().map(|(name, count)| OperatorRuns { name, count: count as i64 }).collect())
}
