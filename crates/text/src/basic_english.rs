//! torchtext's `basic_english` in one pass. It lowercases, makes separate tokens of `' . , ( ) ! ?`, drops `"`, treats
//! `;`, `:` and `<br />` as blanks and splits at white space.
//!
//! White space is Python's (`str.isspace`, as in `\s` and `str.split()`). Unlike JavaScript's, it contains U+001C to
//! U+001F and U+0085, and does not contain U+FEFF.

use crate::lower::latin1;
use crate::wtf8::{point_at, push, push_joined};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Space,
    Alone,
    Drop,
    LessThan,
}

const LATIN1: [(Kind, u8); 256] = {
    let mut table = [(Kind::Word, 0); 256];
    let mut unit = 0;
    while unit < 256 {
        let kind = match unit as u8 {
            9..=13 | 0x1c..=0x20 | 0x85 | 0xa0 | b';' | b':' => Kind::Space,
            b'\'' | b'.' | b',' | b'(' | b')' | b'!' | b'?' => Kind::Alone,
            b'"' => Kind::Drop,
            b'<' => Kind::LessThan,
            _ => Kind::Word,
        };
        table[unit] = (kind, latin1(unit as u8));
        unit += 1;
    }
    table
};

/// Python's white space beyond Latin-1.
fn is_wide_space(unit: u16) -> bool {
    matches!(unit, 0x2000..=0x200a | 0x1680 | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

/// The position after `<br />`, ignoring dropped quotes; `None` if there is none.
fn end_of_line_break(text: &[u16], at: usize) -> Option<usize> {
    let mut i = at;
    for expected in "<br />".encode_utf16() {
        while text.get(i) == Some(&u16::from(b'"')) {
            i += 1;
        }
        let unit = *text.get(i)?;
        let lower = if unit < 0x100 { u16::from(latin1(unit as u8)) } else { unit };
        if lower != expected {
            return None;
        }
        i += 1;
    }
    Some(i)
}

/// Splits a text and calls `token` with the WTF-8 bytes of each token until it returns false. `word` is a buffer for
/// one token. Lowercases Latin-1; other characters must already be lowercase.
pub(crate) fn basic_english(text: &[u16], word: &mut Vec<u8>, mut token: impl FnMut(&[u8]) -> bool) {
    word.clear();
    let mut i = 0;
    while i < text.len() {
        let unit = text[i];
        let kind = if unit < 0x100 {
            let (kind, lower) = LATIN1[unit as usize];
            if kind == Kind::Word {
                if lower < 0x80 {
                    word.push(lower)
                } else {
                    push(word, u32::from(lower))
                }
                i += 1;
                continue;
            }
            kind
        } else if is_wide_space(unit) {
            Kind::Space
        } else {
            let (point, units) = point_at(text, i);
            // A dropped quote may have separated the two halves of a surrogate pair.
            push_joined(word, point);
            i += units;
            continue;
        };
        let mut next = i + 1;
        match kind {
            Kind::Drop => {
                i = next;
                continue;
            }
            Kind::LessThan => match end_of_line_break(text, i) {
                Some(end) => next = end,
                None => {
                    word.push(b'<');
                    i = next;
                    continue;
                }
            },
            _ => {}
        }
        if !word.is_empty() {
            if !token(word) {
                return;
            }
            word.clear();
        }
        if kind == Kind::Alone && !token(&[unit as u8]) {
            return;
        }
        i = next;
    }
    if !word.is_empty() {
        token(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        let units: Vec<u16> = text.encode_utf16().collect();
        basic_english(&units, &mut Vec::new(), |token| {
            tokens.push(String::from_utf8(token.to_vec()).unwrap());
            true
        });
        tokens
    }

    #[test]
    fn texts_are_split_as_torchtext_does() {
        let cases: [(&str, &[&str]); 8] = [
            (
                "You can now install TorchText using pip!",
                &["you", "can", "now", "install", "torchtext", "using", "pip", "!"],
            ),
            ("It's 5 o'clock", &["it", "'", "s", "5", "o", "'", "clock"]),
            ("a\"b\" c", &["ab", "c"]),
            ("one<br />two<BR\" />three<br/>", &["one", "two", "three<br/>"]),
            ("x;y:z\u{3000}w\u{85}v", &["x", "y", "z", "w", "v"]),
            ("\u{c9}t\u{e9} \u{d7} \u{1f642}\u{4e2d}", &["\u{e9}t\u{e9}", "\u{d7}", "\u{1f642}\u{4e2d}"]),
            (" \"\" ", &[]),
            ("(a,b)", &["(", "a", ",", "b", ")"]),
        ];
        for (text, tokens) in cases {
            assert_eq!(split(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn a_quote_within_a_surrogate_pair_is_dropped_as_well() {
        let mut tokens = Vec::new();
        basic_english(&[0xd83d, 0x22, 0xde42, 0x20, 0xde42, 0x22, 0xd83d], &mut Vec::new(), |token| {
            tokens.push(crate::units(token));
            true
        });
        assert_eq!(tokens, [vec![0xd83d, 0xde42], vec![0xde42, 0xd83d]]);
    }

    #[test]
    fn a_caller_that_has_enough_is_given_no_more() {
        let units: Vec<u16> = "a b, c d".encode_utf16().collect();
        for wanted in 1..6 {
            let mut given = 0;
            basic_english(&units, &mut Vec::new(), |_| {
                given += 1;
                given < wanted
            });
            assert_eq!(given, wanted.min(5));
        }
    }
}
