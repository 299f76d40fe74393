//! Encodes texts as token ids.

use crate::reading::{Reading, Room};
use crate::vocabulary::{Vocabulary, Waiting};

/// Token counts of an encoded text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of tokens read, including n-grams; 0 for an empty text, which is read as one unknown token.
    pub tokens: u32,
    /// Number of known tokens among them.
    pub known: u32,
}

/// Converts texts to ids.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    /// How texts become tokens.
    pub reading: Reading,
    /// The id of tokens that are not in the vocabulary.
    pub unknown: u32,
}

impl Encoder {
    /// Appends the ids of a text, at least one.
    pub fn encode(&self, vocabulary: &Vocabulary, text: &[u16], room: &mut Room, ids: &mut Vec<i32>) -> Counts {
        let start = ids.len();
        self.look_up(vocabulary, text, room, ids);
        let read = &ids[start..];
        if read.is_empty() {
            ids.push(self.unknown as i32);
            return Counts::default();
        }
        let known = read.iter().filter(|&&id| id != self.unknown as i32).count();
        Counts { tokens: read.len() as u32, known: known as u32 }
    }

    /// Appends the ids of the tokens. A module for browsers, where every byte is loaded, looks each up as it comes.
    fn look_up(&self, vocabulary: &Vocabulary, text: &[u16], room: &mut Room, ids: &mut Vec<i32>) {
        if cfg!(target_family = "wasm") {
            return self
                .reading
                .each(text, room, |token| ids.push(vocabulary.get(token).unwrap_or(self.unknown) as i32));
        }
        let mut waiting = std::mem::take(&mut room.waiting);
        let mut found = |waiting: &mut Waiting| {
            vocabulary.get_all(waiting, |index| ids.push(index.unwrap_or(self.unknown) as i32));
        };
        self.reading.each(text, room, |token| {
            if waiting.push(token) {
                found(&mut waiting);
            }
        });
        found(&mut waiting);
        room.waiting = waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Tokenizer, Truncation};

    #[test]
    fn unknown_tokens_and_specials_are_unknown() {
        let mut vocabulary = Vocabulary::default();
        for token in ["<unk>", "<pad>", "a", "e", "a a"] {
            vocabulary.add(token.as_bytes()).unwrap();
        }
        let encode = |text: &str, ngrams: u32| {
            let reading = Reading {
                tokenizer: Tokenizer::BasicEnglish,
                ngrams,
                max_length: 9,
                truncation: Truncation::Head,
                masks_padding: true,
            };
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut ids = vec![9];
            let counts = Encoder { reading, unknown: 0 }.encode(&vocabulary, &units, &mut Room::default(), &mut ids);
            assert_eq!(ids.remove(0), 9);
            (ids, counts)
        };
        assert_eq!(encode("A zebra <pad> <unk> e", 1), (vec![2, 0, 0, 0, 3], Counts { tokens: 5, known: 2 }));
        assert_eq!(encode("A a e", 2), (vec![2, 2, 3, 4, 0], Counts { tokens: 5, known: 4 }));
        assert_eq!(encode(" \"", 1), (vec![0], Counts::default()));
    }
}
