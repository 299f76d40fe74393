//! How a model reads a text: its tokens' indices, cut to the length that the model takes.

use crate::{Vocab, basic_english};

/// What a text with too many tokens keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncate {
    /// Its beginning.
    Head,
    /// Its end.
    Tail,
    /// Both; of an odd number of tokens the beginning has one more.
    Both,
}

/// How texts are read; the same as `src/classifier/tokens.ts` and `encodeTokens` make of `basic_english` without n-grams.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The word that all unknown ones are read as, and an empty text too.
    pub unknown: u32,
    /// The word that stands for none: whoever types it means an unknown one.
    pub padding: Option<u32>,
    /// The most tokens that are read, at least one.
    pub max_length: usize,
    /// Which ones these are.
    pub truncate: Truncate,
}

/// How many tokens a text has, after cutting, and how many of them are known words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// 0 for an empty text, though one index stands for it.
    pub count: usize,
    /// At most `count`.
    pub known: usize,
}

impl Reading {
    /// Puts the indices of a text's tokens, at least one, behind those that `ids` has. The buffer is for the call's own use.
    ///
    /// Nothing, and `ids` as it was, where the text has characters that [`basic_english::split`] is not sure of.
    pub fn basic_english(
        &self,
        vocab: &Vocab,
        text: &str,
        buffer: &mut Vec<u8>,
        ids: &mut Vec<i32>,
    ) -> Option<Encoded> {
        let start = ids.len();
        let most = match self.truncate {
            Truncate::Head => self.max_length,
            Truncate::Tail | Truncate::Both => usize::MAX,
        };
        let certain = basic_english::split(text, buffer, |token| {
            let found = vocab.find(token).filter(|&index| Some(index) != self.padding);
            ids.push(found.unwrap_or(self.unknown) as i32);
            ids.len() - start < most
        });
        if !certain {
            ids.truncate(start);
            return None;
        }
        let count = ids.len() - start;
        if count == 0 {
            ids.push(self.unknown as i32);
            return Some(Encoded::default());
        }
        if count > self.max_length {
            let left_out = count - self.max_length;
            let kept = match self.truncate {
                Truncate::Head | Truncate::Tail => 0,
                Truncate::Both => self.max_length.div_ceil(2),
            };
            ids.drain(start + kept..start + kept + left_out);
        }
        let read = &ids[start..];
        let known = read.iter().filter(|&&index| index != self.unknown as i32).count();
        Some(Encoded { count: read.len(), known })
    }
}
