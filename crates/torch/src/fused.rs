//! The kernels' recurrent networks as one operation of libtorch's graph, instead of some operators for every time step.
//!
//! `shim/recurrent.cpp` owns the node of the graph and calls back into this file. Values, states and gradients are those
//! of libtorch's own layers; second derivatives are not available.

use crate::recurrent::{Mode, Options, Packing, Source};
use crate::shim::{self, Handle, Owned, check};
use crate::{Error, ErrorCode, Result, context, guard};
use recurra_kernels::fault;
use recurra_kernels::layout::PackedLayout;
use recurra_kernels::recurrent::{self as kernels, Cell, GradientsTo, Input, OutputTo, RecurrentConfig, Saved, Table};
use recurra_kernels::threads::Pool;
use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use tch::{Device, Kind, Tensor};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns the kernels on or off, so that tests can compare with libtorch's own operators; returns what it was.
pub fn set_fused_kernels(on: bool) -> bool {
    ENABLED.swap(on, Ordering::Relaxed)
}

/// Whether the kernels are used where they can be.
pub(crate) fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// The team of threads, of the size that the user set; made anew where that changed.
fn pool() -> Arc<Pool> {
    static POOL: Mutex<Option<(usize, Arc<Pool>)>> = Mutex::new(None);
    let wanted = context::num_threads().max(1) as usize;
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*pool {
        // A team is smaller than wanted where the system refused a thread: compared is what was asked for.
        Some((asked, team)) if *asked == wanted => Arc::clone(team),
        _ => {
            let team = Arc::new(Pool::new(wanted));
            *pool = Some((wanted, Arc::clone(&team)));
            team
        }
    }
}

/// Below this number of multiplications waking another thread costs more than it saves: between two calls the graph's other
/// operators run, so that the team sleeps. The lesson's batch has 9 million and is faster on one thread.
const SMALL: usize = 16_000_000;

/// The team for so much work.
fn team(config: &RecurrentConfig, layout: &PackedLayout) -> Arc<Pool> {
    let width = config.input_size.max(config.output_size()) + config.state_size();
    let each = config.cell.gates() * config.hidden_size * width * config.num_layers * config.directions();
    if layout.total().saturating_mul(each) < SMALL || (layout.rows() == 1 && !config.bidirectional) {
        static ALONE: Mutex<Option<Arc<Pool>>> = Mutex::new(None);
        let mut alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        return Arc::clone(alone.get_or_insert_with(|| Arc::new(Pool::new(1))));
    }
    pool()
}

/// Options of one call; the same layout as in `shim/recurrent.cpp`.
#[repr(C)]
pub(crate) struct FusedOptions {
    cell: i32,
    bidirectional: i32,
    bias: i32,
    /// Whether a backward pass may follow; the shim sets it.
    keep: i32,
    input: i64,
    hidden: i64,
    projection: i64,
    layers: i64,
    rows: i64,
    dropout: f64,
    seed: u64,
    batch_sizes: *const i32,
    steps: usize,
    /// Rows of the states in the packed order, or null.
    order: *const i32,
    /// Packed rows.
    total: i64,
    /// [`Words`] where the first tensor is an embedding's weight instead of rows, or null.
    words: *const c_void,
    /// Rows of that weight that are looked up, each once, and which of them gets no gradient (-1: none).
    ids: *const i64,
    distinct: i64,
    padding: i64,
}

/// Words as input; lent for the call.
struct Words<'a> {
    table: &'a Arc<Table>,
    slots: &'a [u32],
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
    /// Whether a test wants the shim to throw here; see [`recurra_kernels::fault`].
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

/// The reverse of [`to_packed`].
fn from_packed<'a>(states: &'a [f32], order: Option<&[i32]>, size: usize) -> Cow<'a, [f32]> {
    let Some(order) = order else { return Cow::Borrowed(states) };
    let mut back = vec![0.0; states.len()];
    let part = order.len() * size;
    for (from, to) in states.chunks_exact(part).zip(back.chunks_exact_mut(part)) {
        for (row, from) in order.iter().zip(from.chunks_exact(size)) {
            to[*row as usize * size..][..size].copy_from_slice(from);
        }
    }
    Cow::Owned(back)
}

/// # Safety
/// `values` must be null or have room for `len` values that nobody else uses.
unsafe fn room<'a>(values: *mut f32, len: usize) -> Option<&'a mut [f32]> {
    // SAFETY: by the caller's promise.
    (!values.is_null()).then(|| unsafe { slice::from_raw_parts_mut(values, len) })
}

