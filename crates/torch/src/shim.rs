//! Declarations of the C++ shim (`shim/*.cpp`) and the safe calls over them.

use crate::Result;
use crate::error::thrown;
use std::ffi::{CStr, c_char, c_int, c_void};
use tch::Tensor;

/// An `at::Tensor*` that the callee only borrows.
pub(crate) type Handle = *const c_void;
/// An `at::Generator*` that the holder owns.
pub(crate) type GeneratorHandle = *mut c_void;
type Message = *mut c_char;

/// Options of [`recurra_fused_adam_`]; the same layout as in `shim/optim.cpp`.
#[repr(C)]
pub(crate) struct AdamArguments {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub weight_decay: f64,
    pub eps: f64,
    pub amsgrad: c_int,
    pub maximize: c_int,
    pub decoupled: c_int,
}

/// Options of [`recurra_fused_sgd_`]; the same layout as in `shim/optim.cpp`.
#[repr(C)]
pub(crate) struct SgdArguments {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub weight_decay: f64,
    pub nesterov: c_int,
    pub maximize: c_int,
    pub first_step: c_int,
}

unsafe extern "C" {
    fn recurra_free(message: Message);
    pub(crate) fn recurra_torch_version() -> *const c_char;
    pub(crate) fn recurra_backward(this: Handle, gradient: Handle, retain_graph: c_int) -> Message;
    pub(crate) fn recurra_set_grad(this: Handle, gradient: Handle) -> Message;
    pub(crate) fn recurra_grad_enabled() -> c_int;
    pub(crate) fn recurra_set_grad_enabled(enabled: c_int) -> c_int;
    pub(crate) fn recurra_add_(this: Handle, other: Handle, alpha: f64) -> Message;
    pub(crate) fn recurra_storage(this: Handle, identity: *mut usize, bytes: *mut usize) -> Message;
    pub(crate) fn recurra_generator_new(device: c_int, seed: u64, out: *mut GeneratorHandle) -> Message;
    pub(crate) fn recurra_generator_free(generator: GeneratorHandle);
    pub(crate) fn recurra_normal_(this: Handle, mean: f64, std: f64, generator: GeneratorHandle) -> Message;
    pub(crate) fn recurra_uniform_(this: Handle, from: f64, to: f64, generator: GeneratorHandle) -> Message;
    pub(crate) fn recurra_bernoulli_(this: Handle, p: f64, generator: GeneratorHandle) -> Message;
    pub(crate) fn recurra_fused_adam_(
        params: *const Handle,
        grads: *const Handle,
        averages: *const Handle,
        squares: *const Handle,
        max_squares: *const Handle,
        steps: *const Handle,
        count: usize,
        arguments: *const AdamArguments,
    ) -> Message;
    pub(crate) fn recurra_fused_sgd_(
        params: *const Handle,
        grads: *const Handle,
        buffers: *const Handle,
        count: usize,
        arguments: *const SgdArguments,
    ) -> Message;
}

/// The borrowed C++ handle of a tensor.
pub(crate) fn handle(tensor: &Tensor) -> Handle {
    tensor.as_ptr().cast()
}

/// The borrowed C++ handles of several tensors.
pub(crate) fn handles<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Handle> {
    tensors.into_iter().map(handle).collect()
}

/// Turns a message of the shim into an error, and frees it.
pub(crate) fn check(message: Message) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: the shim returns a NUL-terminated string from `strdup`, which nobody else frees.
    let text = unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        recurra_free(message);
        text
    };
    Err(thrown(&text))
}
