//! The text classifier on the CPU kernels: training and bulk prediction on libuv's pool, short predictions at once.

use napi::Env;
use napi::bindgen_prelude::{Float32Array, Int32Array, ObjectFinalize, ToNapiValue, TypeName, Uint8Array, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Handle, IntoJs, Pending};
use recurra_core::Cell;
use recurra_core::{Error, ErrorCode, NamedArray, Result, guard};
use recurra_kernels::classifier::{Chunk, ClassifierConfig, LossOptions, Pooling, Stats, StepOptions};
use recurra_kernels::network::{Explanation, Network};
use recurra_kernels::optim::{AdamOptions, Algorithm, SgdOptions};

use crate::safetensors_file::{FileTensor, HeldTensors, named};

/// What the classifier is made of.
#[napi(object, object_to_js = false)]
pub struct CpuClassifierConfig {
    /// The recurrent layer.
    #[napi(ts_type = "'rnn' | 'lstm' | 'gru'")]
    pub cell: String,
    /// Rows of the embedding.
    pub vocab_size: u32,
    /// Columns of the embedding.
    pub embedding_dim: u32,
    /// Size of the recurrent state, per direction.
    pub hidden_size: u32,
    /// Recurrent layers.
    pub num_layers: u32,
    /// Whether a second recurrence runs from the end of each text.
    pub bidirectional: bool,
    /// Dropout of the word vectors in training.
    pub embedding_dropout: f64,
    /// Dropout between layers and before the linear layer in training.
    pub dropout: f64,
    /// Share of the tokens that are read as `unknownIdx` in training.
    pub word_dropout: f64,
    /// The word that a dropped word is read as; -1 for none.
    pub unknown_idx: i32,
    /// How the states become one vector.
    #[napi(ts_type = "'last' | 'mean' | 'max' | 'attention'")]
    pub pooling: String,
    /// Whether a text may have any number of classes.
    pub multi_label: bool,
    /// Classes.
    pub num_classes: u32,
    /// The row of the embedding that stays zero; -1 for none.
    pub padding_idx: i32,
    /// Standard deviation of the embedding's initial values; 1 if left out.
    pub embedding_std: Option<f64>,
    /// Seed of initial values and dropout.
    pub seed: f64,
    /// Threads for training and bulk prediction.
    pub threads: u32,
}

/// Several batches of labelled texts.
#[napi(object, object_to_js = false)]
pub struct CpuClassifierChunk {
    /// Token ids of all texts, one text after the other.
    pub tokens: Int32Array,
    /// Tokens per text.
    pub lengths: Int32Array,
    /// The class of each text; with `labelOffsets` the classes of all texts, one text after the other.
    pub labels: Int32Array,
    /// Where the classes of each text begin, and at last how many there are; for a multi-label classifier only.
    pub label_offsets: Option<Uint32Array>,
    /// Texts per batch.
    pub batch_sizes: Int32Array,
}

/// How a classifier learns from a chunk.
#[napi(object, object_to_js = false)]
pub struct CpuClassifierStepOptions {
    /// Learning rate of each batch.
    pub learning_rates: Vec<f64>,
    /// Largest common norm of all gradients; 0 for no limit.
    pub clip_norm: f64,
    /// The optimizer; a change, of its options too, begins with a fresh state.
    #[napi(ts_type = "'adam' | 'adamw' | 'sgd'")]
    pub optimizer: String,
    /// Weight decay, as the optimizer defines it.
    pub weight_decay: f64,
    /// Momentum of `sgd`.
    pub momentum: f64,
    /// A weight for each class; none for 1 each.
    pub class_weights: Vec<f64>,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Leaves the embedding as it is.
    pub freeze_embedding: bool,
}

/// What a chunk of batches gave.
#[napi(object, object_from_js = false)]
pub struct CpuClassifierStats {
    /// Sum of the losses of all texts.
    pub loss: f64,
    /// Texts answered rightly, in training mode.
    pub correct: f64,
    /// Texts trained on.
    pub rows: f64,
    /// The batch at which the loss or the gradient was not finite; -1 for none.
    pub non_finite_batch: f64,
}

/// What the tokens of a text contribute to one class.
#[napi(object, object_from_js = false)]
pub struct CpuClassifierExplanation {
    /// The class explained.
    pub class_index: u32,
    /// Outputs of the linear layer, one for each class.
    pub logits: Float32Array,
    /// Their probabilities.
    pub probabilities: Float32Array,
    /// Gradient of the class's logit times the embedded token, one for each token.
    pub contributions: Float32Array,
}

fn to_js_tensors(arrays: Vec<NamedArray>) -> Vec<FileTensor> {
    arrays.into_iter().map(FileTensor::from).collect()
}

