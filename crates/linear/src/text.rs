//! Splits a text into stretches, words and n-grams, and hashes them.
//!
//! Blanks are those of Python's `str.split`. A word is a run of letters, digits, vowel signs and `_`: the characters of
//! Python's `\w`, and vowel signs, at which Python splits words.

/// Whether a character separates stretches.
#[inline]
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[inline]
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Lowercases a text into a reusable buffer.
pub(crate) fn lower_into(text: &str, to: &mut String) {
    to.clear();
    if text.is_ascii() {
        to.push_str(text);
        to.make_ascii_lowercase();
    } else {
        to.push_str(&text.to_lowercase());
    }
}

/// Whether a character is a zero-width mark, such as the byte order mark. At the start of a text, marks are not part of
/// a stretch.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

/// The runs between blanks, with their start bytes.
pub(crate) fn stretches(lower: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = lower.trim_start_matches(is_mark);
    let from = lower.len() - text.len();
    runs(text, |character| !is_blank(character)).map(move |(at, stretch)| (from + at, stretch))
}

/// The words of a stretch, with their start bytes.
pub(crate) fn words(stretch: &str) -> impl Iterator<Item = (usize, &str)> {
    runs(stretch, is_word)
}

fn runs(text: &str, inside: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + text[at..].find(inside)?;
        let to = text[from..].find(|character| !inside(character)).map_or(text.len(), |length| from + length);
        at = to;
        Some((from, &text[from..to]))
    })
}

const ODD: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93, 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Hash of a stretch or a word. Model files depend on it, so it must never change.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hash = (text.len() as u64 + 1).wrapping_mul(ODD[0]);
    let mut chunks = text.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        hash = fold(hash ^ u64::from_le_bytes(chunk.try_into().unwrap_or_default()), ODD[1]);
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    fold(fold(hash ^ u64::from_le_bytes(last), ODD[1]) ^ ODD[2], ODD[0])
}

/// Fingerprint of an n-gram of words, from the hashes of its words.
#[inline]
pub(crate) fn word_print(hashes: &[u64]) -> u32 {
    let all = hashes.iter().fold(hashes.len() as u64, |all, &word| fold(all ^ word.rotate_left(17), ODD[2] ^ all));
    (fold(all ^ ODD[3], ODD[1]) >> 32) as u32
}

/// Whether a word has the minimum number of characters.
pub(crate) fn counts(word: &str, min_word: usize) -> bool {
    min_word <= 1 || word.chars().nth(min_word - 1).is_some()
}

/// Calls `each` for each n-gram of words up to `longest`, with the index of its first word, its number of words and its
/// fingerprint.
pub(crate) fn each_word_ngram(hashes: &[u64], longest: usize, mut each: impl FnMut(usize, usize, u32)) {
    for from in 0..hashes.len() {
        for length in 1..=longest.min(hashes.len() - from) {
            each(from, length, word_print(&hashes[from..from + length]));
        }
    }
}

/// Calls `each` for the character n-grams of a padded stretch, with start, end and fingerprint. Positions are in
/// characters and count the padding. As in scikit-learn's `char_wb`, a stretch shorter than the shortest n-gram counts
/// once as a whole.
#[inline]
pub(crate) fn char_ngrams(padded: &[u32], (min, max): (usize, usize), mut each: impl FnMut(usize, usize, u32)) {
    let min = min.min(padded.len());
    for from in 0..=padded.len() - min {
        let mut state = ODD[3];
        for (length, &point) in padded[from..].iter().take(max).enumerate() {
            state = (state ^ u64::from(point)).wrapping_mul(ODD[0]);
            state ^= state >> 29;
            if length + 1 >= min {
                each(from, from + length + 1, ((state ^ state >> 32).wrapping_mul(ODD[1]) >> 32) as u32);
            }
        }
    }
}

/// Writes the characters of a stretch, with a blank on each side, into a reusable buffer.
#[inline]
pub(crate) fn pad_into(stretch: &str, to: &mut Vec<u32>) {
    to.clear();
    to.push(32);
    to.extend(stretch.chars().map(u32::from));
    to.push(32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_text_falls_into_stretches_and_words() {
        let text = "  can't stop\u{a0}it\u{1c}now_1 ";
        assert_eq!(stretches(text).map(|(_, part)| part).collect::<Vec<_>>(), ["can't", "stop", "it", "now_1"]);
        assert_eq!(words("can't--go").collect::<Vec<_>>(), [(0, "can"), (4, "t"), (7, "go")]);
        assert_eq!(words("...").count(), 0);
    }

    fn ngrams(stretch: &str, range: (usize, usize)) -> Vec<String> {
        let (mut padded, mut all) = (Vec::new(), Vec::new());
        pad_into(stretch, &mut padded);
        char_ngrams(&padded, range, |from, to, _| {
            all.push(padded[from..to].iter().filter_map(|&point| char::from_u32(point)).collect())
        });
        all
    }

    #[test]
    fn character_ngrams_are_those_of_char_wb() {
        assert_eq!(ngrams("ab", (2, 3)), [" a", " ab", "ab", "ab ", "b "]);
        assert_eq!(ngrams("a", (5, 6)), [" a "]);
        assert_eq!(ngrams("é", (3, 5)), [" é "]);
    }

    #[test]
    fn fingerprints_of_short_ngrams_differ() {
        let mut seen = HashSet::new();
        let mut padded = Vec::new();
        for stretch in (b'a'..=b'z').flat_map(|a| (b'a'..=b'z').map(move |b| format!("{}{}", a as char, b as char))) {
            pad_into(&stretch, &mut padded);
            char_ngrams(&padded, (4, 4), |_, _, print| assert!(seen.insert(print)));
        }
    }

    proptest! {
        #[test]
        fn different_words_have_different_hashes(a in ".{0,20}", b in ".{0,20}") {
            prop_assert_eq!(a == b, hash(&a) == hash(&b));
        }
    }
}
