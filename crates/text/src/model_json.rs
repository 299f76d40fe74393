//! A model file describes its model in JSON, nearly all of which is the vocabulary. It is taken out here, so that JavaScript
//! never makes a string of each word.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::vocabulary::Vocabulary;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Takes the list `vocab.tokens` out of a model's description.
///
/// Returns the tokens, and the description with an empty list in their place. Nothing if the description is not what it
/// should be or a token comes twice: JavaScript then reads it and says what is wrong.
#[must_use]
pub fn take_vocabulary(description: &str) -> Option<(Vocabulary, String)> {
    let mut model: Object<'_> = serde_json::from_str(description).ok()?;
    let mut vocab: Object<'_> = serde_json::from_str(model.get("vocab")?.get()).ok()?;
    let mut vocabulary = Vocabulary::default();
    let mut tokens = serde_json::Deserializer::from_str(vocab.get("tokens")?.get());
    Tokens(&mut vocabulary).deserialize(&mut tokens).ok()?;
    vocabulary.finish();
    let none = RawValue::from_string("[]".into()).ok()?;
    vocab.insert("tokens".into(), &none);
    let vocab = serde_json::value::to_raw_value(&vocab).ok()?;
    model.insert("vocab".into(), &vocab);
    let rest = serde_json::to_string(&model).ok()?;
    Some((vocabulary, rest))
}

/// Reads a list of strings into a vocabulary.
struct Tokens<'a>(&'a mut Vocabulary);

impl<'de> DeserializeSeed<'de> for Tokens<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Tokens<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of different strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Token(self.0))?.is_some() {}
        Ok(())
    }
}

struct Token<'a>(&'a mut Vocabulary);

impl<'de> DeserializeSeed<'de> for Token<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // As bytes serde_json also takes a surrogate that stands alone, which JavaScript's strings may have.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Token<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string that is not in the list yet")
    }

    fn visit_bytes<E: serde::de::Error>(self, token: &[u8]) -> Result<(), E> {
        self.0.add(token).map_err(|_| E::custom("a token comes twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wtf8::units;

    #[test]
    fn the_tokens_are_taken_out_and_the_rest_stays() {
        let description = r#"{"formatVersion":2,"vocab":{"tokens":["<unk>","a\"\u00e9","\ud800","\ud83d\ude42",""],"unkToken":"<unk>"},"labels":["x"]}"#;
        let (vocabulary, rest) = take_vocabulary(description).unwrap();
        assert_eq!(rest, r#"{"formatVersion":2,"labels":["x"],"vocab":{"tokens":[],"unkToken":"<unk>"}}"#);
        let tokens: Vec<Vec<u16>> = (0..vocabulary.len()).map(|i| units(vocabulary.token(i as u32))).collect();
        let expected = ["<unk>", "a\"\u{e9}", "", "\u{1f642}", ""].map(|t| t.encode_utf16().collect::<Vec<_>>());
        assert_eq!(tokens[..2], expected[..2]);
        assert_eq!(tokens[2], [0xd800]);
        assert_eq!(tokens[3..], expected[3..]);
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
            assert!(take_vocabulary(wrong).is_none(), "{wrong}");
        }
    }
}
