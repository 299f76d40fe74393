//! `NativeClassifier`: the text classifier; its work runs off the main thread.

use napi::Env;
use napi::bindgen_prelude::{Float32Array, Int32Array, ObjectFinalize, ToNapiValue, TypeName, Uint8Array, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Handle, IntoJs, Pending};
use recurra_core::{Dtype, NamedArray};
use recurra_torch::Result;
use recurra_torch::classifier::{self, CellKind, Classifier, Pooling, Stats, StepOptions};
use recurra_torch::context::{self, parse_device};
use recurra_torch::optim::OptimizerKind;
use std::sync::{Mutex, PoisonError};

/// What the classifier is made of.
#[napi(object, object_to_js = false)]
pub struct ClassifierConfig {
    /// The recurrent layer.
    #[napi(ts_type = "'rnn' | 'lstm' | 'gru'")]
    pub cell: String,
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
    /// Dropout of the word vectors in training.
    pub embedding_dropout: f64,
    /// Dropout between layers and before the linear layer in training.
    pub dropout: f64,
    /// Share of the tokens that are read as `unknownIdx` in training.
    pub word_dropout: f64,
    /// The word that a dropped word is read as; -1 for none.
    pub unknown_idx: i64,
    /// How the states become one vector.
    #[napi(ts_type = "'last' | 'mean' | 'max' | 'attention'")]
    pub pooling: String,
    /// Whether a text may have any number of classes.
    pub multi_label: bool,
    /// Classes.
    pub num_classes: i64,
    /// The row of the embedding that stays zero; -1 for none.
    pub padding_idx: i64,
    /// Standard deviation of the embedding's initial values; 1 if left out.
    pub embedding_std: Option<f64>,
    /// Seed of initial values and dropout.
    pub seed: i64,
    /// Where it computes.
    pub device: String,
    /// Whether training computes in bfloat16 where PyTorch's autocast has it so.
    pub mixed: bool,
}

/// Several batches of labelled texts.
#[napi(object, object_to_js = false)]
pub struct ClassifierChunk {
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

/// Options of a training step.
#[napi(object, object_to_js = false)]
pub struct ClassifierStepOptions {
    /// Learning rate of every batch, unless `learningRates` are given.
    pub lr: Option<f64>,
    /// Learning rates, batch by batch.
    pub learning_rates: Option<Vec<f64>>,
    /// Largest common norm of all gradients; 0 or nothing for no limit.
    pub clip_norm: Option<f64>,
    /// The optimizer; Adam where nothing is said.
    #[napi(ts_type = "'adam' | 'adamw' | 'sgd'")]
    pub optimizer: Option<String>,
    /// Weight decay; PyTorch's default where nothing is said.
    pub weight_decay: Option<f64>,
    /// Momentum of `sgd`.
    pub momentum: Option<f64>,
    /// A weight for each class.
    pub class_weights: Option<Vec<f64>>,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: Option<f64>,
    /// Leaves the embedding as it is.
    pub freeze_embedding: Option<bool>,
}

/// What a chunk of batches gave.
#[napi(object, object_from_js = false)]
pub struct ClassifierStats {
    /// Sum of the losses of all texts.
    pub loss: f64,
    /// Texts answered rightly, in training mode.
    pub correct: i64,
    /// Texts trained on.
    pub rows: i64,
    /// The batch at which the loss or the gradient was not finite; -1 for none.
    pub non_finite_batch: i64,
}

/// A weight with its name.
#[napi(object)]
pub struct ClassifierTensor {
    /// PyTorch's name.
    pub name: String,
    /// The element type.
    pub dtype: String,
    /// The sizes of the dimensions.
    pub shape: Vec<i64>,
    /// The elements, little-endian, row by row.
    pub data: Uint8Array,
}

fn to_js_tensors(arrays: Vec<NamedArray>) -> Vec<ClassifierTensor> {
    let tensor = |array: NamedArray| ClassifierTensor {
        name: array.name,
        dtype: array.dtype.name().to_owned(),
        shape: array.shape.iter().map(|&size| size as i64).collect(),
        data: Uint8Array::new(array.data),
    };
    arrays.into_iter().map(tensor).collect()
}

fn from_js_tensors(tensors: Vec<ClassifierTensor>) -> Result<Vec<NamedArray<Uint8Array>>> {
    let array = |tensor: ClassifierTensor| {
        let shape = tensor.shape.iter().map(|&size| size.max(0) as usize).collect();
        Ok(NamedArray { name: tensor.name, dtype: Dtype::parse(&tensor.dtype)?, shape, data: tensor.data })
    };
    tensors.into_iter().map(array).collect()
}

/// The text classifier over libtorch. Works on one classifier wait for each other.
#[napi(custom_finalize)]
pub struct NativeClassifier {
    handle: Handle<Mutex<Classifier>>,
}

impl NativeClassifier {
    fn background<T: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&mut Classifier) -> Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> J + Send + 'static,
    ) -> napi::Result<Pending<T, J>> {
        let work = move |classifier: &Mutex<Classifier>| {
            // A panic that was caught leaves tensors as valid as any exception of libtorch does.
            let mut classifier = classifier.lock().unwrap_or_else(PoisonError::into_inner);
            context::apply_threads();
            let result = work(&mut classifier)?;
            Ok((result, classifier.bytes()))
        };
        self.handle.background(work, convert)
    }
}

