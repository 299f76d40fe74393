//! The configuration of a network: an encoder, which turns token ids into vectors, and a head, which turns vectors into
//! scores.

use crate::cell::Cell;
use crate::error::Result;
use crate::sizes::{MAX_PARAMETERS, argument, check_count, check_linear};
use crate::tags::{Decoder, TagsConfig};

/// Maximum number of layers. Each takes some memory, however small it is.
const MAX_LAYERS: usize = 4096;

/// Maximum number of threads of a network.
pub(crate) const MAX_THREADS: usize = 1024;

/// The configuration of a network. Every engine accepts it and computes the same results.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// Turns token ids into vectors.
    pub encoder: EncoderConfig,
    /// Turns vectors into scores and a loss.
    pub head: HeadConfig,
    /// Seed of initial weights and dropout.
    pub seed: u64,
    /// Threads for training and bulk prediction on the CPU; 0 counts as 1.
    pub threads: usize,
}

/// An embedding, followed by recurrent layers.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// Kind of recurrent cell.
    pub cell: Cell,
    /// Number of words: the rows of the embedding.
    pub vocab_size: usize,
    /// Size of a word vector.
    pub embedding_dim: usize,
    /// The subword features, which add to each word's vector; `None` for no subwords.
    pub subwords: Option<SubwordsConfig>,
    /// Size of the hidden state, per direction.
    pub hidden_size: usize,
    /// Number of stacked recurrent layers.
    pub num_layers: usize,
    /// Whether each layer also reads the text backwards.
    pub bidirectional: bool,
    /// The dropout rates.
    pub dropouts: Dropouts,
    /// The word that replaces a dropped word; required with [`Dropouts::words`].
    pub unknown_idx: Option<u32>,
    /// The word whose vector stays zero, if any.
    pub padding_idx: Option<u32>,
    /// Standard deviation of the initial word vectors and feature vectors; PyTorch uses 1.
    pub embedding_std: f64,
    /// Whether the head's linear layer uses the embedding as its weights (for heads that score words): Press and Wolf,
    /// "Using the Output Embedding to Improve Language Models", 2017. The gradient is the sum over both uses, and every
    /// row is updated at every step.
    pub tied: bool,
}

/// A vector for each character feature of a word. A form's vector is the mean of its features' vectors, as with
/// `torch.nn.EmbeddingBag(buckets, dim, mode="mean")`, and is appended to the word's own vector. It is zero for a form
/// without features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubwordsConfig {
    /// Number of buckets. Features are hashed, so several may share a bucket.
    pub buckets: usize,
    /// Size of a feature's vector.
    pub dim: usize,
}

/// Dropout rates in `[0, 1)`. Dropout applies in training only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropouts {
    /// Tokens that are replaced by the unknown word; their character features are kept.
    pub words: f64,
    /// Elements of the word vectors and of the subword vectors.
    pub embedding: f64,
    /// Character features, each independently; a form's vector is the mean of the features that are kept.
    pub features: f64,
    /// Elements between recurrent layers, and, if `outputs` is `None`, of the input of the head's linear layer.
    pub layers: f64,
    /// Elements of the input of the head's linear layer; `None` for the same rate as `layers`.
    pub outputs: Option<f64>,
    /// Elements of the recurrent weights (`weight_hh`). Each batch has a new mask for all its rows and positions:
    /// Merity et al., "Regularizing and Optimizing LSTM Language Models", 2018.
    pub recurrent: f64,
}

impl Dropouts {
    /// Dropout rate of the input of the head's linear layer.
    pub fn of_outputs(&self) -> f64 {
        self.outputs.unwrap_or(self.layers)
    }
}

/// The head of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadConfig {
    /// One prediction per row.
    Classes(ClassesConfig),
    /// One prediction per token.
    Tags(TagsConfig),
}

/// A head that pools the outputs over time into one vector and scores classes with a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassesConfig {
    /// Number of classes.
    pub classes: usize,
    /// Whether a row may have any number of classes: sigmoid and binary cross entropy instead of softmax and cross
    /// entropy.
    pub multi_label: bool,
    /// How outputs become one vector per text.
    pub pooling: Pooling,
}

