//! `TorchNetwork`: a network over libtorch; its work runs off the main thread.

use napi::Env;
use napi::bindgen_prelude::{Float32Array, ObjectFinalize, ToNapiValue, TypeName};
use napi_derive::napi;
use recurra_binding::objects::{
    Chunk, ChunkStats, NamedArray, NetworkConfig, OwnedChunk, OwnedStepOptions, StepOptions,
};
use recurra_binding::{Handle, IntoJs, Pending};
use recurra_core::{self as core, Stats};
use recurra_torch::Result;
use recurra_torch::context::{self, parse_device};
use recurra_torch::network::{Network, Place};
use std::sync::{Mutex, PoisonError};

/// A network over libtorch. Works on one network wait for each other.
#[napi(custom_finalize)]
pub struct TorchNetwork {
    handle: Handle<Mutex<Network>>,
}

impl TorchNetwork {
    fn background<T: Send + 'static, J: ToNapiValue + TypeName>(
        &self,
        work: impl FnOnce(&mut Network) -> Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> J + Send + 'static,
    ) -> napi::Result<Pending<T, J>> {
        let work = move |network: &Mutex<Network>| {
            // A panic that was caught leaves tensors as valid as any exception of libtorch does.
            let mut network = network.lock().unwrap_or_else(PoisonError::into_inner);
            context::apply_threads();
            let result = work(&mut network)?;
            Ok((result, network.bytes()))
        };
        self.handle.background(work, convert)
    }
}

impl ObjectFinalize for TorchNetwork {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl TorchNetwork {
    /// A network with initial values drawn from the seed. `device` is where it computes; `mixed` trains in bfloat16 where
    /// PyTorch's autocast has it so.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: NetworkConfig, device: String, mixed: bool) -> napi::Result<Self> {
        let place = Place { device: parse_device(&device).js()?, mixed };
        let network = Network::new(config.try_into().js()?, place).js()?;
        let bytes = network.bytes();
        Ok(Self { handle: Handle::new(env, "network", Mutex::new(network), bytes) })
    }

    /// Trains on the batches of a chunk, one step each.
    #[napi(catch_unwind, ts_return_type = "Promise<ChunkStats>")]
    pub fn train_batches(&self, chunk: Chunk, options: StepOptions) -> napi::Result<Pending<Stats, ChunkStats>> {
        let (chunk, options) = (OwnedChunk::from(chunk), OwnedStepOptions::try_from(options).js()?);
        self.background(
            move |network| network.train_batches(&chunk.chunk(&network.config().head), &options.options()),
            ChunkStats::from,
        )
    }

    /// Scores of the head, as probabilities, row by row in the order given.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn scores(&self, tokens: &[i32], lengths: &[i32]) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (tokens, lengths) = (tokens.to_vec(), lengths.to_vec());
        self.background(move |network| network.predict(&tokens, &lengths), Float32Array::new)
    }

    /// All weights, under PyTorch's names.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        self.background(|network| network.state(), NamedArray::list)
    }

    /// All that a training resumes from, as the kernels' network gives it, with no row behind; with `weights`, also the
    /// weights as `state` gives them.
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

    /// Takes over what `trainingState(false)` gave, of this network or of the kernels'.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn restore(&self, entries: Vec<NamedArray>) -> napi::Result<Pending<(), ()>> {
        let arrays = NamedArray::into_core(entries).js()?;
        self.background(move |network| network.restore(&arrays), |()| ())
    }

    /// Gives some words other vectors, row by row.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn set_word_vectors(&self, words: &[i32], vectors: &[f32]) -> napi::Result<Pending<(), ()>> {
        let (words, vectors) = (words.to_vec(), vectors.to_vec());
        self.background(move |network| network.set_word_vectors(&words, &vectors), |()| ())
    }

    /// Replaces all weights; what differs is listed in one error, and then nothing has changed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn load_state(&self, entries: Vec<NamedArray>) -> napi::Result<Pending<(), ()>> {
        let arrays = NamedArray::into_core(entries).js()?;
        self.background(move |network| network.load_state(&arrays), |()| ())
    }

    /// Lets go of the weights once running work has ended; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
