//! The linear model beside a network: trained and asked on libuv's pool, for a short text at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Array, AsyncTask, Float32Array, Float32ArraySlice, ObjectFinalize, Uint32Array};
use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::objects::NamedArray;
use recurra_binding::{Background, Handle, IntoJs, Pending};
use recurra_core::{self as core, Error, ErrorCode, Result, guard};
use recurra_linear as linear;
use recurra_linear::{Counter, FeatureOptions, Featurizer, Labels, LinearModel, Room, Rows, TrainOptions, refusal};

use crate::safetensors_file::HeldTensors;
use crate::strings::{read, utf8};

/// Texts that are counted between two looks at whether the work is still wanted.
const TEXTS_A_LOOK: usize = 10_000;

/// UTF-16 units above which a text is not scored at once.
const SHORT: usize = 4_096;

fn locked<T, R>(place: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut place.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Texts in UTF-8, one after the other.
#[derive(Default)]
struct Store {
    text: String,
    ends: Vec<usize>,
}

impl Store {
    fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// The texts of some rows, or of all.
    fn some(&self, rows: Option<&[u32]>) -> Result<Vec<&str>> {
        let text = |row: usize| {
            let outside = || Error::new(ErrorCode::OutOfRange, format!("there is no row {row} of {}", self.ends.len()));
            self.get(row).ok_or_else(outside)
        };
        match rows {
            Some(rows) => rows.iter().map(|&row| text(row as usize)).collect(),
            None => (0..self.ends.len()).map(text).collect(),
        }
    }

    fn push(&mut self, env: Env, texts: &Array<'_>) -> napi::Result<()> {
        utf8(env, texts, |text| {
            self.text.push_str(text);
            self.ends.push(self.text.len());
        })
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

/// The texts of a training, outside of JavaScript's memory.
#[napi(custom_finalize)]
pub struct LinearTexts {
    handle: Handle<Mutex<Store>>,
    abort: Arc<AtomicBool>,
}

impl ObjectFinalize for LinearTexts {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl LinearTexts {
    /// None yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        Self { handle: Handle::new(env, "list of texts", Mutex::default(), 0), abort: Arc::default() }
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

    /// Ends the work that is under way on these texts, and on what was made of them, with an error of code `ABORTED`.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
    }

    /// Counts the n-grams of some rows, or of all.
    ///
    /// Rejects with `INVALID_ARGUMENT` where the texts have none.
    #[napi(catch_unwind, ts_return_type = "Promise<LinearRows>")]
    pub fn count(
        &self,
        rows: Option<Uint32Array>,
        threads: u32,
    ) -> napi::Result<AsyncTask<Background<Counted, LinearRows>>> {
        let (store, abort) = (self.handle.get()?, self.abort.clone());
        let rows = rows.map(|rows| rows.to_vec());
        let ended = self.abort.clone();
        let work = move || {
            locked(&store, |store| {
                let texts = store.some(rows.as_deref())?;
                let mut counter = Counter::new(FeatureOptions::default(), threads as usize)?;
                for texts in texts.chunks(TEXTS_A_LOOK) {
                    if ended.load(Ordering::Relaxed) {
                        return Err(Error::new(ErrorCode::Aborted, "the counting was aborted"));
                    }
                    counter.add(texts)?;
                }
                let (featurizer, rows) = counter.finish()?;
                Ok(Counted { featurizer, rows })
            })
        };
        let made = move |env, counted: Counted| {
            let bytes = counted.rows.bytes();
            Ok(LinearRows { handle: Handle::new(env, "list of rows", counted, bytes), abort })
        };
        Ok(AsyncTask::new(Background::new(work, made)))
    }

    /// Frees the memory.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}

/// Rows as features.
pub struct Counted {
    featurizer: Featurizer,
    rows: Rows,
}

/// Rows whose n-grams were counted.
#[napi(custom_finalize)]
pub struct LinearRows {
    handle: Handle<Counted>,
    abort: Arc<AtomicBool>,
}

impl ObjectFinalize for LinearRows {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

/// Labels of rows; with `ends` any number for each.
struct Owned {
    labels: Vec<u32>,
    ends: Option<Vec<usize>>,
}

impl Owned {
    fn new(labels: &Uint32Array, ends: Option<&Uint32Array>) -> Self {
        let ends = ends.map(|ends| ends.iter().map(|&end| end as usize).collect());
        Self { labels: labels.to_vec(), ends }
    }

    fn labels(&self) -> Labels<'_> {
        match &self.ends {
            Some(ends) => Labels::Many { labels: &self.labels, ends },
            None => Labels::One(&self.labels),
        }
    }
}

/// How a linear model is trained.
#[napi(object, object_to_js = false)]
pub struct LinearOptions {
    /// Number of labels.
    pub classes: u32,
    /// A weight for each label, or none for 1 each.
    pub class_weights: Vec<f64>,
    /// Threads of the work, on which the model does not depend.
    pub threads: u32,
    /// Seed of the order of rows.
    pub seed: f64,
}

#[napi]
impl LinearRows {
    /// Why no model of so many labels is trained on these rows; `null` where one is.
    #[napi(catch_unwind)]
    pub fn refusal(&self, classes: u32) -> napi::Result<Option<String>> {
        let counted = self.handle.get()?;
        Ok(refusal(&counted.rows, classes as usize).map(|refusal| refusal.to_string()))
    }

    /// Trains a model on the rows' labels; with `ends` a row has those that end there.
    #[napi(catch_unwind, ts_return_type = "Promise<LinearExpert>")]
    pub fn train(
        &self,
        labels: Uint32Array,
        ends: Option<Uint32Array>,
        options: LinearOptions,
    ) -> napi::Result<AsyncTask<Background<LinearModel, LinearExpert>>> {
        let (counted, abort) = (self.handle.get()?, self.abort.clone());
        let owned = Owned::new(&labels, ends.as_ref());
        let LinearOptions { classes, class_weights, threads, seed } = options;
        let weights: Vec<f32> = class_weights.iter().map(|&weight| weight as f32).collect();
        let work = move || {
            let options = TrainOptions {
                class_weights: (!weights.is_empty()).then_some(&weights[..]),
                threads: threads as usize,
                seed: seed as u64,
                abort: Some(&abort),
                ..TrainOptions::default()
            };
            let Counted { featurizer, rows } = &**counted;
            LinearModel::train(featurizer, rows, owned.labels(), classes as usize, &options).map(|(model, _)| model)
        };
        Ok(AsyncTask::new(Background::new(work, |env, model| Ok(LinearExpert::new(env, model)))))
    }

    /// Frees the memory.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}

/// How the probabilities of a network and of a linear model become one model's.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct LinearMix {
    /// The network's share, from 0 to 1.
    pub network: f64,
    /// One over the temperature.
    pub sharpness: f64,
}

impl From<LinearMix> for linear::Mix {
    fn from(LinearMix { network, sharpness }: LinearMix) -> Self {
        Self { network: network as f32, sharpness: sharpness as f32 }
    }
}

impl From<linear::Mix> for LinearMix {
    fn from(linear::Mix { network, sharpness }: linear::Mix) -> Self {
        // The shortest decimal that leads back to the same single: 0.3 rather than 0.30000001192.
        let short = |value: f32| value.to_string().parse().unwrap_or_else(|_| f64::from(value));
        Self { network: short(network), sharpness: short(sharpness) }
    }
}

/// The mix where there are no rows to choose one by.
#[napi(catch_unwind)]
pub fn usual_mix() -> LinearMix {
    linear::Mix::USUAL.into()
}

/// A mix, and what it makes of the rows that it was chosen by.
#[napi(object, object_from_js = false)]
pub struct ChosenMix {
    /// The mix.
    pub mix: LinearMix,
    /// Probabilities of the rows, row by row.
    pub probabilities: Float32Array,
}

/// Chooses how a network and a linear model are mixed, by the network's probabilities and the linear model's log-probabilities of
/// rows that neither was trained on; labels as in `train`.
#[napi(catch_unwind, ts_return_type = "Promise<ChosenMix>")]
pub fn choose_mix(
    network: Float32Array,
    linear: Float32Array,
    classes: u32,
    labels: Uint32Array,
    ends: Option<Uint32Array>,
) -> AsyncTask<Background<(linear::Mix, Vec<f32>), ChosenMix>> {
    let (mut network, linear) = (network.to_vec(), linear.to_vec());
    let owned = Owned::new(&labels, ends.as_ref());
    let work = move || {
        let (classes, labels) = (classes as usize, owned.labels());
        let (mix, _) = linear::Mix::choose_by(&network, &linear, classes, labels)?;
        mix.refine(&mut network, &linear, classes, labels.several());
        Ok((mix, network))
    };
    let chosen = |_, (mix, probabilities): (linear::Mix, Vec<f32>)| {
        Ok(ChosenMix { mix: mix.into(), probabilities: Float32Array::new(probabilities) })
    };
    AsyncTask::new(Background::new(work, chosen))
}

/// A model, and room for one text after the other.
struct Expert {
    model: LinearModel,
    room: Mutex<Option<Room>>,
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
    fn new(env: Env, model: LinearModel) -> Self {
        let bytes = model.bytes();
        Self { handle: Handle::new(env, "linear model", Expert { model, room: Mutex::default() }, bytes) }
    }
}

#[napi]
impl LinearExpert {
    /// Number of labels.
    #[napi(getter, catch_unwind)]
    pub fn classes(&self) -> napi::Result<u32> {
        Ok(self.handle.get()?.model.classes() as u32)
    }

    /// Whether a text may have several.
    #[napi(getter, catch_unwind)]
    pub fn multi_label(&self) -> napi::Result<bool> {
        Ok(self.handle.get()?.model.several())
    }

    /// Log-probabilities of some rows, or of all, row by row.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn log_probabilities(
        &self,
        texts: &LinearTexts,
        rows: Option<Uint32Array>,
        threads: u32,
    ) -> napi::Result<Pending<Vec<f32>, Float32Array>> {
        let store = texts.handle.get()?;
        let rows = rows.map(|rows| rows.to_vec());
        let work = move |expert: &Expert| {
            let logs =
                locked(&store, |store| Ok(expert.model.predict(&store.some(rows.as_deref())?, threads as usize)))?;
            Ok((logs, expert.model.bytes()))
        };
        self.handle.background(work, Float32Array::new)
    }

    /// Mixes a network's probabilities of one text with the model's at once, in place; false for a text that is too long for
    /// the event loop.
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
        // SAFETY: JavaScript waits for this call, and gives the array to nobody else.
        let to = unsafe { probabilities.as_mut() };
        guard(|| {
            fitting(1, expert.model.classes(), to.len())?;
            expert.refine(mix.into(), &String::from_utf16_lossy(&units), to);
            Ok(true)
        })
        .js()
    }

    /// The same for many texts, away from the event loop: gives the mixed probabilities, text by text.
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

    /// What parts of a text contribute to a label's score. `spans` has the first UTF-16 unit of each part and the one behind its
    /// last, part after part.
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

    /// The model as arrays, whose names begin with `linear.`.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NamedArray>>")]
    pub fn state(&self) -> napi::Result<Pending<Vec<core::NamedArray>, Vec<NamedArray>>> {
        let work = |expert: &Expert| {
            let arrays = expert.model.to_arrays().into_iter().map(|array| core::NamedArray {
                name: array.name,
                dtype: to_core(array.dtype),
                shape: array.shape,
                data: array.data,
            });
            Ok((arrays.collect(), expert.model.bytes()))
        };
        self.handle.background(work, NamedArray::list)
    }

    /// Frees the memory once running work has ended; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}

/// Where a label's score comes from.
#[napi(object, object_from_js = false)]
pub struct LinearExplanation {
    /// The score, from which the probability is made: above 0 speaks for the label.
    pub score: f64,
    /// What each part adds to it.
    pub contributions: Float32Array,
}

/// A text in UTF-8, and at which byte the character of each UTF-16 unit begins; at last where the text ends.
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

/// The model whose arrays a file holds, which are taken out of it.
///
/// Rejects with `INVALID_FILE` for arrays that are missing or damaged.
#[napi(catch_unwind, ts_return_type = "Promise<LinearExpert>")]
pub fn take_linear(file: &HeldTensors) -> AsyncTask<Background<LinearModel, LinearExpert>> {
    let arrays = file.take_some("linear.");
    let work = move || {
        let arrays: Vec<_> = arrays.into_iter().map(of_core).collect::<Result<_>>()?;
        LinearModel::from_arrays(&arrays)
    };
    AsyncTask::new(Background::new(work, |env, model| Ok(LinearExpert::new(env, model))))
}

const fn to_core(dtype: linear::Dtype) -> core::Dtype {
    match dtype {
        linear::Dtype::U8 => core::Dtype::Uint8,
        linear::Dtype::I8 => core::Dtype::Int8,
        linear::Dtype::U32 => core::Dtype::Uint32,
        linear::Dtype::F32 => core::Dtype::Float32,
    }
}

fn of_core(core::NamedArray { name, dtype, shape, data }: core::NamedArray) -> Result<linear::Array> {
    let dtype = match dtype {
        core::Dtype::Uint8 => linear::Dtype::U8,
        core::Dtype::Int8 => linear::Dtype::I8,
        core::Dtype::Uint32 => linear::Dtype::U32,
        core::Dtype::Float32 => linear::Dtype::F32,
        other => {
            let message = format!("array {name} has the dtype {}, which no linear model has", other.name());
            return Err(Error::new(ErrorCode::InvalidFile, message));
        }
    };
    Ok(linear::Array { name, dtype, shape, data })
}
