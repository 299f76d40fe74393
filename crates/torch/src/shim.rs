//! Declarations of the C++ shim (`shim/*.cpp`) and the safe calls over them.

use crate::Result;
use crate::error::thrown;
use crate::fused::{FusedFunctions, FusedOptions};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
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

/// A number beside a tensor; the same layout as in `shim/scalar.cpp`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Number {
    pub value: f64,
    pub integral: c_int,
}

/// What [`with_number`] does; the order is that of `shim/scalar.cpp`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    ReverseSub,
    ReverseDiv,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Fill,
    MulInPlace,
}

unsafe extern "C" {
    fn recurra_free(message: Message);
    pub(crate) fn recurra_allocate(bytes: usize) -> *mut c_void;
    pub(crate) fn recurra_fused_register(functions: *const FusedFunctions);
    pub(crate) fn recurra_draw_seed(seed: *mut u64) -> Message;
    pub(crate) fn recurra_fused_rnn(
        options: *const FusedOptions,
        tensors: *const Handle,
        count: usize,
        has_states: c_int,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_torch_version() -> *const c_char;
    pub(crate) fn recurra_backward(this: Handle, gradient: Handle, retain_graph: c_int) -> Message;
    pub(crate) fn recurra_set_grad(this: Handle, gradient: Handle) -> Message;
    pub(crate) fn recurra_warning_handler(handler: *mut c_void) -> *mut c_void;
    pub(crate) fn recurra_grad_enabled() -> c_int;
    pub(crate) fn recurra_set_grad_enabled(enabled: c_int) -> c_int;
    pub(crate) fn recurra_bump_version(this: Handle) -> Message;
    pub(crate) fn recurra_add_(this: Handle, other: Handle, alpha: f64) -> Message;
    pub(crate) fn recurra_storage(this: Handle, identity: *mut usize, bytes: *mut usize) -> Message;
    pub(crate) fn recurra_cuda_begin(entered: *mut c_int) -> Message;
    pub(crate) fn recurra_cuda_device_count(count: *mut i64, why: *mut Message) -> Message;
    pub(crate) fn recurra_cuda_synchronize(index: i64) -> Message;
    pub(crate) fn recurra_manual_seed(seed: u64, devices: i64) -> Message;
    pub(crate) fn recurra_set_float32_matmul_precision(precision: *const c_char) -> Message;
    pub(crate) fn recurra_float32_matmul_precision(precision: *mut c_int, recurrent: *mut c_int) -> Message;
    pub(crate) fn recurra_copy_to_cuda(this: Handle, index: i64, out: *mut Owned) -> Message;
    pub(crate) fn recurra_count_operators_begin(handle: *mut u64) -> Message;
    pub(crate) fn recurra_count_operators_end(handle: u64, lines: *mut Message) -> Message;
    pub(crate) fn recurra_autocast_begin(cuda: c_int, enabled: c_int, cache: c_int, before: *mut u32) -> Message;
    pub(crate) fn recurra_autocast_end(before: u32) -> Message;
    pub(crate) fn recurra_autocast_enabled(cuda: c_int) -> c_int;
    pub(crate) fn recurra_flatten_rnn(
        weights: *const Handle,
        count: usize,
        per_layer: i64,
        input: i64,
        mode: i64,
        hidden: i64,
        projection: i64,
        layers: i64,
        batch_first: c_int,
        bidirectional: c_int,
    ) -> Message;
    pub(crate) fn recurra_generator_new(device: c_int, seed: u64, out: *mut GeneratorHandle) -> Message;
    pub(crate) fn recurra_generator_seed(generator: GeneratorHandle, seed: u64) -> Message;
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
        bad: Handle,
        arguments: *const AdamArguments,
    ) -> Message;
    fn recurra_norms(tensors: *const Handle, count: usize, p: f64, out: *mut Owned) -> Message;
    fn recurra_scale_(tensors: *const Handle, count: usize, factor: Handle) -> Message;
    pub(crate) fn recurra_note_non_finite(value: Handle, bad: Handle, one: Handle) -> Message;
    pub(crate) fn recurra_fused_sgd_(
        params: *const Handle,
        grads: *const Handle,
        buffers: *const Handle,
        count: usize,
        bad: Handle,
        arguments: *const SgdArguments,
    ) -> Message;
    fn recurra_with_number(operation: c_int, this: Handle, number: *const Number, out: *mut Owned) -> Message;
    fn recurra_clamp(this: Handle, min: *const Number, max: *const Number, out: *mut Owned) -> Message;
    fn recurra_masked_fill(this: Handle, mask: Handle, value: *const Number, out: *mut Owned) -> Message;
    fn recurra_full(dims: *const i64, rank: usize, value: *const Number, like: Handle, out: *mut Owned) -> Message;
    fn recurra_arange(
        start: *const Number,
        end: *const Number,
        step: *const Number,
        like: Handle,
        out: *mut Owned,
    ) -> Message;
    fn recurra_collect(
        this: Handle,
        index: *const i64,
        count: usize,
        leading: *const i64,
        rank: usize,
        out: *mut Owned,
    ) -> Message;
    fn recurra_embedding_rows(weight: Handle, values: Handle, ids: Handle, padding: i64, out: *mut Owned) -> Message;
    fn recurra_small_linear(x: Handle, weight: Handle, bias: Handle, out: *mut Owned) -> Message;
    fn recurra_small_cross_entropy(
        logits: Handle,
        target: Handle,
        mean: c_int,
        ignored: i64,
        out: *mut Owned,
    ) -> Message;
    fn recurra_spread(
        this: Handle,
        index: *const i64,
        count: usize,
        leading: *const i64,
        rank: usize,
        padding: f64,
        out: *mut Owned,
    ) -> Message;
    fn recurra_pad_packed(
        data: Handle,
        batch_sizes: Handle,
        batch_first: c_int,
        padding: *const Number,
        total_length: i64,
        output: *mut Owned,
        lengths: *mut Owned,
    ) -> Message;
}

