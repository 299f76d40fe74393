//! Vocabularies outside the JavaScript heap.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use napi::bindgen_prelude::{Array, AsyncTask, Int32Array, ObjectFinalize, Uint32Array};
use napi::{Env, JsString, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs, adjust_external_memory};
use recurra_core::{Error, ErrorCode, Result};
use recurra_text::{BuildOptions, Built, Full, Vocabulary, build, push_units};

use crate::strings::{for_each_token, read, token_string};

pub(crate) fn full(_: Full) -> Error {
    let message = "the distinct tokens of the texts exceed 4 GiB in total";
    Error::new(ErrorCode::OutOfRange, message)
}

/// The tokens of a model, outside the JavaScript heap.
#[napi(custom_finalize)]
pub struct NativeVocabulary {
    vocabulary: RefCell<Arc<Vocabulary>>,
    /// Bytes reported to V8.
    counted: Cell<usize>,
}

impl ObjectFinalize for NativeVocabulary {
    fn finalize(self, env: Env) -> napi::Result<()> {
        adjust_external_memory(env, -(self.counted.get() as i64));
        Ok(())
    }
}

impl NativeVocabulary {
    pub(crate) fn from(env: Env, vocabulary: Vocabulary) -> Self {
        let this = Self { vocabulary: RefCell::new(Arc::new(vocabulary)), counted: Cell::new(0) };
        this.count(env);
        this
    }

    pub(crate) fn share(&self) -> Arc<Vocabulary> {
        self.vocabulary.borrow().clone()
    }

    fn count(&self, env: Env) {
        let bytes = self.vocabulary.borrow().bytes();
        adjust_external_memory(env, bytes as i64 - self.counted.replace(bytes) as i64);
    }
}

#[napi]
impl NativeVocabulary {
    /// An empty vocabulary.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        Self::from(env, Vocabulary::default())
    }

    /// Appends tokens; only before texts are read with the vocabulary.
    #[napi(catch_unwind, ts_args_type = "tokens: ReadonlyArray<string>")]
    pub fn add(&self, env: Env, tokens: Array<'_>) -> napi::Result<()> {
        let mut shared = self.vocabulary.borrow_mut();
        let in_use = || Error::new(ErrorCode::InvalidArgument, "this vocabulary is already in use");
        let vocabulary = Arc::get_mut(&mut shared).ok_or_else(in_use).js()?;
        for_each_token(env, &tokens, |token| {
            let twice = |_| Error::new(ErrorCode::InvalidArgument, "a token appears twice");
            vocabulary.add(token).map_err(twice).js()
        })?;
        drop(shared);
        self.count(env);
        Ok(())
    }

    /// Number of tokens.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> u32 {
        self.vocabulary.borrow().len() as u32
    }

    /// Total size of all tokens as UTF-8, in bytes.
    #[napi(getter, catch_unwind)]
    pub fn text_bytes(&self) -> f64 {
        self.vocabulary.borrow().text_bytes() as f64
    }

    /// Index of a token; -1 for an unknown one.
    #[napi(catch_unwind, ts_args_type = "token: string")]
    pub fn get(&self, env: Env, token: Unknown<'_>) -> napi::Result<i32> {
        let (mut text, mut bytes) = (Vec::new(), Vec::new());
        read(env, token.raw(), &mut text)?;
        push_units(&mut bytes, &text);
        Ok(self.vocabulary.borrow().get(&bytes).map_or(-1, |index| index as i32))
    }

    /// Indices of tokens; -1 for unknown ones.
    #[napi(catch_unwind, ts_args_type = "tokens: ReadonlyArray<string>")]
    pub fn encode(&self, env: Env, tokens: Array<'_>) -> napi::Result<Int32Array> {
        let vocabulary = self.vocabulary.borrow();
        let mut ids = Vec::with_capacity(tokens.len() as usize);
        for_each_token(env, &tokens, |token| {
            ids.push(vocabulary.get(token).map_or(-1, |index| index as i32));
            Ok(())
        })?;
        Ok(Int32Array::new(ids))
    }

    /// The tokens with indices in `[start, end)`.
    #[napi(catch_unwind, ts_return_type = "Array<string>")]
    pub fn tokens<'env>(&self, env: &'env Env, start: u32, end: u32) -> napi::Result<Vec<JsString<'env>>> {
        let vocabulary = self.vocabulary.borrow();
        let end = end.min(vocabulary.len() as u32);
        (start.min(end)..end).map(|index| token_string(env, vocabulary.token(index))).collect()
    }

    /// The vocabulary of texts with these token counts, `[size]`.
    #[napi(catch_unwind, ts_return_type = "Promise<BuiltVocabulary>")]
    pub fn recount(&self, env: Env, counts: Uint32Array, options: VocabularyOptions<'_>) -> napi::Result<Building> {
        let options = options.read(env)?;
        let vocabulary = self.share();
        if counts.len() != vocabulary.len() {
            let message = format!("{} counts for {} tokens", counts.len(), vocabulary.len());
            return Err(Error::new(ErrorCode::InvalidShape, message)).js();
        }
        let counts: Vec<u64> = counts.iter().map(|&count| u64::from(count)).collect();
        Ok(building(move || build(&vocabulary, &counts, &options).map_err(full)))
    }
}

/// A vocabulary built from counted tokens.
#[napi]
pub struct BuiltVocabulary {
    vocabulary: Option<Vocabulary>,
    indices: Vec<i32>,
}

impl From<Built> for BuiltVocabulary {
    fn from(built: Built) -> Self {
        Self { vocabulary: Some(built.vocabulary), indices: built.indices }
    }
}

#[napi]
impl BuiltVocabulary {
    /// The tokens: specials, then the others by descending frequency; ties by code point. `null` after the first call.
    #[napi(catch_unwind)]
    pub fn take_vocabulary(&mut self, env: Env) -> Option<NativeVocabulary> {
        self.vocabulary.take().map(|vocabulary| NativeVocabulary::from(env, vocabulary))
    }

    /// The index of each counted token; -1 for a dropped one. Empty after the first call.
    #[napi(catch_unwind)]
    pub fn take_indices(&mut self) -> Int32Array {
        Int32Array::new(std::mem::take(&mut self.indices))
    }
}

pub(crate) type Building = AsyncTask<Background<Built, BuiltVocabulary>>;

pub(crate) fn building(work: impl FnOnce() -> Result<Built> + Send + 'static) -> Building {
    AsyncTask::new(Background::new(work, |_, built: Built| Ok(built.into())))
}

/// Options of building a vocabulary.
#[napi(object, object_to_js = false)]
pub struct VocabularyOptions<'env> {
    /// Minimum count of a token, at least 1.
    pub min_freq: f64,
    /// Maximum size of the vocabulary, including the specials; may be infinite.
    pub max_tokens: f64,
    /// Distinct tokens that are always included.
    #[napi(ts_type = "ReadonlyArray<string>")]
    pub specials: Array<'env>,
    /// Whether the specials come first.
    pub special_first: bool,
}

impl VocabularyOptions<'_> {
    pub(crate) fn read(&self, env: Env) -> napi::Result<BuildOptions> {
        let mut specials = Vec::with_capacity(self.specials.len() as usize);
        for_each_token(env, &self.specials, |token| {
            specials.push(token.to_vec());
            Ok(())
        })?;
        Ok(BuildOptions {
            min_freq: self.min_freq as u64,
            max_tokens: self.max_tokens as usize,
            specials,
            special_first: self.special_first,
        })
    }
}
