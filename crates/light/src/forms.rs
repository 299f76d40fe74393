//! Words with their character features, outside the JavaScript heap.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{IntoJs, adjust_external_memory};
use recurra_core::{Error, ErrorCode, Forms, Result};
use recurra_text::{FeatureRoom, Features};

use crate::strings::for_each_token;

/// Options of character features. A word has the same features on every platform.
#[napi(object, object_to_js = false)]
pub struct FormOptions {
    /// Number of hash buckets of features: the number of vectors in the network.
    pub buckets: u32,
    /// Shortest and longest n-gram, in characters, including word borders; 0 for none.
    pub minn: u32,
    pub maxn: u32,
    /// Whether n-grams are taken from the lowercased word.
    pub lowercase: bool,
    /// Whether the shape of the word is a feature: `Xxxx` for a name, `dd` for a number.
    pub shape: bool,
    /// Weight of the shape among a word's features, in `[0, 1)`; 0, the weight of one feature, if omitted.
    pub shape_share: Option<f64>,
}

/// The concatenated features of some forms.
#[napi(object, object_from_js = false)]
pub struct FormFeatures {
    /// End of each form's features. `[forms]`
    pub ends: Uint32Array,
    /// Their numbers, in `[0, buckets)`; repeated if they count several times.
    pub features: Uint32Array,
}

/// Maximum n-gram length. A word of 64 characters has up to this many times as many features.
const MAX_NGRAM: u32 = 16;

/// Maximum weight of the shape, which multiplies the number of features by ten.
const MAX_SHAPE_SHARE: f64 = 0.9;

impl TryFrom<&FormOptions> for Features {
    type Error = Error;

    fn try_from(options: &FormOptions) -> Result<Self> {
        let &FormOptions { buckets, minn, maxn, lowercase, shape, shape_share } = options;
        let shape_share = shape_share.unwrap_or(0.0);
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        if buckets == 0 {
            return fail("subwords.buckets", "subwords.buckets must be at least 1 but is 0".into());
        }
        if maxn > MAX_NGRAM || (maxn > 0 && !(1..=maxn).contains(&minn)) {
            let message = format!(
                "subwords.minn and subwords.maxn must be from 1 to {MAX_NGRAM}, the first not above the second, but are {minn} and {maxn}"
            );
            return fail("subwords.maxn", message);
        }
        if !(0.0..=MAX_SHAPE_SHARE).contains(&shape_share) {
            let message = format!("subwords.shapeShare must be from 0 to {MAX_SHAPE_SHARE} but is {shape_share}");
            return fail("subwords.shapeShare", message);
        }
        Ok(Self { buckets, runs: (minn, maxn), lower: lowercase, shape, shape_share })
    }
}

/// Words with character features: for each, the id of its vocabulary word and the features of its characters. A network
/// with subwords reads their numbers, from 0.
#[napi(custom_finalize)]
pub struct NativeForms {
    features: Features,
    forms: RefCell<Option<Arc<Forms>>>,
    /// Bytes reported to V8.
    counted: Cell<usize>,
}

impl ObjectFinalize for NativeForms {
    fn finalize(self, env: Env) -> napi::Result<()> {
        adjust_external_memory(env, -(self.counted.get() as i64));
        Ok(())
    }
}

impl NativeForms {
    /// The forms, shared with a running reader.
    pub(crate) fn share(&self) -> napi::Result<Arc<Forms>> {
        let closed = || Error::new(ErrorCode::Disposed, "these forms were closed");
        self.forms.borrow().clone().ok_or_else(closed).js()
    }

    fn count(&self, env: Env, bytes: usize) {
        adjust_external_memory(env, bytes as i64 - self.counted.replace(bytes) as i64);
    }
}

#[napi]
impl NativeForms {
    /// An empty list of forms.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: FormOptions) -> napi::Result<Self> {
        let features = Features::try_from(&options).js()?;
        Ok(Self { features, forms: RefCell::new(Some(Arc::default())), counted: Cell::new(0) })
    }

    /// Forms of some words, each with the id of its word in the vocabulary.
    #[napi(factory, catch_unwind, ts_args_type = "words: ReadonlyArray<string>, ids: Int32Array, options: FormOptions")]
    pub fn of(env: Env, words: Array<'_>, ids: &[i32], options: FormOptions) -> napi::Result<Self> {
        let this = Self::new(options)?;
        this.add(env, words, ids)?;
        Ok(this)
    }

    /// Appends forms, on the calling thread: add many words in parts.
    #[napi(catch_unwind, ts_args_type = "words: ReadonlyArray<string>, ids: Int32Array")]
    pub fn add(&self, env: Env, words: Array<'_>, ids: &[i32]) -> napi::Result<()> {
        if words.len() as usize != ids.len() {
            let message = format!("{} words but {} ids", words.len(), ids.len());
            return Err(Error::new(ErrorCode::InvalidShape, message)).js();
        }
        if let Some(at) = ids.iter().position(|&id| id < 0) {
            let message = format!("word {at} has the id {}: expected one of the vocabulary", ids[at]);
            return Err(Error::new(ErrorCode::OutOfRange, message)).js();
        }
        let mut shared = self.share()?;
        // Unless a reader has a reference, the handle's is the only other one.
        drop(self.forms.take());
        let added = match Arc::get_mut(&mut shared) {
            None => Err(Error::new(ErrorCode::InvalidArgument, "these forms are being read")).js(),
            Some(forms) => add(env, forms, self.features, &words, ids),
        };
        let bytes = shared.bytes();
        self.forms.replace(Some(shared));
        self.count(env, bytes);
        added
    }

    /// Number of forms.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> napi::Result<u32> {
        Ok(self.share()?.len() as u32)
    }

    /// The features of the forms in `[start, end)`, copied on the calling thread: read many forms in parts.
    #[napi(catch_unwind)]
    pub fn features(&self, start: u32, end: u32) -> napi::Result<FormFeatures> {
        let forms = self.share()?;
        let (start, end) = (start as usize, end as usize);
        if start > end || end > forms.len() {
            let message = format!("there are {} forms, not those from {start} to {end}", forms.len());
            return Err(Error::new(ErrorCode::OutOfRange, message)).js();
        }
        let (mut ends, mut features) = (Vec::new(), Vec::new());
        for form in start..end {
            features.extend_from_slice(forms.features(form));
            ends.push(features.len() as u32);
        }
        Ok(FormFeatures { ends: ends.into(), features: features.into() })
    }

    /// Frees the memory once it is no longer read; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.forms.take();
        self.count(env, 0);
    }
}

fn add(env: Env, forms: &mut Forms, features: Features, words: &Array<'_>, ids: &[i32]) -> napi::Result<()> {
    let (mut room, mut ids) = (FeatureRoom::default(), ids.iter());
    for_each_token(env, words, |word| {
        let id = ids.next().copied().unwrap_or(-1);
        forms.push(id, features.most(word), |to| features.push(word, &mut room, to)).js()
    })
}
