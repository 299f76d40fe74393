//! A sequence-to-sequence network on the CPU kernels: training, search and scores on libuv's pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::{BigInt, Float32Array, Int32Array, ObjectFinalize, ToNapiValue, TypeName, Uint32Array};
use napi_derive::napi;
use recurra_binding::objects::{
    Chunk, ChunkStats, EncoderConfig, NamedArray, OwnedChunk, OwnedStepOptions, StepOptions,
};
use recurra_binding::{Handle, IntoJs, Pending};
use recurra_core::{self as core, Attention, Error, Result, Stats, guard};
use recurra_kernels::seq2seq::{Decoded, Seq2Seq};

use crate::group::group_at;
use crate::safetensors_file::{HeldTensors, load};

/// Configuration of a sequence-to-sequence network.
#[napi(object, object_to_js = false)]
pub struct Seq2SeqConfig {
    /// The encoder: turns source units into vectors. The decoder has the same cell and dropout rates.
    pub encoder: EncoderConfig,
    /// Number of target units.
    pub target_size: u32,
    /// Columns of the embedding of target units.
    pub target_embedding_dim: u32,
    /// Size of the decoder's hidden state.
    pub decoder_hidden: u32,
    /// Number of layers of the decoder. Each starts from the final states of the same layer of the encoder, or of its
    /// last layer.
    pub decoder_layers: u32,
    /// How source units are scored.
    #[napi(ts_type = "'luong' | 'bahdanau'")]
    pub attention: String,
    /// The decoder's first input; it is never written.
    pub start_unit: u32,
    /// The target unit that ends a row.
    pub end_unit: u32,
    /// Seed of initial values, dropout and sampling.
    pub seed: f64,
    /// Threads for training and bulk work; results do not depend on their number.
    pub threads: u32,
}

impl TryFrom<Seq2SeqConfig> for core::Seq2SeqConfig {
    type Error = Error;

    fn try_from(config: Seq2SeqConfig) -> Result<Self> {
        Ok(Self {
            encoder: config.encoder.try_into()?,
            target_size: config.target_size as usize,
            target_embedding_dim: config.target_embedding_dim as usize,
            decoder_hidden: config.decoder_hidden as usize,
            decoder_layers: config.decoder_layers as usize,
            attention: Attention::parse(&config.attention)?,
            start_unit: config.start_unit,
            end_unit: config.end_unit,
            seed: config.seed as u64,
            threads: config.threads as usize,
        })
    }
}

/// Options of the search for target units.
#[napi(object, object_to_js = false)]
pub struct DecodeOptions {
    /// Hypotheses kept at each step; 1 is greedy search.
    pub beam_size: u32,
    /// Maximum number of units for each row, without the end unit.
    pub max_lengths: Int32Array,
    /// Hypotheses are ranked by log-probability divided by length (including the end unit) to this power.
    pub length_penalty: f64,
    /// Number of results per row, best first.
    pub n_best: u32,
    /// Whether to return the attention weights of each unit.
    pub alignments: bool,
}

impl DecodeOptions {
    /// The options without the per-row lengths.
    fn settings(&self) -> core::DecodeOptions<'static> {
        core::DecodeOptions {
            beam_size: self.beam_size as usize,
            max_lengths: &[],
            length_penalty: self.length_penalty,
            best: self.n_best as usize,
            alignments: self.alignments,
        }
    }
}

/// The results of a search.
#[napi(object, object_from_js = false)]
pub struct DecodedUnits {
    /// Units of all results without the end unit, row by row, with the best result of each row first.
    pub units: Int32Array,
    /// Start of each result's units, followed by the total.
    pub starts: Uint32Array,
    /// The log-probability of each result; minus infinity for a missing result.
    pub scores: Float32Array,
    /// For each unit of each result, a weight for each source unit of its row, if requested.
    pub alignments: Option<Float32Array>,
}

impl DecodedUnits {
    fn of(decoded: Decoded, alignments: bool) -> Self {
        Self {
            units: Int32Array::new(decoded.units),
            starts: Uint32Array::new(decoded.starts),
            scores: Float32Array::new(decoded.scores),
            alignments: alignments.then(|| Float32Array::new(decoded.alignments)),
        }
    }
}

/// Aborts searches.
#[napi]
pub struct SearchStop {
    stopped: Arc<AtomicBool>,
}

#[napi]
impl SearchStop {
    /// For one or several searches.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript has no Default")]
    pub fn new() -> Self {
        Self { stopped: Arc::default() }
    }

    /// Aborts the searches that use it: they fail with `ABORTED`.
    #[napi]
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// A sequence-to-sequence network on the CPU kernels; it needs no libtorch.
#[napi(custom_finalize)]
pub struct CpuSeq2Seq {
    handle: Handle<Seq2Seq>,
}

impl CpuSeq2Seq {
    fn background<T: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&Seq2Seq) -> Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> J + Send + 'static,
    ) -> napi::Result<Pending<T, J>> {
        self.handle.background(move |network| work(network).map(|result| (result, network.bytes())), convert)
    }
}

