//! What the shim calls back for the node of the graph: one run of the kernels forward, one backward.

use super::team;
use crate::shim;
use crate::{Error, ErrorCode, Result, guard};
use recurra_core::layout::PackedLayout;
use recurra_core::{Cell, fault};
use recurra_kernels::recurrent::{self as kernels, GradientsTo, Input, OutputTo, RecurrentConfig, Saved, Table};
use recurra_kernels::threads::Pool;
use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Options of one call; the same layout as in `shim/recurrent.cpp`.
#[repr(C)]
pub(crate) struct FusedOptions {
    pub(super) cell: i32,
    pub(super) bidirectional: i32,
    pub(super) bias: i32,
    /// Whether a backward pass may follow; the shim sets it.
    pub(super) keep: i32,
    pub(super) input: i64,
    pub(super) hidden: i64,
    pub(super) projection: i64,
    pub(super) layers: i64,
    pub(super) rows: i64,
    pub(super) dropout: f64,
    pub(super) seed: u64,
    pub(super) batch_sizes: *const i32,
    pub(super) steps: usize,
    /// Rows of the states in the packed order, or null.
    pub(super) order: *const i32,
    /// Packed rows.
    pub(super) total: i64,
    /// [`Words`] where the first tensor is an embedding's weight instead of rows, or null.
    pub(super) words: *const c_void,
    /// Rows of that weight that are looked up, each once, and which of them gets no gradient (-1: none).
    pub(super) ids: *const i64,
    pub(super) distinct: i64,
    pub(super) padding: i64,
}

/// Words as input; lent for the call.
pub(super) struct Words<'a> {
    pub(super) table: &'a Arc<Table>,
    pub(super) slots: &'a [u32],
}

/// The kernels' functions, as the shim calls them.
#[repr(C)]
pub(crate) struct FusedFunctions {
    forward: unsafe extern "C" fn(
        *const FusedOptions,
        *const f32,
        *const f32,
        *const f32,
        *const *const f32,
        usize,
        *mut f32,
        *mut f32,
        *mut f32,
        *mut *mut c_void,
    ) -> *mut c_char,
    backward: unsafe extern "C" fn(
        *mut c_void,
        *const f32,
        *const f32,
        *const f32,
        *mut f32,
        *mut f32,
        *mut f32,
        *const *mut f32,
        usize,
    ) -> *mut c_char,
    release: unsafe extern "C" fn(*mut c_void),
    /// Whether a test wants the shim to throw here; see [`recurra_core::fault`].
    fault: unsafe extern "C" fn(i32) -> i32,
}

/// What the graph keeps for the backward pass. Two threads may run backward through one graph.
struct Kept {
    config: RecurrentConfig,
    rows: usize,
    total: usize,
    /// Rows of the input: positions, or different words.
    inputs: usize,
    order: Option<Vec<i32>>,
    saved: Mutex<Saved>,
    pool: Arc<Pool>,
}

const CELLS: [Cell; 4] = [Cell::RnnTanh, Cell::RnnRelu, Cell::Lstm, Cell::Gru];

impl FusedOptions {
    fn config(&self) -> Result<RecurrentConfig> {
        let cell = CELLS.get(self.cell as usize).copied();
        let cell = cell.ok_or_else(|| Error::new(ErrorCode::Internal, "unknown kind of recurrence"))?;
        Ok(RecurrentConfig {
            num_layers: self.layers as usize,
            bidirectional: self.bidirectional != 0,
            proj_size: self.projection as usize,
            bias: self.bias != 0,
            dropout: self.dropout as f32,
            ..RecurrentConfig::new(cell, self.input as usize, self.hidden as usize)
        })
    }
}

/// Numbers of values of every parameter, in PyTorch's order.
fn parameter_sizes(config: &RecurrentConfig) -> Vec<usize> {
    let gates = config.cell.gates() * config.hidden_size;
    let mut sizes = Vec::new();
    for layer in 0..config.num_layers {
        let inputs = if layer == 0 { config.input_size } else { config.output_size() };
        for _ in 0..config.directions() {
            sizes.extend([gates * inputs, gates * config.state_size()]);
            if config.bias {
                sizes.extend([gates, gates]);
            }
            if config.proj_size > 0 {
                sizes.push(config.proj_size * config.hidden_size);
            }
        }
    }
    sizes
}

