//! A training of word vectors.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ObjectFinalize};
use napi_derive::napi;
use recurra_binding::{Background, Handle, IntoJs, Pending};
use recurra_core::{Error, ErrorCode, Result};
use recurra_vectors::{Kind, Learned, Options, Progress, Trainer};

use super::learned::NativeWordVectors;
use super::{taken, with};

/// Options of learning word vectors.
#[napi(object, object_to_js = false)]
pub struct VectorOptions {
    /// Skip-gram or continuous bag of words.
    #[napi(ts_type = "'skipgram' | 'cbow'")]
    pub model: String,
    /// Size of a vector.
    pub dim: u32,
    /// Maximum distance of nearby words on each side.
    pub window: u32,
    /// Negative samples per word pair.
    pub negatives: u32,
    /// Passes over the texts.
    pub epochs: u32,
    /// The initial learning rate.
    pub lr: f64,
    /// Minimum count of a word that gets a vector.
    pub min_count: u32,
    /// Frequency above which occurrences of a word are dropped at random; 0 keeps all.
    pub subsample: f64,
    /// Shortest subword.
    pub minn: u32,
    /// Longest subword; 0 for none.
    pub maxn: u32,
    /// Number of subword buckets.
    pub buckets: u32,
    /// Number of threads; the result does not depend on it.
    pub threads: u32,
    /// Seed of all random draws.
    pub seed: f64,
}

impl VectorOptions {
    pub(super) fn read(&self) -> Result<Options> {
        Ok(Options {
            kind: match self.model.as_str() {
                "skipgram" => Kind::SkipGram,
                "cbow" => Kind::Cbow,
                other => {
                    let message = format!("there is no model {other:?} of word vectors");
                    return Err(Error::new(ErrorCode::InvalidArgument, message).about("model"));
                }
            },
            dim: self.dim as usize,
            window: self.window,
            negatives: self.negatives as usize,
            epochs: self.epochs,
            rate: self.lr as f32,
            min_count: u64::from(self.min_count),
            subsample: self.subsample,
            subwords: (self.minn, self.maxn),
            buckets: self.buckets,
            threads: self.threads as usize,
            seed: self.seed as u64,
        })
    }
}

/// Progress of a training.
#[napi(object, object_from_js = false)]
pub struct VectorProgress {
    /// Words read so far, over all epochs.
    pub words: f64,
    /// Total number of words of all epochs.
    pub total_words: f64,
    /// Mean loss per word pair since the last report; NaN if none was measured.
    pub loss: f64,
    /// Whether the training is finished.
    pub done: bool,
}

/// A running training of word vectors.
#[napi(custom_finalize)]
pub struct VectorTraining {
    handle: Handle<Mutex<Option<Trainer>>>,
}

impl ObjectFinalize for VectorTraining {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

impl VectorTraining {
    pub(super) fn new(env: Env, trainer: Trainer) -> Self {
        let bytes = trainer.bytes();
        Self { handle: Handle::new(env, "training of word vectors", Mutex::new(Some(trainer)), bytes) }
    }
}

#[napi]
impl VectorTraining {
    /// Learns for about this many milliseconds, off the event loop. The result does not depend on the number of calls.
    #[napi(catch_unwind, ts_return_type = "Promise<VectorProgress>")]
    pub fn run(&self, milliseconds: u32) -> napi::Result<Pending<(Progress, bool), VectorProgress>> {
        let time = Duration::from_millis(u64::from(milliseconds));
        let work = move |place: &Mutex<Option<Trainer>>| {
            with(place, |trainer| {
                let began = Instant::now();
                while !trainer.done() {
                    trainer.step()?;
                    if began.elapsed() >= time {
                        break;
                    }
                }
                Ok(((trainer.progress(), trainer.done()), trainer.bytes()))
            })
        };
        self.handle.background(work, |(progress, done)| VectorProgress {
            words: progress.words as f64,
            total_words: progress.of as f64,
            loss: progress.loss,
            done,
        })
    }

    /// Ends the training and returns the words with their vectors.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeWordVectors>")]
    pub fn finish(&self, env: Env) -> napi::Result<AsyncTask<Background<Learned, NativeWordVectors>>> {
        let trainer = taken(&*self.handle.get()?).js()?;
        self.handle.close(env);
        let made = |env, learned| Ok(NativeWordVectors::new(env, learned));
        Ok(AsyncTask::new(Background::new(move || trainer.finish(), made)))
    }

    /// Frees the memory once running work has ended; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
