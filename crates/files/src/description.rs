//! Takes the vocabulary out of a model file's JSON description. It is nearly all of the description, and JavaScript
//! would create a string for each word.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Metadata key of the description of the model.
pub const DESCRIPTION: &str = "model";

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Takes the list `vocab.tokens` out of a model's description. `add` receives each token as WTF-8 and returns whether
/// it is new.
///
/// Returns the description with an empty list in its place. Returns `None` if the description is invalid or a token is
/// repeated; JavaScript then reads it and reports the error.
#[must_use]
pub fn take_tokens(description: &str, add: impl FnMut(&[u8]) -> bool) -> Option<String> {
    let mut model: Object<'_> = serde_json::from_str(description).ok()?;
    let mut vocab: Object<'_> = serde_json::from_str(model.get("vocab")?.get()).ok()?;
    let mut tokens = serde_json::Deserializer::from_str(vocab.get("tokens")?.get());
    Tokens(add).deserialize(&mut tokens).ok()?;
    let none = RawValue::from_string("[]".into()).ok()?;
    vocab.insert("tokens".into(), &none);
    let vocab = serde_json::value::to_raw_value(&vocab).ok()?;
    model.insert("vocab".into(), &vocab);
    serde_json::to_string(&model).ok()
}

/// Reads a list of strings.
struct Tokens<F>(F);

impl<'de, F: FnMut(&[u8]) -> bool> DeserializeSeed<'de> for Tokens<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&[u8]) -> bool> Visitor<'de> for Tokens<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of different strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Token(&mut self.0))?.is_some() {}
        Ok(())
    }
}

struct Token<'a, F>(&'a mut F);

impl<'de, F: FnMut(&[u8]) -> bool> DeserializeSeed<'de> for Token<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // As bytes, serde_json also accepts a lone surrogate, which JavaScript strings may contain.
        deserializer.deserialize_bytes(self)
    }
}

impl<F: FnMut(&[u8]) -> bool> Visitor<'_> for Token<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string that is not in the list yet")
    }

    fn visit_bytes<E: serde::de::Error>(self, token: &[u8]) -> Result<(), E> {
        if (self.0)(token) { Ok(()) } else { Err(E::custom("a token occurs twice")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(description: &str) -> Option<(Vec<Vec<u8>>, String)> {
        let mut tokens: Vec<Vec<u8>> = Vec::new();
        let rest = take_tokens(description, |token| {
            let fresh = !tokens.iter().any(|other| other == token);
            tokens.push(token.to_vec());
            fresh
        })?;
        Some((tokens, rest))
    }

    #[test]
    fn the_tokens_are_taken_out_and_the_rest_stays() {
        let description = r#"{"formatVersion":2,"vocab":{"tokens":["<unk>","a\"\u00e9","\ud800","\ud83d\ude42",""],"unkToken":"<unk>"},"labels":["x"]}"#;
        let (tokens, rest) = take(description).unwrap();
        assert_eq!(rest, r#"{"formatVersion":2,"labels":["x"],"vocab":{"tokens":[],"unkToken":"<unk>"}}"#);
        let lone_surrogate: &[u8] = &[0xed, 0xa0, 0x80];
        let expected = ["<unk>".as_bytes(), "a\"\u{e9}".as_bytes(), lone_surrogate, "\u{1f642}".as_bytes(), b""];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn what_is_no_description_is_left_to_javascript() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"vocab":null}"#,
            r#"{"vocab":{}}"#,
            r#"{"vocab":{"tokens":{}}}"#,
            r#"{"vocab":{"tokens":["a",1]}}"#,
            r#"{"vocab":{"tokens":["a","a"]}}"#,
            r#"{"vocab":{"tokens":["a""#,
            r#"{"vocab":{"tokens":[[1]]}}"#,
        ] {
            assert!(take(wrong).is_none(), "{wrong}");
        }
    }
}