/// # Safety
/// `values` must be null or have `len` values.
unsafe fn view<'a>(values: *const f32, len: usize) -> Option<&'a [f32]> {
    // SAFETY: by the caller's promise.
    (!values.is_null()).then(|| unsafe { slice::from_raw_parts(values, len) })
}

/// States `[.., rows, size]` with their rows in the packed order.
fn to_packed<'a>(states: Option<&'a [f32]>, order: Option<&[i32]>, size: usize) -> Option<Cow<'a, [f32]>> {
    let states = states?;
    let Some(order) = order else { return Some(Cow::Borrowed(states)) };
    let mut packed = Vec::with_capacity(states.len());
    for part in states.chunks_exact(order.len() * size) {
        for &row in order {
            packed.extend_from_slice(&part[row as usize * size..][..size]);
        }
    }
    Some(Cow::Owned(packed))
}

/// # Safety
/// `values` must be null or have room for `len` values that nobody else uses.
unsafe fn room<'a>(values: *mut f32, len: usize) -> Option<&'a mut [f32]> {
    // SAFETY: by the caller's promise.
    (!values.is_null()).then(|| unsafe { slice::from_raw_parts_mut(values, len) })
}

/// The reverse of [`to_packed`], in place.
fn reorder(states: Option<&mut [f32]>, order: Option<&[i32]>, size: usize) {
    let (Some(states), Some(order)) = (states, order) else { return };
    let packed = states.to_vec();
    let part = order.len() * size;
    for (from, to) in packed.chunks_exact(part).zip(states.chunks_exact_mut(part)) {
        for (row, from) in order.iter().zip(from.chunks_exact(size)) {
            to[*row as usize * size..][..size].copy_from_slice(from);
        }
    }
}

/// The message of an error as the shim frees it, or null.
fn message(result: Result<()>) -> *mut c_char {
    let Err(error) = result else { return ptr::null_mut() };
    let text = error.to_wire().replace('\0', " ");
    // SAFETY: allocated with the allocator whose `free` the shim calls; text and terminator fit.
    unsafe {
        let at = shim::recurra_allocate(text.len() + 1).cast::<u8>();
        if !at.is_null() {
            ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
            *at.add(text.len()) = 0;
        }
        at.cast()
    }
}

/// # Safety
/// Called by the shim alone, which passes tensors of the shapes that `o` states.
unsafe extern "C" fn forward(
    o: *const FusedOptions,
    x: *const f32,
    h0: *const f32,
    c0: *const f32,
    params: *const *const f32,
    count: usize,
    output: *mut f32,
    hn: *mut f32,
    cn: *mut f32,
    saved: *mut *mut c_void,
) -> *mut c_char {
    message(guard(|| {
        fault::point("rnn.forward");
        // SAFETY: by the shim's promise, as for the other pointers below.
        let o = unsafe { &*o };
        let config = o.config()?;
        // SAFETY: as above.
        let layout = PackedLayout::from_batch_sizes(unsafe { slice::from_raw_parts(o.batch_sizes, o.steps) })?;
        let (rows, total) = (layout.rows(), layout.total());
        let states = config.num_layers * config.directions() * rows;
        let sizes = parameter_sizes(&config);
        if sizes.len() != count {
            return Err(Error::new(ErrorCode::Internal, "the number of recurrent parameters is not that of the layer"));
        }
        // SAFETY: as above.
        let order = (!o.order.is_null()).then(|| unsafe { slice::from_raw_parts(o.order, rows) });
        // SAFETY: as above.
        let (words, h0, c0, params) = unsafe {
            let params = slice::from_raw_parts(params, count).iter().zip(&sizes);
            (
                o.words.cast::<Words<'_>>().as_ref(),
                view(h0, states * config.state_size()),
                view(c0, states * config.hidden_size),
                params.map(|(&param, &size)| view(param, size).unwrap_or_default()).collect::<Vec<_>>(),
            )
        };
        let (wide, deep) = (config.state_size(), config.hidden_size);
        let (h0, c0) = (to_packed(h0, order, wide), to_packed(c0, order, deep));
        let mode = match (config.dropout > 0.0 && config.num_layers > 1, o.keep != 0) {
            (true, _) => kernels::Mode::Train { seed: o.seed },
            (false, true) => kernels::Mode::Eval,
            // With and without gradients a module gives the same bits.
            (false, false) => kernels::Mode::Values,
        };
        let x = match words {
            Some(Words { table, slots }) => Input::Words(Arc::clone(table), slots),
            // SAFETY: as above.
            None => Input::Rows(unsafe { view(x, total * config.input_size) }.unwrap_or_default()),
        };
        let inputs = words.map_or(total, |words| words.table.len());
        let pool = team(&config, &layout);
        // SAFETY: as above; the tensors are fresh.
        let (output, hn, cn) = unsafe {
            (
                room(output, total * config.output_size()).unwrap_or_default(),
                room(hn, states * wide).unwrap_or_default(),
                room(cn, states * deep).unwrap_or_default(),
            )
        };
        let to = OutputTo { output, hn: &mut *hn, cn: &mut *cn };
        let states = (h0.as_deref(), c0.as_deref());
        let kept = kernels::forward_to(&pool, &config, &layout, x, states, &params, mode, to)?;
        reorder(Some(hn), order, wide);
        reorder(Some(cn), order, deep);
        if let (Some(kept), true) = (kept, o.keep != 0) {
            let order = order.map(<[i32]>::to_vec);
            let kept = Kept { config, rows, total, inputs, order, saved: Mutex::new(kept), pool };
            // SAFETY: as above.
            unsafe { *saved = Box::into_raw(Box::new(kept)).cast() };
        }
        Ok(())
    }))
}

