//! What a recurrent network is made of, and how its parameters lie in memory.

use super::cells;
use recurra_core::{Cell, Error, ErrorCode, Result};

/// Layers take some memory each, whatever their size.
const MOST_LAYERS: usize = 4096;

/// 64 TiB of float32; with the padding of small sizes, a sixteenth of it has to do.
pub(crate) const MOST_PARAMETERS: f64 = (1u64 << 44) as f64;

/// Sizes and options of a recurrent network; the names are those of `torch.nn.LSTM`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentConfig {
    /// Kind of cell.
    pub cell: Cell,
    /// Features of the input.
    pub input_size: usize,
    /// Features of the hidden state.
    pub hidden_size: usize,
    /// Layers on top of each other.
    pub num_layers: usize,
    /// Whether each layer also reads the sequences backwards.
    pub bidirectional: bool,
    /// Features of the projected state, 0 for none (LSTM only).
    pub proj_size: usize,
    /// Whether there are `bias_ih` and `bias_hh`.
    pub bias: bool,
    /// Probability of dropping an output between two layers, in training.
    pub dropout: f32,
}

impl RecurrentConfig {
    /// A network of one layer and one direction, with bias and without projection or dropout.
    pub fn new(cell: Cell, input_size: usize, hidden_size: usize) -> Self {
        Self {
            cell,
            input_size,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            proj_size: 0,
            bias: true,
            dropout: 0.0,
        }
    }

    /// # Errors
    /// `InvalidArgument` when a size is 0, the projection does not fit or the dropout is outside [0, 1).
    pub fn validate(&self) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        for (name, value) in
            [("inputSize", self.input_size), ("hiddenSize", self.hidden_size), ("numLayers", self.num_layers)]
        {
            if value == 0 {
                return fail(format!("{name} must be at least 1 but is 0"));
            }
        }
        if self.num_layers > MOST_LAYERS {
            return fail(format!("numLayers must be at most {MOST_LAYERS} but is {}", self.num_layers));
        }
        // In float64, where nothing overflows: the sizes as they are computed with later do.
        let size = |n: usize| n as f64;
        let inputs = size(self.input_size).max(2.0 * size(self.hidden_size));
        let rows =
            size(cells::of(self.cell).facts().gates * self.directions() * self.num_layers) * size(self.hidden_size);
        if rows * (inputs + size(self.hidden_size)) > MOST_PARAMETERS {
            return fail(format!(
                "inputSize {}, hiddenSize {} and numLayers {} make a network that no computer can hold",
                self.input_size, self.hidden_size, self.num_layers
            ));
        }
        if self.proj_size > 0 && (!cells::of(self.cell).facts().projects || self.proj_size >= self.hidden_size) {
            return fail(format!(
                "projSize {} needs an LSTM with a larger hiddenSize, not {:?} with {}",
                self.proj_size, self.cell, self.hidden_size
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fail(format!("dropout must be at least 0 and below 1 but is {}", self.dropout));
        }
        Ok(())
    }

    /// Directions: 1 or 2.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    /// Features of the state that goes round: the projected one where there is a projection.
    pub fn state_size(&self) -> usize {
        if self.proj_size > 0 { self.proj_size } else { self.hidden_size }
    }

    /// Features of an output row.
    pub fn output_size(&self) -> usize {
        self.directions() * self.state_size()
    }
}