fn from_js_tensors(tensors: Vec<FileTensor>) -> Result<Vec<NamedArray<Uint8Array>>> {
    tensors.into_iter().map(FileTensor::into_array).collect()
}

fn config_of(config: CpuClassifierConfig) -> Result<ClassifierConfig> {
    let unknown =
        |what: &str, name: &str| Error::new(ErrorCode::InvalidArgument, format!("there is no {what} {name:?}"));
    Ok(ClassifierConfig {
        cell: match config.cell.as_str() {
            "rnn" => Cell::RnnTanh,
            "lstm" => Cell::Lstm,
            "gru" => Cell::Gru,
            other => return Err(unknown("cell", other)),
        },
        vocab_size: config.vocab_size as usize,
        embedding_dim: config.embedding_dim as usize,
        hidden_size: config.hidden_size as usize,
        num_layers: config.num_layers as usize,
        bidirectional: config.bidirectional,
        embedding_dropout: config.embedding_dropout as f32,
        dropout: config.dropout as f32,
        word_dropout: config.word_dropout as f32,
        embedding_std: config.embedding_std.unwrap_or(1.0) as f32,
        unknown_idx: u32::try_from(config.unknown_idx).ok(),
        multi_label: config.multi_label,
        pooling: match config.pooling.as_str() {
            "last" => Pooling::Last,
            "mean" => Pooling::Mean,
            "max" => Pooling::Max,
            "attention" => Pooling::Attention,
            other => return Err(unknown("pooling", other)),
        },
        num_classes: config.num_classes as usize,
        padding_idx: u32::try_from(config.padding_idx).ok(),
        seed: config.seed as u64,
        threads: config.threads as usize,
    })
}

/// Gives what the loading of a model has left free back to the system: glibc keeps it otherwise, several times the model's size.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: glibc's own function; it may be called at any time on any thread.
        unsafe { malloc_trim(0) };
    }
}

/// The text classifier on the CPU kernels; it needs no libtorch.
#[napi(custom_finalize)]
pub struct CpuClassifier {
    pub(crate) handle: Handle<Network>,
}

impl CpuClassifier {
    pub(crate) fn background<T: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&Network) -> Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> J + Send + 'static,
    ) -> napi::Result<Pending<T, J>> {
        self.handle.background(move |classifier| work(classifier).map(|result| (result, classifier.bytes())), convert)
    }
}

impl ObjectFinalize for CpuClassifier {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

fn algorithm_of(options: &CpuClassifierStepOptions) -> Result<Algorithm> {
    let adam = AdamOptions { weight_decay: options.weight_decay, ..AdamOptions::default() };
    let sgd = SgdOptions { weight_decay: options.weight_decay, momentum: options.momentum, ..SgdOptions::default() };
    match options.optimizer.as_str() {
        "adam" => Ok(Algorithm::Adam(adam)),
        "adamw" => Ok(Algorithm::AdamW(adam)),
        "sgd" => Ok(Algorithm::Sgd(sgd)),
        other => Err(Error::new(ErrorCode::InvalidArgument, format!("there is no optimizer {other:?}"))),
    }
}

#[napi]
impl CpuClassifier {
    /// A classifier with initial values drawn from the seed, by the first work that needs them.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: CpuClassifierConfig) -> napi::Result<Self> {
        let classifier = guard(|| Network::new(config_of(config)?)).js()?;
        let bytes = classifier.bytes();
        Ok(Self { handle: Handle::new(env, "classifier", classifier, bytes) })
    }

    /// Trains on the batches of a chunk, one step each.
    #[napi(catch_unwind, ts_return_type = "Promise<CpuClassifierStats>")]
    pub fn train_batches(
        &self,
        chunk: CpuClassifierChunk,
        options: CpuClassifierStepOptions,
    ) -> napi::Result<Pending<Stats, CpuClassifierStats>> {
        let (tokens, lengths) = (chunk.tokens.to_vec(), chunk.lengths.to_vec());
        let (labels, batch_sizes) = (chunk.labels.to_vec(), chunk.batch_sizes.to_vec());
        let label_offsets = chunk.label_offsets.map(|offsets| offsets.to_vec()).unwrap_or_default();
        let algorithm = algorithm_of(&options).js()?;
        let class_weights: Vec<f32> = options.class_weights.iter().map(|&weight| weight as f32).collect();
        self.background(
            move |classifier| {
                let chunk = Chunk {
                    tokens: &tokens,
                    lengths: &lengths,
                    labels: &labels,
                    label_offsets: &label_offsets,
                    batch_sizes: &batch_sizes,
                };
                let loss =
                    LossOptions { class_weights: &class_weights, label_smoothing: options.label_smoothing as f32 };
                let options = StepOptions {
                    learning_rates: &options.learning_rates,
                    clip_norm: options.clip_norm,
                    algorithm,
                    loss,
                    freeze_embedding: options.freeze_embedding,
                };
                classifier.train_batches(&chunk, &options)
            },
            |stats| CpuClassifierStats {
                loss: stats.loss,
                correct: stats.correct as f64,
                rows: stats.rows as f64,
                non_finite_batch: stats.non_finite_batch.map_or(-1.0, |batch| batch as f64),
            },
        )
    }

