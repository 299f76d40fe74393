//! Code points as tokens. Case, blanks and line ends are kept; a lone surrogate is a token.

use crate::wtf8::{point_at, push};

/// Calls `token` with the WTF-8 bytes of each code point of a text until it returns false. `word` is a buffer for one
/// code point.
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
