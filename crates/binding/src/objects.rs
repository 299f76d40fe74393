//! JavaScript counterparts of `recurra_core`'s types, declared once for both addons.

use napi::bindgen_prelude::{Float64Array, Int32Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use recurra_core::{
    self as core, Algorithm, Cell, Dtype, Error, ErrorCode, Initial, OptimizerKind, Pooling, Result, Targets,
};

/// Configuration of a network, independent of its task.
#[napi(object, object_to_js = false)]
pub struct NetworkConfig {
    /// Turns token ids into vectors.
    pub encoder: EncoderConfig,
    /// Turns vectors into scores and a loss.
    pub head: HeadConfig,
    /// Seed of initial values and dropout.
    pub seed: f64,
    /// Threads for training and bulk prediction on the CPU kernels.
    pub threads: u32,
}

/// An embedding, followed by recurrent layers.
#[napi(object, object_to_js = false)]
pub struct EncoderConfig {
    /// The recurrent layer.
    #[napi(ts_type = "'rnn' | 'lstm' | 'gru' | 'mingru'")]
    pub cell: String,
    /// Rows of the embedding.
    pub vocab_size: u32,
    /// Columns of the embedding.
    pub embedding_dim: u32,
    /// The subword features, whose vector is appended to the word's own; none if omitted.
    pub subwords: Option<SubwordsConfig>,
    /// Size of the hidden state, per direction.
    pub hidden_size: u32,
    /// Number of recurrent layers.
    pub num_layers: u32,
    /// Whether each layer also reads the text backwards.
    pub bidirectional: bool,
    /// Dropout rates.
    pub dropouts: Dropouts,
    /// The token that replaces a dropped one; none if omitted.
    pub unknown_idx: Option<u32>,
    /// The row of the embedding that stays zero; none if omitted.
    pub padding_idx: Option<u32>,
    /// Standard deviation of the initial values of words' and features' vectors; 1, as in PyTorch, if omitted.
    pub embedding_std: Option<f64>,
    /// Whether the head's linear layer uses the embedding as its weights; false if omitted.
    pub tied: Option<bool>,
}

/// A vector for each character feature of a word. Their mean is appended to the word's own vector.
#[napi(object, object_to_js = false)]
pub struct SubwordsConfig {
    /// Number of feature buckets.
    pub buckets: u32,
    /// Size of a feature's vector.
    pub dim: u32,
}

/// Dropout rates in training, in `[0, 1)`.
#[napi(object, object_to_js = false)]
pub struct Dropouts {
    /// Tokens read as `unknownIdx`.
    pub words: f64,
    /// Elements of the word vectors.
    pub embedding: f64,
    /// Character features; 0 if omitted.
    pub features: Option<f64>,
    /// Elements between layers, and, without `outputs`, before the head's linear layer.
    pub layers: f64,
    /// Elements before the head's linear layer; the rate between layers if omitted.
    pub outputs: Option<f64>,
    /// Elements of the recurrent weights, one mask for each batch; 0 if omitted.
    pub recurrent: Option<f64>,
}

/// The head of a network.
#[napi(object, object_to_js = false)]
pub struct HeadConfig {
    /// The kind of head: one prediction per row, or one per token.
    #[napi(ts_type = "'classes' | 'tags'")]
    pub kind: String,
    /// Number of scores per row or per token.
    pub outputs: u32,
    /// For classes: whether a row may have any number of outputs.
    pub multi_label: Option<bool>,
    /// For classes: how the outputs of all tokens become one vector.
    #[napi(ts_type = "'last' | 'mean' | 'max' | 'attention'")]
    pub pooling: Option<String>,
    /// For tags: how scores become tags.
    #[napi(ts_type = "'crf' | 'softmax' | 'adaptive'")]
    pub decoder: Option<String>,
    /// For tags with a CRF: transitions that are never predicted.
    pub forbidden: Option<Forbidden>,
}

/// Forbidden transitions of a path of tags: 1 for forbidden, 0 for allowed.
#[napi(object, object_to_js = false)]
pub struct Forbidden {
    /// Tags that must not be first, one number per tag.
    pub start: Uint8Array,
    /// Tags that must not be last, one number per tag.
    pub end: Uint8Array,
    /// Tags that must not follow each other, `[from, to]` row-major.
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

/// Several batches of rows with their targets.
#[napi(object, object_to_js = false)]
pub struct Chunk {
    /// Token ids of all rows, concatenated; for a network with subwords, numbers of forms.
    pub tokens: Int32Array,
    /// Tokens per row.
    pub lengths: Int32Array,
    /// The target of each row; with `targetStarts`, the targets of all rows, concatenated; for a head of tags, the tag
    /// of each token.
    pub targets: Int32Array,
    /// Start of each row in `targets`, followed by the total; only if a row may have any number of targets.
    pub target_starts: Option<Uint32Array>,
    /// Rows per batch.
    pub batch_sizes: Int32Array,
}

/// An owned copy of a chunk, because JavaScript may change the arrays while the batches run.
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
    /// The chunk, with targets for a head.
    pub fn chunk(&self, head: &core::HeadConfig) -> core::Chunk<'_> {
        self.towards(match (&self.target_starts, head) {
            (Some(starts), _) => Targets::Sets { outputs: &self.targets, starts },
            (None, core::HeadConfig::Classes(_)) => Targets::Rows(&self.targets),
            (None, core::HeadConfig::Tags(_)) => Targets::Tokens(&self.targets),
        })
    }

    /// The chunk with any number of targets per row, for a sequence-to-sequence network.
    pub fn sets(&self) -> core::Chunk<'_> {
        let starts = self.target_starts.as_deref().unwrap_or_default();
        self.towards(Targets::Sets { outputs: &self.targets, starts })
    }

    fn towards<'a>(&'a self, targets: Targets<'a>) -> core::Chunk<'a> {
        let Self { tokens, lengths, batch_sizes, .. } = self;
        core::Chunk { tokens, lengths, targets, batch_sizes, forms: None }
    }
}