/// # Safety
/// Called by the shim alone, with what `forward` saved and gradients of its shapes.
unsafe extern "C" fn backward(
    saved: *mut c_void,
    output: *const f32,
    hn: *const f32,
    cn: *const f32,
    x: *mut f32,
    h0: *mut f32,
    c0: *mut f32,
    params: *const *mut f32,
    count: usize,
) -> *mut c_char {
    message(guard(|| {
        fault::point("rnn.backward");
        // SAFETY: by the shim's promise, as for the other pointers below.
        let Kept { config, rows, total, inputs, order, saved, pool } = unsafe { &*saved.cast::<Kept>() };
        let inputs = *inputs;
        let states = config.num_layers * config.directions() * rows;
        // SAFETY: as above.
        let (output, hn, cn) = unsafe {
            (
                view(output, total * config.output_size()),
                view(hn, states * config.state_size()),
                view(cn, states * config.hidden_size),
            )
        };
        let mut saved = saved.lock().unwrap_or_else(PoisonError::into_inner);
        let (order, wide, deep) = (order.as_deref(), config.state_size(), config.hidden_size);
        let (hn, cn) = (to_packed(hn, order, wide), to_packed(cn, order, deep));
        let sizes = parameter_sizes(config);
        // SAFETY: as above; the tensors are fresh.
        let (mut h0, mut c0, x, params) = unsafe {
            let params = slice::from_raw_parts(params, count).iter().zip(&sizes);
            (
                room(h0, states * wide),
                room(c0, states * deep),
                room(x, inputs * config.input_size),
                params.map(|(&param, &size)| room(param, size)).collect(),
            )
        };
        let to = GradientsTo { input: x, h0: h0.as_deref_mut(), c0: c0.as_deref_mut(), params };
        kernels::backward_to(pool, &mut saved, output, hn.as_deref(), cn.as_deref(), to)?;
        reorder(h0, order, wide);
        reorder(c0, order, deep);
        Ok(())
    }))
}

/// # Safety
/// Called by the shim once for what `forward` saved.
unsafe extern "C" fn release(saved: *mut c_void) {
    // SAFETY: by the shim's promise. Dropping buffers does not panic.
    drop(unsafe { Box::from_raw(saved.cast::<Kept>()) });
}

/// Called by the shim alone, with the number of a place.
unsafe extern "C" fn throws(place: i32) -> i32 {
    const PLACES: [&str; 3] = ["shim.forward", "shim.backward", "shim.other"];
    i32::from(PLACES.get(place as usize).is_some_and(|place| fault::fires(place)))
}

/// Lets the shim know these functions, once.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let functions = FusedFunctions { forward, backward, release, fault: throws };
        // SAFETY: the shim copies the functions.
        unsafe { shim::recurra_fused_register(&raw const functions) };
    });
}
