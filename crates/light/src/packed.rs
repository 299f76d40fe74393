//! Compresses models on libuv's pool, and keeps the bytes of their files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ObjectFinalize};
use napi_derive::napi;
use recurra_binding::objects::NamedArray;
use recurra_binding::{Background, IntoJs, adjust_external_memory};
use recurra_compress::{Budget, Code, Compressed, Plan, Source, compress};
use recurra_core::{self as core, Error, ErrorCode, Result};
use recurra_files::write_whole;
use recurra_linear::LinearModel;

use crate::safetensors_file::{Held, HeldTensors};
use crate::vocabulary::NativeVocabulary;

/// The settings of a compression.
#[napi(object, object_from_js = false)]
pub struct CompressionPlan {
    /// Code of the word vectors; omitted without a network.
    pub code: Option<String>,
    /// Number of words kept.
    pub words: u32,
    /// Number of the linear model's n-grams kept.
    pub features: u32,
    /// The largest integer weight of the linear model; 0 without one.
    pub levels: u32,
    /// The share of the squared inputs and scores that is lost.
    pub lost: f64,
}

impl From<&Plan> for CompressionPlan {
    fn from(plan: &Plan) -> Self {
        Self {
            code: plan.code.map(Code::name),
            words: plan.words as u32,
            features: plan.features as u32,
            levels: u32::from(plan.levels),
            lost: plan.lost,
        }
    }
}

/// The file of a compressed model, outside the JavaScript heap.
#[napi(custom_finalize)]
pub struct PackedModel {
    bytes: Arc<Vec<u8>>,
    plan: Option<Plan>,
}

impl ObjectFinalize for PackedModel {
    fn finalize(self, env: Env) -> napi::Result<()> {
        adjust_external_memory(env, -(self.bytes.len() as i64));
        Ok(())
    }
}

impl PackedModel {
    pub(crate) fn new(env: Env, bytes: Arc<Vec<u8>>, plan: Option<Plan>) -> Self {
        adjust_external_memory(env, bytes.len() as i64);
        Self { bytes, plan }
    }
}

#[napi]
impl PackedModel {
    /// Size of the file in bytes.
    #[napi(getter, catch_unwind)]
    pub fn byte_length(&self) -> f64 {
        self.bytes.len() as f64
    }

    /// The settings of the compression; `null` if the model was not compressed here.
    #[napi(getter, catch_unwind)]
    pub fn plan(&self) -> Option<CompressionPlan> {
        self.plan.as_ref().map(CompressionPlan::from)
    }

    /// Writes the file atomically: to a temporary name, synced, renamed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn write(&self, path: String) -> AsyncTask<Background<(), ()>> {
        let bytes = Arc::clone(&self.bytes);
        AsyncTask::new(Background::new(move || write_whole(&PathBuf::from(path), &bytes), |_, ()| Ok(())))
    }

    /// The model, like `holdSafetensors` for a file.
    #[napi(catch_unwind, ts_return_type = "Promise<HeldTensors>")]
    pub fn hold(&self) -> AsyncTask<Background<Held, HeldTensors>> {
        let bytes = Arc::clone(&self.bytes);
        let read = move || Held::shared(Path::new("the compressed model"), bytes);
        AsyncTask::new(Background::new(read, |_, held: Held| Ok(held.tensors())))
    }
}

/// The file of a loaded compressed model, to be written unchanged. `null` for other models, and on a second call.
#[napi(catch_unwind)]
pub fn take_packed(env: Env, file: &mut HeldTensors) -> Option<PackedModel> {
    file.take_bytes().map(|bytes| PackedModel::new(env, bytes, None))
}

/// Input and limits of a compression.
#[napi(object, object_to_js = false)]
pub struct CompressionRequest {
    /// All arrays of the model, as in a file.
    pub state: Vec<NamedArray>,
    /// The metadata of the file, without the words.
    pub metadata: HashMap<String, String>,
    /// The networks' share in the predictions, from 0 to 1.
    pub share: f64,
    /// Words that are always kept.
    pub pinned: Vec<u32>,
    /// The word that replaces dropped words; omitted if no words may be dropped.
    pub unknown: Option<u32>,
    /// Maximum size of the file in bytes.
    pub max_bytes: Option<f64>,
    /// Bits per element of word vectors: 8, 4, 2 or 1.
    pub bits: Option<u32>,
    /// Maximum number of words to keep.
    pub keep_words: Option<u32>,
}

fn code_of(bits: u32) -> Result<Code> {
    match bits {
        8 => Ok(Code::Int8),
        4 => Ok(Code::Int4),
        2 => Ok(Code::Product { width: 4 }),
        1 => Ok(Code::Product { width: 8 }),
        _ => {
            Err(Error::new(ErrorCode::InvalidArgument, format!("expected 8, 4, 2 or 1 but received {bits}"))
                .about("bits"))
        }
    }
}

/// A compression, which can be aborted.
#[napi]
#[derive(Default)]
pub struct Compression {
    stopped: Arc<AtomicBool>,
}

#[napi]
impl Compression {
    /// A compression that has not started.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Aborts the work, which rejects with `ABORTED`.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Compresses the model, off the event loop.
    ///
    /// Rejects with `OUT_OF_RANGE` about `maxBytes` for a budget that cannot be met.
    #[napi(catch_unwind, ts_return_type = "Promise<PackedModel>")]
    pub fn run(
        &self,
        request: CompressionRequest,
        vocabulary: &NativeVocabulary,
    ) -> napi::Result<AsyncTask<Background<Compressed, PackedModel>>> {
        let CompressionRequest { state, metadata, share, mut pinned, unknown, max_bytes, bits, keep_words } = request;
        let budget = Budget {
            max_bytes: max_bytes.map(|most| most as usize),
            code: bits.map(code_of).transpose().js()?,
            keep_words: keep_words.map(|most| most as usize),
        };
        let state = NamedArray::into_core(state).js()?;
        let (vocabulary, stopped) = (vocabulary.share(), Arc::clone(&self.stopped));
        pinned.sort_unstable();
        pinned.dedup();
        let work = move || {
            let (linear, arrays): (Vec<_>, Vec<_>) = state
                .into_iter()
                .map(|core::NamedArray { name, dtype, shape, data }| core::NamedArray {
                    name,
                    dtype,
                    shape,
                    data: data.to_vec(),
                })
                .partition(|array| array.name.starts_with("linear."));
            let linear = if linear.is_empty() { None } else { Some(LinearModel::from_arrays(&linear)?) };
            let source =
                Source { arrays, linear: linear.as_ref(), share, vocabulary: &vocabulary, pinned, unknown, metadata };
            compress(&source, &budget, &|| stopped.load(Ordering::Relaxed))
        };
        let made = |env, Compressed { bytes, plan }: Compressed| Ok(PackedModel::new(env, Arc::new(bytes), Some(plan)));
        Ok(AsyncTask::new(Background::new(work, made)))
    }
}
