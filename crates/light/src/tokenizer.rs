//! Hugging Face tokenizers from a `tokenizer.json`: one text synchronously, many off the event loop.

use std::path::PathBuf;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ObjectFinalize, Uint32Array};
use napi_derive::napi;
use recurra_binding::{Background, Handle, IntoJs, Pending};
use recurra_core::{Error, ErrorCode, Result, guard};
use recurra_files::read_whole;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokenizers::{ModelWrapper, PostProcessorWrapper, Tokenizer};

/// Maximum size of a description in a model file. The format allows 100 MB for everything but weights, and the
/// vocabulary must also fit. The largest one in use (262,144 tokens) has 33 MB.
const LARGEST_JSON: u64 = 64 << 20;

/// A text with letters, digits, marks, several scripts, and a character that no vocabulary contains.
const PROBE: &str = "The year 1999: na\u{ef}ve e\u{301} \u{65e5}\u{672c} \u{1f642}\u{10fffd}";

/// A tokenizer, and its description.
pub struct Described {
    tokenizer: Tokenizer,
    json: String,
    unknown: Option<u32>,
}

/// Many encoded texts.
#[napi(object, object_from_js = false)]
pub struct EncodedTexts {
    /// The ids of all texts, concatenated.
    pub ids: Uint32Array,
    /// Number of ids of each text.
    pub lengths: Uint32Array,
}

/// The same, before it becomes JavaScript values.
pub struct Ids {
    ids: Vec<u32>,
    lengths: Vec<u32>,
}

impl From<Ids> for EncodedTexts {
    fn from(encoded: Ids) -> Self {
        Self { ids: Uint32Array::new(encoded.ids), lengths: Uint32Array::new(encoded.lengths) }
    }
}

fn invalid(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidFile, format!("not a usable tokenizer.json: {what}"))
}

fn cannot_split(error: tokenizers::Error) -> Error {
    let message = format!("the tokenizer of a tokenizer.json cannot split a text: {error}");
    Error::new(ErrorCode::InvalidFile, message)
}

/// Length of the text as a JSON string in a model file.
fn escaped_length(json: &str) -> u64 {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    json.bytes().map(length).sum()
}

/// The parts of a description that define the unknown token and the normalization.
#[derive(Deserialize)]
struct Parts {
    model: UnknownOfModel,
    normalizer: Option<NormalizerPart>,
}

#[derive(Deserialize)]
struct UnknownOfModel {
    unk_token: Option<String>,
    unk_id: Option<u32>,
}

/// A normalizer, or a sequence of them.
#[derive(Deserialize)]
struct NormalizerPart {
    #[serde(default)]
    r#type: String,
    precompiled_charsmap: Option<IgnoredAny>,
    #[serde(default)]
    normalizers: Vec<NormalizerPart>,
}