impl ObjectFinalize for CpuSeq2Seq {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl CpuSeq2Seq {
    /// Creates a network, whose initial values are drawn from the seed when they are first needed.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: Seq2SeqConfig) -> napi::Result<Self> {
        let network = guard(|| Seq2Seq::new(config.try_into()?)).js()?;
        let bytes = network.bytes();
        Ok(Self { handle: Handle::new(env, "network", network, bytes) })
    }

    /// From now on, trains together with the ranks of the process group with this `table()`, or alone without one.
    #[napi(catch_unwind, ts_args_type = "table?: bigint")]
    pub fn distribute(&self, table: Option<BigInt>) -> napi::Result<()> {
        self.handle.get()?.distribute(group_at(table.as_ref())?);
        Ok(())
    }

    /// Trains on the batches of a chunk, one step each. `tokens` and `lengths` are the source units of the rows,
    /// `targets` the target units of all rows, each row ending with the end unit, and `targetStarts` the start of each
    /// row. Answers are target units.
    #[napi(catch_unwind, ts_return_type = "Promise<ChunkStats>")]
    pub fn train_batches(&self, chunk: Chunk, options: StepOptions) -> napi::Result<Pending<Stats, ChunkStats>> {
        let (chunk, options) = (OwnedChunk::from(chunk), OwnedStepOptions::try_from(options).js()?);
        let work = move |network: &Seq2Seq| network.train_batches(&chunk.sets(), &options.options());
        self.background(work, ChunkStats::from)
    }

    /// Searches for the target units of some rows.
    #[napi(catch_unwind, ts_return_type = "Promise<DecodedUnits>")]
    pub fn decode(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: DecodeOptions,
        stop: Option<&SearchStop>,
    ) -> napi::Result<Pending<Decoded, DecodedUnits>> {
        let (tokens, lengths, max_lengths) = (tokens.to_vec(), lengths.to_vec(), options.max_lengths.to_vec());
        let stopped = stop.map(|stop| stop.stopped.clone());
        let (settings, alignments) = (options.settings(), options.alignments);
        let work = move |network: &Seq2Seq| {
            let options = core::DecodeOptions { max_lengths: &max_lengths, ..settings };
            network.decode(&tokens, &lengths, &options, stopped.as_deref())
        };
        self.background(work, move |decoded| DecodedUnits::of(decoded, alignments))
    }

    /// Like `decode`, synchronously on the JavaScript thread: for a short row, which takes less time than a thread
    /// switch. `null` if it would have to wait.
    #[napi(catch_unwind)]
    pub fn decode_now(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: DecodeOptions,
    ) -> napi::Result<Option<DecodedUnits>> {
        let network = self.handle.get()?;
        let settings = core::DecodeOptions { max_lengths: &options.max_lengths, ..options.settings() };
        let decoded = guard(|| network.decode_at_once(tokens, lengths, &settings)).js()?;
        Ok(decoded.map(|decoded| DecodedUnits::of(decoded, options.alignments)))
    }

    /// The log-probability of each target unit, given the previous ones. Targets are passed as for training.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn score(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        targets: &[i32],
        target_starts: &[u32],
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths) = (tokens.to_vec(), lengths.to_vec());
        let (targets, starts) = (targets.to_vec(), target_starts.to_vec());
        self.background(move |network| network.score(&tokens, &lengths, &targets, &starts), Float32Array::new)
    }

    /// All weights, under PyTorch's names.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        self.background(Seq2Seq::state, NamedArray::list)
    }

    /// Replaces all weights. All differences are reported in one error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_state(&self, entries: Vec<NamedArray>) -> napi::Result<Pending<(), ()>> {
        let arrays = NamedArray::into_core(entries).js()?;
        self.background(move |network| network.load_state(&arrays), |()| ())
    }

    /// Replaces all weights by those of a file, whose memory is freed; otherwise like `loadState`. Tensors whose names
    /// start with `except` are ignored.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_held(&self, file: &HeldTensors, except: Option<String>) -> napi::Result<Pending<(), ()>> {
        let contents = file.take().js()?;
        self.background(move |network| load(contents, except.as_deref(), |arrays| network.load_state(arrays)), |()| ())
    }

    /// The complete training state, under names with the prefix `training.`; with `weights`, also the weights as in
    /// `state`. The training is not changed.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn training_state(&self, weights: bool) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        self.background(
            move |network| {
                let mut arrays = if weights { network.state()? } else { Vec::new() };
                arrays.extend(network.training_state()?);
                Ok(arrays)
            },
            NamedArray::list,
        )
    }

    /// Restores the arrays of `trainingState(false)`. A mismatch is an error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn restore(&self, entries: Vec<NamedArray>) -> napi::Result<Pending<(), ()>> {
        let arrays = NamedArray::into_core(entries).js()?;
        self.background(move |network| network.restore(&arrays), |()| ())
    }

    /// Frees the weights once running work has ended; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
