//! Texts straight to ids: JavaScript's strings are read here, without a string for each token.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Array, AsyncTask, Int32Array, Uint32Array};
use napi::{Env, JsString, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs};
use recurra_core::{Error, ErrorCode, Result};
use recurra_text::{Counts, Encoder, Reading, Room, Tokenizer, Truncation, Vocabulary};

use crate::strings::{Texts, read_text, token_string};
use crate::vocabulary::NativeVocabulary;

/// Room for a text and its tokens, kept from call to call on the thread of JavaScript.
#[derive(Default)]
struct AtOnce {
    text: Vec<u16>,
    room: Room,
    ids: Vec<i32>,
    joined: Vec<u8>,
}

thread_local! {
    static AT_ONCE: RefCell<AtOnce> = RefCell::default();
}

/// A text of more units is not read at once, and leaves no room behind.
const SHORT: usize = 1 << 13;

impl AtOnce {
    /// Works on a text with room that earlier ones left behind.
    fn with<T>(
        env: Env,
        text: Unknown<'_>,
        tokenizer: Tokenizer,
        work: impl FnOnce(&mut Self) -> napi::Result<T>,
    ) -> napi::Result<T> {
        // Taken out rather than borrowed: reading a text may call a function of JavaScript, which may come back here.
        let mut this = AT_ONCE.take();
        this.text.clear();
        this.ids.clear();
        this.joined.clear();
        read_text(env, text.raw(), tokenizer, &mut this.text)?;
        let result = work(&mut this);
        if this.text.len() <= SHORT {
            AT_ONCE.set(this);
        }
        result
    }
}

/// Splits a text by torchtext's `basic_english`, at once. The tokens are joined by line breaks, which none of them has:
/// JavaScript splits one string faster than it receives many.
#[napi(catch_unwind, ts_args_type = "text: string", ts_return_type = "string")]
pub fn basic_english<'env>(env: &'env Env, text: Unknown<'_>) -> napi::Result<JsString<'env>> {
    AtOnce::with(*env, text, Tokenizer::BasicEnglish, |AtOnce { text, joined, .. }| {
        Tokenizer::BasicEnglish.split(text, &mut Vec::new(), |token| {
            if !joined.is_empty() {
                joined.push(b'\n');
            }
            joined.extend_from_slice(token);
            true
        });
        token_string(env, joined)
    })
}

/// How a built-in tokenizer's tokens are read.
#[napi(object, object_to_js = false)]
pub struct TextReaderOptions {
    /// What splits the texts.
    #[napi(ts_type = "'basic_english' | 'characters'")]
    pub tokenizer: String,
    /// Longest run of neighbouring tokens that is a token of its own; 1 for none.
    pub ngrams: u32,
    /// Most tokens that are read, n-grams not counted.
    pub max_length: u32,
    /// Which of them, where there are more.
    #[napi(ts_type = "'head' | 'tail' | 'both'")]
    pub truncate: String,
    /// Whether a `<pad>` that a text spells is read as `<unk>`.
    pub masks_padding: bool,
}

/// How texts become tokens.
#[napi]
pub struct TextReader {
    pub(crate) reading: Reading,
}

fn reading_of(options: &TextReaderOptions) -> Result<Reading> {
    let unknown =
        |what: &str, name: &str| Error::new(ErrorCode::InvalidArgument, format!("there is no {what} {name:?}"));
    Ok(Reading {
        tokenizer: match options.tokenizer.as_str() {
            "basic_english" => Tokenizer::BasicEnglish,
            "characters" => Tokenizer::Characters,
            other => return Err(unknown("tokenizer", other)),
        },
        ngrams: options.ngrams,
        max_length: options.max_length as usize,
        truncation: match options.truncate.as_str() {
            "head" => Truncation::Head,
            "tail" => Truncation::Tail,
            "both" => Truncation::Both,
            other => return Err(unknown("truncation", other)),
        },
        masks_padding: options.masks_padding,
    })
}

