//! Objects that cross between JavaScript and the words of `recurra_core`, declared once for both addons.

use napi::bindgen_prelude::{Float64Array, Int32Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use recurra_core::{
    self as core, Algorithm, Cell, Dtype, Error, ErrorCode, Initial, OptimizerKind, Pooling, Result, Targets,
};

/// What a network is, whatever it is for.
#[napi(object, object_to_js = false)]
pub struct NetworkConfig {
    /// From token ids to vectors.
    pub encoder: EncoderConfig,
    /// From vectors to scores and a loss.
    pub head: HeadConfig,
    /// Seed of initial values and dropout.
    pub seed: f64,
    /// Threads for training and bulk prediction on the CPU kernels.
    pub threads: u32,
}

/// An embedding and recurrent layers over it.
#[napi(object, object_to_js = false)]
pub struct EncoderConfig {
    /// The recurrent layer.
    #[napi(ts_type = "'rnn' | 'lstm' | 'gru' | 'mingru'")]
    pub cell: String,
    /// Rows of the embedding.
    pub vocab_size: u32,
    /// Columns of the embedding.
    pub embedding_dim: u32,
    /// What the characters of a word add to its own vector; nothing if left out.
    pub subwords: Option<SubwordsConfig>,
    /// Size of the recurrent state, per direction.
    pub hidden_size: u32,
    /// Recurrent layers.
    pub num_layers: u32,
    /// Whether a second recurrence runs from the end of each text.
    pub bidirectional: bool,
    /// What training leaves out.
    pub dropouts: Dropouts,
    /// The token that a dropped one is read as; none if left out.
    pub unknown_idx: Option<u32>,
    /// The row of the embedding that stays zero; none if left out.
    pub padding_idx: Option<u32>,
    /// Standard deviation of the initial values of words' and features' vectors; 1, as PyTorch's, if left out.
    pub embedding_std: Option<f64>,
    /// Whether the head's linear layer has the embedding as its weights; not if left out.
    pub tied: Option<bool>,
}

/// A vector for each feature of a word's characters, whose mean stands behind the word's own vector.
#[napi(object, object_to_js = false)]
pub struct SubwordsConfig {
    /// Number of features.
    pub buckets: u32,
    /// Values of a feature's vector.
    pub dim: u32,
}

/// Shares in `[0, 1)` that are left out in training.
#[napi(object, object_to_js = false)]
pub struct Dropouts {
    /// Tokens that are read as `unknownIdx`.
    pub words: f64,
    /// Elements of the word vectors.
    pub embedding: f64,
    /// Features of characters; none if left out.
    pub features: Option<f64>,
    /// Elements between layers, and without `outputs` before the head's linear layer.
    pub layers: f64,
    /// Elements before the head's linear layer; as many as between layers if left out.
    pub outputs: Option<f64>,
    /// Elements of the recurrent weights, one mask for each batch; 0 if left out.
    pub recurrent: Option<f64>,
}

/// What stands on an encoder.
#[napi(object, object_to_js = false)]
pub struct HeadConfig {
    /// Which head: one answer a row, or one a token.
    #[napi(ts_type = "'classes' | 'tags'")]
    pub kind: String,
    /// Scores that it gives for a row, or for a token.
    pub outputs: u32,
    /// Of classes: whether a row may have any number of outputs.
    pub multi_label: Option<bool>,
    /// Of classes: how the states become one vector.
    #[napi(ts_type = "'last' | 'mean' | 'max' | 'attention'")]
    pub pooling: Option<String>,
    /// Of tags: how scores become tags.
    #[napi(ts_type = "'crf' | 'softmax' | 'adaptive'")]
    pub decoder: Option<String>,
    /// Of tags with a CRF: what is never predicted.
    pub forbidden: Option<Forbidden>,
}

/// Transitions that a path of tags never has: 1 for never, 0 for allowed.
#[napi(object, object_to_js = false)]
pub struct Forbidden {
    /// First tags, one number for each tag.
    pub start: Uint8Array,
    /// Last tags.
    pub end: Uint8Array,
    /// A tag and the one that follows it, `[from, to]` row-major.
    pub between: Uint8Array,
}

impl TryFrom<HeadConfig> for core::HeadConfig {
    type Error = Error;

    fn try_from(head: HeadConfig) -> Result<Self> {
        let HeadConfig { kind, outputs, multi_label, pooling, decoder, forbidden } = head;
        let flags = |values: Uint8Array| values.iter().map(|&value| value != 0).collect();
        let missing = |what: &'static str| {
            Error::new(ErrorCode::InvalidArgument, format!("a head of {kind} needs its {what}")).about(what)
        };
        match kind.as_str() {
            "classes" => Ok(Self::Classes(core::ClassesConfig {
                classes: outputs as usize,
                multi_label: multi_label.unwrap_or(false),
                pooling: Pooling::parse(&pooling.ok_or_else(|| missing("pooling"))?)?,
            })),
            "tags" => Ok(Self::Tags(core::TagsConfig {
                tags: outputs as usize,
                decoder: core::Decoder::parse(&decoder.ok_or_else(|| missing("decoder"))?)?,
                forbidden: forbidden.map(|Forbidden { start, end, between }| core::Forbidden {
                    start: flags(start),
                    end: flags(end),
                    between: flags(between),
                }),
            })),
            other => Err(Error::new(ErrorCode::InvalidArgument, format!("there is no head '{other}'"))),
        }
    }
}

