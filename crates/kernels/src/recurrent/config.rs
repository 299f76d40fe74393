//! What a recurrent network is made of, and how its parameters lie in memory.

use super::cells;
use recurra_core::{Cell, EncoderConfig, Error, ErrorCode, Result, network::check_recurrent_sizes};

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

impl From<&EncoderConfig> for RecurrentConfig {
    /// The recurrent layers of an encoder.
    fn from(encoder: &EncoderConfig) -> Self {
        Self {
            num_layers: encoder.num_layers,
            bidirectional: encoder.bidirectional,
            dropout: encoder.dropouts.layers as f32,
            ..Self::new(encoder.cell, encoder.inputs(), encoder.hidden_size)
        }
    }
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

    /// Checks sizes and options.
    ///
    /// # Errors
    /// `InvalidArgument` when a size is 0, the projection does not fit or the dropout is outside [0, 1).
    pub fn validate(&self) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        check_recurrent_sizes(
            self.cell,
            ("inputSize", self.input_size),
            self.hidden_size,
            self.num_layers,
            self.directions(),
        )?;
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
