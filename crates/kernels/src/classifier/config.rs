//! Options and data of the classifier.

use crate::error::{Error, ErrorCode, Result};
use crate::optim::{AdamOptions, Algorithm};
use crate::recurrent::{Cell, RecurrentConfig};

/// How the outputs over time become one vector for each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Final states of the last layer, both directions side by side.
    Last,
    /// Mean over the text's own tokens.
    Mean,
    /// Maximum over the text's own tokens.
    Max,
}

/// Sizes and options of a [`super::Classifier`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierConfig {
    /// Kind of recurrent cell.
    pub cell: Cell,
    /// Number of words, which is the number of rows of the embedding.
    pub vocab_size: usize,
    /// Features of a word.
    pub embedding_dim: usize,
    /// Features of the hidden state.
    pub hidden_size: usize,
    /// Recurrent layers.
    pub num_layers: usize,
    /// Whether each layer also reads the text backwards.
    pub bidirectional: bool,
    /// Dropout of the word vectors, in training.
    pub embedding_dropout: f32,
    /// Dropout between layers and before the linear layer, in training.
    pub dropout: f32,
    /// How outputs become one vector for each text.
    pub pooling: Pooling,
    /// Number of classes.
    pub num_classes: usize,
    /// The word whose row stays zero, if any.
    pub padding_idx: Option<u32>,
    /// Seed of initial weights and dropout.
    pub seed: u64,
    /// Threads for training and bulk prediction; 0 counts as 1.
    pub threads: usize,
}

impl ClassifierConfig {
    /// # Errors
    /// `InvalidArgument` when a size is 0 or an option is outside its range.
    pub fn validate(&self) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        for (name, value) in
            [("vocabSize", self.vocab_size), ("embeddingDim", self.embedding_dim), ("numClasses", self.num_classes)]
        {
            if value == 0 || value > i32::MAX as usize {
                return fail(format!("{name} must be between 1 and {} but is {value}", i32::MAX));
            }
        }
        if let Some(row) = self.padding_idx
            && row as usize >= self.vocab_size
        {
            return fail(format!("paddingIdx {row} is outside the vocabulary of {} words", self.vocab_size));
        }
        if self.threads > 1024 {
            return fail(format!("threads must be at most 1024 but is {}", self.threads));
        }
        if !(0.0..1.0).contains(&self.embedding_dropout) {
            return fail(format!("embeddingDropout must be from 0 to below 1 but is {}", self.embedding_dropout));
        }
        self.recurrent().validate()
    }

    /// The recurrent part.
    pub fn recurrent(&self) -> RecurrentConfig {
        RecurrentConfig {
            num_layers: self.num_layers,
            bidirectional: self.bidirectional,
            dropout: self.dropout,
            ..RecurrentConfig::new(self.cell, self.embedding_dim, self.hidden_size)
        }
    }
}

/// Batches to train on, all rows one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Word numbers of all rows.
    pub tokens: &'a [i32],
    /// Number of words of each row, at least 1.
    pub lengths: &'a [i32],
    /// Class of each row.
    pub labels: &'a [i32],
    /// Number of rows of each batch.
    pub batch_sizes: &'a [i32],
}

/// Options of the steps of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOptions<'a> {
    /// Learning rate of each batch, or one for all.
    pub learning_rates: &'a [f64],
    /// Largest global norm of the gradient; 0 for no clipping.
    pub clip_norm: f64,
    /// The optimizer. A change from one chunk to the next begins with a fresh state.
    pub algorithm: Algorithm,
}

impl StepOptions<'_> {
    /// # Errors
    /// `InvalidArgument` for a number of learning rates that does not fit, or a rate or norm that is negative or not finite.
    pub fn validate(&self, batches: usize) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        if self.learning_rates.len() != 1 && self.learning_rates.len() != batches {
            return fail(format!("{} learning rates for {batches} batches", self.learning_rates.len()));
        }
        for &value in self.learning_rates.iter().chain([&self.clip_norm]) {
            if !(value >= 0.0 && value.is_finite()) {
                return fail(format!("lr and clipNorm must be finite numbers of at least 0 but one is {value}"));
            }
        }
        self.algorithm.validate()
    }

    /// Learning rate of a batch.
    pub(super) fn lr(&self, batch: u64) -> f64 {
        self.learning_rates[if self.learning_rates.len() == 1 { 0 } else { batch as usize }]
    }
}

impl Default for StepOptions<'_> {
    /// Adam with PyTorch's options and 1e-3, no clipping.
    fn default() -> Self {
        Self { learning_rates: &[1e-3], clip_norm: 0.0, algorithm: Algorithm::Adam(AdamOptions::default()) }
    }
}

/// What a chunk of training gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Sum of the rows' losses (before each batch's step).
    pub loss: f64,
    /// Rows whose most probable class was right.
    pub correct: u64,
    /// Rows that were trained on.
    pub rows: u64,
    /// Number of the batch within the chunk whose loss (or, with clipping, gradient) was not finite. The weights are
    /// those before that batch.
    pub non_finite_batch: Option<usize>,
}

/// A parameter with PyTorch's name and shape.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Such as `rnn.weight_ih_l0`.
    pub name: String,
    /// `float32`; anything else is refused on loading.
    pub dtype: String,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub data: Vec<f32>,
}

/// Checks rows: each has at least one word, and all words are inside the vocabulary.
pub(super) fn check_rows(tokens: &[i32], lengths: &[i32], vocab_size: usize) -> Result<()> {
    let mut sum = 0usize;
    for (row, &length) in lengths.iter().enumerate() {
        if length < 1 {
            let message = format!("row {row} has length {length}: expected at least one token");
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        sum += length as usize;
    }
    if sum != tokens.len() {
        let message = format!("the lengths add up to {sum} but there are {} tokens", tokens.len());
        return Err(Error::new(ErrorCode::InvalidShape, message));
    }
    match tokens.iter().position(|&id| id < 0 || id as usize >= vocab_size) {
        None => Ok(()),
        Some(at) => Err(Error::new(
            ErrorCode::OutOfRange,
            format!("token id {} at place {at} is outside the vocabulary of {vocab_size} words", tokens[at]),
        )),
    }
}

impl Chunk<'_> {
    /// # Errors
    /// `InvalidShape` when counts do not agree, `OutOfRange` for a length, token id, label or batch size outside its range.
    pub fn validate(&self, vocab_size: usize, num_classes: usize) -> Result<()> {
        if self.lengths.len() != self.labels.len() {
            let message = format!("{} rows but {} labels", self.lengths.len(), self.labels.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        if let Some(row) = self.labels.iter().position(|&label| label < 0 || label as usize >= num_classes) {
            let message = format!("label {} of row {row} is outside the {num_classes} classes", self.labels[row]);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        if let Some(batch) = self.batch_sizes.iter().position(|&size| size < 1) {
            let message = format!("batch {batch} has {} rows: expected at least one", self.batch_sizes[batch]);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let sum: usize = self.batch_sizes.iter().map(|&size| size as usize).sum();
        if sum != self.lengths.len() {
            let message = format!("the batch sizes add up to {sum} but there are {} rows", self.lengths.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        check_rows(self.tokens, self.lengths, vocab_size)
    }
}