impl TryFrom<EncoderConfig> for core::EncoderConfig {
    type Error = Error;

    fn try_from(encoder: EncoderConfig) -> Result<Self> {
        let Dropouts { words, embedding, features, layers, outputs, recurrent } = encoder.dropouts;
        let (features, recurrent) = (features.unwrap_or(0.0), recurrent.unwrap_or(0.0));
        Ok(Self {
            cell: Cell::parse(&encoder.cell)?,
            vocab_size: encoder.vocab_size as usize,
            embedding_dim: encoder.embedding_dim as usize,
            subwords: encoder.subwords.map(|subwords| core::SubwordsConfig {
                buckets: subwords.buckets as usize,
                dim: subwords.dim as usize,
            }),
            hidden_size: encoder.hidden_size as usize,
            num_layers: encoder.num_layers as usize,
            bidirectional: encoder.bidirectional,
            dropouts: core::Dropouts { words, embedding, features, layers, outputs, recurrent },
            unknown_idx: encoder.unknown_idx,
            padding_idx: encoder.padding_idx,
            embedding_std: encoder.embedding_std.unwrap_or(1.0),
            tied: encoder.tied.unwrap_or(false),
        })
    }
}

impl TryFrom<NetworkConfig> for core::NetworkConfig {
    type Error = Error;

    fn try_from(config: NetworkConfig) -> Result<Self> {
        let NetworkConfig { encoder, head, seed, threads } = config;
        Ok(Self { encoder: encoder.try_into()?, head: head.try_into()?, seed: seed as u64, threads: threads as usize })
    }
}

/// Several batches of rows with what they are trained towards.
#[napi(object, object_to_js = false)]
pub struct Chunk {
    /// Token ids of all rows, one row after the other; of a network with subwords numbers of forms.
    pub tokens: Int32Array,
    /// Tokens per row.
    pub lengths: Int32Array,
    /// The output of each row; with `targetStarts` the outputs of all rows, one row after the other; with a head of tags the tag of
    /// each token.
    pub targets: Int32Array,
    /// Where the outputs of each row begin, and at last how many there are; only where a row may have any number.
    pub target_starts: Option<Uint32Array>,
    /// Rows per batch.
    pub batch_sizes: Int32Array,
}

/// A chunk's own copy of the numbers, which JavaScript may change while the batches run.
pub struct OwnedChunk {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    targets: Vec<i32>,
    target_starts: Option<Vec<u32>>,
    batch_sizes: Vec<i32>,
}

impl From<Chunk> for OwnedChunk {
    fn from(chunk: Chunk) -> Self {
        Self {
            tokens: chunk.tokens.to_vec(),
            lengths: chunk.lengths.to_vec(),
            targets: chunk.targets.to_vec(),
            target_starts: chunk.target_starts.map(|starts| starts.to_vec()),
            batch_sizes: chunk.batch_sizes.to_vec(),
        }
    }
}

impl OwnedChunk {
    /// The chunk as engines take it for a head.
    pub fn chunk(&self, head: &core::HeadConfig) -> core::Chunk<'_> {
        self.towards(match (&self.target_starts, head) {
            (Some(starts), _) => Targets::Sets { outputs: &self.targets, starts },
            (None, core::HeadConfig::Classes(_)) => Targets::Rows(&self.targets),
            (None, core::HeadConfig::Tags(_)) => Targets::Tokens(&self.targets),
        })
    }

    /// The chunk with any number of targets a row, as a network from sequence to sequence takes it.
    pub fn sets(&self) -> core::Chunk<'_> {
        let starts = self.target_starts.as_deref().unwrap_or_default();
        self.towards(Targets::Sets { outputs: &self.targets, starts })
    }

    fn towards<'a>(&'a self, targets: Targets<'a>) -> core::Chunk<'a> {
        let Self { tokens, lengths, batch_sizes, .. } = self;
        core::Chunk { tokens, lengths, targets, batch_sizes, forms: None }
    }
}

/// How a network learns from a chunk.
#[napi(object, object_to_js = false)]
pub struct StepOptions {
    /// Learning rate of each batch.
    pub learning_rates: Float64Array,
    /// Largest common norm of all gradients; 0 for no limit.
    pub clip_norm: f64,
    /// The optimizer. Its state is kept where only its options change, but for `momentum` turned on or off.
    #[napi(ts_type = "'adam' | 'adamw' | 'sgd'")]
    pub optimizer: String,
    /// Weight decay, as the optimizer defines it.
    pub weight_decay: f64,
    /// Momentum of `sgd`.
    pub momentum: f64,
    /// A weight for each output in the loss; none for 1 each.
    pub output_weights: Vec<f64>,
    /// Share of the target that is spread over all outputs.
    pub smoothing: f64,
    /// Leaves the embedding as it is.
    pub freeze_embedding: bool,
    /// Length of the adversarial noise as a share of a text's embedded tokens; 0 for none.
    pub adversarial: f64,
    /// With `begin` and `continue` the rows of a batch begin with the final states of the batch before, but with zeros in the first
    /// batch of a chunk that begins; without it, always with zeros.
    #[napi(ts_type = "'begin' | 'continue'")]
    pub initial: Option<String>,
    /// Of a network from sequence to sequence, the share of the units that the decoder reads that are its own of the step before; 0
    /// if left out.
    pub sampling: Option<f64>,
}

