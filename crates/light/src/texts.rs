//! Texts straight to predictions: the classifier reads JavaScript's strings itself, without a string for each token.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Array, Float32Array, Float32ArraySlice, Int32Array, ObjectFinalize, Uint32Array};
use napi::{Env, JsString, JsValue, Unknown, check_status, sys};
use napi_derive::napi;
use recurra_binding::{IntoJs, Pending, adjust_external_memory};
use recurra_core::{Error, ErrorCode, guard};
use recurra_text::{Counts, Encoder, Truncation, Vocabulary, needs_javascript, push_units, units};

use crate::classifier::CpuClassifier;

/// Room for texts and tokens, kept from call to call on the thread of JavaScript.
#[derive(Default)]
struct Room {
    text: Vec<u16>,
    word: Vec<u8>,
    ids: Vec<i32>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// A text of more units is not read at once.
const SHORT: usize = 1 << 13;

/// Appends a string of JavaScript.
fn read(env: Env, value: sys::napi_value, to: &mut Vec<u16>) -> napi::Result<()> {
    let mut room = SHORT;
    loop {
        to.reserve(room);
        let (start, room_now) = (to.len(), to.capacity() - to.len());
        let mut copied = 0;
        // SAFETY: the buffer has that much room behind what is in it, and Node writes no more.
        let status = unsafe {
            let at = to.as_mut_ptr().add(start);
            sys::napi_get_value_string_utf16(env.raw(), value, at, room_now, &mut copied)
        };
        check_status!(status)?;
        if copied + 1 < room_now {
            // SAFETY: so many units were written.
            unsafe { to.set_len(start + copied) };
            return Ok(());
        }
        // It may have been cut: one unit of the room is for a zero at the end.
        // SAFETY: without a buffer Node writes the length only.
        let status =
            unsafe { sys::napi_get_value_string_utf16(env.raw(), value, std::ptr::null_mut(), 0, &mut copied) };
        check_status!(status)?;
        room = copied + 2;
    }
}

/// The elements of an array of strings, one at a time; `each` gets the element and its text.
fn for_each(
    env: Env,
    list: &Array<'_>,
    text: &mut Vec<u16>,
    mut each: impl FnMut(sys::napi_value, &mut Vec<u16>, usize) -> napi::Result<()>,
) -> napi::Result<()> {
    for index in 0..list.len() {
        let mut element = std::ptr::null_mut();
        // SAFETY: the array is alive, as it is an argument of the call.
        check_status!(unsafe { sys::napi_get_element(env.raw(), list.raw(), index, &mut element) })?;
        let start = text.len();
        read(env, element, text)?;
        each(element, text, start)?;
    }
    Ok(())
}

/// The elements of an array of tokens, one at a time, as the vocabulary has them.
fn for_each_token(env: Env, list: &Array<'_>, mut each: impl FnMut(&[u8]) -> napi::Result<()>) -> napi::Result<()> {
    let mut bytes = Vec::new();
    for_each(env, list, &mut Vec::new(), |_, text, _| {
        bytes.clear();
        push_units(&mut bytes, text);
        text.clear();
        each(&bytes)
    })
}

/// The tokens of a model, outside of JavaScript's memory.
#[napi(custom_finalize)]
pub struct NativeVocabulary {
    vocabulary: RefCell<Arc<Vocabulary>>,
    /// Bytes that V8 was told of.
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

    fn count(&self, env: Env) {
        let bytes = self.vocabulary.borrow().bytes();
        adjust_external_memory(env, bytes as i64 - self.counted.replace(bytes) as i64);
    }
}

#[napi]
impl NativeVocabulary {
    /// One without tokens yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Self {
        Self::from(env, Vocabulary::default())
    }

    /// Adds tokens behind all others, before anything reads texts with them.
    #[napi(catch_unwind, ts_args_type = "tokens: ReadonlyArray<string>")]
    pub fn add(&self, env: Env, tokens: Array<'_>) -> napi::Result<()> {
        let mut shared = self.vocabulary.borrow_mut();
        let in_use = || Error::new(ErrorCode::InvalidArgument, "this vocabulary is in use already");
        let vocabulary = Arc::get_mut(&mut shared).ok_or_else(in_use).js()?;
        for_each_token(env, &tokens, |token| {
            let twice = |_| Error::new(ErrorCode::InvalidArgument, "a token comes twice");
            vocabulary.add(token).map_err(twice).js()
        })?;
        drop(shared);
        self.count(env);
        Ok(())
    }

