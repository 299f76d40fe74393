//! RNN, LSTM and GRU over padded and packed input.

use crate::check::{floating, has_rank, has_shape, same_device, same_dtype_or_autocast, size_has_rank};
use crate::embedded::Embedded;
use crate::error::{IntoResult, argument, shape};
use crate::functional::probability;
use crate::fused;
use crate::packing::{check_batch_sizes, check_order};
use crate::shim;
use crate::tensor::convert::to_device;
use crate::tensor::create::from_i32;
use crate::{Result, autocast, cuda};
use std::ffi::c_void;
use std::ptr;
use tch::{Device, Tensor};

/// The kind of recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Long short-term memory; gates i, f, g, o.
    Lstm,
    /// Gated recurrent unit; gates r, z, n.
    Gru,
    /// `tanh(W_ih x + b_ih + W_hh h + b_hh)`.
    RnnTanh,
    /// The same with `max(0, ..)`.
    RnnRelu,
}

impl Mode {
    /// Reads `LSTM`, `GRU`, `RNN_TANH` or `RNN_RELU`.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "LSTM" => Self::Lstm,
            "GRU" => Self::Gru,
            "RNN_TANH" => Self::RnnTanh,
            "RNN_RELU" => Self::RnnRelu,
            _ => {
                return Err(argument(format!("mode must be 'LSTM', 'GRU', 'RNN_TANH' or 'RNN_RELU', but is '{name}'")));
            }
        })
    }

    /// How many gates are stacked in a weight.
    pub const fn gates(self) -> i64 {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::RnnTanh | Self::RnnRelu => 1,
        }
    }

    /// How many tensors the state has: h, and c for the LSTM.
    pub const fn states(self) -> usize {
        match self {
            Self::Lstm => 2,
            _ => 1,
        }
    }
}

/// What a recurrent layer is, besides its weights.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The kind of recurrence.
    pub mode: Mode,
    /// Whether there are biases among the weights.
    pub has_biases: bool,
    /// Layers, each over the output of the one before.
    pub num_layers: i64,
    /// Dropout between layers, in training.
    pub dropout: f64,
    /// Whether dropout is active.
    pub train: bool,
    /// Whether a second recurrence runs from the end of each row.
    pub bidirectional: bool,
    /// Padded input is `[batch, steps, inputs]`, else `[steps, batch, inputs]`.
    pub batch_first: bool,
}

impl Options {
    fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }
}

/// How packed input is packed.
#[derive(Clone, Copy)]
pub struct Packing<'a> {
    /// Rows per step; never grows.
    pub batch_sizes: &'a [i32],
    /// Row `order[b]` of the states belongs to packed row `b`; without it they are in the packed order.
    pub order: Option<&'a [i32]>,
}

/// What goes into a layer.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// An embedding's output that is not written out.
    Embedded(&'a Embedded),
}

impl Source<'_> {
    fn size(&self) -> Vec<i64> {
        match self {
            Self::Tensor(tensor) => tensor.size(),
            Self::Embedded(embedded) => embedded.size(),
        }
    }

    /// A tensor of the dtype and on the device of the input.
    fn like(&self) -> &Tensor {
        match self {
            Self::Tensor(tensor) => tensor,
            Self::Embedded(embedded) => embedded.like(),
        }
    }
}

/// The sizes that the weights and the input agree on.
struct Sizes {
    hidden: i64,
    /// Size of the output per direction: of the projection, where there is one.
    output: i64,
}

