//! A trained linear model.

use std::sync::Mutex;

use napi::bindgen_prelude::{Array, AsyncTask, Float32Array, Float32ArraySlice, ObjectFinalize, Uint32Array};
use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::objects::NamedArray;
use recurra_binding::{Background, Handle, IntoJs, Pending};
use recurra_core::{self as core, Error, ErrorCode, Result, guard};
use recurra_linear as linear;
use recurra_linear::{LinearModel, Report, Room};

use super::locked;
use super::mix::LinearMix;
use super::store::Store;
use crate::safetensors_file::HeldTensors;
use crate::strings::read;

/// UTF-16 units above which a text is not scored synchronously.
const SHORT: usize = 4_096;

/// A model, and reusable buffers for a text.
struct Expert {
    model: LinearModel,
    room: Mutex<Option<Room>>,
    /// The training's report, until it is taken.
    report: Mutex<Option<Report>>,
}

/// A model, with the training's report if it was just trained.
pub struct Trained {
    pub(super) model: LinearModel,
    pub(super) report: Option<Report>,
}

impl Expert {
    /// Mixes the probabilities of one text, in place.
    fn refine(&self, mix: linear::Mix, text: &str, probabilities: &mut [f32]) {
        locked(&self.room, |room| {
            let room = room.get_or_insert_with(|| self.model.room());
            let mut logs = vec![0.0; self.model.classes()];
            self.model.predict_with(room, text, &mut logs);
            mix.refine(probabilities, &logs, self.model.classes(), self.model.several());
        });
    }
}

fn fitting(rows: usize, classes: usize, given: usize) -> Result<()> {
    if rows.checked_mul(classes) == Some(given) {
        return Ok(());
    }
    let message = format!("{rows} texts of {classes} labels need as many scores, not {given}");
    Err(Error::new(ErrorCode::InvalidShape, message))
}

/// A trained linear model.
#[napi(custom_finalize)]
pub struct LinearExpert {
    handle: Handle<Expert>,
}

impl ObjectFinalize for LinearExpert {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

impl LinearExpert {
    pub(super) fn new(env: Env, Trained { model, report }: Trained) -> Self {
        let bytes = model.bytes();
        let expert = Expert { model, room: Mutex::default(), report: Mutex::new(report) };
        Self { handle: Handle::new(env, "linear model", expert, bytes) }
    }

    /// Computes numbers with the model, off the event loop.
    pub(super) fn with_model(
        &self,
        work: impl FnOnce(&LinearModel) -> Result<Vec<f32>> + Send + 'static,
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let work = move |expert: &Expert| Ok((work(&expert.model)?, expert.model.bytes()));
        self.handle.background(work, Float32Array::new)
    }
}

#[napi]
impl LinearExpert {
    /// Number of labels.
    #[napi(getter, catch_unwind)]
    pub fn classes(&self) -> napi::Result<u32> {
        Ok(self.handle.get()?.model.classes() as u32)
    }

    /// Whether a text may have several labels.
    #[napi(getter, catch_unwind)]
    pub fn multi_label(&self) -> napi::Result<bool> {
        Ok(self.handle.get()?.model.several())
    }

    /// Mixes a network's probabilities for one text with the model's, synchronously and in place. Returns false for a
    /// text that is too long for the event loop.
    #[napi(catch_unwind, ts_args_type = "text: string, probabilities: Float32Array, mix: LinearMix")]
    pub fn mix_now(
        &self,
        env: Env,
        text: Unknown<'_>,
        mut probabilities: Float32ArraySlice<'_>,
        mix: LinearMix,
    ) -> napi::Result<bool> {
        let expert = self.handle.get()?;
        let mut units = Vec::new();
        read(env, text.raw(), &mut units)?;
        if units.len() > SHORT {
            return Ok(false);
        }
        // SAFETY: JavaScript waits for this call, and nothing else uses the array.
        let to = unsafe { probabilities.as_mut() };
        guard(|| {
            fitting(1, expert.model.classes(), to.len())?;
            expert.refine(mix.into(), &String::from_utf16_lossy(&units), to);
            Ok(true)
        })
        .js()
    }