    /// How many tokens there are.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> u32 {
        self.vocabulary.borrow().len() as u32
    }

    /// Index of a token, -1 for one that is not there.
    #[napi(catch_unwind, ts_args_type = "token: string")]
    pub fn get(&self, env: Env, token: Unknown<'_>) -> napi::Result<i32> {
        let (mut text, mut bytes) = (Vec::new(), Vec::new());
        read(env, token.raw(), &mut text)?;
        push_units(&mut bytes, &text);
        Ok(self.vocabulary.borrow().get(&bytes).map_or(-1, |index| index as i32))
    }

    /// Indices of tokens, -1 for those that are not there.
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

    /// The tokens with indices from `start` to below `end`.
    #[napi(catch_unwind, ts_return_type = "Array<string>")]
    pub fn tokens<'env>(&self, env: &'env Env, start: u32, end: u32) -> napi::Result<Vec<JsString<'env>>> {
        let vocabulary = self.vocabulary.borrow();
        let end = end.min(vocabulary.len() as u32);
        let mut tokens = Vec::with_capacity(end.saturating_sub(start) as usize);
        for index in start.min(end)..end {
            // Node keeps a string as it is given: most need only one byte for each character.
            let token = vocabulary.token(index);
            tokens.push(if token.is_ascii() {
                env.create_string_latin1(token)?
            } else {
                env.create_string_utf16(units(token))?
            });
        }
        Ok(tokens)
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
    /// `basic_english` without n-grams. `unknown` is the index of unknown tokens, `spelledPadding` that of a `<pad>` in a text.
    #[napi(
        constructor,
        catch_unwind,
        ts_args_type = "vocabulary: NativeVocabulary, maxLength: number, truncate: 'head' | 'tail' | 'both', unknown: number, spelledPadding: number"
    )]
    pub fn new(
        vocabulary: &NativeVocabulary,
        max_length: u32,
        truncate: String,
        unknown: u32,
        spelled_padding: u32,
    ) -> napi::Result<Self> {
        let truncation = match truncate.as_str() {
            "head" => Truncation::Head,
            "tail" => Truncation::Tail,
            "both" => Truncation::Both,
            other => {
                let message = format!("there is no truncation {other:?}");
                return Err(Error::new(ErrorCode::InvalidArgument, message)).js();
            }
        };
        let encoder = Encoder { max_length: max_length as usize, truncation, unknown, spelled_padding };
        Ok(Self { vocabulary: vocabulary.vocabulary.borrow().clone(), encoder, turn: Arc::default() })
    }

    /// Token ids of a text that is lower case where it is not Latin-1, at least one.
    #[napi(catch_unwind, ts_args_type = "text: string")]
    pub fn encode(&self, env: Env, text: Unknown<'_>) -> napi::Result<EncodedIds> {
        let mut room = Room::default();
        read(env, text.raw(), &mut room.text)?;
        let Counts { tokens, known } = self.encoder.encode(&self.vocabulary, &room.text, &mut room.word, &mut room.ids);
        Ok(EncodedIds { ids: Int32Array::new(room.ids), count: tokens, known })
    }

    /// Whether a text has characters whose lower case only JavaScript knows.
    #[napi(catch_unwind, ts_args_type = "text: string")]
    pub fn needs_lower(&self, env: Env, text: Unknown<'_>) -> napi::Result<bool> {
        let mut units = Vec::new();
        read(env, text.raw(), &mut units)?;
        Ok(needs_javascript(&units))
    }
}