/// Checks every weight's shape, dtype and device against the first input and each other.
fn check_weights(input: &Tensor, inputs: i64, weights: &[&Tensor], options: &Options) -> Result<Sizes> {
    let Options { mode, has_biases, num_layers, .. } = *options;
    let directions = options.directions();
    if num_layers < 1 {
        return Err(argument(format!("rnn: numLayers must be at least 1, but is {num_layers}")));
    }
    let cells = (num_layers * directions) as usize;
    let plain = if has_biases { 4 } else { 2 };
    let projected = mode == Mode::Lstm && weights.len() == cells * (plain + 1);
    if weights.len() != cells * plain && !projected {
        return Err(argument(format!(
            "rnn: {num_layers} layers with {directions} directions need {} weights, but {} were given",
            cells * plain,
            weights.len()
        )));
    }
    let per_cell = plain + usize::from(projected);
    has_rank("rnn", "weight_hh_l0", weights[1], 2, "[gates * hidden, output]")?;
    let gates = mode.gates();
    let stacked = weights[1].size();
    let (hidden, output) = (stacked[0] / gates, stacked[1]);
    if hidden < 1 || stacked[0] % gates != 0 || (!projected && output != hidden) || (projected && output >= hidden) {
        return Err(shape(format!(
            "rnn: weight_hh_l0 must be [{gates} * hidden, hidden] (with projection [{gates} * hidden, projection] with a \
             projection smaller than hidden), but is {stacked:?}"
        )));
    }
    for (cell, weights) in weights.chunks(per_cell).enumerate() {
        let layer = cell as i64 / directions;
        let from = if layer == 0 { inputs } else { output * directions };
        let name = |part: &str| {
            let side = if cell as i64 % directions == 1 { "_reverse" } else { "" };
            format!("{part}_l{layer}{side}")
        };
        has_shape("rnn", &name("weight_ih"), weights[0], "[gates * hidden, inputs]", &[gates * hidden, from])?;
        has_shape("rnn", &name("weight_hh"), weights[1], "[gates * hidden, output]", &[gates * hidden, output])?;
        if has_biases {
            has_shape("rnn", &name("bias_ih"), weights[2], "[gates * hidden]", &[gates * hidden])?;
            has_shape("rnn", &name("bias_hh"), weights[3], "[gates * hidden]", &[gates * hidden])?;
        }
        if projected {
            has_shape("rnn", &name("weight_hr"), weights[plain], "[projection, hidden]", &[output, hidden])?;
        }
        for weight in weights {
            same_dtype_or_autocast("rnn", "a weight", weight, "the input", input)?;
            same_device("rnn", "a weight", weight, "the input", input)?;
        }
    }
    Ok(Sizes { hidden, output })
}

/// Checks the initial state; libtorch does not for packed input, and crashes.
fn check_state(input: &Tensor, batch: i64, sizes: &Sizes, state: &[&Tensor], options: &Options) -> Result<()> {
    let wanted = options.mode.states();
    if !state.is_empty() && state.len() != wanted {
        return Err(argument(format!(
            "rnn: the initial state must be {}, but {} tensors were given",
            if wanted == 2 { "[h0, c0]" } else { "[h0]" },
            state.len()
        )));
    }
    let rows = options.num_layers * options.directions();
    for (index, tensor) in state.iter().enumerate() {
        let (name, size) = if index == 0 { ("h0", sizes.output) } else { ("c0", sizes.hidden) };
        has_shape("rnn", name, tensor, "[layers * directions, batch, size]", &[rows, batch, size])?;
        same_dtype_or_autocast("rnn", name, tensor, "the input", input)?;
        same_device("rnn", name, tensor, "the input", input)?;
    }
    Ok(())
}

/// As [`rnn`], but always through libtorch's operators: what the kernels are compared with, and for models that run on
/// GPUs.
pub fn rnn_by_operators(
    input: &Tensor,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    let (batch, sizes) = check(Source::Tensor(input), packing, state, weights, options)?;
    with_operators(input, packing, state, weights, (batch, &sizes), options)
}

/// Runs a recurrent layer; everything is checked first.
///
/// Padded `input` is `[batch, steps, inputs]` (or steps first), packed `input` `[sum of lengths, inputs]` with
/// `packing`. `state` is `[h0]` or `[h0, c0]`, each `[layers * directions, batch, size]`, or empty for zeros. `weights` are in PyTorch's order. Returns the output, h and, for the LSTM, c.
pub fn rnn(
    input: Source<'_>,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    let (batch, sizes) = check(input, packing, state, weights, options)?;
    if fused::fits(input.like(), options) {
        return with_kernels(input, packing, state, weights, &sizes, options);
    }
    match input {
        Source::Tensor(input) => with_operators(input, packing, state, weights, (batch, &sizes), options),
        Source::Embedded(input) => with_operators(&input.tensor()?, packing, state, weights, (batch, &sizes), options),
    }
}

/// Checks everything; returns the number of rows and the sizes.
fn check(
    source: Source<'_>,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<(i64, Sizes)> {
    probability("rnn", options.dropout)?;
    let (input, size) = (source.like(), source.size());
    floating("rnn", "input", input)?;
    let (inputs, batch) = match packing {
        None => {
            let meaning = if options.batch_first { "[batch, steps, inputs]" } else { "[steps, batch, inputs]" };
            size_has_rank("rnn", "input", &size, 3, meaning)?;
            if size[0] < 1 || size[1] < 1 {
                return Err(shape(format!(
                    "rnn: input needs at least one row and one step, but is {meaning} = {size:?}"
                )));
            }
            (size[2], if options.batch_first { size[0] } else { size[1] })
        }
        Some(Packing { batch_sizes, order }) => {
            size_has_rank("rnn", "packed data", &size, 2, "[sum of lengths, inputs]")?;
            check_batch_sizes("rnn", batch_sizes, size[0])?;
            order.map_or(Ok(()), |order| check_order("rnn", order, batch_sizes[0] as usize))?;
            (size[1], i64::from(batch_sizes[0]))
        }
    };
    let sizes = check_weights(input, inputs, weights, options)?;
    check_state(input, batch, &sizes, state, options)?;
    Ok((batch, sizes))
}

