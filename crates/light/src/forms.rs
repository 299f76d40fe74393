//! Words as they are written, with the features of their characters, outside of JavaScript's memory.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{IntoJs, adjust_external_memory};
use recurra_core::{Error, ErrorCode, Forms, Result};
use recurra_text::{FeatureRoom, Features};

use crate::strings::for_each_token;

/// Which features the characters of a word have. The same word has the same ones on every platform.
#[napi(object, object_to_js = false)]
pub struct FormOptions {
    /// Numbers that the features are hashed to, as many as the network has vectors for.
    pub buckets: u32,
    /// Characters of the shortest and the longest run that is a feature, the borders of the word counted; 0 for no runs.
    pub minn: u32,
    pub maxn: u32,
    /// Whether the runs are those of the word in lower case.
    pub lowercase: bool,
    /// Whether the shape of the word is a feature: `Xxxx` for a name, `dd` for a number.
    pub shape: bool,
    /// Share of a word's features that its shape is, from 0 to below 1; 0, once, if left out.
    pub shape_share: Option<f64>,
}

/// The features of some forms, one form after the other.
#[napi(object, object_from_js = false)]
pub struct FormFeatures {
    /// Where the features of each form end. `[forms]`
    pub ends: Uint32Array,
    /// Their numbers, from 0 to below `buckets`; one that counts twice is there twice.
    pub features: Uint32Array,
}

/// Longest run: the features of a word of 64 characters are this many times as many.
const LONGEST_RUN: u32 = 16;

/// Largest share of the shape: there are ten times as many features with it.
const MOST_SHAPE: f64 = 0.9;

impl TryFrom<&FormOptions> for Features {
    type Error = Error;

    fn try_from(options: &FormOptions) -> Result<Self> {
        let &FormOptions { buckets, minn, maxn, lowercase, shape, shape_share } = options;
        let shape_share = shape_share.unwrap_or(0.0);
        let fail = |option, message: String| Err(Error::new(ErrorCode::InvalidArgument, message).about(option));
        if buckets == 0 {
            return fail("subwords.buckets", "subwords.buckets must be at least 1 but is 0".into());
        }
        if maxn > LONGEST_RUN || (maxn > 0 && !(1..=maxn).contains(&minn)) {
            let message = format!(
                "subwords.minn and subwords.maxn must be from 1 to {LONGEST_RUN}, the first not above the second, but are {minn} and {maxn}"
            );
            return fail("subwords.maxn", message);
        }
        if !(0.0..=MOST_SHAPE).contains(&shape_share) {
            let message = format!("subwords.shapeShare must be from 0 to {MOST_SHAPE} but is {shape_share}");
            return fail("subwords.shapeShare", message);
        }
        Ok(Self { buckets, runs: (minn, maxn), lower: lowercase, shape, shape_share })
    }
}

/// Words as they are written: for each the id of its word and the features of its characters. What a network with subwords reads
/// are their numbers, from 0.
#[napi(custom_finalize)]
pub struct NativeForms {
    features: Features,
    forms: RefCell<Option<Arc<Forms>>>,
    /// Bytes that V8 was told of.
    counted: Cell<usize>,
}

impl ObjectFinalize for NativeForms {
    fn finalize(self, env: Env) -> napi::Result<()> {
        adjust_external_memory(env, -(self.counted.get() as i64));
        Ok(())
    }
}

impl NativeForms {
    /// The forms, kept as long as somebody reads them.
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
    /// Without forms yet.
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

    /// Adds forms behind the others. The addition is on the calling thread: of many words a part at a time.
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
        // The handle's own is the only other one unless somebody reads.
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

    /// How many forms there are.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> napi::Result<u32> {
        Ok(self.share()?.len() as u32)
    }

    /// The features of the forms from `start` to below `end`. They are copied on the calling thread: of many forms a part at a time.
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

    /// Lets go of the memory once nobody reads it; doing it again does nothing.
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
