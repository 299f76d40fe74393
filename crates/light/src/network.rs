//! A network on the CPU kernels: training and bulk prediction on libuv's pool, short predictions synchronously.

use std::sync::Arc;

use napi::bindgen_prelude::{
    Array, BigInt, Float32Array, Float32ArraySlice, ObjectFinalize, ToNapiValue, TypeName, Uint32Array,
};
use napi::{Env, Unknown};
use napi_derive::napi;
use recurra_binding::objects::{
    Chunk, ChunkStats, NamedArray, NetworkConfig, OwnedChunk, OwnedStepOptions, StepOptions,
};
use recurra_binding::{Handle, IntoJs, Pending};
use recurra_core::{self as core, Error, ErrorCode, Forms, Result, Rows, Stats, guard};
use recurra_kernels::network::{self, Network};

use crate::forms::NativeForms;
use crate::group::group_at;
use crate::safetensors_file::{HeldTensors, load};
use crate::texts::TextEncoder;

/// Contributions of the tokens of a row to one output.
#[napi(object, object_from_js = false)]
pub struct Explanation {
    /// The output explained.
    pub output: u32,
    /// Outputs of the head's linear layer.
    pub raw: Float32Array,
    /// The scores derived from them.
    pub scores: Float32Array,
    /// Gradient of the raw score times the embedded token, one per token.
    pub contributions: Float32Array,
}

/// Scores and losses of rows with known tags.
#[napi(object, object_from_js = false)]
pub struct MeasuredTags {
    /// Three numbers per token, as in `scores`.
    pub scores: Float32Array,
    /// The loss of each row.
    pub losses: Float32Array,
}

/// Scores and losses, before they become JavaScript values.
type Measured = (Vec<f32>, Vec<f32>);

/// The scores of many texts.
#[napi(object, object_from_js = false)]
pub struct TextScores {
    /// Scores, text by text.
    pub scores: Float32Array,
    /// For each text, the number of tokens read and the number of known ones.
    pub counts: Uint32Array,
}

/// The same, before it becomes JavaScript values.
pub struct Scored {
    scores: Vec<f32>,
    counts: Vec<u32>,
}

/// The forms of a call, kept alive while it runs.
fn shared(forms: Option<&NativeForms>) -> napi::Result<Option<Arc<Forms>>> {
    forms.map(NativeForms::share).transpose()
}

/// A network on the CPU kernels; it needs no libtorch.
#[napi(custom_finalize)]
pub struct CpuNetwork {
    handle: Handle<Network>,
}

impl CpuNetwork {
    pub(crate) fn background<T: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&Network) -> Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> J + Send + 'static,
    ) -> napi::Result<Pending<T, J>> {
        self.handle.background(move |network| work(network).map(|result| (result, network.bytes())), convert)
    }
}

impl ObjectFinalize for CpuNetwork {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl CpuNetwork {
    /// Creates a network, whose initial values are drawn from the seed when they are first needed. With `forms`, which
    /// must be those of the whole vocabulary in its order, tokens are words although the network has subwords; its
    /// state is then that of a network without subwords.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: NetworkConfig, forms: Option<&NativeForms>) -> napi::Result<Self> {
        let forms = shared(forms)?;
        let make = || match forms {
            Some(forms) => Network::with_forms(config.try_into()?, forms),
            None => Network::new(config.try_into()?),
        };
        let network = guard(make).js()?;
        let bytes = network.bytes();
        Ok(Self { handle: Handle::new(env, "network", network, bytes) })
    }

    /// From now on, predictions multiply recurrent weights in 8 bits. Training and the state are unchanged.
    #[napi(catch_unwind)]
    pub fn round_recurrent_weights(&self) -> napi::Result<()> {
        self.handle.get()?.set_int8_recurrent(true).js()
    }

    /// Trains on the batches of a chunk, one step each; needs `forms` if the network has subwords.
    #[napi(catch_unwind, ts_return_type = "Promise<ChunkStats>")]
    pub fn train_batches(
        &self,
        chunk: Chunk,
        options: StepOptions,
        forms: Option<&NativeForms>,
    ) -> napi::Result<Pending<Stats, ChunkStats>> {
        let (chunk, options) = (OwnedChunk::from(chunk), OwnedStepOptions::try_from(options).js()?);
        let forms = shared(forms)?;
        let work = move |network: &Network| {
            let chunk = chunk.chunk(&network.config().head);
            network.train_batches(&core::Chunk { forms: forms.as_deref(), ..chunk }, &options.options())
        };
        self.background(work, ChunkStats::from)
    }

    /// From now on, trains together with the ranks of the process group with this `table()`, or alone without one. The
    /// network keeps the group until then.
    #[napi(catch_unwind, ts_args_type = "table?: bigint")]
    pub fn distribute(&self, table: Option<BigInt>) -> napi::Result<()> {
        self.handle.get()?.distribute(group_at(table.as_ref())?);
        Ok(())
    }

