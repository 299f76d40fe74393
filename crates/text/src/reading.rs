//! Reads texts as tokens: splits, truncates and adds n-grams. Training and prediction use this same implementation.

use crate::basic_english::basic_english;
use crate::characters::characters;
use crate::vocabulary::Waiting;

/// A built-in tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokenizer {
    /// torchtext's `basic_english`.
    BasicEnglish,
    /// Code points.
    Characters,
}

impl Tokenizer {
    /// Splits a text and calls `token` with the WTF-8 bytes of each token until it returns false. `word` is a buffer
    /// for one token. For `basic_english`, texts for which [`needs_javascript`](crate::needs_javascript) is true must
    /// already be lowercase.
    #[inline]
    pub fn split(self, text: &[u16], word: &mut Vec<u8>, token: impl FnMut(&[u8]) -> bool) {
        match self {
            Self::BasicEnglish => basic_english(text, word, token),
            Self::Characters => characters(text, word, token),
        }
    }

    /// Whether texts are lowercased before they are split.
    #[must_use]
    pub const fn lowers(self) -> bool {
        matches!(self, Self::BasicEnglish)
    }
}

/// The part that is kept of a text with too many tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// The start.
    Head,
    /// The end.
    Tail,
    /// Half from each end; the start gets the odd token.
    Both,
}

/// How a text becomes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The tokenizer that splits the text.
    pub tokenizer: Tokenizer,
    /// Longest n-gram of consecutive tokens; 1 for none.
    pub ngrams: u32,
    /// Maximum number of tokens, not counting n-grams.
    pub max_length: usize,
    /// The part that is kept of a longer text.
    pub truncation: Truncation,
    /// Whether a literal `<pad>` in the text is read as `<unk>`, and zero-width marks at the start of the text are
    /// skipped. In a model, `<pad>` is padding, whose vector stays zero, and no word starts with a mark.
    pub masks_padding: bool,
}

/// Whether a unit is a zero-width mark, such as the byte order mark. At the start of a text, marks are not part of a
/// word.
const fn is_mark(unit: u16) -> bool {
    matches!(unit, 0xfeff | 0x200b..=0x200f | 0x2060)
}

/// The text without marks at its start.
fn without_marks(text: &[u16]) -> &[u16] {
    &text[text.iter().take_while(|&&unit| is_mark(unit)).count()..]
}

const PADDING: &[u8] = b"<pad>";
const UNKNOWN: &[u8] = b"<unk>";

/// Reusable buffers for the tokens of a text.
#[derive(Default)]
pub struct Room {
    word: Vec<u8>,
    /// Concatenated tokens, and the end of each.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    run: Vec<u8>,
    pub(crate) waiting: Waiting,
}

