//! One step of a recurrence: `RNNCell`, `LSTMCell`, `GRUCell`.

use super::options::no_operator;
use crate::Result;
use crate::check::{floating, has_rank, has_shape, same_device, same_dtype_or_autocast};
use crate::error::{IntoResult, argument, shape};
use recurra_core::Cell;
use tch::Tensor;

/// The weights of a cell.
pub struct CellWeights<'a> {
    /// `[gates * hidden, inputs]`.
    pub ih: &'a Tensor,
    /// `[gates * hidden, hidden]`.
    pub hh: &'a Tensor,
    /// `[gates * hidden]`; both biases or none.
    pub bias_ih: Option<&'a Tensor>,
    /// `[gates * hidden]`.
    pub bias_hh: Option<&'a Tensor>,
}

/// One step: `input` `[batch, inputs]`, `state` `[h]` or `[h, c]`, each `[batch, hidden]`. Returns the next state.
pub fn cell(cell: Cell, input: &Tensor, state: &[&Tensor], weights: &CellWeights<'_>) -> Result<Vec<Tensor>> {
    const NAME: &str = "rnnCell";
    cell.in_libtorch()?;
    floating(NAME, "input", input)?;
    has_rank(NAME, "input", input, 2, "[batch, inputs]")?;
    has_rank(NAME, "weight_hh", weights.hh, 2, "[gates * hidden, hidden]")?;
    let (size, stacked, gates) = (input.size(), weights.hh.size(), cell.gates() as i64);
    let hidden = stacked[1];
    if hidden < 1 || stacked[0] != gates * hidden {
        return Err(shape(format!("{NAME}: weight_hh must be [{gates} * hidden, hidden], but is {stacked:?}")));
    }
    has_shape(NAME, "weight_ih", weights.ih, "[gates * hidden, inputs]", &[gates * hidden, size[1]])?;
    if weights.bias_ih.is_some() != weights.bias_hh.is_some() {
        return Err(argument(format!("{NAME}: give both bias_ih and bias_hh, or neither")));
    }
    for (name, bias) in [("bias_ih", weights.bias_ih), ("bias_hh", weights.bias_hh)] {
        if let Some(bias) = bias {
            has_shape(NAME, name, bias, "[gates * hidden]", &[gates * hidden])?;
        }
    }
    if state.len() != cell.states() {
        return Err(argument(format!(
            "{NAME}: the state must be {}, but {} tensors were given",
            if cell == Cell::Lstm { "[h, c]" } else { "[h]" },
            state.len()
        )));
    }
    for (name, tensor) in ["h", "c"].into_iter().zip(state) {
        has_shape(NAME, name, tensor, "[batch, hidden]", &[size[0], hidden])?;
    }
    let parts = [Some(weights.ih), Some(weights.hh), weights.bias_ih, weights.bias_hh];
    for tensor in parts.into_iter().flatten().chain(state.iter().copied()) {
        same_dtype_or_autocast(NAME, "a weight or state", tensor, "the input", input)?;
        same_device(NAME, "a weight or state", tensor, "the input", input)?;
    }
    let CellWeights { ih, hh, bias_ih: bi, bias_hh: bh } = *weights;
    let results = match cell {
        Cell::Lstm => input.f_lstm_cell(state, ih, hh, bi, bh).map(|(h, c)| vec![h, c]),
        Cell::Gru => input.f_gru_cell(state[0], ih, hh, bi, bh).map(|h| vec![h]),
        Cell::RnnTanh => input.f_rnn_tanh_cell(state[0], ih, hh, bi, bh).map(|h| vec![h]),
        Cell::RnnRelu => input.f_rnn_relu_cell(state[0], ih, hh, bi, bh).map(|h| vec![h]),
        cell => return no_operator(cell),
    };
    results.torch()
}