impl NormalizerPart {
    /// Whether a table-based normalizer lacks its table.
    fn lacks_table(&self) -> bool {
        (self.r#type == "Precompiled" && self.precompiled_charsmap.is_none())
            || self.normalizers.iter().any(Self::lacks_table)
    }
}

fn describe(mut json: String) -> Result<Described> {
    // Windows editors put a byte order mark before the text.
    if json.starts_with('\u{feff}') {
        json.drain(..'\u{feff}'.len_utf8());
    }
    if escaped_length(&json) > LARGEST_JSON {
        return Err(invalid(format_args!("{} bytes, more than a model file has room for", json.len())));
    }
    let parts = serde_json::from_str::<Parts>(&json);
    if matches!(&parts, Ok(Parts { normalizer: Some(normalizer), .. }) if normalizer.lacks_table()) {
        return Err(invalid(
            "its normalizer Precompiled has no precompiled_charsmap; take that of the model's sentencepiece file, or leave this normalizer out",
        ));
    }
    let mut tokenizer: Tokenizer = json.parse().map_err(invalid)?;
    let UnknownOfModel { unk_token, unk_id } = parts.map_err(invalid)?.model;
    // A text's tokens must be deterministic and complete. So dropout, truncation, padding and special tokens are
    // disabled, and a special token spelled in the text, such as `[SEP]`, is ordinary text.
    tokenizer.with_truncation(None).map_err(invalid)?;
    tokenizer.with_padding(None);
    tokenizer.with_post_processor(None::<PostProcessorWrapper>);
    tokenizer.set_encode_special_tokens(true);
    if let ModelWrapper::BPE(bpe) = tokenizer.get_model()
        && bpe.dropout.is_some()
    {
        let mut bpe = bpe.clone();
        bpe.dropout = None;
        tokenizer.with_model(bpe);
    }
    let unknown = unk_id.or_else(|| tokenizer.token_to_id(&unk_token?));
    let described = Described { tokenizer, json, unknown };
    described.encode(PROBE)?;
    Ok(described)
}

/// Like [`describe`]. A description that makes the library panic is invalid.
fn describe_guarded(json: String) -> Result<Described> {
    guard(|| describe(json)).map_err(|error| match error.code() {
        ErrorCode::Internal => {
            let panic = error.message().trim_start_matches("internal fault: ");
            invalid(format_args!("HuggingFace's tokenizers library fails on it: {panic}"))
        }
        _ => error,
    })
}

impl Described {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(cannot_split)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Start and end of each token in the text, in UTF-16 code units.
    fn spans(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode_char_offsets(text, false).map_err(cannot_split)?;
        let mut places = vec![0];
        let mut at = 0;
        for character in text.chars() {
            at += character.len_utf16() as u32;
            places.push(at);
        }
        let place = |character: usize| places[character.min(places.len() - 1)];
        Ok(encoding.get_offsets().iter().flat_map(|&(start, end)| [place(start), place(end)]).collect())
    }

    fn bytes(&self) -> usize {
        // The vocabulary and merges are kept in several maps, about four times their text.
        5 * self.json.len()
    }
}

/// A HuggingFace tokenizer.
#[napi(custom_finalize)]
pub struct NativeTokenizer {
    handle: Handle<Described>,
}

impl ObjectFinalize for NativeTokenizer {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.handle.close(env);
        Ok(())
    }
}

/// Creates a tokenizer, off the event loop.
pub type Opening = AsyncTask<Background<Described, NativeTokenizer>>;

pub(crate) fn opening(read: impl FnOnce() -> Result<String> + Send + 'static) -> Opening {
    AsyncTask::new(Background::new(
        move || describe_guarded(read()?),
        |env, described| {
            let bytes = described.bytes();
            Ok(NativeTokenizer { handle: Handle::new(env, "tokenizer", described, bytes) })
        },
    ))
}

/// Reads a `tokenizer.json`.
#[napi(catch_unwind, ts_return_type = "Promise<NativeTokenizer>")]
pub fn open_tokenizer(path: String) -> Opening {
    opening(move || {
        let bytes = read_whole(&PathBuf::from(path), LARGEST_JSON)?;
        String::from_utf8(bytes).map_err(|error| invalid(error.utf8_error()))
    })
}

/// Creates a tokenizer from the content of a `tokenizer.json`.
#[napi(catch_unwind, ts_return_type = "Promise<NativeTokenizer>")]
pub fn parse_tokenizer(json: String) -> Opening {
    opening(move || Ok(json))
}

#[napi]
impl NativeTokenizer {
    /// Ids of one text's tokens, synchronously. No special tokens are added.
    #[napi(catch_unwind)]
    pub fn encode(&self, text: String) -> napi::Result<Uint32Array> {
        let described = self.handle.get()?;
        guard(|| described.encode(&text)).js().map(Uint32Array::new)
    }

    /// Ids of many texts' tokens.
    #[napi(catch_unwind, ts_return_type = "Promise<EncodedTexts>")]
    pub fn encode_many(&self, texts: Vec<String>) -> napi::Result<Pending<Ids, EncodedTexts>> {
        let work = move |described: &Described| {
            let mut encoded = Ids { ids: Vec::new(), lengths: Vec::with_capacity(texts.len()) };
            for text in &texts {
                let ids = described.encode(text)?;
                encoded.lengths.push(ids.len() as u32);
                encoded.ids.extend(ids);
            }
            Ok((encoded, described.bytes()))
        };
        self.handle.background(work, EncodedTexts::from)
    }

