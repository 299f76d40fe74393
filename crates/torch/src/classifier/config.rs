//! What a classifier is made of.

use crate::Result;
use crate::check::probability;
use crate::error::argument;
use recurra_core::Cell;
use tch::Device;

/// The recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Plain recurrence with tanh.
    Rnn,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

impl CellKind {
    /// Reads `rnn`, `lstm` or `gru`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "rnn" => Ok(Self::Rnn),
            "lstm" => Ok(Self::Lstm),
            "gru" => Ok(Self::Gru),
            _ => Err(argument(format!("cell must be 'rnn', 'lstm' or 'gru', but is '{name}'"))),
        }
    }

    pub(super) const fn mode(self) -> Cell {
        match self {
            Self::Rnn => Cell::RnnTanh,
            Self::Lstm => Cell::Lstm,
            Self::Gru => Cell::Gru,
        }
    }
}

/// How the states of a text become one vector; only its real tokens count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The final states of the last layer, both directions side by side.
    Last,
    /// The mean over the tokens.
    Mean,
    /// The maximum over the tokens, element by element.
    Max,
    /// The mean weighted by the softmax of `q . tanh(W h + b)` over the tokens.
    Attention,
}

impl Pooling {
    /// Reads `last`, `mean`, `max` or `attention`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "last" => Ok(Self::Last),
            "mean" => Ok(Self::Mean),
            "max" => Ok(Self::Max),
            "attention" => Ok(Self::Attention),
            _ => Err(argument(format!("pooling must be 'last', 'mean', 'max' or 'attention', but is '{name}'"))),
        }
    }
}

/// The sizes and kinds of a classifier.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierConfig {
    /// The recurrent layer.
    pub cell: CellKind,
    /// Rows of the embedding.
    pub vocab_size: i64,
    /// Columns of the embedding.
    pub embedding_dim: i64,
    /// Size of the recurrent state, per direction.
    pub hidden_size: i64,
    /// Recurrent layers.
    pub num_layers: i64,
    /// Whether a second recurrence runs from the end of each text.
    pub bidirectional: bool,
    /// Dropout of the word vectors; in training only.
    pub embedding_dropout: f64,
    /// Dropout between recurrent layers and before the linear layer; in training only.
    pub dropout: f64,
    /// Share of the tokens that are read as `unknown_idx`; in training only.
    pub word_dropout: f64,
    /// The word that a dropped word is read as; -1 for none.
    pub unknown_idx: i64,
    /// How the states become one vector.
    pub pooling: Pooling,
    /// Whether a text may have any number of classes.
    pub multi_label: bool,
    /// Classes.
    pub num_classes: i64,
    /// The row of the embedding that stays zero; -1 for none.
    pub padding_idx: i64,
    /// Standard deviation of the embedding's initial values; 1 is PyTorch's.
    pub embedding_std: f64,
    /// Seed of initial values and dropout.
    pub seed: i64,
    /// Where it computes.
    pub device: Device,
    /// Whether training computes in bfloat16 where PyTorch's autocast has it so; the weights stay float32.
    pub mixed: bool,
}

impl ClassifierConfig {
    /// One layer, one direction, the last state, exclusive classes, no dropout, no padding word, PyTorch's initial values, seed 0, the CPU.
    pub const fn new(cell: CellKind, vocab_size: i64, embedding_dim: i64, hidden_size: i64, num_classes: i64) -> Self {
        Self {
            cell,
            vocab_size,
            embedding_dim,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            embedding_dropout: 0.0,
            dropout: 0.0,
            word_dropout: 0.0,
            unknown_idx: -1,
            pooling: Pooling::Last,
            multi_label: false,
            num_classes,
            padding_idx: -1,
            embedding_std: 1.0,
            seed: 0,
            device: Device::Cpu,
            mixed: false,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabSize", self.vocab_size),
            ("embeddingDim", self.embedding_dim),
            ("hiddenSize", self.hidden_size),
            ("numLayers", self.num_layers),
            ("numClasses", self.num_classes),
        ];
        for (name, size) in sizes {
            if !(1..=i64::from(i32::MAX)).contains(&size) {
                return Err(argument(format!("{name} must be at least 1 and fit into 31 bits, but is {size}")));
            }
        }
        for (name, index) in [("paddingIdx", self.padding_idx), ("unknownIdx", self.unknown_idx)] {
            if index < -1 || index >= self.vocab_size {
                return Err(argument(format!(
                    "{name} must be from 0 to {} (or -1 for none), but is {index}",
                    self.vocab_size - 1,
                )));
            }
        }
        if !(self.embedding_std >= 0.0 && self.embedding_std.is_finite()) {
            return Err(argument(format!("embeddingStd must be a number from 0, but is {}", self.embedding_std)));
        }
        if self.word_dropout > 0.0 && self.unknown_idx < 0 {
            return Err(argument("wordDropout needs unknownIdx, the word that a dropped word is read as"));
        }
        probability("wordDropout", self.word_dropout)?;
        probability("embeddingDropout", self.embedding_dropout)?;
        probability("dropout", self.dropout)
    }

    pub(super) const fn directions(&self) -> i64 {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Size of the vector that the linear layer reads.
    pub(super) const fn features(&self) -> i64 {
        self.hidden_size * self.directions()
    }

    /// Names and shapes of the recurrent parameters, in PyTorch's order.
    pub(super) fn recurrent_parameters(&self) -> Vec<(String, Vec<i64>)> {
        let stacked = self.cell.mode().gates() as i64 * self.hidden_size;
        let mut parameters = Vec::new();
        for layer in 0..self.num_layers {
            let inputs = if layer == 0 { self.embedding_dim } else { self.features() };
            for side in ["", "_reverse"].into_iter().take(self.directions() as usize) {
                let name = |part: &str| format!("rnn.{part}_l{layer}{side}");
                parameters.push((name("weight_ih"), vec![stacked, inputs]));
                parameters.push((name("weight_hh"), vec![stacked, self.hidden_size]));
                parameters.push((name("bias_ih"), vec![stacked]));
                parameters.push((name("bias_hh"), vec![stacked]));
            }
        }
        parameters
    }
}
