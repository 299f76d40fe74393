//! The tokenizer against the twelve substitutions that torchtext makes, one after the other.

use proptest::prelude::*;
use recurra_text::{Encoded, Reading, Truncate, Vocab, basic_english};

/// torchtext's `_basic_english_normalize`, with Python's white space.
fn reference(text: &str) -> Vec<String> {
    let mut text = text.to_lowercase();
    for (pattern, replacement) in [
        ("'", " '  "),
        ("\"", ""),
        (".", " . "),
        ("<br />", " "),
        (",", " , "),
        ("(", " ( "),
        (")", " ) "),
        ("!", " ! "),
        ("?", " ? "),
        (";", " "),
        (":", " "),
    ] {
        text = text.replace(pattern, replacement);
    }
    let is_space = |c: char| (c.is_whitespace() && c != '\u{feff}') || ('\u{1c}'..='\u{1f}').contains(&c);
    text.split(is_space).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

fn split(text: &str) -> Option<Vec<String>> {
    let mut tokens = Vec::new();
    let certain = basic_english::split(text, &mut Vec::new(), |token| {
        tokens.push(String::from_utf8(token.to_vec()).unwrap());
        true
    });
    certain.then_some(tokens)
}

#[test]
fn splits_as_torchtext() {
    let text = "You can't \"now\" install<br />TorchText (v0.18); using pip!\u{a0}ÄÖİ, Москва: 北京?";
    let expected = [
        "you",
        "can",
        "'",
        "t",
        "now",
        "install",
        "torchtext",
        "(",
        "v0",
        ".",
        "18",
        ")",
        "using",
        "pip",
        "!",
        "äöi\u{307}",
        ",",
        "москва",
        "北京",
        "?",
    ];
    assert_eq!(split(text).unwrap(), expected);
    assert_eq!(split("a<BR\" />b<br/>c < d").unwrap(), ["a", "b<br/>c", "<", "d"]);
    assert_eq!(split("don\"t \" \"").unwrap(), ["dont"]);
    assert!(split(" \u{85}\u{3000};: ").unwrap().is_empty());
    assert!(split("").unwrap().is_empty());
}

#[test]
fn says_what_it_is_not_sure_of() {
    for text in ["ΟΔΟΣ", "a \u{fffd}", "\u{10D50}", "\u{212a}", "ⴀ"] {
        assert_eq!(split(text), None, "{text}");
    }
}

#[test]
fn stops_where_it_is_told() {
    let mut tokens = 0;
    let certain = basic_english::split("a. b c Ω", &mut Vec::new(), |_| {
        tokens += 1;
        tokens < 3
    });
    assert!(certain, "what comes after the end is not looked at");
    assert_eq!(tokens, 3);
}

proptest! {
    #[test]
    fn equals_the_substitutions(
        pieces in prop::collection::vec(
            prop_oneof![
                "[ a-zA-Z'.,()!?;:\"<>/]{0,6}",
                "[\\x00-\\x7f]{0,4}",
                "\\PC{0,4}",
                "[\u{80}-\u{36f}\u{2000}-\u{2070}\u{3000}\u{1e00}-\u{1eff}]{0,4}",
                Just("<br />".to_owned()),
                Just("<\"BR /\">".to_owned()),
            ],
            0..20,
        )
    ) {
        let text = pieces.concat();
        if let Some(tokens) = split(&text) {
            prop_assert_eq!(tokens, reference(&text));
        }
    }

    #[test]
    fn reads_what_the_model_takes(
        words in prop::collection::vec("[a-f]|<pad>|<unk>", 0..12),
        max_length in 1usize..10,
        truncate in prop::sample::select(vec![Truncate::Head, Truncate::Tail, Truncate::Both]),
        padded: bool,
    ) {
        let vocab = Vocab::from_tokens(["<unk>", "<pad>", "a", "b", "c"]).unwrap();
        let padding = padded.then_some(1);
        let reading = Reading { unknown: 0, padding, max_length, truncate };
        let mut ids = vec![7];
        let read = reading.basic_english(&vocab, &words.join(" "), &mut Vec::new(), &mut ids);

        let n = words.len();
        let places: Vec<usize> = if n <= max_length {
            (0..n).collect()
        } else {
            match truncate {
                Truncate::Head => (0..max_length).collect(),
                Truncate::Tail => (n - max_length..n).collect(),
                Truncate::Both => {
                    let head = max_length.div_ceil(2);
                    (0..head).chain(n - (max_length - head)..n).collect()
                }
            }
        };
        let index = |place: &usize| match vocab.get(&words[*place]) {
            Some(1) if padded => 0,
            found => found.unwrap_or(0) as i32,
        };
        let mut expected: Vec<i32> = places.iter().map(index).collect();
        let known = expected.iter().filter(|&&id| id != 0).count();
        prop_assert_eq!(read, Some(Encoded { count: expected.len(), known }));
        if expected.is_empty() {
            expected.push(0);
        }
        expected.insert(0, 7);
        prop_assert_eq!(ids, expected);
    }
}

#[test]
fn an_uncertain_text_leaves_no_trace() {
    let vocab = Vocab::from_tokens(["<unk>", "a"]).unwrap();
    let reading = Reading { unknown: 0, padding: None, max_length: 9, truncate: Truncate::Tail };
    let mut ids = vec![1, 2];
    assert_eq!(reading.basic_english(&vocab, "a a Σ", &mut Vec::new(), &mut ids), None);
    assert_eq!(ids, [1, 2]);
}