/// Padded input as packed rows of equal length, step by step, and the rows per step.
fn packed(input: &Tensor, batch_first: bool) -> Result<(Tensor, Vec<i32>)> {
    let size = input.size();
    let (steps, batch) = if batch_first { (size[1], size[0]) } else { (size[0], size[1]) };
    let rows = i32::try_from(batch).map_err(|_| shape(format!("rnn: {batch} rows are too many")))?;
    let by_step = if batch_first { input.f_transpose(0, 1).torch()? } else { input.shallow_clone() };
    Ok((by_step.f_reshape([steps * batch, size[2]]).torch()?, vec![rows; steps as usize]))
}

/// The reverse of [`packed`], for an output.
fn padded(output: &Tensor, steps: i64, batch_first: bool) -> Result<Tensor> {
    let padded = output.f_reshape([steps, -1, output.size()[1]]).torch()?;
    if batch_first { padded.f_transpose(0, 1).torch() } else { Ok(padded) }
}

/// Through the fused kernels, which know packed rows only.
fn with_kernels(
    input: Source<'_>,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    sizes: &Sizes,
    options: &Options,
) -> Result<Vec<Tensor>> {
    let Sizes { hidden, output } = *sizes;
    let widths = (hidden, if output == hidden { 0 } else { output });
    if let Some(packing) = packing {
        return fused::run(input, packing, state, weights, widths, options);
    }
    let (mut results, steps) = match input {
        Source::Tensor(input) => {
            let (data, batch_sizes) = packed(input, options.batch_first)?;
            let packing = Packing { batch_sizes: &batch_sizes, order: None };
            (fused::run(Source::Tensor(&data), packing, state, weights, widths, options)?, batch_sizes.len())
        }
        Source::Embedded(input) => {
            let size = input.size();
            let (steps, batch) = if options.batch_first { (size[1], size[0]) } else { (size[0], size[1]) };
            let rows = i32::try_from(batch).map_err(|_| shape(format!("rnn: {batch} rows are too many")))?;
            let batch_sizes = vec![rows; steps as usize];
            let packing = Packing { batch_sizes: &batch_sizes, order: None };
            let data = input.by_step(options.batch_first);
            (fused::run(Source::Embedded(&data), packing, state, weights, widths, options)?, batch_sizes.len())
        }
    };
    results[0] = padded(&results[0], steps as i64, options.batch_first)?;
    Ok(results)
}

/// Through libtorch's own operators, which want states, and those in the packed order.
fn with_operators(
    input: &Tensor,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    (batch, sizes): (i64, &Sizes),
    options: &Options,
) -> Result<Vec<Tensor>> {
    let device = input.device();
    if device.is_cuda() {
        let size = input.size();
        let steps = packing.map_or(size[usize::from(options.batch_first)], |packing| packing.batch_sizes.len() as i64);
        let width = size[size.len() - 1].max(sizes.hidden).max(sizes.output * options.directions());
        cuda::check_cudnn(batch, steps, width)?;
    }
    let rows = options.num_layers * options.directions();
    let zeros = |size: i64| Tensor::f_zeros([rows, batch, size], (input.f_kind()?, device));
    let mut states: Vec<Tensor> = state.iter().map(|tensor| tensor.shallow_clone()).collect();
    if states.is_empty() {
        states = [sizes.output, sizes.hidden][..options.mode.states()]
            .iter()
            .map(|&size| zeros(size))
            .collect::<std::result::Result<_, _>>()
            .torch()?;
    }
    let Some(Packing { batch_sizes, order }) = packing else {
        if options.mode == Mode::Lstm && device == Device::Cpu && autocast::active(device) {
            // libtorch gives these to oneDNN, whose LSTM in bfloat16 there is on some processors only; it does not so with packed rows.
            let (data, batch_sizes) = packed(input, options.batch_first)?;
            let states: Vec<&Tensor> = states.iter().collect();
            let mut results = call(&data, Some(&from_i32(&batch_sizes)?), &states, weights, options)?;
            results[0] = padded(&results[0], batch_sizes.len() as i64, options.batch_first)?;
            return Ok(results);
        }
        return call(input, None, &states.iter().collect::<Vec<_>>(), weights, options);
    };
    let batch_sizes = from_i32(batch_sizes)?;
    let Some(order) = order else {
        return call(input, Some(&batch_sizes), &states.iter().collect::<Vec<_>>(), weights, options);
    };
    let mut back = vec![0; order.len()];
    order.iter().zip(0..).for_each(|(&row, place)| back[row as usize] = place);
    let to = |order: &[i32]| to_device(&from_i32(order)?, device);
    let (order, back) = (to(order)?, to(&back)?);
    let sorted = states.iter().map(|state| state.f_index_select(1, &order).torch()).collect::<Result<Vec<_>>>()?;
    let mut results = call(input, Some(&batch_sizes), &sorted.iter().collect::<Vec<_>>(), weights, options)?;
    for result in &mut results[1..] {
        *result = result.f_index_select(1, &back).torch()?;
    }
    Ok(results)
}

