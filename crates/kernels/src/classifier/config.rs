//! Options and data of the classifier.

use crate::optim::{AdamOptions, Algorithm};
use crate::recurrent::{MOST_PARAMETERS, RecurrentConfig};
use recurra_core::{Cell, Error, ErrorCode, Result};

/// How the outputs over time become one vector for each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Final states of the last layer, both directions side by side.
    Last,
    /// Mean over the text's own tokens.
    Mean,
    /// Maximum over the text's own tokens.
    Max,
    /// Mean weighted by attention over the text's own tokens: the weights are the softmax of `q . tanh(W h + b)`, with
    /// `W` and `b` a linear layer as wide as the outputs `h` and `q` a learned query.
    Attention,
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
    /// Share of the tokens that are read as `unknown_idx`, in training.
    pub word_dropout: f32,
    /// The word that a dropped word is read as; needed with `word_dropout`.
    pub unknown_idx: Option<u32>,
    /// How outputs become one vector for each text.
    pub pooling: Pooling,
    /// Whether a text may have any number of classes: sigmoids and binary cross entropy instead of softmax and cross
    /// entropy.
    pub multi_label: bool,
    /// Number of classes.
    pub num_classes: usize,
    /// The word whose row stays zero, if any.
    pub padding_idx: Option<u32>,
    /// Standard deviation of the embedding's initial values; 1 is PyTorch's.
    pub embedding_std: f32,
    /// Seed of initial weights and dropout.
    pub seed: u64,
    /// Threads for training and bulk prediction; 0 counts as 1.
    pub threads: usize,
}

impl ClassifierConfig {
    /// One layer, one direction, the last state, exclusive classes, no dropout, no padding word, PyTorch's initial values, seed 0, one thread.
    pub fn new(cell: Cell, vocab_size: usize, embedding_dim: usize, hidden_size: usize, num_classes: usize) -> Self {
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
            unknown_idx: None,
            pooling: Pooling::Last,
            multi_label: false,
            num_classes,
            padding_idx: None,
            embedding_std: 1.0,
            seed: 0,
            threads: 1,
        }
    }

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
        for (name, row) in [("paddingIdx", self.padding_idx), ("unknownIdx", self.unknown_idx)] {
            if let Some(row) = row
                && row as usize >= self.vocab_size
            {
                return fail(format!("{name} {row} is outside the vocabulary of {} words", self.vocab_size));
            }
        }
        if self.threads > 1024 {
            return fail(format!("threads must be at most 1024 but is {}", self.threads));
        }
        for (name, share) in [("embeddingDropout", self.embedding_dropout), ("wordDropout", self.word_dropout)] {
            if !(0.0..1.0).contains(&share) {
                return fail(format!("{name} must be from 0 to below 1 but is {share}"));
            }
        }
        if !(self.embedding_std >= 0.0 && self.embedding_std.is_finite()) {
            return fail(format!("embeddingStd must be a number from 0 but is {}", self.embedding_std));
        }
        if self.word_dropout > 0.0 && self.unknown_idx.is_none() {
            return fail("wordDropout needs unknownIdx, the word that a dropped word is read as".into());
        }
        self.recurrent().validate()?;
        if self.num_classes as f64 * self.hidden_size as f64 > MOST_PARAMETERS {
            return fail(format!("numClasses {} and hiddenSize {} are too many", self.num_classes, self.hidden_size));
        }
        Ok(())
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

/// Options of the steps of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOptions<'a> {
    /// Learning rate of each batch, or one for all.
    pub learning_rates: &'a [f64],
    /// Largest global norm of the gradient; 0 for no clipping.
    pub clip_norm: f64,
    /// The optimizer. A change from one chunk to the next begins with a fresh state.
    pub algorithm: Algorithm,
    /// What the loss weighs and smooths.
    pub loss: LossOptions<'a>,
    /// Leaves the embedding as it is: it has no gradient, and its state of the optimizer stays where it is.
    pub freeze_embedding: bool,
}

/// Options of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossOptions<'a> {
    /// A weight for each class, or nothing for 1 each. With exclusive classes they are those of
    /// `torch.nn.CrossEntropyLoss(weight)`, whose mean divides by the sum of the rows' weights; else those of
    /// `torch.nn.BCEWithLogitsLoss(pos_weight)`.
    pub class_weights: &'a [f32],
    /// Share of the target that is spread over all classes, as `torch.nn.CrossEntropyLoss(label_smoothing)` does; only
    /// with exclusive classes.
    pub label_smoothing: f32,
}

impl LossOptions<'_> {
    /// # Errors
    /// `InvalidArgument` for a number of weights other than the classes', a weight that is not positive and finite, or
    /// a smoothing outside [0, 1) or with several classes to a row.
    pub fn validate(&self, config: &ClassifierConfig) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        let (weights, classes) = (self.class_weights, config.num_classes);
        if !weights.is_empty() && weights.len() != classes {
            return fail(format!("classWeights has {} weights for {classes} classes", weights.len()));
        }
        if let Some(weight) = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
            return fail(format!("a class weight must be a finite number above 0 but one is {weight}"));
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return fail(format!("labelSmoothing must be from 0 to below 1 but is {}", self.label_smoothing));
        }
        if self.label_smoothing > 0.0 && config.multi_label {
            return fail("labelSmoothing is for exclusive classes; a multi-label loss has none".into());
        }
        Ok(())
    }
}

impl<'a> StepOptions<'a> {
    /// Those of some of the batches.
    pub(super) fn of(&self, batches: std::ops::Range<usize>) -> StepOptions<'a> {
        let all = self.learning_rates;
        StepOptions { learning_rates: if all.len() == 1 { all } else { &all[batches] }, ..*self }
    }

    /// # Errors
    /// `InvalidArgument` for a number of learning rates that does not fit, or a rate or norm that is negative or not finite.
    pub fn validate(&self, batches: usize, config: &ClassifierConfig) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        if self.learning_rates.len() != 1 && self.learning_rates.len() != batches {
            return fail(format!("{} learning rates for {batches} batches", self.learning_rates.len()));
        }
        for &value in self.learning_rates.iter().chain([&self.clip_norm]) {
            if !(value >= 0.0 && value.is_finite()) {
                return fail(format!("lr and clipNorm must be finite numbers of at least 0 but one is {value}"));
            }
        }
        self.loss.validate(config)?;
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
        Self {
            learning_rates: &[1e-3],
            clip_norm: 0.0,
            algorithm: Algorithm::Adam(AdamOptions::default()),
            loss: LossOptions::default(),
            freeze_embedding: false,
        }
    }
}
