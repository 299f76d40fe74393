//! Code points as tokens: case, blanks and line ends are kept, a lone surrogate is a separate token.

use crate::wtf8::{point_at, push};

/// Gives each code point of a text, as the bytes of its WTF-8, to `token`, until that returns false. `word` is room for one.
pub(crate) fn characters(text: &[u16], word: &mut Vec<u8>, mut token: impl FnMut(&[u8]) -> bool) {
    let mut at = 0;
    while at < text.len() {
        let (point, units) = point_at(text, at);
        word.clear();
        push(word, point);
        if !token(word) {
            return;
        }
        at += units;
    }
}