/// How the outputs over time become one vector per text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// The last layer's final states, with both directions concatenated.
    Last,
    /// Mean over the text's own tokens.
    Mean,
    /// Maximum over the text's own tokens.
    Max,
    /// Mean weighted by attention over the text's own tokens. The weights are the softmax of `q . tanh(W h + b)`: `h`
    /// are the outputs, `W` and `b` a linear layer of the same width, and `q` a learned query.
    Attention,
}

impl Pooling {
    /// Every pooling.
    pub const ALL: [Self; 4] = [Self::Last, Self::Mean, Self::Max, Self::Attention];

    /// Name of the pooling in model options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Attention => "attention",
        }
    }

    /// Looks up a pooling by its [`Pooling::name`].
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|pooling| pooling.name() == name);
        found.ok_or_else(|| argument("pooling", format!("there is no pooling '{name}'")))
    }
}

impl EncoderConfig {
    /// One layer, one direction, no dropout, no padding word, PyTorch's initial values.
    pub const fn new(cell: Cell, vocab_size: usize, embedding_dim: usize, hidden_size: usize) -> Self {
        Self {
            cell,
            vocab_size,
            embedding_dim,
            subwords: None,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            dropouts: Dropouts {
                words: 0.0,
                embedding: 0.0,
                features: 0.0,
                layers: 0.0,
                outputs: None,
                recurrent: 0.0,
            },
            unknown_idx: None,
            padding_idx: None,
            embedding_std: 1.0,
            tied: false,
        }
    }

    /// Number of directions: 1 or 2.
    pub const fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Input size of the first layer: the word vector plus the subword vector.
    pub fn inputs(&self) -> usize {
        self.embedding_dim + self.subwords.map_or(0, |subwords| subwords.dim)
    }

    /// Output size: the hidden size times the number of directions.
    pub const fn features(&self) -> usize {
        self.hidden_size * self.directions()
    }

    pub(crate) fn validate(&self) -> Result<()> {
        for (name, value) in [("vocabSize", self.vocab_size), ("embeddingDim", self.embedding_dim)] {
            check_count(name, value)?;
        }
        if let Some(SubwordsConfig { buckets, dim }) = self.subwords {
            check_count("subwords.buckets", buckets)?;
            check_count("subwords.dim", dim)?;
        }
        check_recurrent_sizes(
            self.cell,
            ("embeddingDim", self.inputs()),
            self.hidden_size,
            self.num_layers,
            self.directions(),
        )?;
        for (name, row) in [("paddingIdx", self.padding_idx), ("unknownIdx", self.unknown_idx)] {
            if let Some(row) = row
                && row as usize >= self.vocab_size
            {
                return Err(argument(
                    name,
                    format!("{name} {row} is outside the vocabulary of {} words", self.vocab_size),
                ));
            }
        }
        let Dropouts { words, embedding, features, layers, outputs, recurrent } = self.dropouts;
        for (name, share) in [
            ("wordDropout", words),
            ("embeddingDropout", embedding),
            ("subwords.dropout", features),
            ("dropout", layers),
            ("outputDropout", outputs.unwrap_or(0.0)),
            ("recurrentDropout", recurrent),
        ] {
            // Check the rate as the float32 that the kernels use: a rate that rounds to 1 would drop everything.
            if !(0.0..1.0).contains(&(share as f32)) {
                return Err(argument(name, format!("{name} must be at least 0 and below 1 but is {share}")));
            }
        }
        if words > 0.0 && self.unknown_idx.is_none() {
            return Err(argument(
                "wordDropout",
                "wordDropout needs unknownIdx, the word that a dropped word is read as".into(),
            ));
        }
        if recurrent > 0.0 && self.cell == Cell::MinGru {
            let message = "recurrentDropout needs a cell with recurrent weights; mingru has none";
            return Err(argument("recurrentDropout", message.into()));
        }
        // Check the float32 that the kernels use, as above.
        if !(self.embedding_std >= 0.0 && (self.embedding_std as f32).is_finite()) {
            return Err(argument(
                "embeddingStd",
                format!("embeddingStd must be at least 0 and finite but is {}", self.embedding_std),
            ));
        }
        Ok(())
    }
}

