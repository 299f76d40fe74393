//! What a network is: an encoder, which turns token ids into vectors, and a head, which turns those into scores.

use crate::cell::Cell;
use crate::error::Result;
use crate::sizes::{MOST_PARAMETERS, argument, check_count, check_linear};
use crate::tags::{Decoder, TagsConfig};

/// Layers take some memory each, whatever their size.
const MOST_LAYERS: usize = 4096;

/// Most threads that a network may be given.
pub(crate) const MOST_THREADS: usize = 1024;

/// What a network is, whatever it is for. Every engine takes it, and gives the same answers.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkConfig {
    /// From token ids to vectors.
    pub encoder: EncoderConfig,
    /// From vectors to scores and a loss.
    pub head: HeadConfig,
    /// Seed of initial weights and dropout.
    pub seed: u64,
    /// Threads for training and bulk prediction on the CPU; 0 counts as 1.
    pub threads: usize,
}

/// An embedding and recurrent layers over it.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// Kind of recurrent cell.
    pub cell: Cell,
    /// Number of words, which is the number of rows of the embedding.
    pub vocab_size: usize,
    /// Features of a word.
    pub embedding_dim: usize,
    /// What the characters of a word add to its own vector, if anything.
    pub subwords: Option<SubwordsConfig>,
    /// Features of the hidden state, per direction.
    pub hidden_size: usize,
    /// Recurrent layers on top of each other.
    pub num_layers: usize,
    /// Whether each layer also reads the text backwards.
    pub bidirectional: bool,
    /// What training leaves out.
    pub dropouts: Dropouts,
    /// The word that a dropped word is read as; needed with [`Dropouts::words`].
    pub unknown_idx: Option<u32>,
    /// The word whose row stays zero, if any.
    pub padding_idx: Option<u32>,
    /// Standard deviation of the initial values of the embedding and of the features' vectors; 1 is PyTorch's.
    pub embedding_std: f64,
    /// Whether the head's linear layer has the embedding as its weights, for a head that scores words: Press and Wolf, "Using the
    /// Output Embedding to Improve Language Models", 2017. The gradient is the sum of both uses, and every row moves at every step.
    pub tied: bool,
}

/// A vector for each feature of a word's characters; a form's vector is their mean, `torch.nn.EmbeddingBag(buckets, dim, mode="mean")`,
/// and stands after the word's own. Without features it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubwordsConfig {
    /// Number of features, which are hashed: several may share one.
    pub buckets: usize,
    /// Values of a feature's vector.
    pub dim: usize,
}

/// Shares in `[0, 1)` that are left out in training, and in training only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropouts {
    /// Tokens that are read as the unknown word; the features of their characters stay.
    pub words: f64,
    /// Elements of the word vectors, and of what the characters add to them.
    pub embedding: f64,
    /// Features of characters, each by itself; a form's vector is then the mean of those that are left.
    pub features: f64,
    /// Elements between recurrent layers, and without `outputs` of what the head's linear layer reads.
    pub layers: f64,
    /// Elements of what the head's linear layer reads; none for as many as between layers.
    pub outputs: Option<f64>,
    /// Elements of the recurrent weights (`weight_hh`): one mask for all rows and positions of a batch, other ones in each batch. Merity
    /// et al., "Regularizing and Optimizing LSTM Language Models", 2018.
    pub recurrent: f64,
}

impl Dropouts {
    /// Share of what the head's linear layer reads.
    pub fn of_outputs(&self) -> f64 {
        self.outputs.unwrap_or(self.layers)
    }
}

/// What stands on an encoder.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadConfig {
    /// One answer a row.
    Classes(ClassesConfig),
    /// One answer a token.
    Tags(TagsConfig),
}

/// A head that pools the outputs over time into one vector, and scores classes by a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassesConfig {
    /// Number of classes.
    pub classes: usize,
    /// Whether a row may have any number of classes: sigmoids and binary cross entropy instead of softmax and cross entropy.
    pub multi_label: bool,
    /// How outputs become one vector for each text.
    pub pooling: Pooling,
}

/// How the outputs over time become one vector for each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Pooling {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Last, Self::Mean, Self::Max, Self::Attention];

    /// The name as an option of a model.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Attention => "attention",
        }
    }

    /// The pooling with a [`Pooling::name`].
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

    /// 1 or 2.
    pub const fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Features of the first layer's input: the word's own vector, and after it what its characters say.
    pub fn inputs(&self) -> usize {
        self.embedding_dim + self.subwords.map_or(0, |subwords| subwords.dim)
    }

    /// Features of an output, which are those of both directions.
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
            // Rounded as the kernels take it: a share that becomes 1 would leave nothing.
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
        // Rounded as the kernels take it, as above.
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
    /// Scores that it gives for a row, or with tags for a token.
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
    /// A network with one layer and direction whose head scores exclusive classes from the last state; no dropout, no padding word,
    /// PyTorch's initial values, seed 0, one thread.
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

    /// The same with some changes.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The head of a classifier; none where another head stands.
    pub const fn classes(&self) -> Option<&ClassesConfig> {
        match &self.head {
            HeadConfig::Classes(head) => Some(head),
            HeadConfig::Tags(_) => None,
        }
    }

    /// The head of a classifier, to be changed; another head is first replaced by one with as many classes.
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

    /// Checks that the head can have the embedding as its weights, where it is to.
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
    /// `InvalidArgument` when a size is 0 or beyond any memory, or an option is outside its range.
    pub fn validate(&self) -> Result<()> {
        self.encoder.validate()?;
        self.head.validate(self.encoder.hidden_size)?;
        self.check_tied()?;
        if self.threads > MOST_THREADS {
            return Err(argument("threads", format!("threads must be at most {MOST_THREADS} but is {}", self.threads)));
        }
        Ok(())
    }
}

/// Checks the sizes of recurrent layers; the input's size comes with its name for messages.
///
/// # Errors
/// `InvalidArgument` when a size is 0 or the layers would have more parameters than any computer can hold.
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
    if num_layers > MOST_LAYERS {
        return Err(argument("numLayers", format!("numLayers must be at most {MOST_LAYERS} but is {num_layers}")));
    }
    // In float64, where nothing overflows: the sizes as they are computed with later do.
    let (widest, hidden) = ((inputs as f64).max(2.0 * hidden_size as f64), hidden_size as f64);
    let rows = (cell.gates() * directions * num_layers) as f64 * hidden;
    if rows * (widest + hidden) > MOST_PARAMETERS {
        return Err(argument(
            "hiddenSize",
            format!(
                "{input_name} {inputs}, hiddenSize {hidden_size} and numLayers {num_layers} make a network that no computer can hold"
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
        refused(|c| c.encoder.hidden_size = usize::MAX / 4, "no computer");
        refused(|c| c.encoder.num_layers = 0, "numLayers");
        refused(|c| c.encoder.num_layers = MOST_LAYERS + 1, "numLayers");
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
        refused(|c| c.threads = MOST_THREADS + 1, "threads");
    }

    #[test]
    fn names_of_poolings_lead_back_to_them() {
        for pooling in Pooling::ALL {
            assert_eq!(Pooling::parse(pooling.name()), Ok(pooling));
        }
        assert_eq!(Pooling::parse("Max").unwrap_err().code(), ErrorCode::InvalidArgument);
    }
}
