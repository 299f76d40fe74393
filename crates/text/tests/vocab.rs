//! The vocabulary: words to indices and back, and from JSON.

use std::collections::HashMap;

use proptest::prelude::*;
use recurra_kernels::ErrorCode;
use recurra_text::Vocab;

#[test]
fn refuses_a_word_twice() {
    let error = Vocab::from_tokens(["a", "b", "a"]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(error.message(), "Expected different tokens but \"a\" stands at 0 and at 2");
    let error = serde_json::from_str::<Vocab>(r#"["a","a"]"#).unwrap_err();
    assert!(error.to_string().contains("stands at 0 and at 1"), "{error}");
}

#[test]
fn refuses_what_is_no_list_of_words() {
    for json in ["{}", "\"a\"", "[1]", "[null]", "[\"a\"", r#"["\ud800"]"#] {
        assert!(serde_json::from_str::<Vocab>(json).is_err(), "{json}");
    }
}

#[test]
fn can_be_empty_and_have_an_empty_word() {
    let empty = serde_json::from_str::<Vocab>("[]").unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.get(""), None);
    assert_eq!(empty.token(0), None);
    let one = Vocab::from_tokens([""]).unwrap();
    assert_eq!((one.get(""), one.token(0), one.token(1)), (Some(0), Some(""), None));
}

proptest! {
    #[test]
    fn finds_each_word_where_it_stands(words in prop::collection::hash_set("\\PC{0,6}|[a-c]{0,3}", 0..200)) {
        let words: Vec<String> = words.into_iter().collect();
        let expected: HashMap<&str, u32> = words.iter().zip(0..).map(|(word, index)| (word.as_str(), index)).collect();
        let json = serde_json::to_string(&words).unwrap();
        for vocab in [
            Vocab::from_tokens(words.iter().map(String::as_str)).unwrap(),
            serde_json::from_str(&json).unwrap(),
        ] {
            prop_assert_eq!(vocab.len(), words.len());
            prop_assert!(vocab.tokens().eq(words.iter()));
            for (word, index) in words.iter().zip(0..) {
                prop_assert_eq!(vocab.get(word), Some(index));
                prop_assert_eq!(vocab.token(index), Some(word.as_str()));
                let other = format!("{word}z");
                prop_assert_eq!(vocab.get(&other), expected.get(other.as_str()).copied());
            }
        }
    }
}