impl ObjectFinalize for NativeClassifier {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl NativeClassifier {
    /// A classifier with initial values drawn from the seed.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: ClassifierConfig) -> napi::Result<Self> {
        let classifier = Classifier::new(classifier::ClassifierConfig {
            cell: CellKind::parse(&config.cell).js()?,
            vocab_size: config.vocab_size,
            embedding_dim: config.embedding_dim,
            hidden_size: config.hidden_size,
            num_layers: config.num_layers,
            bidirectional: config.bidirectional,
            embedding_dropout: config.embedding_dropout,
            dropout: config.dropout,
            word_dropout: config.word_dropout,
            embedding_std: config.embedding_std.unwrap_or(1.0),
            unknown_idx: config.unknown_idx,
            multi_label: config.multi_label,
            pooling: Pooling::parse(&config.pooling).js()?,
            num_classes: config.num_classes,
            padding_idx: config.padding_idx,
            seed: config.seed,
            device: parse_device(&config.device).js()?,
            mixed: config.mixed,
        })
        .js()?;
        let bytes = classifier.bytes();
        Ok(Self { handle: Handle::new(env, "classifier", Mutex::new(classifier), bytes) })
    }

    /// Trains on the batches of a chunk, one step each.
    #[napi(catch_unwind, ts_return_type = "Promise<ClassifierStats>")]
    pub fn train_batches(
        &self,
        chunk: ClassifierChunk,
        options: ClassifierStepOptions,
    ) -> napi::Result<Pending<Stats, ClassifierStats>> {
        let chunk = classifier::Chunk {
            tokens: chunk.tokens.to_vec(),
            lengths: chunk.lengths.to_vec(),
            labels: chunk.labels.to_vec(),
            label_offsets: chunk.label_offsets.map(|offsets| offsets.to_vec()).unwrap_or_default(),
            batch_sizes: chunk.batch_sizes.to_vec(),
        };
        let optimizer = OptimizerKind::parse(options.optimizer.as_deref().unwrap_or("adam")).js()?;
        let learning_rates = match (options.learning_rates, options.lr) {
            (Some(rates), _) => rates,
            (None, lr) => vec![lr.unwrap_or(optimizer.defaults().lr); chunk.batch_sizes.len()],
        };
        let class_weights = options.class_weights.unwrap_or_default();
        let options = StepOptions {
            clip_norm: options.clip_norm.unwrap_or(0.0),
            weight_decay: options.weight_decay,
            momentum: options.momentum.unwrap_or(0.0),
            class_weights: class_weights.into_iter().map(|weight| weight as f32).collect(),
            label_smoothing: options.label_smoothing.unwrap_or(0.0),
            freeze_embedding: options.freeze_embedding.unwrap_or(false),
            ..StepOptions::new(optimizer, learning_rates)
        };
        self.background(
            move |classifier| classifier.train_batches(&chunk, &options),
            |stats| ClassifierStats {
                loss: stats.loss,
                correct: stats.correct,
                rows: stats.rows,
                non_finite_batch: stats.non_finite_batch.map_or(-1, |batch| batch as i64),
            },
        )
    }

    /// Probabilities of the classes, text by text in the order given.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn predict(&self, tokens: &[i32], lengths: &[i32]) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths) = (tokens.to_vec(), lengths.to_vec());
        self.background(move |classifier| classifier.predict(&tokens, &lengths), Float32Array::new)
    }

    /// All weights, under PyTorch's names.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<ClassifierTensor>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<NamedArray>, Vec<ClassifierTensor>>> {
        self.background(|classifier| classifier.state(), to_js_tensors)
    }

    /// All that a training goes on from, as the kernels' classifier gives it, with no row behind; with `weights`, also the weights as
    /// `state` gives them.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<ClassifierTensor>>")]
    pub fn training_state(&self, weights: bool) -> napi::Result<Pending<Vec<NamedArray>, Vec<ClassifierTensor>>> {
        self.background(
            move |classifier| {
                let mut arrays = if weights { classifier.state()? } else { Vec::new() };
                arrays.extend(classifier.training_state()?);
                Ok(arrays)
            },
            to_js_tensors,
        )
    }

    /// Takes over what `trainingState(false)` gave, of this classifier or of the kernels'.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn restore(&self, entries: Vec<ClassifierTensor>) -> napi::Result<Pending<(), ()>> {
        let arrays = from_js_tensors(entries).js()?;
        self.background(move |classifier| classifier.restore(&arrays), |()| ())
    }

    /// Gives some words other vectors, row by row.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> napi::Result<Pending<(), ()>> {
        let (words, vectors) = (words.to_vec(), vectors.to_vec());
        self.background(move |classifier| classifier.set_word_vectors(&words, &vectors), |()| ())
    }

    /// Replaces all weights; what differs is listed in one error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_state(&self, entries: Vec<ClassifierTensor>) -> napi::Result<Pending<(), ()>> {
        let arrays = from_js_tensors(entries).js()?;
        self.background(move |classifier| classifier.load_state(&arrays), |()| ())
    }

    /// Lets go of the weights once running work has ended; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
