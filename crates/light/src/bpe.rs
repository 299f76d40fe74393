//! Learns subword pieces from texts: byte-level byte pair encoding as in GPT-2, by Hugging Face's `tokenizers`.

use std::collections::HashSet;

use napi_derive::napi;
use recurra_core::{Error, ErrorCode, Result};
use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::models::{ModelWrapper, TrainerWrapper};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use crate::tokenizer::{Opening, opening};

/// Maximum bytes of text split together; splitting needs a multiple of that in memory.
const TOGETHER: usize = 1 << 20;

fn failed(error: tokenizers::Error) -> Error {
    Error::new(ErrorCode::InvalidArgument, format!("pieces of words cannot be learned from these texts: {error}"))
}

/// The `tokenizer.json` of the learned pieces: `size` pieces, or fewer if the texts have no more pairs; at least the
/// 256 bytes.
fn learn(texts: &[String], size: usize) -> Result<String> {
    let alphabet: HashSet<char> = ByteLevel::alphabet().into_iter().collect();
    let trainer =
        BpeTrainerBuilder::new().show_progress(false).min_frequency(2).vocab_size(size).initial_alphabet(alphabet);
    let mut trainer = TrainerWrapper::BpeTrainer(trainer.build());
    let bytes = ByteLevel::new(false, true, true);
    let mut tokenizer = Tokenizer::new(ModelWrapper::BPE(BPE::default()));
    tokenizer.with_pre_tokenizer(Some(bytes)).with_decoder(Some(bytes));
    tokenizer.train(&mut trainer, texts.iter().flat_map(|text| pieces(text))).map_err(failed)?;
    tokenizer.to_string(false).map_err(failed)
}

/// Splits a text into parts that end at a line end, or anywhere if a megabyte has none.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let mut end = (0..=TOGETHER.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        if end < text.len() {
            end = text[..end].rfind('\n').map_or(end, |line| line + 1);
        }
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(piece)
    })
}

/// Learns pieces of words from texts, off the event loop. Returns a tokenizer with at most `size` pieces. They include
/// the 256 bytes, so that it can split any text.
#[napi(catch_unwind, ts_return_type = "Promise<NativeTokenizer>")]
pub fn learn_pieces(texts: Vec<String>, size: u32) -> Opening {
    opening(move || learn(&texts, size as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_gives_the_text_back_and_is_the_same_each_time() {
        let text = "the cat sat on the mat, the cat ate the rat: caf\u{e9} \u{1f642}\n".repeat(40);
        let json = learn(std::slice::from_ref(&text), 300).unwrap();
        assert_eq!(json, learn(std::slice::from_ref(&text), 300).unwrap());
        let tokenizer: Tokenizer = json.parse().unwrap();
        let size = tokenizer.get_vocab_size(true);
        assert!((270..=300).contains(&size), "{size}");
        let ids = tokenizer.encode(text.as_str(), false).unwrap();
        assert!(ids.len() < text.len() / 3, "{}", ids.len());
        assert_eq!(tokenizer.decode(ids.get_ids(), false).unwrap(), text);
        // Characters that the texts did not contain become bytes.
        let other = "\u{65e5} zebra";
        let ids = tokenizer.encode(other, false).unwrap();
        assert_eq!(tokenizer.decode(ids.get_ids(), false).unwrap(), other);
    }

    #[test]
    fn a_long_text_is_cut_at_ends_of_lines_and_within_characters_never() {
        let line = format!("{}\n", "\u{e9}".repeat(300_000));
        let text = line.repeat(4);
        let parts: Vec<&str> = pieces(&text).collect();
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.ends_with('\n')));
        let endless = "\u{e9}".repeat(1_200_000);
        let parts: Vec<&str> = pieces(&endless).collect();
        assert_eq!((parts.len(), parts.concat() == endless), (3, true));
    }
}
