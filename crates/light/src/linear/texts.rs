//! The training texts: counts them and predicts for them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, Float32Array, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Background, Handle, Pending};
use recurra_core::{Error, ErrorCode};
use recurra_linear::{Counter, FeatureOptions};

use super::expert::LinearExpert;
use super::locked;
use super::progress::Progress;
use super::rows::{Counted, LinearRows};
use super::store::Store;

/// Texts counted between two checks of the abort flag.
const TEXTS_A_LOOK: usize = 4_000;

/// The texts of a training, outside of the JavaScript heap.
#[napi(custom_finalize)]
pub struct LinearTexts {
    handle: Handle<Mutex<Store>>,
    progress: Arc<Progress>,
}

impl ObjectFinalize for LinearTexts {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl LinearTexts {
    /// An empty list of texts.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        Self { handle: Handle::new(env, "list of texts", Mutex::default(), 0), progress: Arc::default() }
    }

    /// Adds texts.
    #[napi(catch_unwind, ts_args_type = "texts: ReadonlyArray<string>")]
    pub fn add(&self, env: Env, texts: Array<'_>) -> napi::Result<()> {
        let store = self.handle.get()?;
        locked(&store, |store| store.push(env, &texts))?;
        let bytes = locked(&store, |store| store.bytes());
        store.count(env, bytes);
        Ok(())
    }

    /// Aborts running work on these texts and on data derived from them, with an error of code `ABORTED`.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        self.progress.abort.store(true, Ordering::Relaxed);
    }

    /// Progress of counting and training, from 0 to 1.
    #[napi(getter, catch_unwind)]
    pub fn progress(&self) -> f64 {
        f64::from(self.progress.share())
    }

    /// Counts the n-grams of some rows, or of all.
    ///
    /// Rejects with `INVALID_ARGUMENT` if the texts have none.
    #[napi(catch_unwind, ts_return_type = "Promise<LinearRows>")]
    pub fn count(
        &self,
        rows: Option<Uint32Array>,
        threads: u32,
    ) -> napi::Result<AsyncTask<Background<Counted, LinearRows>>> {
        let (store, progress) = (self.handle.get()?, self.progress.clone());
        let rows = rows.map(|rows| rows.to_vec());
        let told = self.progress.clone();
        let work = move || {
            locked(&store, |store| {
                let texts = store.some(rows.as_deref())?;
                let mut counter = Counter::new(FeatureOptions::default(), threads as usize)?;
                for part in texts.chunks(TEXTS_A_LOOK) {
                    if told.abort.load(Ordering::Relaxed) {
                        return Err(Error::new(ErrorCode::Aborted, "the counting was aborted"));
                    }
                    counter.add(part)?;
                    told.counted(counter.rows() as f32 / texts.len() as f32);
                }
                let (featurizer, rows) = counter.finish()?;
                Ok(Counted { featurizer, rows })
            })
        };
        let made = move |env, counted| Ok(LinearRows::new(env, counted, progress));
        Ok(AsyncTask::new(Background::new(work, made)))
    }

    /// A model's log-probabilities for some or all rows, row by row.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn log_probabilities(
        &self,
        model: &LinearExpert,
        rows: Option<Uint32Array>,
        threads: u32,
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let store = self.handle.get()?;
        let rows = rows.map(|rows| rows.to_vec());
        model.with_model(move |model| {
            locked(&store, |store| Ok(model.predict(&store.some(rows.as_deref())?, threads as usize)))
        })
    }

    /// Frees the memory.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