/// Step options with their own copy of the numbers.
pub struct OwnedStepOptions {
    learning_rates: Vec<f64>,
    clip_norm: f64,
    algorithm: Algorithm,
    weights: Vec<f32>,
    smoothing: f64,
    freeze_embedding: bool,
    adversarial: f64,
    initial: Initial,
    sampling: f64,
}

impl TryFrom<StepOptions> for OwnedStepOptions {
    type Error = Error;

    fn try_from(options: StepOptions) -> Result<Self> {
        let kind = OptimizerKind::parse(&options.optimizer)?;
        Ok(Self {
            learning_rates: options.learning_rates.to_vec(),
            clip_norm: options.clip_norm,
            algorithm: Algorithm::new(kind, options.weight_decay, options.momentum),
            weights: options.output_weights.iter().map(|&weight| weight as f32).collect(),
            smoothing: options.smoothing,
            freeze_embedding: options.freeze_embedding,
            adversarial: options.adversarial,
            sampling: options.sampling.unwrap_or(0.0),
            initial: match options.initial.as_deref() {
                None => Initial::Zeros,
                Some("begin") => Initial::Begin,
                Some("continue") => Initial::Continue,
                Some(other) => {
                    let message = format!("initial must be 'begin' or 'continue' but is '{other}'");
                    return Err(Error::new(ErrorCode::InvalidArgument, message).about("initial"));
                }
            },
        })
    }
}

impl OwnedStepOptions {
    /// The options as engines take them.
    pub fn options(&self) -> core::StepOptions<'_> {
        core::StepOptions {
            learning_rates: &self.learning_rates,
            clip_norm: self.clip_norm,
            algorithm: self.algorithm,
            loss: core::LossOptions { weights: &self.weights, smoothing: self.smoothing },
            freeze_embedding: self.freeze_embedding,
            adversarial: self.adversarial,
            initial: self.initial,
            sampling: self.sampling,
        }
    }
}

/// What a chunk of batches gave.
#[napi(object, object_from_js = false)]
pub struct ChunkStats {
    /// Sum over the batches of the mean loss times the number of answers.
    pub loss: f64,
    /// Answers that were right, in training mode.
    pub correct: f64,
    /// Answers trained on: rows, or with a head of tags tokens.
    pub answers: f64,
    /// Rows trained on.
    pub rows: f64,
    /// The batch at which the loss or the gradient was not finite; -1 for none.
    pub non_finite_batch: f64,
}

impl From<core::Stats> for ChunkStats {
    fn from(stats: core::Stats) -> Self {
        Self {
            loss: stats.loss,
            correct: stats.correct as f64,
            answers: stats.answers as f64,
            rows: stats.rows as f64,
            non_finite_batch: stats.non_finite_batch.map_or(-1.0, |batch| batch as f64),
        }
    }
}

/// An array with its name.
#[napi(object)]
pub struct NamedArray {
    /// Name, as in a PyTorch state dict.
    pub name: String,
    /// `float32`, `float64`, `bfloat16`, `int64`, `int32`, `uint32`, `uint8`, `int8` or `bool`.
    pub dtype: String,
    /// Sizes of the dimensions.
    pub shape: Vec<i64>,
    /// The elements, little-endian, row-major.
    pub data: Uint8Array,
}

impl From<core::NamedArray> for NamedArray {
    fn from(array: core::NamedArray) -> Self {
        let shape = array.shape.iter().map(|&size| size as i64).collect();
        Self { name: array.name, dtype: array.dtype.name().to_owned(), shape, data: Uint8Array::new(array.data) }
    }
}

impl NamedArray {
    /// The arrays as JavaScript takes them.
    pub fn list(arrays: Vec<core::NamedArray>) -> Vec<Self> {
        arrays.into_iter().map(Self::from).collect()
    }

    /// The arrays that JavaScript gave, over its own bytes: callers give arrays that nobody changes while they are used.
    ///
    /// # Errors
    /// `InvalidDtype` for a type that no array has.
    pub fn into_core(arrays: Vec<Self>) -> Result<Vec<core::NamedArray<Uint8Array>>> {
        let array = |array: Self| {
            let shape = array.shape.iter().map(|&size| size.max(0) as usize).collect();
            Ok(core::NamedArray { name: array.name, dtype: Dtype::parse(&array.dtype)?, shape, data: array.data })
        };
        arrays.into_iter().map(array).collect()
    }
}
