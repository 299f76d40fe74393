//! Texts with word counts.

use std::sync::Mutex;

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Background, Handle, IntoJs, Pending};
use recurra_core::{Error, ErrorCode, Result};
use recurra_text::Room;
use recurra_vectors::{Corpus, Trainer};

use super::training::{VectorOptions, VectorTraining};
use super::{taken, with};
use crate::reader::TextReader;
use crate::strings::{Texts, for_each_token};

/// Number of texts and words read.
#[napi(object, object_from_js = false)]
pub struct VectorTextsSize {
    /// Number of texts.
    pub texts: f64,
    /// Number of words.
    pub words: f64,
}

fn size((texts, words): (usize, usize)) -> VectorTextsSize {
    VectorTextsSize { texts: texts as f64, words: words as f64 }
}

/// Texts to learn word vectors from, as word numbers.
#[napi(custom_finalize)]
pub struct VectorTexts {
    handle: Handle<Mutex<Option<Corpus>>>,
}

impl ObjectFinalize for VectorTexts {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

#[napi]
impl VectorTexts {
    /// An empty list of texts.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        let corpus = Mutex::new(Some(Corpus::default()));
        Self { handle: Handle::new(env, "list of texts", corpus, 0) }
    }

    /// Splits texts and adds them, off the event loop; on it, only their characters are copied.
    ///
    /// More than two concurrent calls are pointless: each waits for the previous one and occupies a thread of libuv's
    /// pool.
    #[napi(
        catch_unwind,
        ts_args_type = "reader: TextReader, texts: ReadonlyArray<string>",
        ts_return_type = "Promise<VectorTextsSize>"
    )]
    pub fn read(
        &self,
        env: Env,
        reader: &TextReader,
        texts: Array<'_>,
    ) -> napi::Result<Pending<(usize, usize), VectorTextsSize>> {
        let reading = reader.reading;
        let texts = Texts::read(env, &texts, reading.tokenizer)?;
        let work = move |place: &Mutex<Option<Corpus>>| {
            with(place, |corpus| {
                let mut room = Room::default();
                texts.iter().try_for_each(|text| corpus.read(&reading, text, &mut room))?;
                Ok(((corpus.texts(), corpus.words()), corpus.bytes()))
            })
        };
        self.handle.background(work, size)
    }

    /// Adds texts that are already split, synchronously: the words of all texts, and the number of words of each text.
    #[napi(catch_unwind, ts_args_type = "words: ReadonlyArray<string>, lengths: Uint32Array")]
    pub fn add(&self, env: Env, words: Array<'_>, lengths: Uint32Array) -> napi::Result<VectorTextsSize> {
        let shared = self.handle.get()?;
        // Collected first: reading a value may call into JavaScript, which must not re-enter a locked corpus.
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for_each_token(env, &words, |word| {
            bytes.extend_from_slice(word);
            ends.push(bytes.len());
            Ok(())
        })?;
        let (read, memory) = with(&shared, |corpus| {
            let (mut start, mut all) = (0, ends.iter());
            for &length in lengths.iter() {
                for &end in all.by_ref().take(length as usize) {
                    corpus.add(&bytes[start..end])?;
                    start = end;
                }
                corpus.end()?;
            }
            if all.next().is_some() {
                return Err(Error::new(ErrorCode::InvalidShape, "the lengths do not add up to the number of words"));
            }
            Ok(((corpus.texts(), corpus.words()), corpus.bytes()))
        })
        .js()?;
        shared.count(env, memory);
        Ok(size(read))
    }

    /// Starts learning vectors. The texts move to the training.
    ///
    /// Rejects with `INVALID_ARGUMENT` if the texts have too few words.
    #[napi(catch_unwind, ts_return_type = "Promise<VectorTraining>")]
    pub fn train(
        &self,
        env: Env,
        options: VectorOptions,
    ) -> napi::Result<AsyncTask<Background<Trainer, VectorTraining>>> {
        let shared = self.handle.get()?;
        let options = options.read().js()?;
        let corpus = taken(&shared).js()?;
        self.handle.close(env);
        let work = move || -> Result<Trainer> { Trainer::new(corpus, &options) };
        Ok(AsyncTask::new(Background::new(work, |env, trainer| Ok(VectorTraining::new(env, trainer)))))
    }

    /// Frees the memory; closing twice is harmless.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
    }
}
