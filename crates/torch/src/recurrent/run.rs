//! The ways of a call: the kernels where they support it, otherwise libtorch's operators.

use super::call::Call;
use super::input::Source;
use super::options::{Options, Packing};
use super::{fused, operators};
use crate::Result;
use tch::Tensor;

/// Runs a recurrent layer; everything is checked first.
///
/// Padded `input` is `[batch, steps, inputs]` (or steps first), packed `input` `[sum of lengths, inputs]` with
/// `packing`. `state` is `[h0]` or `[h0, c0]`, each `[layers * directions, batch, size]`, or empty for zeros. `weights`
/// are in PyTorch's order. Returns the output, h and, for the LSTM, c.
///
/// # Errors
/// `InvalidArgument`, `InvalidShape`, `InvalidDtype`, `InvalidDevice` or `OutOfRange` for arguments that do not fit each other,
/// and `InvalidArgument` for a cell that libtorch does not have.
pub fn rnn(
    input: Source<'_>,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    let call = Call::new(input, packing, state, weights, options)?;
    if fused::fits(&call) {
        return fused::run(&call);
    }
    match input {
        Source::Tensor(input) => operators::run(input, &call),
        Source::Embedded(input) => operators::run(&input.tensor()?, &call),
    }
}

/// As [`rnn`], but always through libtorch's operators: what the kernels are compared with, and for models that run on
/// GPUs.
///
/// # Errors
/// As [`rnn`].
pub fn rnn_by_operators(
    input: &Tensor,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    operators::run(input, &Call::new(Source::Tensor(input), packing, state, weights, options)?)
}
