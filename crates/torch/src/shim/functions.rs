//! The functions of the C++ shim (`shim/*.cpp`), as they are. Each says in C++ what it does and what it expects.

use super::abi::{AdamArguments, FusedFunctions, FusedOptions, Number, SgdArguments};
use std::ffi::{c_char, c_int, c_void};

/// An `at::Tensor*` that the callee only borrows.
pub(crate) type Handle = *const c_void;
/// An `at::Tensor*` that the caller of the shim owns.
pub(crate) type Owned = *mut c_void;
/// An `at::Generator*` that the holder owns.
pub(crate) type GeneratorHandle = *mut c_void;
/// Null, or a text from `malloc` that the receiver frees.
pub(crate) type Message = *mut c_char;

unsafe extern "C" {
    pub(crate) fn recurra_free(message: Message);
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
    pub(crate) fn recurra_grad_name(this: Handle, name: *mut Message) -> Message;
    pub(crate) fn recurra_grad_enabled() -> c_int;
    pub(crate) fn recurra_set_grad_enabled(enabled: c_int) -> c_int;
    pub(crate) fn recurra_bump_version(this: Handle) -> Message;
    pub(crate) fn recurra_add_(this: Handle, other: Handle, alpha: f64) -> Message;
    pub(crate) fn recurra_sub_(this: Handle, other: Handle, alpha: f64) -> Message;
    pub(crate) fn recurra_add_number_(
        this: Handle,
        other: *const Number,
        alpha: *const Number,
        subtract: c_int,
    ) -> Message;
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
    pub(crate) fn recurra_norms(tensors: *const Handle, count: usize, p: f64, out: *mut Owned) -> Message;
    pub(crate) fn recurra_scale_(tensors: *const Handle, count: usize, factor: Handle) -> Message;
    pub(crate) fn recurra_note_non_finite(value: Handle, bad: Handle, one: Handle) -> Message;
    pub(crate) fn recurra_fused_sgd_(
        params: *const Handle,
        grads: *const Handle,
        buffers: *const Handle,
        count: usize,
        bad: Handle,
        arguments: *const SgdArguments,
    ) -> Message;
    pub(crate) fn recurra_with_number(
        operation: c_int,
        this: Handle,
        number: *const Number,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_clamp(this: Handle, min: *const Number, max: *const Number, out: *mut Owned) -> Message;
    pub(crate) fn recurra_clamp_(this: Handle, min: *const Number, max: *const Number) -> Message;
    pub(crate) fn recurra_masked_fill_(this: Handle, mask: Handle, value: *const Number) -> Message;
    pub(crate) fn recurra_masked_fill(this: Handle, mask: Handle, value: *const Number, out: *mut Owned) -> Message;
    pub(crate) fn recurra_full(
        dims: *const i64,
        rank: usize,
        value: *const Number,
        like: Handle,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_arange(
        start: *const Number,
        end: *const Number,
        step: *const Number,
        like: Handle,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_collect(
        this: Handle,
        index: *const i64,
        count: usize,
        leading: *const i64,
        rank: usize,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_embedding_rows(
        weight: Handle,
        values: Handle,
        ids: Handle,
        padding: i64,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_small_linear(x: Handle, weight: Handle, bias: Handle, out: *mut Owned) -> Message;
    pub(crate) fn recurra_small_cross_entropy(
        logits: Handle,
        target: Handle,
        mean: c_int,
        ignored: i64,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_spread(
        this: Handle,
        index: *const i64,
        count: usize,
        leading: *const i64,
        rank: usize,
        padding: f64,
        out: *mut Owned,
    ) -> Message;
    pub(crate) fn recurra_pad_packed(
        data: Handle,
        batch_sizes: Handle,
        batch_first: c_int,
        padding: *const Number,
        total_length: i64,
        output: *mut Owned,
        lengths: *mut Owned,
    ) -> Message;
}
