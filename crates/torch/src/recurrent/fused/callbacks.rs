//! What the shim calls back for the node of the graph: one run of the kernels forward, one backward.

use super::buffers::{reorder, room, to_packed, view};
use super::team::team;
use crate::shim::abi::{FaultPlace, FusedFunctions, FusedOptions};
use crate::shim::recurra_allocate;
use crate::{Error, ErrorCode, Result, guard, shim};
use recurra_core::layout::PackedLayout;
use recurra_core::{Cell, fault};
use recurra_kernels::recurrent::{
    self as kernels, GradientsTo, Input, OutputTo, Passes, RecurrentConfig, Saved, Table,
};
use recurra_kernels::threads::Pool;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Words as input; lent for the call.
pub(super) struct Words<'a> {
    pub(super) table: &'a Arc<Table>,
    pub(super) slots: &'a [u32],
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

fn config_of(o: &FusedOptions) -> Result<RecurrentConfig> {
    let cell = Cell::from_code(o.cell);
    let cell = cell.ok_or_else(|| Error::new(ErrorCode::Internal, "unknown kind of recurrence"))?;
    Ok(RecurrentConfig {
        num_layers: o.layers as usize,
        bidirectional: o.bidirectional != 0,
        proj_size: o.projection as usize,
        bias: o.bias != 0,
        dropout: o.dropout as f32,
        ..RecurrentConfig::new(cell, o.input as usize, o.hidden as usize)
    })
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

/// The message of an error as the shim frees it, or null.
fn message(result: Result<()>) -> *mut c_char {
    let Err(error) = result else { return ptr::null_mut() };
    let text = error.to_wire().replace('\0', " ");
    // SAFETY: allocated with the allocator whose `free` the shim calls; text and terminator fit.
    unsafe {
        let at = recurra_allocate(text.len() + 1).cast::<u8>();
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
        let config = config_of(o)?;
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
    last: i32,
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
        let passes = if last != 0 { Passes::Last } else { Passes::Any };
        kernels::backward_to(pool, &mut saved, [output, hn.as_deref(), cn.as_deref()], to, passes)?;
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

/// Called by the shim alone, with the number of a [`FaultPlace`].
unsafe extern "C" fn throws(place: i32) -> i32 {
    let name = match place {
        _ if place == FaultPlace::Forward as i32 => "shim.forward",
        _ if place == FaultPlace::Backward as i32 => "shim.backward",
        _ => "shim.other",
    };
    i32::from(fault::fires(name))
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
