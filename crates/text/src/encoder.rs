//! From a text to the ids that a model reads: the twin of `src/text/reading.ts` for `basic_english` without n-grams.

use crate::basic_english::basic_english;
use crate::vocabulary::Vocabulary;

/// Which part of a text with too many tokens is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// Its beginning.
    Head,
    /// Its end.
    Tail,
    /// Half of each, of which the beginning gets the odd one.
    Both,
}

/// What an encoded text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens that are read; 0 for an empty text, which is read as one unknown token.
    pub tokens: u32,
    /// How many of them are known.
    pub known: u32,
}

/// How texts become ids.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    /// Most tokens that are read.
    pub max_length: usize,
    /// Which of them, where there are more.
    pub truncation: Truncation,
    /// The id of a token that is not in the vocabulary.
    pub unknown: u32,
    /// The id of a `<pad>` that a text spells: no padding, but a word that nobody knows.
    pub spelled_padding: u32,
}

/// The token whose row stays zero.
const PADDING: &[u8] = b"<pad>";

impl Encoder {
    /// Appends the ids of a text, at least one. `word` is room for one token.
    pub fn encode(&self, vocabulary: &Vocabulary, text: &[u16], word: &mut Vec<u8>, ids: &mut Vec<i32>) -> Counts {
        let start = ids.len();
        let most = if self.truncation == Truncation::Head { self.max_length } else { usize::MAX };
        basic_english(text, word, |token| {
            let id = if token == PADDING { Some(self.spelled_padding) } else { vocabulary.get(token) };
            ids.push(id.unwrap_or(self.unknown) as i32);
            ids.len() - start < most
        });
        let count = ids.len() - start;
        if count == 0 {
            ids.push(self.unknown as i32);
            return Counts::default();
        }
        if count > self.max_length {
            let head = if self.truncation == Truncation::Both { self.max_length.div_ceil(2) } else { 0 };
            ids.drain(start + head..ids.len() - (self.max_length - head));
        }
        let read = &ids[start..];
        let known = read.iter().filter(|&&id| id != self.unknown as i32).count();
        Counts { tokens: read.len() as u32, known: known as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str, max_length: usize, truncation: Truncation) -> (Vec<i32>, Counts) {
        let mut vocabulary = Vocabulary::default();
        for token in ["<unk>", "<pad>", "a", "b", "c", "d", "e"] {
            vocabulary.add(token.as_bytes()).unwrap();
        }
        let encoder = Encoder { max_length, truncation, unknown: 0, spelled_padding: 0 };
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut ids = vec![9];
        let counts = encoder.encode(&vocabulary, &units, &mut Vec::new(), &mut ids);
        assert_eq!(ids.remove(0), 9);
        (ids, counts)
    }

    #[test]
    fn long_texts_are_cut() {
        let text = "a b c d e";
        for (truncation, most, ids) in [
            (Truncation::Head, 3, vec![2, 3, 4]),
            (Truncation::Tail, 3, vec![4, 5, 6]),
            (Truncation::Both, 3, vec![2, 3, 6]),
            (Truncation::Both, 1, vec![2]),
            (Truncation::Tail, 5, vec![2, 3, 4, 5, 6]),
        ] {
            let count = ids.len() as u32;
            assert_eq!(encode(text, most, truncation), (ids, Counts { tokens: count, known: count }));
        }
    }

    #[test]
    fn unknown_tokens_and_specials_are_unknown() {
        assert_eq!(
            encode("A zebra <pad> <unk> e", 10, Truncation::Head),
            (vec![2, 0, 0, 0, 6], Counts { tokens: 5, known: 2 })
        );
        assert_eq!(encode(" \"", 10, Truncation::Both), (vec![0], Counts::default()));
    }
}