/// An `at::Tensor*` that the caller of the shim owns.
pub(crate) type Owned = *mut c_void;

/// Takes over a tensor that the shim made.
pub(crate) fn owned(call: impl FnOnce(&mut Owned) -> Message) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    check(call(&mut out))?;
    // SAFETY: without an error the shim has written a tensor made with `new`, which tch frees with `delete`.
    Ok(unsafe { Tensor::from_ptr(out.cast()) })
}

/// One operation of a tensor and a number.
pub(crate) fn with_number(operation: Operation, tensor: &Tensor, number: Number) -> Result<Tensor> {
    // SAFETY: borrowed handle, pointers to locals.
    owned(|out| unsafe { recurra_with_number(operation as c_int, handle(tensor), &raw const number, out) })
}

/// Limits elements to what bounds there are.
pub(crate) fn clamp(tensor: &Tensor, min: Option<Number>, max: Option<Number>) -> Result<Tensor> {
    let pointer = |number: &Option<Number>| number.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: borrowed handle, pointers to locals or null.
    owned(|out| unsafe { recurra_clamp(handle(tensor), pointer(&min), pointer(&max), out) })
}

/// A number where the mask is true.
pub(crate) fn masked_fill(tensor: &Tensor, mask: &Tensor, value: Number) -> Result<Tensor> {
    // SAFETY: borrowed handles, pointers to locals.
    owned(|out| unsafe { recurra_masked_fill(handle(tensor), handle(mask), &raw const value, out) })
}

/// One number everywhere, with dtype and device of `like`.
pub(crate) fn full(dims: &[i64], value: Number, like: &Tensor) -> Result<Tensor> {
    // SAFETY: borrowed handle, `dims` with its length, pointers to locals.
    owned(|out| unsafe { recurra_full(dims.as_ptr(), dims.len(), &raw const value, handle(like), out) })
}

/// `start`, `start + step`, ... without `end`, with dtype and device of `like`.
pub(crate) fn arange(start: Number, end: Number, step: Number, like: &Tensor) -> Result<Tensor> {
    // SAFETY: borrowed handle, pointers to locals.
    owned(|out| unsafe { recurra_arange(&raw const start, &raw const end, &raw const step, handle(like), out) })
}

/// Row `i` of the result is row `index[i]` of a CPU tensor, whose first dimensions `leading` count as one.
///
/// The index must not be empty and be inside the rows.
pub(crate) fn collect(tensor: &Tensor, index: &[i64], leading: &[i64]) -> Result<Tensor> {
    let (at, rank) = (leading.as_ptr(), leading.len());
    // SAFETY: borrowed handle, slices with their lengths.
    owned(|out| unsafe { recurra_collect(handle(tensor), index.as_ptr(), index.len(), at, rank, out) })
}