/// Puts a layer's weights behind each other in one memory where they are on a GPU: cuDNN would else do that at every call. The
/// tensors stay the same, so that optimizers and views by name go on; returns whether it was done.
pub fn flatten_weights(weights: &[&Tensor], options: &Options) -> Result<bool> {
    let Some(first) = weights.first().filter(|weight| weight.device().is_cuda() && weight.dim() == 2) else {
        return Ok(false);
    };
    let inputs = first.size()[1];
    let sizes = check_weights(first, inputs, weights, options)?;
    let mut places: Vec<_> = weights.iter().map(|weight| weight.data_ptr()).collect();
    places.sort_unstable();
    places.dedup();
    if places.len() < weights.len() {
        // Tied weights cannot lie in two places.
        return Ok(false);
    }
    let per_layer = weights.len() as i64 / (options.num_layers * options.directions());
    // cuDNN's own numbers of the cells.
    let mode = match options.mode {
        Mode::RnnRelu => 0,
        Mode::RnnTanh => 1,
        Mode::Lstm => 2,
        Mode::Gru => 3,
    };
    let projection = if sizes.output == sizes.hidden { 0 } else { sizes.output };
    let handles = shim::handles(weights.iter().copied());
    // SAFETY: borrowed handles of live tensors, as many as are said.
    shim::check(unsafe {
        shim::recurra_flatten_rnn(
            handles.as_ptr(),
            handles.len(),
            per_layer,
            inputs,
            mode,
            sizes.hidden,
            projection,
            options.num_layers,
            i32::from(options.batch_first),
            i32::from(options.bidirectional),
        )
    })?;
    Ok(true)
}

/// While it lives, libtorch does not print that it computes projections without oneDNN.
struct Quiet(*mut c_void);

impl Quiet {
    fn new() -> Self {
        // SAFETY: null stands for the shim's own handler, which lives as long as the process.
        Self(unsafe { shim::recurra_warning_handler(ptr::null_mut()) })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: the handler that was set before.
        unsafe { shim::recurra_warning_handler(self.0) };
    }
}

fn call(
    input: &Tensor,
    batch_sizes: Option<&Tensor>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    let Options { has_biases: b, num_layers: n, dropout: p, train, bidirectional: bi, batch_first: bf, .. } = *options;
    let h = state[0];
    let _quiet = (options.mode == Mode::Lstm).then(Quiet::new);
    let pair = |(output, h): (Tensor, Tensor)| vec![output, h];
    let triple = |(output, h, c): (Tensor, Tensor, Tensor)| vec![output, h, c];
    match (options.mode, batch_sizes) {
        (Mode::Lstm, None) => input.f_lstm(state, weights, b, n, p, train, bi, bf).map(triple),
        (Mode::Lstm, Some(s)) => Tensor::f_lstm_data(input, s, state, weights, b, n, p, train, bi).map(triple),
        (Mode::Gru, None) => input.f_gru(h, weights, b, n, p, train, bi, bf).map(pair),
        (Mode::Gru, Some(s)) => Tensor::f_gru_data(input, s, h, weights, b, n, p, train, bi).map(pair),
        (Mode::RnnTanh, None) => input.f_rnn_tanh(h, weights, b, n, p, train, bi, bf).map(pair),
        (Mode::RnnTanh, Some(s)) => Tensor::f_rnn_tanh_data(input, s, h, weights, b, n, p, train, bi).map(pair),
        (Mode::RnnRelu, None) => input.f_rnn_relu(h, weights, b, n, p, train, bi, bf).map(pair),
        (Mode::RnnRelu, Some(s)) => Tensor::f_rnn_relu_data(input, s, h, weights, b, n, p, train, bi).map(pair),
    }
    .torch()
}