    /// Start and end of each token of a text, in UTF-16 code units.
    #[napi(catch_unwind, ts_return_type = "Promise<Uint32Array>")]
    pub fn spans(&self, text: String) -> napi::Result<Pending<Vec<u32>, Uint32Array>> {
        let work = move |described: &Described| Ok((described.spans(&text)?, described.bytes()));
        self.handle.background(work, Uint32Array::new)
    }

    /// The text of some ids, synchronously. An incomplete character becomes U+FFFD.
    #[napi(catch_unwind)]
    pub fn decode(&self, ids: &[u32]) -> napi::Result<String> {
        let described = self.handle.get()?;
        guard(|| described.tokenizer.decode(ids, false).map_err(invalid)).js()
    }

    /// The token with an id; null if there is none.
    #[napi(catch_unwind)]
    pub fn token(&self, id: u32) -> napi::Result<Option<String>> {
        Ok(self.handle.get()?.tokenizer.id_to_token(id))
    }

    /// Id of the unknown token; null if there is none.
    #[napi(getter, catch_unwind)]
    pub fn unknown_id(&self) -> napi::Result<Option<u32>> {
        Ok(self.handle.get()?.unknown)
    }

    /// Number of distinct tokens.
    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> napi::Result<u32> {
        Ok(self.handle.get()?.tokenizer.get_vocab_size(true) as u32)
    }

    /// The original description.
    #[napi(catch_unwind)]
    pub fn json(&self) -> napi::Result<String> {
        Ok(self.handle.get()?.json.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = r#"{"version":"1.0","added_tokens":[],"normalizer":{"type":"Lowercase"},
        "pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"WordLevel","vocab":{"[UNK]":0,"the":1,"cat":2},"unk_token":"[UNK]"}}"#;

    fn described(json: &str) -> Described {
        describe_guarded(json.to_owned()).map_err(|error| error.to_string()).expect("a tokenizer")
    }

    fn refused(json: &str) -> Error {
        describe_guarded(json.to_owned()).err().expect("a refusal")
    }

    #[test]
    fn a_text_becomes_the_ids_of_its_words() {
        let tokenizer = described(WORDS);
        assert_eq!(tokenizer.encode("The cat sat").unwrap(), [1, 2, 0]);
        assert_eq!(tokenizer.encode("").unwrap(), [0; 0]);
        assert_eq!(tokenizer.unknown, Some(0));
    }

    #[test]
    fn the_length_in_a_model_file_is_that_of_json_in_json() {
        let all: String = (0..0x250u32).filter_map(char::from_u32).collect();
        for text in [WORDS, &all, ""] {
            assert_eq!(escaped_length(text), serde_json::to_string(text).unwrap().len() as u64 - 2);
        }
    }

    #[test]
    fn what_is_cut_at_any_byte_is_refused() {
        for end in (0..WORDS.len()).filter(|&end| WORDS.is_char_boundary(end)) {
            assert_eq!(refused(&WORDS[..end]).code(), ErrorCode::InvalidFile, "cut at {end}");
        }
    }

    #[test]
    fn a_panic_of_the_library_is_a_fault_of_the_file() {
        let broken = WORDS.replace(r#"{"type":"WhitespaceSplit"}"#, r#"{"type":"FixedLength","length":0}"#);
        assert_eq!(refused(&broken).code(), ErrorCode::InvalidFile);
    }

    #[test]
    fn a_model_without_a_token_for_the_unknown_is_refused_at_once() {
        let error = refused(&WORDS.replace(r#""unk_token":"[UNK]""#, r#""unk_token":"none""#));
        assert_eq!(error.code(), ErrorCode::InvalidFile);
        assert!(error.message().contains("cannot split a text"), "{error}");
    }
}