/// Brings states that were written in the packed order into the caller's.
fn reorder(states: Option<&mut [f32]>, order: Option<&[i32]>, size: usize) {
    if let (Some(states), Some(_)) = (states, order)
        && let Cow::Owned(back) = from_packed(states, order, size)
    {
        states.copy_from_slice(&back);
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

/// Whether the kernels can take this call, which has been checked; its input is as `like`.
pub(crate) fn fits(like: &Tensor, options: &Options) -> bool {
    enabled()
        && like.device() == Device::Cpu
        && like.f_kind().is_ok_and(|kind| kind == Kind::Float)
        && like.size().last().is_some_and(|&inputs| inputs > 0)
        && !(options.train && options.dropout >= 1.0)
}

/// Runs a network over packed rows `[sum of batch sizes, inputs]`; all arguments have been checked. `state` may be empty
/// for zeros.
pub(crate) fn run(
    data: Source<'_>,
    Packing { batch_sizes, order }: Packing<'_>,
    state: &[&Tensor],
    weights: &[&Tensor],
    (hidden, projection): (i64, i64),
    options: &Options,
) -> Result<Vec<Tensor>> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let functions = FusedFunctions { forward, backward, release, fault: throws };
        // SAFETY: the shim copies the functions.
        unsafe { shim::recurra_fused_register(&raw const functions) };
    });
    let dropout = if options.train && options.num_layers > 1 { options.dropout } else { 0.0 };
    let mut seed = 0;
    if dropout > 0.0 {
        // SAFETY: `seed` is a local.
        check(unsafe { shim::recurra_draw_seed(&mut seed) })?;
    }
    let cell = match options.mode {
        Mode::RnnTanh => 0,
        Mode::RnnRelu => 1,
        Mode::Lstm => 2,
        Mode::Gru => 3,
    };
    let (first, inputs, total) = match data {
        Source::Tensor(data) => (data, data.size()[1], data.size()[0]),
        Source::Embedded(data) => (data.like(), data.table().dims() as i64, data.slots().len() as i64),
    };
    let words = match data {
        Source::Tensor(_) => None,
        Source::Embedded(data) => {
            Some((Words { table: data.table(), slots: data.slots() }, data.ids(), data.padding()))
        }
    };
    let call = FusedOptions {
        cell,
        bidirectional: i32::from(options.bidirectional),
        bias: i32::from(options.has_biases),
        keep: 0,
        input: inputs,
        hidden,
        projection,
        layers: options.num_layers,
        rows: i64::from(batch_sizes[0]),
        dropout,
        seed,
        batch_sizes: batch_sizes.as_ptr(),
        steps: batch_sizes.len(),
        order: order.map_or(ptr::null(), <[i32]>::as_ptr),
        total,
        words: words.as_ref().map_or(ptr::null(), |(words, ..)| ptr::from_ref(words).cast()),
        ids: words.as_ref().map_or(ptr::null(), |(_, ids, _)| ids.as_ptr()),
        distinct: words.as_ref().map_or(0, |(_, ids, _)| ids.len() as i64),
        padding: words.as_ref().and_then(|(.., padding)| *padding).map_or(-1, |slot| slot as i64),
    };
    let tensors: Vec<Handle> =
        std::iter::once(&first).chain(state).chain(weights).map(|tensor| shim::handle(tensor)).collect();
    let mut out: [Owned; 3] = [ptr::null_mut(); 3];
    let has_states = i32::from(!state.is_empty());
    // SAFETY: all handles are borrowed from live tensors, the batch sizes outlive the call, `out` has room for three.
    check(unsafe {
        shim::recurra_fused_rnn(&raw const call, tensors.as_ptr(), tensors.len(), has_states, out.as_mut_ptr())
    })?;
    // SAFETY: without an error the shim has written tensors made with `new`, which tch frees with `delete`.
    Ok(out.into_iter().filter(|at| !at.is_null()).map(|at| unsafe { Tensor::from_ptr(at.cast()) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(hidden: i64, inputs: i64) -> (Vec<Tensor>, Options) {
        let random = |dims: &[i64]| Tensor::randn(dims, (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let weights = vec![random(&[hidden, inputs]), random(&[hidden, hidden]), random(&[hidden]), random(&[hidden])];
        let options = Options {
            mode: Mode::RnnTanh,
            has_biases: true,
            num_layers: 1,
            dropout: 0.0,
            train: true,
            bidirectional: false,
            batch_first: false,
        };
        (weights, options)
    }

    fn call(batch_sizes: &[i32], x: &Tensor) -> Result<Vec<Tensor>> {
        let (weights, options) = layer(4, 3);
        run(
            Source::Tensor(x),
            Packing { batch_sizes, order: None },
            &[],
            &weights.iter().collect::<Vec<_>>(),
            (4, 0),
            &options,
        )
    }

    #[test]
    fn an_error_of_the_kernels_keeps_its_code_on_the_way_through_libtorch() {
        let x = Tensor::zeros([3, 3], (Kind::Float, Device::Cpu));
        let error = call(&[1, 2], &x).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert_eq!(error.message(), "batch sizes must not grow: 1 is followed by 2 at step 1");
    }

    #[test]
    fn second_derivatives_are_an_error_that_says_what_to_do() {
        let x = Tensor::randn([5, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let loss = call(&[2, 2, 1], &x).unwrap()[0].square().sum(Kind::Float);
        let first = Tensor::f_run_backward(&[&loss], &[&x], true, true).unwrap();
        let plain = Tensor::f_run_backward(&[&loss], &[&x], true, false).unwrap();
        assert!(first[0].requires_grad() && !plain[0].requires_grad());
        assert!(first[0].allclose(&plain[0], 1e-6, 1e-6, false));
        let error = crate::autograd::backward(&first[0].sum(Kind::Float), None, false).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().starts_with("second derivatives of a recurrent layer"), "{error}");
    }
}
