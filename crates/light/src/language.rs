//! Writes and scores texts with a network, on libuv's pool.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Float32Array, Float64Array, Int32Array};
use napi_derive::napi;
use recurra_binding::{IntoJs, Pending};
use recurra_core::{Result, guard};
use recurra_kernels::generate::{Beams, Found, Generation, Sampling, Search};
use recurra_kernels::network::{Network, Stream};

use crate::network::CpuNetwork;

/// Sampling options: how the next unit is chosen.
#[napi(object, object_to_js = false)]
pub struct SamplingOptions {
    /// Divisor of the scores; 0 takes the most probable unit.
    pub temperature: f64,
    /// Only this many of the most probable units may be drawn; 0 for all.
    pub top_k: u32,
    /// Draws only from the smallest set of most probable units whose probabilities add up to at least this.
    pub top_p: f64,
    /// Positive scores of recent units are divided by it, negative ones multiplied; 1 for no penalty.
    pub repetition_penalty: f64,
    /// Units that are never chosen.
    pub never: Vec<u32>,
    /// The unit that ends a text; none if omitted.
    pub end: Option<u32>,
    /// Seed of the draws.
    pub seed: f64,
}

/// A text in progress: the units read and written so far.
#[napi]
pub struct WrittenText {
    generation: Arc<Mutex<Generation>>,
}

#[napi]
impl WrittenText {
    /// An empty text.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: SamplingOptions) -> napi::Result<Self> {
        let SamplingOptions { temperature, top_k, top_p, repetition_penalty, never, end, seed } = options;
        let sampling = Sampling { temperature, top_k: top_k as usize, top_p, repetition_penalty, never };
        let generation = guard(|| Generation::new(sampling, seed as u64, end)).js()?;
        Ok(Self { generation: Arc::new(Mutex::new(generation)) })
    }
}

/// Options of the search for the most probable continuation.
#[napi(object, object_to_js = false)]
pub struct SearchOptions {
    /// Beams kept at each step.
    pub beam_size: u32,
    /// A text's log-probability is divided by its length to this power.
    pub length_penalty: f64,
    /// Units that are never chosen.
    pub never: Vec<u32>,
    /// The unit that ends a text; none if omitted.
    pub end: Option<u32>,
}

/// A text whose most probable continuation is searched for.
#[napi]
pub struct SearchedText {
    beams: Arc<Mutex<Beams>>,
}

#[napi]
impl SearchedText {
    /// An empty text.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: SearchOptions) -> napi::Result<Self> {
        let SearchOptions { beam_size, length_penalty, never, end } = options;
        let options = Search { width: beam_size as usize, length_penalty, never, end };
        let beams = guard(|| Beams::new(options)).js()?;
        Ok(Self { beams: Arc::new(Mutex::new(beams)) })
    }
}

/// The best continuation so far.
#[napi(object, object_from_js = false)]
pub struct FoundText {
    /// Its units, without the end unit.
    pub units: Int32Array,
    /// Their log-probability, including that of the end if it has ended.
    pub log_probability: f64,
    /// Whether no further step can find a better one.
    pub ended: bool,
}

/// The same, before it becomes JavaScript values.
pub struct Best(Found, bool);

/// The state of a network that scores a text.
#[napi]
pub struct ReadText {
    stream: Arc<Mutex<Stream>>,
}

#[napi]
impl ReadText {
    /// An empty text.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript has no Default")]
    pub fn new() -> Self {
        Self { stream: Arc::default() }
    }
}

/// Further units of a text.
#[napi(object, object_from_js = false)]
pub struct WrittenUnits {
    /// The units.
    pub units: Int32Array,
    /// Whether the text has ended.
    pub ended: bool,
}

/// The same, before it becomes JavaScript values.
pub struct Written(Vec<i32>, bool);

#[napi]
impl CpuNetwork {
    /// Reads units of a text, then writes up to `count` more. Units that were written before are already read.
    #[napi(catch_unwind, ts_return_type = "Promise<WrittenUnits>")]
    pub fn write_text(
        &self,
        text: &WrittenText,
        units: &[i32],
        count: u32,
    ) -> napi::Result<Pending<Written, WrittenUnits>> {
        let (generation, units) = (text.generation.clone(), units.to_vec());
        let work = move |network: &Network| -> Result<Written> {
            let mut generation = generation.lock().unwrap_or_else(PoisonError::into_inner);
            generation.read(network, &units)?;
            let units = generation.write(network, count as usize)?;
            Ok(Written(units, generation.ended()))
        };
        self.background(work, |Written(units, ended)| WrittenUnits { units: Int32Array::new(units), ended })
    }

    /// Reads units of a text (only before the first step), then runs up to `count` search steps.
    #[napi(catch_unwind, ts_return_type = "Promise<FoundText>")]
    pub fn search_text(
        &self,
        text: &SearchedText,
        units: &[i32],
        count: u32,
    ) -> napi::Result<Pending<Best, FoundText>> {
        let (beams, units) = (text.beams.clone(), units.to_vec());
        let work = move |network: &Network| -> Result<Best> {
            let mut beams = beams.lock().unwrap_or_else(PoisonError::into_inner);
            if !units.is_empty() {
                beams.read(network, &units)?;
            }
            beams.search(network, count as usize)?;
            Ok(Best(beams.best(), beams.ended()))
        };
        self.background(work, |Best(Found { units, log_probability, .. }, ended)| FoundText {
            units: Int32Array::new(units),
            log_probability,
            ended,
        })
    }

    /// Reads units of a text. Returns for each one the log-probability that its target is the next unit.
    #[napi(catch_unwind, ts_return_type = "Promise<Float64Array>")]
    pub fn log_probabilities(
        &self,
        text: &ReadText,
        units: &[i32],
        targets: &[i32],
    ) -> napi::Result<Pending<Vec<f64>, Float64Array>> {
        let (stream, units, targets) = (text.stream.clone(), units.to_vec(), targets.to_vec());
        let work = move |network: &Network| {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            network.log_probabilities(&mut stream, &units, &targets)
        };
        self.background(work, Float64Array::new)
    }

    /// The mean output of the last layer over the units of each text, `[texts, hidden_size]`.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn embed_texts(&self, units: &[i32], lengths: &[i32]) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let (units, lengths) = (units.to_vec(), lengths.to_vec());
        self.background(move |network: &Network| network.embed(&units, &lengths), Float32Array::new)
    }
}