    /// Scores of the head, row by row in the given order: probabilities, or with `raw` the values they are derived
    /// from. A head of tags gives three numbers per token: its tag, the tag's probability, and the probability that it
    /// and the next token's tag are both correct. Needs `forms` if the network has subwords.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn scores(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        raw: bool,
        forms: Option<&NativeForms>,
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths, forms) = (tokens.to_vec(), lengths.to_vec(), shared(forms)?);
        let work = move |network: &Network| {
            let rows = Rows { tokens: &tokens, lengths: &lengths, forms: forms.as_deref() };
            if raw { network.logits_of_rows(rows) } else { network.predict_rows(rows) }
        };
        self.background(work, Float32Array::new)
    }

    /// Like `scores` of a network for tags, with the loss of each row: the negative log-probability of its correct
    /// tags, given in `tags`, one per token.
    #[napi(catch_unwind, ts_return_type = "Promise<MeasuredTags>")]
    pub fn measure(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        tags: &[i32],
        forms: Option<&NativeForms>,
    ) -> napi::Result<Pending<Measured, MeasuredTags>> {
        let (tokens, lengths, tags, forms) = (tokens.to_vec(), lengths.to_vec(), tags.to_vec(), shared(forms)?);
        let work = move |network: &Network| {
            network.measure_rows(Rows { tokens: &tokens, lengths: &lengths, forms: forms.as_deref() }, &tags)
        };
        self.background(work, |(scores, losses)| MeasuredTags {
            scores: Float32Array::new(scores),
            losses: Float32Array::new(losses),
        })
    }

    /// Scores synchronously, on the JavaScript thread: for a few short rows, which take less time than a thread switch.
    /// `null` if it would have to wait.
    #[napi(catch_unwind)]
    pub fn scores_now(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        forms: Option<&NativeForms>,
    ) -> napi::Result<Option<Float32Array>> {
        let (network, forms) = (self.handle.get()?, shared(forms)?);
        let rows = Rows { tokens, lengths, forms: forms.as_deref() };
        Ok(guard(|| network.predict_rows_at_once(rows)).js()?.map(Float32Array::new))
    }

    /// The contribution of each token of one row to the raw score of an output (-1: the largest), by gradient times
    /// input.
    #[napi(catch_unwind, ts_return_type = "Promise<Explanation>")]
    pub fn explain(
        &self,
        tokens: &[i32],
        output: i32,
        forms: Option<&NativeForms>,
    ) -> napi::Result<Pending<network::Explanation, Explanation>> {
        let (tokens, forms) = (tokens.to_vec(), shared(forms)?);
        self.background(
            move |network| network.explain_row(&tokens, forms.as_deref(), usize::try_from(output).ok()),
            |explanation| Explanation {
                output: explanation.class as u32,
                raw: Float32Array::new(explanation.logits),
                scores: Float32Array::new(explanation.probabilities),
                contributions: Float32Array::new(explanation.contributions),
            },
        )
    }

    /// Prepares the network for many predictions, in the background.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn prepare(&self) -> napi::Result<Pending<(), ()>> {
        self.background(Network::prepare, |()| ())
    }

    /// All weights, under PyTorch's names.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        self.background(Network::state, NamedArray::list)
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

    /// Overwrites the vectors of `words` with those concatenated in `vectors`; nothing else changes.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> napi::Result<Pending<(), ()>> {
        let (words, vectors) = (words.to_vec(), vectors.to_vec());
        self.background(move |network| network.set_word_vectors(&words, &vectors), |()| ())
    }

    /// The complete training state, under names with the prefix `training.`; with `weights`, also the weights as in
    /// `state`. The training is not changed.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn training_state(&self, weights: bool) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        self.background(
            move |network| {
                let mut arrays = if weights { network.peek()? } else { Vec::new() };
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

    /// Scores a text synchronously, on the JavaScript thread. `row` receives the scores, followed by the number of
    /// tokens read and the number of known ones.
    ///
    /// Returns false, without a result, if there are more than `limit` tokens or if it would have to wait.
    #[napi(catch_unwind, ts_args_type = "encoder: TextEncoder, text: string, limit: number, row: Float32Array")]
    pub fn score_text_now(
        &self,
        env: Env,
        encoder: &TextEncoder,
        text: Unknown<'_>,
        limit: u32,
        mut row: Float32ArraySlice<'_>,
    ) -> napi::Result<bool> {
        let network = self.handle.get()?;
        encoder.at_once(env, text, limit as usize, |ids, counts| {
            let scores = guard(|| network.predict_at_once(ids, &[ids.len() as i32])).js()?;
            let Some(scores) = scores else { return Ok(false) };
            // SAFETY: JavaScript waits for this call, and nothing else uses the array.
            let row = unsafe { row.as_mut() };
            let Some((to, [count, known])) = row.split_last_chunk_mut::<2>() else { return Ok(false) };
            if to.len() != scores.len() {
                let message = format!("a row has {} scores, not {}", scores.len(), to.len());
                return Err(Error::new(ErrorCode::InvalidShape, message)).js();
            }
            to.copy_from_slice(&scores);
            (*count, *known) = (counts.tokens as f32, counts.known as f32);
            Ok(true)
        })
    }

    /// Scores of many texts, off the event loop; on it, only their characters are copied.
    ///
    /// Two calls may run at a time: the second one's texts are split while the first one's are computed.
    #[napi(
        catch_unwind,
        ts_args_type = "encoder: TextEncoder, texts: ReadonlyArray<string>",
        ts_return_type = "Promise<TextScores>"
    )]
    pub fn score_texts(
        &self,
        env: Env,
        encoder: &TextEncoder,
        texts: Array<'_>,
    ) -> napi::Result<Pending<Scored, TextScores>> {
        let split = encoder.copied(env, &texts)?;
        self.background(
            move |network| {
                let (texts, turn) = split.encode();
                let _turn = turn.take();
                let scores = network.predict(&texts.ids, &texts.lengths)?;
                Ok(Scored { scores, counts: texts.counts })
            },
            |scored| TextScores { scores: Float32Array::new(scored.scores), counts: Uint32Array::new(scored.counts) },
        )
    }

    /// Frees the weights once running work has ended; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