impl Room {
    fn token(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl Reading {
    /// Calls `token` with the WTF-8 bytes of each token: the tokens of the text, then the bigrams (joined by a blank),
    /// then the trigrams and so on. No n-gram spans a truncated part.
    pub fn each(&self, text: &[u16], room: &mut Room, mut token: impl FnMut(&[u8])) {
        let text = if self.masks_padding { without_marks(text) } else { text };
        let masked = |token: &[u8]| self.masks_padding && token == PADDING;
        if self.ngrams == 1 && self.truncation == Truncation::Head {
            let mut left = self.max_length;
            return self.tokenizer.split(text, &mut room.word, |word| {
                token(if masked(word) { UNKNOWN } else { word });
                left -= 1;
                left > 0
            });
        }
        room.clear();
        let mut word = std::mem::take(&mut room.word);
        let most = if self.truncation == Truncation::Head { self.max_length } else { usize::MAX };
        self.tokenizer.split(self.within_reach(text), &mut word, |word| {
            room.bytes.extend_from_slice(if masked(word) { UNKNOWN } else { word });
            room.ends.push(room.bytes.len());
            room.ends.len() < most
        });
        room.word = word;
        // The tokens that are kept: two ranges, one of which may be empty.
        let count = room.ends.len();
        let cut = count.saturating_sub(self.max_length);
        let head = match self.truncation {
            Truncation::Both if cut > 0 => self.max_length.div_ceil(2),
            _ => 0,
        };
        let stretches = [0..head, head + cut..count];
        for index in stretches.iter().cloned().flatten() {
            token(room.token(index));
        }
        let mut run = std::mem::take(&mut room.run);
        for n in 2..=self.ngrams as usize {
            for stretch in &stretches {
                for from in stretch.start..(stretch.end + 1).saturating_sub(n) {
                    run.clear();
                    for index in from..from + n {
                        if index > from {
                            run.push(b' ');
                        }
                        run.extend_from_slice(room.token(index));
                    }
                    token(&run);
                }
            }
        }
        room.run = run;
    }

    /// The part of a text that contains all tokens that are kept, if it is known before splitting: a code point has at
    /// most two units.
    fn within_reach<'a>(&self, text: &'a [u16]) -> &'a [u16] {
        match (self.tokenizer, self.truncation) {
            (Tokenizer::Characters, Truncation::Tail) => {
                &text[text.len().saturating_sub(self.max_length.saturating_mul(2))..]
            }
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(reading: &Reading, text: &str) -> Vec<String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut tokens = Vec::new();
        reading.each(&units, &mut Room::default(), |token| tokens.push(String::from_utf8(token.to_vec()).unwrap()));
        tokens
    }

    fn reading(ngrams: u32, max_length: usize, truncation: Truncation) -> Reading {
        Reading { tokenizer: Tokenizer::BasicEnglish, ngrams, max_length, truncation, masks_padding: true }
    }

    #[test]
    fn long_texts_are_cut() {
        for (truncation, most, expected) in [
            (Truncation::Head, 3, "a b c"),
            (Truncation::Tail, 3, "c d e"),
            (Truncation::Both, 3, "a b e"),
            (Truncation::Both, 4, "a b d e"),
            (Truncation::Both, 1, "a"),
            (Truncation::Tail, 5, "a b c d e"),
        ] {
            assert_eq!(tokens(&reading(1, most, truncation), "A b C d e").join(" "), expected);
        }
    }

    #[test]
    fn ngrams_follow_the_tokens_and_reach_over_no_gap() {
        assert_eq!(tokens(&reading(3, 9, Truncation::Head), "a b c"), ["a", "b", "c", "a b", "b c", "a b c"]);
        assert_eq!(tokens(&reading(2, 2, Truncation::Head), "a b c d"), ["a", "b", "a b"]);
        assert_eq!(tokens(&reading(3, 4, Truncation::Both), "a b c d e f"), ["a", "b", "e", "f", "a b", "e f"]);
        assert_eq!(tokens(&reading(2, 9, Truncation::Head), "a <pad>"), ["a", "<unk>", "a <unk>"]);
    }

    #[test]
    fn marks_without_width_begin_no_word() {
        let model = reading(1, 9, Truncation::Head);
        let plain = Reading { masks_padding: false, ..model };
        for marks in ["\u{feff}", "\u{200b}\u{feff}", "\u{2060}\u{200e}"] {
            assert_eq!(tokens(&model, &format!("{marks}Refund a{marks}b")), ["refund", &format!("a{marks}b")]);
            assert_eq!(tokens(&plain, &format!("{marks}Refund")), [format!("{marks}refund")]);
        }
        let characters = Reading { tokenizer: Tokenizer::Characters, ..model };
        assert_eq!(tokens(&characters, "\u{feff}ab"), ["a", "b"]);
        assert_eq!(tokens(&model, "\u{feff}"), [""; 0]);
    }

    #[test]
    fn padding_is_a_word_where_texts_are_only_split() {
        let plain = Reading { masks_padding: false, ..reading(1, usize::MAX, Truncation::Head) };
        assert_eq!(tokens(&plain, "a <PAD> <unk>"), ["a", "<pad>", "<unk>"]);
    }

    proptest! {
        #[test]
        fn characters_are_cut_as_their_list(text in "[a\u{1f642}\u{4e2d}]{0,30}", ngrams in 1u32..3, most in 1usize..9) {
            let all: Vec<String> = text.chars().map(String::from).collect();
            for truncation in [Truncation::Head, Truncation::Tail, Truncation::Both] {
                let head = match truncation {
                    _ if all.len() <= most => all.len(),
                    Truncation::Head => most,
                    Truncation::Tail => 0,
                    Truncation::Both => most.div_ceil(2),
                };
                let tail = if all.len() <= most { all.len() } else { all.len() - (most - head) };
                let parts = [&all[..head], &all[tail..]];
                let expected: Vec<String> = (1..=ngrams as usize)
                    .flat_map(|n| parts.iter().flat_map(move |part| part.windows(n).map(|run| run.join(" "))))
                    .collect();
                let reading = Reading { tokenizer: Tokenizer::Characters, ..reading(ngrams, most, truncation) };
                prop_assert_eq!(tokens(&reading, &text), expected);
            }
        }
    }
}
