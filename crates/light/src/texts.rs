//! Texts straight to ids and to predictions: JavaScript's strings are read here, without a string for each token.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Array, AsyncTask, Float32Array, Float32ArraySlice, Int32Array, Uint32Array};
use napi::{Env, JsString, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs, Pending};
use recurra_kernels::{Error, ErrorCode, Result, guard};
use recurra_text::{Counts, Encoder, Reading, Room, Tokenizer, Truncation, Vocabulary};

use crate::classifier::CpuClassifier;
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
        let texts = Texts::read(env, &texts, self.encoder.reading.tokenizer)?;
        let (encoder, vocabulary) = (self.encoder, self.vocabulary.clone());
        let work = move || Ok(encode(&encoder, &vocabulary, &texts));
        Ok(AsyncTask::new(Background::new(work, |_, encoded: Encoded| {
            Ok(TextIds { ids: Int32Array::new(encoded.ids), counts: Uint32Array::new(encoded.counts) })
        })))
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
    ids: Vec<i32>,
    lengths: Vec<i32>,
    counts: Vec<u32>,
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

/// What many texts gave.
#[napi(object, object_from_js = false)]
pub struct PredictedTexts {
    /// Probabilities of the classes, text by text.
    pub probabilities: Float32Array,
    /// Of each text, the tokens that were read and how many of them are known.
    pub counts: Uint32Array,
}

/// The same, before it becomes JavaScript values.
pub struct Predicted {
    probabilities: Vec<f32>,
    counts: Vec<u32>,
}

#[napi]
impl CpuClassifier {
    /// Labels a text at once, on the thread of JavaScript. `row` receives the probabilities and behind them the tokens that
    /// were read, and how many of them are known.
    ///
    /// Returns whether that is done: not if there are more than `limit` tokens, or if it would have to wait.
    #[napi(catch_unwind, ts_args_type = "encoder: TextEncoder, text: string, limit: number, row: Float32Array")]
    pub fn predict_text_now(
        &self,
        env: Env,
        encoder: &TextEncoder,
        text: Unknown<'_>,
        limit: u32,
        mut row: Float32ArraySlice<'_>,
    ) -> napi::Result<bool> {
        let classifier = self.handle.get()?;
        AtOnce::with(env, text, encoder.encoder.reading.tokenizer, |AtOnce { text, room, ids, .. }| {
            if text.len() > SHORT {
                return Ok(false);
            }
            let counts = encoder.encoder.encode(&encoder.vocabulary, text, room, ids);
            if ids.len() > limit as usize {
                return Ok(false);
            }
            let predict = || classifier.predict_at_once(ids, &[ids.len() as i32]);
            let Some(probabilities) = guard(predict).js()? else { return Ok(false) };
            // SAFETY: JavaScript waits for this call, and gives the array to nobody else.
            let row = unsafe { row.as_mut() };
            let Some((to, [count, known])) = row.split_last_chunk_mut::<2>() else { return Ok(false) };
            if to.len() != probabilities.len() {
                let message = format!("a row has {} classes, not {}", probabilities.len(), to.len());
                return Err(Error::new(ErrorCode::InvalidShape, message)).js();
            }
            to.copy_from_slice(&probabilities);
            (*count, *known) = (counts.tokens as f32, counts.known as f32);
            Ok(true)
        })
    }

    /// Labels many texts away from the event loop: only their characters are copied on it.
    ///
    /// Two calls may be under way: the second's texts are split while the first's are computed.
    #[napi(
        catch_unwind,
        ts_args_type = "encoder: TextEncoder, texts: ReadonlyArray<string>",
        ts_return_type = "Promise<PredictedTexts>"
    )]
    pub fn predict_texts(
        &self,
        env: Env,
        encoder: &TextEncoder,
        texts: Array<'_>,
    ) -> napi::Result<Pending<Predicted, PredictedTexts>> {
        let texts = Texts::read(env, &texts, encoder.encoder.reading.tokenizer)?;
        let (encoder, vocabulary, turn) = (encoder.encoder, encoder.vocabulary.clone(), encoder.turn.clone());
        self.background(
            move |classifier| {
                let Encoded { ids, lengths, counts } = encode(&encoder, &vocabulary, &texts);
                drop(texts);
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                let probabilities = classifier.predict(&ids, &lengths)?;
                Ok(Predicted { probabilities, counts })
            },
            |predicted| PredictedTexts {
                probabilities: Float32Array::new(predicted.probabilities),
                counts: Uint32Array::new(predicted.counts),
            },
        )
    }
}