/// Options of the training steps for one chunk.
#[napi(object, object_to_js = false)]
pub struct StepOptions {
    /// Learning rate of each batch.
    pub learning_rates: Float64Array,
    /// Maximum global norm of the gradient; 0 disables clipping.
    pub clip_norm: f64,
    /// The optimizer. Its state is kept if only its options change, except when `momentum` is turned on or off.
    #[napi(ts_type = "'adam' | 'adamw' | 'sgd'")]
    pub optimizer: String,
    /// Weight decay, as the optimizer defines it.
    pub weight_decay: f64,
    /// Momentum of `sgd`.
    pub momentum: f64,
    /// A weight for each output in the loss; empty for 1 each.
    pub output_weights: Vec<f64>,
    /// Share of the target that is spread over all outputs.
    pub smoothing: f64,
    /// Whether to freeze the embedding.
    pub freeze_embedding: bool,
    /// Norm of the adversarial noise relative to a text's embedded tokens; 0 for none.
    pub adversarial: f64,
    /// With `begin` and `continue`, the rows of a batch start from the final states of the previous batch; `begin`
    /// starts the first batch of the chunk from zeros. If omitted, every batch starts from zeros.
    #[napi(ts_type = "'begin' | 'continue'")]
    pub initial: Option<String>,
    /// For a sequence-to-sequence network: the share of decoder inputs that are its own previous output; 0 if omitted.
    pub sampling: Option<f64>,
}

/// Step options that own their arrays.
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
    /// The options in the core's form.
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

/// Statistics of a chunk of batches.
#[napi(object, object_from_js = false)]
pub struct ChunkStats {
    /// Sum over the batches of the mean loss times the number of answers.
    pub loss: f64,
    /// Number of correct answers, in training mode.
    pub correct: f64,
    /// Number of answers trained on: rows, or tokens for a head of tags.
    pub answers: f64,
    /// Number of rows trained on.
    pub rows: f64,
    /// Index of the batch whose loss or gradient was not finite; -1 for none.
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

/// A named array.
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
    /// Converts arrays for JavaScript.
    pub fn list(arrays: Vec<core::NamedArray>) -> Vec<Self> {
        arrays.into_iter().map(Self::from).collect()
    }

    /// Converts arrays from JavaScript without copying their bytes. Callers must not change the arrays while they are
    /// used.
    ///
    /// # Errors
    /// `InvalidDtype` for an unknown type.
    pub fn into_core(arrays: Vec<Self>) -> Result<Vec<core::NamedArray<Uint8Array>>> {
        let array = |array: Self| {
            let shape = array.shape.iter().map(|&size| size.max(0) as usize).collect();
            Ok(core::NamedArray { name: array.name, dtype: Dtype::parse(&array.dtype)?, shape, data: array.data })
        };
        arrays.into_iter().map(array).collect()
    }
}
