//! The options of training steps, checked once for every engine.

use std::ops::Range;

use crate::algorithm::{AdamOptions, Algorithm};
use crate::error::{Error, ErrorCode, Result};
use crate::network::{HeadConfig, NetworkConfig};
use crate::tags::{Decoder, TagsConfig};

/// Options of the steps of one chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOptions<'a> {
    /// Learning rate of each batch, or one rate for all.
    pub learning_rates: &'a [f64],
    /// Maximum global norm of the gradient; 0 disables clipping.
    pub clip_norm: f64,
    /// The optimizer. If its options change between chunks, its state is kept according to
    /// [`Algorithm::keeps_state_of`].
    pub algorithm: Algorithm,
    /// Output weights and smoothing of the loss.
    pub loss: LossOptions<'a>,
    /// Whether to freeze the embedding: it gets no gradient, and its optimizer state does not change. The feature
    /// vectors still learn.
    pub freeze_embedding: bool,
    /// Norm of the adversarial noise relative to the norm of a text's embedded tokens; 0 for none. Each step then
    /// minimises `L(e) + L(e + r)`, where `e` are the embedded tokens of a text, `[time, inputs]`, `g` is the gradient
    /// of the loss with respect to them, and `r = adversarial |e| g / |g|`. Norms are Euclidean over all numbers of the
    /// text; `r` is a constant, and zero if `g` is zero. Both passes use the same dropout masks; statistics are those
    /// of `L(e)`. Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification",
    /// 2017.
    pub adversarial: f64,
    /// The initial states of a batch's rows.
    pub initial: Initial,
    /// For sequence-to-sequence networks: the share of decoder inputs that are the network's own previous output
    /// instead of the target (scheduled sampling). Bengio et al., "Scheduled Sampling for Sequence Prediction with
    /// Recurrent Neural Networks", 2015.
    pub sampling: f64,
}

/// The initial states of a batch's rows.
///
/// Except with [`Initial::Zeros`], the rows of consecutive batches are consecutive parts of the same streams: in every
/// layer, row `i` of a batch starts with the final states of row `i` of the previous batch. No gradient flows back into
/// that batch (truncated backpropagation through time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initial {
    /// Zeros in every batch.
    #[default]
    Zeros,
    /// Zeros in the chunk's first batch; in the others, the final states of the previous batch.
    Begin,
    /// The final states of the previous batch. For the first batch, that is the last batch of an earlier chunk.
    Continue,
}

/// Options of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossOptions<'a> {
    /// A weight for each output; empty for 1 each. With one target per row or token, they are those of
    /// `torch.nn.CrossEntropyLoss(weight)`, whose mean divides by the sum of the targets' weights. With sets, they are
    /// those of `torch.nn.BCEWithLogitsLoss(pos_weight)`. A CRF has no weights.
    pub weights: &'a [f32],
    /// Share of the target that is spread over all outputs, as in `torch.nn.CrossEntropyLoss(label_smoothing)`. Must be
    /// 0 with sets and a CRF.
    pub smoothing: f64,
}

