//! What a recurrent layer is, and how its input is packed.

use crate::error::argument;
use crate::packing::Plan;
use crate::{Error, ErrorCode, Result};
use recurra_core::Cell;

/// What a recurrent layer is, besides its weights.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The kind of recurrence; only cells that libtorch has are accepted.
    pub cell: Cell,
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
    /// Whether padded input is `[batch, steps, inputs]`; otherwise it is `[steps, batch, inputs]`.
    pub batch_first: bool,
}

impl Options {
    /// 2 where a second recurrence runs, otherwise 1.
    pub(super) fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }

    /// How many blocks of `hidden` rows are stacked in a weight.
    pub(super) fn gates(&self) -> i64 {
        self.cell.gates() as i64
    }
}

/// Reads PyTorch's name of a cell: `LSTM`, `GRU`, `RNN_TANH` or `RNN_RELU`.
///
/// # Errors
/// `InvalidArgument` for any other name.
pub fn cell_of(mode: &str) -> Result<Cell> {
    Cell::from_torch_mode(mode)
        .ok_or_else(|| argument(format!("mode must be 'LSTM', 'GRU', 'RNN_TANH' or 'RNN_RELU', but is '{mode}'")))
}

/// How packed input is packed.
#[derive(Clone, Copy)]
pub struct Packing<'a> {
    /// Rows per step; never grows.
    pub(super) batch_sizes: &'a [i32],
    /// Row `order[b]` of the states belongs to packed row `b`; without it they are in the packed order.
    pub(super) order: Option<&'a [i32]>,
    /// The rows of the data, where both were checked before.
    pub(super) total: Option<i64>,
}

impl<'a> Packing<'a> {
    /// Of numbers from outside, which are checked against the data at every call.
    pub fn new(batch_sizes: &'a [i32], order: Option<&'a [i32]>) -> Self {
        Self { batch_sizes, order, total: None }
    }
}

impl<'a> From<&'a Plan> for Packing<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self { batch_sizes: plan.batch_sizes(), order: plan.order(), total: Some(plan.total()) }
    }
}

/// The error of a cell for which libtorch has no operator.
pub(super) fn no_operator<T>(cell: Cell) -> Result<T> {
    cell.in_libtorch()?;
    Err(Error::new(ErrorCode::Internal, format!("no operator of libtorch is called for {cell:?}")))
}