/// A text as token ids.
#[napi(object, object_from_js = false)]
pub struct EncodedIds {
    /// The ids, at least one.
    pub ids: Int32Array,
    /// Tokens that are read.
    pub count: u32,
    /// How many of them are known.
    pub known: u32,
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

/// How a prediction at once ended.
const NOT_NOW: i32 = 0;
const DONE: i32 = 1;
const LOWER_FIRST: i32 = 2;

#[napi]
impl CpuClassifier {
    /// Labels a text at once, on the thread of JavaScript. `row` receives the probabilities and behind them the tokens that
    /// were read, and how many of them are known.
    ///
    /// Returns 1 when that is done, 0 if there are more than `limit` tokens or it would have to wait, 2 if JavaScript must
    /// make the text lower case first (`lower` says that it did).
    #[napi(
        catch_unwind,
        ts_args_type = "encoder: TextEncoder, text: string, lower: boolean, limit: number, row: Float32Array"
    )]
    pub fn predict_text_now(
        &self,
        env: Env,
        encoder: &TextEncoder,
        text: Unknown<'_>,
        lower: bool,
        limit: u32,
        mut row: Float32ArraySlice<'_>,
    ) -> napi::Result<i32> {
        let classifier = self.handle.get()?;
        ROOM.with_borrow_mut(|room| {
            room.text.clear();
            room.ids.clear();
            read(env, text.raw(), &mut room.text)?;
            if room.text.len() > SHORT {
                *room = Room::default();
                return Ok(NOT_NOW);
            }
            if !lower && needs_javascript(&room.text) {
                return Ok(LOWER_FIRST);
            }
            let counts = encoder.encoder.encode(&encoder.vocabulary, &room.text, &mut room.word, &mut room.ids);
            if room.ids.len() > limit as usize {
                return Ok(NOT_NOW);
            }
            let predict = || classifier.predict_at_once(&room.ids, &[room.ids.len() as i32]);
            let Some(probabilities) = guard(predict).js()? else { return Ok(NOT_NOW) };
            // SAFETY: JavaScript waits for this call, and gives the array to nobody else.
            let row = unsafe { row.as_mut() };
            let Some((to, [count, known])) = row.split_last_chunk_mut::<2>() else { return Ok(NOT_NOW) };
            if to.len() != probabilities.len() {
                let message = format!("a row has {} classes, not {}", probabilities.len(), to.len());
                return Err(Error::new(ErrorCode::InvalidShape, message)).js();
            }
            to.copy_from_slice(&probabilities);
            (*count, *known) = (counts.tokens as f32, counts.known as f32);
            Ok(DONE)
        })
    }

    /// Labels many texts away from the event loop: only their characters are copied on it. `lower` is
    /// `String.prototype.toLowerCase` as a function of a text, for those whose lower case only JavaScript knows.
    ///
    /// Two calls may be under way: the second's texts are split while the first's are computed.
    #[napi(
        catch_unwind,
        ts_args_type = "encoder: TextEncoder, texts: ReadonlyArray<string>, lower: (text: string) => string",
        ts_return_type = "Promise<PredictedTexts>"
    )]
    pub fn predict_texts(
        &self,
        env: Env,
        encoder: &TextEncoder,
        texts: Array<'_>,
        lower: Unknown<'_>,
    ) -> napi::Result<Pending<Predicted, PredictedTexts>> {
        let mut all = Vec::new();
        let mut ends = Vec::with_capacity(texts.len() as usize);
        for_each(env, &texts, &mut all, |element, all, start| {
            if needs_javascript(&all[start..]) {
                all.truncate(start);
                read(env, call(env, lower.raw(), element)?, all)?;
            }
            ends.push(all.len());
            Ok(())
        })?;
        let (encoder, vocabulary, turn) = (encoder.encoder, encoder.vocabulary.clone(), encoder.turn.clone());
        self.background(
            move |classifier| {
                let split = split(&encoder, &vocabulary, &all, &ends);
                drop((all, ends));
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                let probabilities = classifier.predict(&split.ids, &split.lengths)?;
                Ok(Predicted { probabilities, counts: split.counts })
            },
            |predicted| PredictedTexts {
                probabilities: Float32Array::new(predicted.probabilities),
                counts: Uint32Array::new(predicted.counts),
            },
        )
    }
}

/// Calls a function of JavaScript with one argument.
fn call(env: Env, function: sys::napi_value, argument: sys::napi_value) -> napi::Result<sys::napi_value> {
    let (mut this, mut result) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: both values are alive, as arguments of the call under way or elements of one; what is thrown is a status here.
    unsafe {
        check_status!(sys::napi_get_undefined(env.raw(), &mut this))?;
        check_status!(sys::napi_call_function(env.raw(), this, function, 1, &argument, &mut result))?;
    }
    Ok(result)
}

struct Split {
    ids: Vec<i32>,
    lengths: Vec<i32>,
    counts: Vec<u32>,
}

fn split(encoder: &Encoder, vocabulary: &Vocabulary, all: &[u16], ends: &[usize]) -> Split {
    let mut split = Split {
        ids: Vec::with_capacity(all.len() / 4),
        lengths: Vec::with_capacity(ends.len()),
        counts: Vec::with_capacity(2 * ends.len()),
    };
    let (mut word, mut start) = (Vec::new(), 0);
    for &end in ends {
        let before = split.ids.len();
        let Counts { tokens, known } = encoder.encode(vocabulary, &all[start..end], &mut word, &mut split.ids);
        split.lengths.push((split.ids.len() - before) as i32);
        split.counts.extend([tokens, known]);
        start = end;
    }
    split
}
