//! A call of a recurrent layer, checked once: libtorch crashes on some wrong arguments, and the kernels trust theirs.

use super::input::Source;
use super::options::{Options, Packing};
use crate::Result;
use crate::check::{floating, has_rank, has_shape, probability, same_device, same_dtype_or_autocast, size_has_rank};
use crate::error::{argument, shape};
use crate::packing::{check_batch_sizes, check_order};
use recurra_core::Cell;
use tch::Tensor;

/// The arguments of a layer, which fit each other.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(super) input: Source<'a>,
    pub(super) packing: Option<Packing<'a>>,
    /// `[h0]`, `[h0, c0]`, or empty for zeros.
    pub(super) state: &'a [&'a Tensor],
    pub(super) weights: &'a [&'a Tensor],
    pub(super) options: &'a Options,
    /// Rows of the input.
    pub(super) batch: i64,
    pub(super) sizes: Sizes,
}

impl<'a> Call<'a> {
    /// Checks everything: the only way to a call.
    pub(super) fn new(
        input: Source<'a>,
        packing: Option<Packing<'a>>,
        state: &'a [&'a Tensor],
        weights: &'a [&'a Tensor],
        options: &'a Options,
    ) -> Result<Self> {
        probability("rnn", options.dropout)?;
        let (like, size) = (input.like(), input.size());
        floating("rnn", "input", like)?;
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
            Some(Packing { batch_sizes, order, total }) => {
                size_has_rank("rnn", "packed data", &size, 2, "[sum of lengths, inputs]")?;
                if total != Some(size[0]) {
                    check_batch_sizes("rnn", batch_sizes, size[0])?;
                    order.map_or(Ok(()), |order| check_order("rnn", order, batch_sizes[0] as usize))?;
                }
                (size[1], i64::from(batch_sizes[0]))
            }
        };
        let sizes = check_weights(like, inputs, weights, options)?;
        check_state(like, batch, &sizes, state, options)?;
        Ok(Self { input, packing, state, weights, options, batch, sizes })
    }
}

/// The sizes that the weights and the input agree on.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub hidden: i64,
    /// Size of the output per direction: of the projection, where there is one.
    pub output: i64,
}

impl Sizes {
    /// Size of the projection, 0 for none.
    pub(super) fn projection(&self) -> i64 {
        if self.output == self.hidden { 0 } else { self.output }
    }
}

/// Checks every weight's shape, dtype and device against the first input and each other.
pub(super) fn check_weights(input: &Tensor, inputs: i64, weights: &[&Tensor], options: &Options) -> Result<Sizes> {
    let Options { cell, has_biases, num_layers, .. } = *options;
    cell.in_libtorch()?;
    let directions = options.directions();
    if num_layers < 1 {
        return Err(argument(format!("rnn: numLayers must be at least 1, but is {num_layers}")));
    }
    let cells = (num_layers * directions) as usize;
    let plain = if has_biases { 4 } else { 2 };
    let projected = cell == Cell::Lstm && weights.len() == cells * (plain + 1);
    if weights.len() != cells * plain && !projected {
        return Err(argument(format!(
            "rnn: {num_layers} layers with {directions} directions need {} weights, but {} were given",
            cells * plain,
            weights.len()
        )));
    }
    let per_cell = plain + usize::from(projected);
    has_rank("rnn", "weight_hh_l0", weights[1], 2, "[gates * hidden, output]")?;
    let gates = options.gates();
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
    let wanted = options.cell.states();
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