    /// Like `mixNow` for many texts, off the event loop: returns the mixed probabilities, text by text.
    #[napi(
        catch_unwind,
        ts_args_type = "texts: ReadonlyArray<string>, probabilities: Float32Array, mix: LinearMix, threads: number",
        ts_return_type = "Promise<Float32Array>"
    )]
    pub fn mix(
        &self,
        env: Env,
        texts: Array<'_>,
        probabilities: Float32Array,
        mix: LinearMix,
        threads: u32,
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let mut store = Store::default();
        store.push(env, &texts)?;
        let mut probabilities = probabilities.to_vec();
        let work = move |expert: &Expert| {
            let (texts, model) = (store.some(None)?, &expert.model);
            fitting(texts.len(), model.classes(), probabilities.len())?;
            let logs = model.predict(&texts, threads as usize);
            linear::Mix::from(mix).refine(&mut probabilities, &logs, model.classes(), model.several());
            Ok((probabilities, model.bytes()))
        };
        self.handle.background(work, Float32Array::new)
    }

    /// Contributions of parts of a text to a label's score. `spans` has the start and the exclusive end of each part in
    /// UTF-16 units, alternating.
    #[napi(
        catch_unwind,
        ts_args_type = "text: string, label: number, spans: Uint32Array",
        ts_return_type = "Promise<LinearExplanation>"
    )]
    pub fn explain(
        &self,
        env: Env,
        text: Unknown<'_>,
        label: u32,
        spans: Uint32Array,
    ) -> napi::Result<Pending<(f32, Vec<f32>), LinearExplanation>> {
        let mut units = Vec::new();
        read(env, text.raw(), &mut units)?;
        let spans = spans.to_vec();
        let work = move |expert: &Expert| {
            let (text, begins) = with_begins(&units);
            let explanation = expert.model.explain(&text, label as usize)?;
            let byte = |unit: u32| begins[(unit as usize).min(units.len())];
            let of = |&[from, to]: &[u32; 2]| explanation.of(byte(from)..byte(to));
            let contributions = spans.as_chunks().0.iter().map(of).collect();
            Ok(((explanation.score(), contributions), expert.model.bytes()))
        };
        self.handle.background(work, |(score, contributions)| LinearExplanation {
            score: f64::from(score),
            contributions: Float32Array::new(contributions),
        })
    }

    /// Predictions for at most `most` held-out rows, by models that were not trained on them. `null` for a model that
    /// was not just trained, and on a second call.
    #[napi(catch_unwind)]
    pub fn take_held_out(&self, most: u32) -> napi::Result<Option<LinearHeldOut>> {
        let expert = self.handle.get()?;
        let report = locked(&expert.report, Option::take);
        Ok(report.map(|report| {
            let (rows, logs) = report.some_held_out(most as usize);
            LinearHeldOut {
                rows: Uint32Array::new(rows),
                log_probabilities: Float32Array::new(logs),
                unexplained: report.unexplained,
            }
        }))
    }

    /// The model as arrays with the prefix `linear.`.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        let work = |expert: &Expert| Ok((expert.model.to_arrays(), expert.model.bytes()));
        self.handle.background(work, NamedArray::list)
    }

    /// Frees the memory once running work has ended; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}

/// A training's predictions for held-out rows.
#[napi(object, object_from_js = false)]
pub struct LinearHeldOut {
    /// Indices of the rows.
    pub rows: Uint32Array,
    /// Their log-probabilities, `[rows, labels]`.
    pub log_probabilities: Float32Array,
    /// The log loss of all held-out rows, relative to that of predicting label frequencies.
    pub unexplained: f64,
}

/// The contributions to a label's score.
#[napi(object, object_from_js = false)]
pub struct LinearExplanation {
    /// The score that determines the probability: positive values are evidence for the label.
    pub score: f64,
    /// The contribution of each part.
    pub contributions: Float32Array,
}

/// A text in UTF-8, and for each UTF-16 unit the start byte of its character, followed by the text's length.
fn with_begins(units: &[u16]) -> (String, Vec<usize>) {
    let (mut text, mut begins) = (String::with_capacity(units.len()), Vec::with_capacity(units.len() + 1));
    for character in char::decode_utf16(units.iter().copied()) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        begins.extend((0..character.len_utf16()).map(|_| text.len()));
        text.push(character);
    }
    begins.push(text.len());
    (text, begins)
}

/// Takes the model's arrays out of a file.
///
/// Rejects with `INVALID_FILE` for missing or damaged arrays.
#[napi(catch_unwind, ts_return_type = "Promise<LinearExpert>")]
pub fn take_linear(file: &HeldTensors) -> AsyncTask<Background<Trained, LinearExpert>> {
    let arrays = file.take_some("linear.");
    let work = move || Ok(Trained { model: LinearModel::from_arrays(&arrays)?, report: None });
    AsyncTask::new(Background::new(work, |env, trained| Ok(LinearExpert::new(env, trained))))
}