impl HeadConfig {
    /// Number of scores per row, or per token for tags.
    pub const fn outputs(&self) -> usize {
        match self {
            Self::Classes(head) => head.classes,
            Self::Tags(head) => head.tags,
        }
    }

    /// Whether a row may have any number of outputs.
    pub const fn multi_label(&self) -> bool {
        matches!(self, Self::Classes(ClassesConfig { multi_label: true, .. }))
    }

    fn validate(&self, features: usize) -> Result<()> {
        match self {
            Self::Classes(head) => check_linear("numClasses", head.classes, features),
            Self::Tags(head) => head.validate(features),
        }
    }
}

impl NetworkConfig {
    /// A classifier with one layer and direction whose head scores exclusive classes from the final state. No dropout,
    /// no padding word, PyTorch's initial values, seed 0, one thread.
    pub const fn classifier(
        cell: Cell,
        vocab_size: usize,
        embedding_dim: usize,
        hidden_size: usize,
        classes: usize,
    ) -> Self {
        Self {
            encoder: EncoderConfig::new(cell, vocab_size, embedding_dim, hidden_size),
            head: HeadConfig::Classes(ClassesConfig { classes, multi_label: false, pooling: Pooling::Last }),
            seed: 0,
            threads: 1,
        }
    }

    /// The same configuration with changes.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The classifier head; `None` if the network has another head.
    pub const fn classes(&self) -> Option<&ClassesConfig> {
        match &self.head {
            HeadConfig::Classes(head) => Some(head),
            HeadConfig::Tags(_) => None,
        }
    }

    /// The classifier head for changes. Another head is first replaced by a classifier head with as many classes.
    pub fn classes_mut(&mut self) -> &mut ClassesConfig {
        if self.classes().is_none() {
            let classes = self.head.outputs();
            self.head = HeadConfig::Classes(ClassesConfig { classes, multi_label: false, pooling: Pooling::Last });
        }
        match &mut self.head {
            HeadConfig::Classes(head) => head,
            HeadConfig::Tags(_) => unreachable!("it was replaced"),
        }
    }

    /// Checks that the head can use the embedding as its weights, if it is tied.
    fn check_tied(&self) -> Result<()> {
        let encoder = &self.encoder;
        if !encoder.tied {
            return Ok(());
        }
        let words = matches!(&self.head, HeadConfig::Tags(TagsConfig { tags, decoder: Decoder::Softmax, .. }) if *tags == encoder.vocab_size);
        if !words || encoder.bidirectional || encoder.subwords.is_some() {
            let message = "tieWeights needs a head that scores each word by a softmax, one direction, and no subwords";
            return Err(argument("tieWeights", message.into()));
        }
        if encoder.embedding_dim != encoder.hidden_size {
            let message = format!(
                "tieWeights needs vectors as wide as the state: embeddingDim is {} and hiddenSize {}; give both the same size",
                encoder.embedding_dim, encoder.hidden_size
            );
            return Err(argument("tieWeights", message));
        }
        Ok(())
    }

    /// Checks sizes and options; every engine calls it first.
    ///
    /// # Errors
    /// `InvalidArgument` if a size is 0 or too large for any memory, or an option is outside its range.
    pub fn validate(&self) -> Result<()> {
        self.encoder.validate()?;
        self.head.validate(self.encoder.hidden_size)?;
        self.check_tied()?;
        if self.threads > MAX_THREADS {
            return Err(argument("threads", format!("threads must be at most {MAX_THREADS} but is {}", self.threads)));
        }
        Ok(())
    }
}