    /// Probabilities of the classes, text by text in the order given.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn predict(&self, tokens: &[i32], lengths: &[i32]) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths) = (tokens.to_vec(), lengths.to_vec());
        self.background(move |classifier| classifier.predict(&tokens, &lengths), Float32Array::new)
    }

    /// The same at once, on the thread of JavaScript: for a few short texts, which take less time than a change of thread.
    /// `null` where it would have to wait.
    #[napi(catch_unwind)]
    pub fn predict_now(&self, tokens: &[i32], lengths: &[i32]) -> napi::Result<Option<Float32Array>> {
        let classifier = self.handle.get()?;
        Ok(guard(|| classifier.predict_at_once(tokens, lengths)).js()?.map(Float32Array::new))
    }

    /// Outputs of the linear layer instead of probabilities, text by text in the order given.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn logits(&self, tokens: &[i32], lengths: &[i32]) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths) = (tokens.to_vec(), lengths.to_vec());
        self.background(move |classifier| classifier.logits(&tokens, &lengths), Float32Array::new)
    }

    /// What each token of one text contributes to the logit of a class (-1: the one with the largest logit), by gradient
    /// times input.
    #[napi(catch_unwind, ts_return_type = "Promise<CpuClassifierExplanation>")]
    pub fn explain(
        &self,
        tokens: &[i32],
        class_index: i32,
    ) -> napi::Result<Pending<Explanation, CpuClassifierExplanation>> {
        let tokens = tokens.to_vec();
        self.background(
            move |classifier| classifier.explain(&tokens, usize::try_from(class_index).ok()),
            |explanation| CpuClassifierExplanation {
                class_index: explanation.class as u32,
                logits: Float32Array::new(explanation.logits),
                probabilities: Float32Array::new(explanation.probabilities),
                contributions: Float32Array::new(explanation.contributions),
            },
        )
    }

    /// Gets ready for many predictions, in the background.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn prepare(&self) -> napi::Result<Pending<(), ()>> {
        self.background(Network::prepare, |()| ())
    }

    /// All weights, under PyTorch's names.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<FileTensor>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<NamedArray>, Vec<FileTensor>>> {
        self.background(Network::state, to_js_tensors)
    }

    /// Replaces all weights; what differs is listed in one error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_state(&self, entries: Vec<FileTensor>) -> napi::Result<Pending<(), ()>> {
        let arrays = from_js_tensors(entries).js()?;
        self.background(move |classifier| classifier.load_state(&arrays), |()| ())
    }

    /// Replaces all weights by those of a file, whose memory is given back; else as `loadState`. Tensors whose names begin
    /// with `except` do not count.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_held(&self, file: &HeldTensors, except: Option<String>) -> napi::Result<Pending<(), ()>> {
        let contents = file.take().js()?;
        self.background(
            move |classifier| {
                classifier.load_state(&named(&contents, except.as_deref()))?;
                drop(contents);
                give_back();
                Ok(())
            },
            |()| (),
        )
    }

    /// Gives some words other vectors, one after the other in `vectors`; all else stays.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> napi::Result<Pending<(), ()>> {
        let (words, vectors) = (words.to_vec(), vectors.to_vec());
        self.background(move |classifier| classifier.set_word_vectors(&words, &vectors), |()| ())
    }

    /// All that a training goes on from, under names that begin with `training.`; with `weights`, also the weights as
    /// `state` gives them. The training itself is not changed by it.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<FileTensor>>")]
    pub fn training_state(&self, weights: bool) -> napi::Result<Pending<Vec<NamedArray>, Vec<FileTensor>>> {
        self.background(
            move |classifier| {
                let mut arrays = if weights { classifier.peek()? } else { Vec::new() };
                arrays.extend(classifier.training_state()?);
                Ok(arrays)
            },
            to_js_tensors,
        )
    }

    /// Takes over what `trainingState(false)` gave; what does not fit is an error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn restore(&self, entries: Vec<FileTensor>) -> napi::Result<Pending<(), ()>> {
        let arrays = from_js_tensors(entries).js()?;
        self.background(move |classifier| classifier.restore(&arrays), |()| ())
    }

    /// Lets go of the weights once running work has ended; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
