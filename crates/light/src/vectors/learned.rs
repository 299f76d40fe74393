//! Learned word vectors.

use std::sync::Mutex;

use napi::bindgen_prelude::{Float32Array, Float64Array, ObjectFinalize};
use napi::{Env, JsString, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::{Handle, IntoJs};
use recurra_text::push_units;
use recurra_vectors::Learned;

use super::with;
use crate::strings::{read, token_string};

/// Words and their vectors.
#[napi(custom_finalize)]
pub struct NativeWordVectors {
    handle: Handle<Mutex<Option<Learned>>>,
}

impl ObjectFinalize for NativeWordVectors {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

impl NativeWordVectors {
    pub(super) fn new(env: Env, learned: Learned) -> Self {
        let bytes = learned.bytes();
        Self { handle: Handle::new(env, "list of word vectors", Mutex::new(Some(learned)), bytes) }
    }
}

#[napi]
impl NativeWordVectors {
    /// Number of words.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> napi::Result<u32> {
        with(&*self.handle.get()?, |learned| Ok(learned.words().len() as u32)).js()
    }

    /// The words in `[start, end)`, by descending frequency.
    #[napi(catch_unwind, ts_return_type = "Array<string>")]
    pub fn words<'env>(&self, env: &'env Env, start: u32, end: u32) -> napi::Result<Vec<JsString<'env>>> {
        let shared = self.handle.get()?;
        let words = with(&shared, |learned| {
            let end = end.min(learned.words().len() as u32);
            Ok((start.min(end)..end).map(|index| learned.words().token(index).to_vec()).collect::<Vec<_>>())
        });
        words.js()?.iter().map(|word| token_string(env, word)).collect()
    }

    /// Number of occurrences of each word in the texts.
    #[napi(catch_unwind)]
    pub fn counts(&self) -> napi::Result<Float64Array> {
        let counts =
            with(&*self.handle.get()?, |learned| Ok(learned.counts().iter().map(|&count| count as f64).collect()));
        Ok(Float64Array::new(counts.js()?))
    }

    /// The vectors of the words, `[words, dim]`; empty after the first call.
    #[napi(catch_unwind)]
    pub fn take_matrix(&self, env: Env) -> napi::Result<Float32Array> {
        let shared = self.handle.get()?;
        let (matrix, bytes) = with(&shared, |learned| Ok((learned.take_matrix(), learned.bytes()))).js()?;
        shared.count(env, bytes);
        Ok(Float32Array::new(matrix))
    }

    /// A vector for an unknown word from its subwords, or `null`.
    #[napi(catch_unwind, ts_args_type = "word: string")]
    pub fn unknown(&self, env: Env, word: Unknown<'_>) -> napi::Result<Option<Float32Array>> {
        let (mut units, mut bytes) = (Vec::new(), Vec::new());
        read(env, word.raw(), &mut units)?;
        push_units(&mut bytes, &units);
        Ok(with(&*self.handle.get()?, |learned| Ok(learned.unknown(&bytes))).js()?.map(Float32Array::new))
    }

    /// Frees the memory; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