#[napi]
impl TextReader {
    /// A reader for one of the built-in tokenizers.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: TextReaderOptions) -> napi::Result<Self> {
        Ok(Self { reading: reading_of(&options).js()? })
    }

    /// The tokens that are read of a text, at once.
    #[napi(catch_unwind, ts_args_type = "text: string", ts_return_type = "Array<string>")]
    pub fn tokens<'env>(&self, env: &'env Env, text: Unknown<'_>) -> napi::Result<Vec<JsString<'env>>> {
        AtOnce::with(*env, text, self.reading.tokenizer, |AtOnce { text, room, .. }| {
            let mut tokens = Ok(Vec::new());
            self.reading.each(text, room, |token| {
                if let Ok(list) = &mut tokens {
                    match token_string(env, token) {
                        Ok(token) => list.push(token),
                        Err(error) => tokens = Err(error),
                    }
                }
            });
            tokens
        })
    }
}

/// How a model turns texts into token ids.
#[napi]
pub struct TextEncoder {
    vocabulary: Arc<Vocabulary>,
    encoder: Encoder,
    /// Whose turn it is: while one batch is computed, the next is split, and then waits here.
    turn: Arc<Mutex<()>>,
}

#[napi]
impl TextEncoder {
    /// Reads texts with a reader and looks their tokens up; `unknown` is the index of those that are not in the vocabulary.
    #[napi(constructor, catch_unwind)]
    pub fn new(vocabulary: &NativeVocabulary, reader: &TextReader, unknown: u32) -> Self {
        let encoder = Encoder { reading: reader.reading, unknown };
        Self { vocabulary: vocabulary.share(), encoder, turn: Arc::default() }
    }

    /// Token ids of many texts, away from the event loop: only their characters are copied on it.
    #[napi(catch_unwind, ts_args_type = "texts: ReadonlyArray<string>", ts_return_type = "Promise<TextIds>")]
    pub fn encode(&self, env: Env, texts: Array<'_>) -> napi::Result<AsyncTask<Background<Encoded, TextIds>>> {
        let later = self.later(env, &texts)?;
        let work = move || Ok(later.encode().0);
        Ok(AsyncTask::new(Background::new(work, |_, encoded: Encoded| {
            Ok(TextIds { ids: Int32Array::new(encoded.ids), counts: Uint32Array::new(encoded.counts) })
        })))
    }
}

impl TextEncoder {
    /// Reads a text on the thread of JavaScript and works on its ids; false where it is long or has more than `limit` tokens.
    pub(crate) fn at_once(
        &self,
        env: Env,
        text: Unknown<'_>,
        limit: usize,
        work: impl FnOnce(&[i32], Counts) -> napi::Result<bool>,
    ) -> napi::Result<bool> {
        AtOnce::with(env, text, self.encoder.reading.tokenizer, |AtOnce { text, room, ids, .. }| {
            if text.len() > SHORT {
                return Ok(false);
            }
            let counts = self.encoder.encode(&self.vocabulary, text, room, ids);
            if ids.len() > limit { Ok(false) } else { work(ids, counts) }
        })
    }

    /// Copies the characters of texts, to be split on another thread.
    pub(crate) fn later(&self, env: Env, texts: &Array<'_>) -> napi::Result<Later> {
        let texts = Texts::read(env, texts, self.encoder.reading.tokenizer)?;
        Ok(Later { texts, encoder: self.encoder, vocabulary: self.vocabulary.clone(), turn: self.turn.clone() })
    }
}

/// Texts whose characters were copied.
pub(crate) struct Later {
    texts: Texts,
    encoder: Encoder,
    vocabulary: Arc<Vocabulary>,
    turn: Arc<Mutex<()>>,
}

impl Later {
    /// The texts' ids, and the turn to be taken with them: batches are computed one after the other.
    pub(crate) fn encode(self) -> (Encoded, Turn) {
        (encode(&self.encoder, &self.vocabulary, &self.texts), Turn(self.turn))
    }
}

/// The turn of a batch.
pub(crate) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Waits until the batch before has been computed.
    pub(crate) fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Texts as token ids.
#[napi(object, object_from_js = false)]
pub struct TextIds {
    /// The ids of all texts, one text after the other; a text without tokens has that of the unknown token.
    pub ids: Int32Array,
    /// Of each text, the tokens that were read and how many of them are known.
    pub counts: Uint32Array,
}

/// The same, before it becomes JavaScript values; and the ids of each text.
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