impl LossOptions<'_> {
    /// Checks weights and smoothing against the network.
    ///
    /// # Errors
    /// `InvalidArgument` if the number of weights differs from the number of outputs, a weight is not positive and
    /// finite, or the smoothing is outside [0, 1) or used with sets; with a CRF, for weights or smoothing.
    pub fn validate(&self, config: &NetworkConfig) -> Result<()> {
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        let (weights, outputs) = (self.weights, config.head.outputs());
        let crf = matches!(&config.head, HeadConfig::Tags(TagsConfig { decoder: Decoder::Crf, .. }));
        let adaptive = matches!(&config.head, HeadConfig::Tags(TagsConfig { decoder: Decoder::Adaptive, .. }));
        if adaptive && !weights.is_empty() {
            return fail(
                "classWeights",
                "an adaptive softmax does not support classWeights; use the full softmax".into(),
            );
        }
        if adaptive && self.smoothing > 0.0 {
            return fail(
                "labelSmoothing",
                "an adaptive softmax does not support labelSmoothing; use the full softmax".into(),
            );
        }
        if crf && !weights.is_empty() {
            return fail(
                "classWeights",
                "classWeights are for single answers; the loss of a CRF is of whole rows".into(),
            );
        }
        if !weights.is_empty() && weights.len() != outputs {
            return fail("classWeights", format!("classWeights has {} weights for {outputs} classes", weights.len()));
        }
        if let Some(weight) = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
            return fail("classWeights", format!("a class weight must be a finite number above 0 but one is {weight}"));
        }
        if !(0.0..1.0).contains(&(self.smoothing as f32)) {
            return fail(
                "labelSmoothing",
                format!("labelSmoothing must be at least 0 and below 1 but is {}", self.smoothing),
            );
        }
        if self.smoothing > 0.0 && crf {
            return fail(
                "labelSmoothing",
                "labelSmoothing is for single answers; the loss of a CRF is of whole rows".into(),
            );
        }
        if self.smoothing > 0.0 && config.head.multi_label() {
            return fail(
                "labelSmoothing",
                "labelSmoothing is for exclusive classes; a multi-label loss has none".into(),
            );
        }
        Ok(())
    }
}

impl<'a> StepOptions<'a> {
    /// The options for some of the batches.
    pub fn of(&self, batches: Range<usize>) -> StepOptions<'a> {
        let all = self.learning_rates;
        StepOptions { learning_rates: if all.len() == 1 { all } else { &all[batches] }, ..*self }
    }

    /// Checks all options for a chunk of `batches` batches.
    ///
    /// # Errors
    /// `InvalidArgument` for a number of learning rates that does not fit, for a rate, norm or noise that is negative
    /// or not finite, and for carried states with two directions or adversarial noise. Also as
    /// [`LossOptions::validate`] and [`Algorithm::validate`].
    pub fn validate(&self, batches: usize, config: &NetworkConfig) -> Result<()> {
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        self.check_rates(batches)?;
        if self.sampling != 0.0 {
            return fail("sampling", "sampling is only for sequence-to-sequence networks".into());
        }
        if self.initial != Initial::Zeros {
            if config.encoder.bidirectional {
                let message = "states are carried from batch to batch in one direction only; the network has two";
                return fail("bidirectional", message.into());
            }
            if self.adversarial > 0.0 {
                let message = "adversarial noise needs whole texts; it cannot be used when states are carried from batch to batch";
                return fail("adversarial", message.into());
            }
        }
        self.loss.validate(config)?;
        self.algorithm.validate()
    }

    /// Checks learning rates, norm and noise for a chunk of `batches` batches.
    pub(crate) fn check_rates(&self, batches: usize) -> Result<()> {
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        if self.learning_rates.len() != 1 && self.learning_rates.len() != batches {
            return fail("lr", format!("learningRates has {} rates for {batches} batches", self.learning_rates.len()));
        }
        let rates = self.learning_rates.iter().map(|&rate| ("lr", rate));
        let others = [("clipGradNorm", self.clip_norm), ("adversarial", self.adversarial)];
        for (name, value) in rates.chain(others) {
            if !(value >= 0.0 && value.is_finite()) {
                return fail(name, format!("{name} must be a finite number of at least 0 but is {value}"));
            }
        }
        Ok(())
    }

    /// Learning rate of a batch.
    pub fn lr(&self, batch: usize) -> f64 {
        self.learning_rates[if self.learning_rates.len() == 1 { 0 } else { batch }]
    }
}

impl Default for StepOptions<'_> {
    /// Adam with PyTorch's defaults, learning rate 1e-3, no clipping.
    fn default() -> Self {
        Self {
            learning_rates: &[1e-3],
            clip_norm: 0.0,
            algorithm: Algorithm::Adam(AdamOptions::default()),
            loss: LossOptions::default(),
            freeze_embedding: false,
            adversarial: 0.0,
            initial: Initial::Zeros,
            sampling: 0.0,
        }
    }
}
