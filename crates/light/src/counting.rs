//! Builds vocabularies by counting tokens.

use std::sync::{Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Array, Int32Array, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Handle, Pending};
use recurra_core::Result;
use recurra_text::{Builder, Room};

use crate::reader::TextReader;
use crate::strings::Texts;
use crate::vocabulary::{Building, VocabularyOptions, building, full};

/// Texts with counted tokens.
#[napi(object, object_from_js = false)]
pub struct CountedTexts {
    /// Numbers of the tokens of all texts, concatenated, from 1; 0 for a text without tokens.
    pub numbers: Int32Array,
    /// Number of tokens of each text.
    pub tokens: Uint32Array,
}

/// The same, before it becomes JavaScript values.
pub struct Counted {
    numbers: Vec<i32>,
    tokens: Vec<u32>,
}

impl From<Counted> for CountedTexts {
    fn from(counted: Counted) -> Self {
        Self { numbers: Int32Array::new(counted.numbers), tokens: Uint32Array::new(counted.tokens) }
    }
}

/// A vocabulary being counted.
#[napi(custom_finalize)]
pub struct VocabularyBuilder {
    handle: Handle<Mutex<Builder>>,
}

impl ObjectFinalize for VocabularyBuilder {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

/// Locks the builder, which one thread may use at a time. After a panic, its counts are wrong, but the caller that got
/// the error does not build from them.
fn locked<T>(builder: &Mutex<Builder>, work: impl FnOnce(&mut Builder) -> Result<T>) -> Result<(T, usize)> {
    let mut builder = builder.lock().unwrap_or_else(PoisonError::into_inner);
    let result = work(&mut builder)?;
    Ok((result, builder.bytes()))
}

#[napi]
impl VocabularyBuilder {
    /// An empty builder.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        Self { handle: Handle::new(env, "vocabulary builder", Mutex::default(), 0) }
    }

    /// Splits texts and counts their tokens, off the event loop; on it, only their characters are copied.
    ///
    /// More than two concurrent calls are pointless: each waits for the previous one and occupies a thread of libuv's
    /// pool.
    #[napi(
        catch_unwind,
        ts_args_type = "reader: TextReader, texts: ReadonlyArray<string>",
        ts_return_type = "Promise<CountedTexts>"
    )]
    pub fn read(
        &self,
        env: Env,
        reader: &TextReader,
        texts: Array<'_>,
    ) -> napi::Result<Pending<Counted, CountedTexts>> {
        let reading = reader.reading;
        let texts = Texts::read(env, &texts, reading.tokenizer)?;
        let count = move |builder: &mut Builder| {
            let mut counted =
                Counted { numbers: Vec::with_capacity(texts.about_tokens()), tokens: Vec::with_capacity(texts.len()) };
            let mut room = Room::default();
            for text in texts.iter() {
                let tokens = builder.add(&reading, text, &mut room, &mut counted.numbers).map_err(full)?;
                counted.tokens.push(tokens);
            }
            Ok(counted)
        };
        self.handle.background(move |builder| locked(builder, count), CountedTexts::from)
    }

    /// Builds the vocabulary, after all texts are read.
    ///
    /// Its indices are those of the tokens in the order of their numbers.
    #[napi(catch_unwind, ts_return_type = "Promise<BuiltVocabulary>")]
    pub fn build(&self, env: Env, options: VocabularyOptions<'_>) -> napi::Result<Building> {
        let options = options.read(env)?;
        let shared = self.handle.get()?;
        Ok(building(move || {
            let (built, _) = locked(&shared, |builder| builder.build(&options).map_err(full))?;
            Ok(built)
        }))
    }

    /// Frees the memory.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