/// Checks the sizes of recurrent layers. `input_name` names the input size in messages.
///
/// # Errors
/// `InvalidArgument` if a size is 0 or the layers would have more parameters than any computer can store.
pub fn check_recurrent_sizes(
    cell: Cell,
    (input_name, inputs): (&'static str, usize),
    hidden_size: usize,
    num_layers: usize,
    directions: usize,
) -> Result<()> {
    for (name, value) in [(input_name, inputs), ("hiddenSize", hidden_size), ("numLayers", num_layers)] {
        if value == 0 {
            return Err(argument(name, format!("{name} must be at least 1 but is 0")));
        }
    }
    if num_layers > MAX_LAYERS {
        return Err(argument("numLayers", format!("numLayers must be at most {MAX_LAYERS} but is {num_layers}")));
    }
    // Computed in float64, which cannot overflow here; later computations with these sizes could.
    let (widest, hidden) = ((inputs as f64).max(2.0 * hidden_size as f64), hidden_size as f64);
    let rows = (cell.gates() * directions * num_layers) as f64 * hidden;
    if rows * (widest + hidden) > MAX_PARAMETERS {
        return Err(argument(
            "hiddenSize",
            format!(
                "{input_name} {inputs}, hiddenSize {hidden_size} and numLayers {num_layers} make a network that is too large for any computer"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn refused(change: impl Fn(&mut NetworkConfig), part: &str) {
        let mut config = NetworkConfig::classifier(Cell::Lstm, 10, 4, 3, 2);
        assert_eq!(config.validate(), Ok(()));
        change(&mut config);
        let error = config.validate().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(part), "{error}");
    }

    #[test]
    fn what_is_outside_its_range_is_refused_by_name() {
        refused(|c| c.encoder.vocab_size = 0, "vocabSize");
        refused(|c| c.encoder.vocab_size = 1 << 31, "vocabSize");
        refused(|c| c.encoder.embedding_dim = 0, "embeddingDim");
        refused(|c| c.encoder.subwords = Some(SubwordsConfig { buckets: 0, dim: 4 }), "subwords.buckets");
        refused(|c| c.encoder.subwords = Some(SubwordsConfig { buckets: 4, dim: 0 }), "subwords.dim");
        refused(|c| c.encoder.hidden_size = 0, "hiddenSize");
        refused(|c| c.encoder.hidden_size = usize::MAX / 4, "too large");
        refused(|c| c.encoder.num_layers = 0, "numLayers");
        refused(|c| c.encoder.num_layers = MAX_LAYERS + 1, "numLayers");
        refused(|c| c.encoder.padding_idx = Some(10), "paddingIdx");
        refused(|c| c.encoder.unknown_idx = Some(10), "unknownIdx");
        refused(|c| c.encoder.dropouts.layers = 1.0, "dropout");
        refused(|c| c.encoder.dropouts.layers = 1.0 - 1e-12, "dropout");
        refused(|c| c.encoder.dropouts.embedding = -0.1, "embeddingDropout");
        refused(|c| c.encoder.dropouts.words = f64::NAN, "wordDropout");
        refused(|c| c.encoder.dropouts.words = 0.1, "unknownIdx");
        refused(|c| c.encoder.dropouts.outputs = Some(1.0), "outputDropout");
        refused(|c| c.encoder.dropouts.recurrent = -0.5, "recurrentDropout");
        refused(|c| (c.encoder.cell, c.encoder.dropouts.recurrent) = (Cell::MinGru, 0.5), "mingru");
        refused(|c| c.encoder.tied = true, "scores each word");
        let words = |tags| HeadConfig::Tags(TagsConfig { tags, decoder: Decoder::Softmax, forbidden: None });
        refused(|c| (c.encoder.tied, c.head) = (true, words(9)), "scores each word");
        refused(|c| (c.encoder.tied, c.head) = (true, words(10)), "embeddingDim is 4 and hiddenSize 3");
        refused(|c| c.encoder.embedding_std = f64::INFINITY, "embeddingStd");
        refused(|c| c.encoder.embedding_std = 1e300, "embeddingStd");
        refused(|c| c.classes_mut().classes = 0, "numClasses");
        refused(|c| c.threads = MAX_THREADS + 1, "threads");
    }

    #[test]
    fn names_of_poolings_lead_back_to_them() {
        for pooling in Pooling::ALL {
            assert_eq!(Pooling::parse(pooling.name()), Ok(pooling));
        }
        assert_eq!(Pooling::parse("Max").unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}
