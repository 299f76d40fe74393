//! Reads texts as tokens; single texts synchronously.

use std::cell::RefCell;

use napi::{Env, JsString, JsValue, Unknown};
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_core::{Error, ErrorCode, Result};
use recurra_text::{Reading, Room, Tokenizer, Truncation};

use crate::strings::{read_text, token_string};

/// Buffers for a text and its tokens, reused between calls on the JavaScript thread.
#[derive(Default)]
pub(crate) struct SyncBuffers {
    pub(crate) text: Vec<u16>,
    pub(crate) room: Room,
    pub(crate) ids: Vec<i32>,
    joined: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<SyncBuffers> = RefCell::default();
}

/// Maximum length, in UTF-16 units, of a text that is read synchronously and whose buffers are kept.
pub(crate) const SHORT: usize = 1 << 13;

impl SyncBuffers {
    /// Processes a text with the buffers of earlier ones.
    pub(crate) fn with<T>(
        env: Env,
        text: Unknown<'_>,
        tokenizer: Tokenizer,
        work: impl FnOnce(&mut Self) -> napi::Result<T>,
    ) -> napi::Result<T> {
        // Taken rather than borrowed: reading a text may call a JavaScript function, which may re-enter here.
        let mut this = BUFFERS.take();
        this.text.clear();
        this.ids.clear();
        this.joined.clear();
        read_text(env, text.raw(), tokenizer, &mut this.text)?;
        let result = work(&mut this);
        if this.text.len() <= SHORT {
            BUFFERS.set(this);
        }
        result
    }
}

/// Splits a text by torchtext's `basic_english`, synchronously. The tokens are joined by line breaks, which no token
/// contains: JavaScript splits one string faster than it receives many.
#[napi(catch_unwind, ts_args_type = "text: string", ts_return_type = "string")]
pub fn basic_english<'env>(env: &'env Env, text: Unknown<'_>) -> napi::Result<JsString<'env>> {
    SyncBuffers::with(*env, text, Tokenizer::BasicEnglish, |SyncBuffers { text, joined, .. }| {
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

/// Options of a built-in tokenizer's reader.
#[napi(object, object_to_js = false)]
pub struct TextReaderOptions {
    /// The tokenizer that splits the texts.
    #[napi(ts_type = "'basic_english' | 'characters'")]
    pub tokenizer: String,
    /// Longest n-gram of consecutive tokens; 1 for none.
    pub ngrams: u32,
    /// Maximum number of tokens, not counting n-grams.
    pub max_length: u32,
    /// The part that is kept of a longer text.
    #[napi(ts_type = "'head' | 'tail' | 'both'")]
    pub truncate: String,
    /// Whether a literal `<pad>` in a text is read as `<unk>`.
    pub masks_padding: bool,
}

/// Reads texts as tokens.
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

    /// The tokens of a text, synchronously.
    #[napi(catch_unwind, ts_args_type = "text: string", ts_return_type = "Array<string>")]
    pub fn tokens<'env>(&self, env: &'env Env, text: Unknown<'_>) -> napi::Result<Vec<JsString<'env>>> {
        SyncBuffers::with(*env, text, self.reading.tokenizer, |SyncBuffers { text, room, .. }| {
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