/// `values` as the rows `ids` of `weight`, whose gradient then names those rows; the row `padding` gets none.
pub(crate) fn embedding_rows(weight: &Tensor, values: &Tensor, ids: &Tensor, padding: i64) -> Result<Tensor> {
    // SAFETY: all handles are borrowed from live tensors.
    owned(|out| unsafe { recurra_embedding_rows(handle(weight), handle(values), handle(ids), padding, out) })
}

/// `x W^T + b` of contiguous float32 matrices on the CPU that fit each other, on one thread.
pub(crate) fn small_linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let bias = bias.map_or(ptr::null(), handle);
    // SAFETY: all handles are borrowed from live tensors, or null, which means no bias.
    owned(|out| unsafe { recurra_small_linear(handle(x), handle(weight), bias, out) })
}

/// Cross entropy of contiguous float32 logits `[rows, classes]` on the CPU and contiguous int64 targets that are classes or
/// `ignored`, on one thread.
pub(crate) fn small_cross_entropy(logits: &Tensor, target: &Tensor, mean: bool, ignored: i64) -> Result<Tensor> {
    // SAFETY: both handles are borrowed from live tensors.
    owned(|out| unsafe { recurra_small_cross_entropy(handle(logits), handle(target), c_int::from(mean), ignored, out) })
}

/// The reverse of [`collect`]; `padding` fills the rows that the index, whose entries are distinct, does not name.
pub(crate) fn spread(tensor: &Tensor, index: &[i64], leading: &[i64], padding: f64) -> Result<Tensor> {
    let (at, rank) = (leading.as_ptr(), leading.len());
    // SAFETY: borrowed handle, slices with their lengths.
    owned(|out| unsafe { recurra_spread(handle(tensor), index.as_ptr(), index.len(), at, rank, padding, out) })
}

/// Packed rows, padded, and their lengths.
pub(crate) fn pad_packed(
    data: &Tensor,
    batch_sizes: &Tensor,
    batch_first: bool,
    padding: Number,
    total_length: i64,
) -> Result<(Tensor, Tensor)> {
    let mut lengths = ptr::null_mut();
    // SAFETY: borrowed handles, pointers to locals.
    let output = owned(|out| unsafe {
        recurra_pad_packed(
            handle(data),
            handle(batch_sizes),
            c_int::from(batch_first),
            &raw const padding,
            total_length,
            out,
            &mut lengths,
        )
    })?;
    // SAFETY: without an error the shim has written both tensors.
    Ok((output, unsafe { Tensor::from_ptr(lengths.cast()) }))
}

/// The p-norm of each tensor; all are on one device.
pub(crate) fn norms(tensors: &[Tensor], p: f64) -> Result<Vec<Tensor>> {
    let mut out: Vec<Owned> = vec![ptr::null_mut(); tensors.len()];
    let list = handles(tensors);
    // SAFETY: borrowed handles and room for as many results.
    check(unsafe { recurra_norms(list.as_ptr(), list.len(), p, out.as_mut_ptr()) })?;
    // SAFETY: without an error the shim has written tensors made with `new`, which tch frees with `delete`.
    Ok(out.into_iter().map(|at| unsafe { Tensor::from_ptr(at.cast()) }).collect())
}

/// Multiplies all tensors, which are on one device, by a tensor of one element there, in place.
pub(crate) fn scale(tensors: &[Tensor], factor: &Tensor) -> Result<()> {
    let list = handles(tensors);
    // SAFETY: borrowed handles, as many as are said.
    check(unsafe { recurra_scale_(list.as_ptr(), list.len(), handle(factor)) })
}

/// The borrowed C++ handle of a tensor.
pub(crate) fn handle(tensor: &Tensor) -> Handle {
    tensor.as_ptr().cast()
}

/// The borrowed C++ handles of several tensors.
pub(crate) fn handles<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Handle> {
    tensors.into_iter().map(handle).collect()
}

/// Takes over a text that the shim made.
pub(crate) fn text(message: Message) -> Option<String> {
    if message.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated string from `strdup`, which nobody else frees.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        recurra_free(message);
        Some(text)
    }
}

/// Turns a message of the shim into an error, and frees it.
pub(crate) fn check(message: Message) -> Result<()> {
    text(message).map_or(Ok(()), |text| Err(thrown(&text)))
}
