//! Rows as features, and the training on them.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Background, Handle};
use recurra_linear::{Featurizer, LinearModel, Rows, TrainOptions, refusal};

use super::expert::{LinearExpert, Trained};
use super::labels::Owned;
use super::progress::Progress;

/// Rows as features.
pub struct Counted {
    pub(super) featurizer: Featurizer,
    pub(super) rows: Rows,
}

/// Rows whose n-grams were counted.
#[napi(custom_finalize)]
pub struct LinearRows {
    handle: Handle<Counted>,
    progress: Arc<Progress>,
}

impl ObjectFinalize for LinearRows {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

impl LinearRows {
    pub(super) fn new(env: Env, counted: Counted, progress: Arc<Progress>) -> Self {
        let bytes = counted.rows.bytes();
        Self { handle: Handle::new(env, "list of rows", counted, bytes), progress }
    }
}

/// Options of training a linear model.
#[napi(object, object_to_js = false)]
pub struct LinearOptions {
    /// Number of labels.
    pub classes: u32,
    /// A weight for each label; empty for 1 each.
    pub class_weights: Vec<f64>,
    /// Number of threads; the model does not depend on it.
    pub threads: u32,
    /// Seed of the row order.
    pub seed: f64,
    /// Maximum size of the model in bytes; derived from the number of labels if omitted.
    pub max_bytes: Option<f64>,
}

#[napi]
impl LinearRows {
    /// The reason why no model with this number of labels can be trained on these rows; `null` if it can.
    #[napi(catch_unwind)]
    pub fn refusal(&self, classes: u32) -> napi::Result<Option<String>> {
        let counted = self.handle.get()?;
        Ok(refusal(&counted.rows, classes as usize).map(|refusal| refusal.to_string()))
    }

    /// Trains a model on the rows' labels. With `ends`, each row has any number of labels: those up to its end.
    #[napi(catch_unwind, ts_return_type = "Promise<LinearExpert>")]
    pub fn train(
        &self,
        labels: Uint32Array,
        ends: Option<Uint32Array>,
        options: LinearOptions,
    ) -> napi::Result<AsyncTask<Background<Trained, LinearExpert>>> {
        let (counted, progress) = (self.handle.get()?, self.progress.clone());
        let owned = Owned::new(&labels, ends.as_ref());
        let LinearOptions { classes, class_weights, threads, seed, max_bytes } = options;
        let weights: Vec<f32> = class_weights.iter().map(|&weight| weight as f32).collect();
        let work = move || {
            let options = TrainOptions {
                class_weights: (!weights.is_empty()).then_some(&weights[..]),
                threads: threads as usize,
                seed: seed as u64,
                max_bytes: max_bytes.map(|bytes| bytes as usize),
                abort: Some(&progress.abort),
                progress: Some(&|share| progress.trained(share)),
                ..TrainOptions::default()
            };
            let Counted { featurizer, rows } = &**counted;
            let (model, report) = LinearModel::train(featurizer, rows, owned.labels(), classes as usize, &options)?;
            Ok(Trained { model, report: Some(report) })
        };
        Ok(AsyncTask::new(Background::new(work, |env, trained| Ok(LinearExpert::new(env, trained)))))
    }

    /// Frees the memory.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
