//! Converts texts to ids directly: JavaScript strings are read here, without a string per token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Array, AsyncTask, Float32ArraySlice, Int32Array, Uint32Array};
use napi::{Env, Unknown};
use napi_derive::napi;
use recurra_binding::Background;
use recurra_text::{Counts, Encoder, Room, Vocabulary};

use crate::reader::{SHORT, SyncBuffers, TextReader};
use crate::strings::Texts;
use crate::vocabulary::NativeVocabulary;

/// How a model turns texts into token ids.
#[napi]
pub struct TextEncoder {
    vocabulary: Arc<Vocabulary>,
    encoder: Encoder,
    /// The turn lock: while one batch is computed, the next one is split and then waits for it.
    turn: Arc<Mutex<()>>,
}

#[napi]
impl TextEncoder {
    /// Reads texts with a reader and looks up their tokens. `unknown` is the index of tokens outside the vocabulary.
    #[napi(constructor, catch_unwind)]
    pub fn new(vocabulary: &NativeVocabulary, reader: &TextReader, unknown: u32) -> Self {
        let encoder = Encoder { reading: reader.reading, unknown };
        Self { vocabulary: vocabulary.share(), encoder, turn: Arc::default() }
    }

    /// Token ids of many texts, off the event loop; on it, only their characters are copied.
    #[napi(catch_unwind, ts_args_type = "texts: ReadonlyArray<string>", ts_return_type = "Promise<TextIds>")]
    pub fn encode(&self, env: Env, texts: Array<'_>) -> napi::Result<AsyncTask<Background<Encoded, TextIds>>> {
        let copied = self.copied(env, &texts)?;
        let work = move || Ok(copied.encode().0);
        Ok(AsyncTask::new(Background::new(work, |_, encoded: Encoded| {
            Ok(TextIds { ids: Int32Array::new(encoded.ids), counts: Uint32Array::new(encoded.counts) })
        })))
    }

    /// Writes the number of tokens of a text and the number of known ones into `counts`, synchronously. Returns false
    /// for a long text.
    #[napi(catch_unwind, ts_args_type = "text: string, counts: Float32Array")]
    pub fn count_now(&self, env: Env, text: Unknown<'_>, mut counts: Float32ArraySlice<'_>) -> napi::Result<bool> {
        self.at_once(env, text, usize::MAX, |_, Counts { tokens, known }| {
            // SAFETY: JavaScript waits for this call, and nothing else uses the array.
            let Some(to) = unsafe { counts.as_mut() }.first_chunk_mut() else { return Ok(false) };
            *to = [tokens as f32, known as f32];
            Ok(true)
        })
    }
}

impl TextEncoder {
    /// Reads a text on the JavaScript thread and processes its ids. Returns false if it is long or has more than
    /// `limit` tokens.
    pub(crate) fn at_once(
        &self,
        env: Env,
        text: Unknown<'_>,
        limit: usize,
        work: impl FnOnce(&[i32], Counts) -> napi::Result<bool>,
    ) -> napi::Result<bool> {
        SyncBuffers::with(env, text, self.encoder.reading.tokenizer, |SyncBuffers { text, room, ids, .. }| {
            if text.len() > SHORT {
                return Ok(false);
            }
            let counts = self.encoder.encode(&self.vocabulary, text, room, ids);
            if ids.len() > limit { Ok(false) } else { work(ids, counts) }
        })
    }

    /// Copies the characters of texts, to split them on another thread.
    pub(crate) fn copied(&self, env: Env, texts: &Array<'_>) -> napi::Result<CopiedTexts> {
        let texts = Texts::read(env, texts, self.encoder.reading.tokenizer)?;
        Ok(CopiedTexts { texts, encoder: self.encoder, vocabulary: self.vocabulary.clone(), turn: self.turn.clone() })
    }
}

/// Texts whose characters were copied.
pub(crate) struct CopiedTexts {
    texts: Texts,
    encoder: Encoder,
    vocabulary: Arc<Vocabulary>,
    turn: Arc<Mutex<()>>,
}

impl CopiedTexts {
    /// The texts' ids, and their turn: batches are computed one at a time.
    pub(crate) fn encode(self) -> (Encoded, Turn) {
        (encode(&self.encoder, &self.vocabulary, &self.texts), Turn(self.turn))
    }
}

/// The turn of a batch.
pub(crate) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Waits until the previous batch has been computed.
    pub(crate) fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Texts as token ids.
#[napi(object, object_from_js = false)]
pub struct TextIds {
    /// The ids of all texts, concatenated. A text without tokens has the id of the unknown token.
    pub ids: Int32Array,
    /// For each text, the number of tokens read and the number of known ones.
    pub counts: Uint32Array,
}

/// The same, before it becomes JavaScript values, with the number of ids of each text.
pub struct Encoded {
    pub(crate) ids: Vec<i32>,
    pub(crate) lengths: Vec<i32>,
    pub(crate) counts: Vec<u32>,
}

fn encode(encoder: &Encoder, vocabulary: &Vocabulary, texts: &Texts) -> Encoded {
    let mut encoded = Encoded {
        ids: Vec::with_capacity(texts.about_tokens()),
        lengths: Vec::with_capacity(texts.len()),
        counts: Vec::with_capacity(2 * texts.len()),
    };
    let mut room = Room::default();
    for text in texts.iter() {
        let before = encoded.ids.len();
        let Counts { tokens, known } = encoder.encode(vocabulary, text, &mut room, &mut encoded.ids);
        encoded.lengths.push((encoded.ids.len() - before) as i32);
        encoded.counts.extend([tokens, known]);
    }
    encoded
}
