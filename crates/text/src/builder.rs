//! Builds a vocabulary: counts tokens, numbers them in order of first occurrence and sorts them at the end.

use crate::reading::{Reading, Room};
use crate::vocabulary::{Full, Vocabulary};

/// Options of building a vocabulary.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Minimum count of a token.
    pub min_freq: u64,
    /// Maximum size of the vocabulary, including the specials; the rarest tokens are dropped.
    pub max_tokens: usize,
    /// Distinct tokens that are always included, as WTF-8.
    pub specials: Vec<Vec<u8>>,
    /// Whether the specials come first.
    pub special_first: bool,
}

/// A vocabulary, and the indices of the counted tokens in it.
pub struct Built {
    /// The tokens: specials, then the others by descending frequency; ties by code point.
    pub vocabulary: Vocabulary,
    /// The index of each counted token; -1 for a dropped token.
    pub indices: Vec<i32>,
}

/// Counts the tokens of texts.
#[derive(Default)]
pub struct Builder {
    tokens: Vocabulary,
    counts: Vec<u64>,
}

impl Builder {
    /// Counts the tokens of a text and appends their numbers, from 1. For a text without tokens, appends a single 0.
    ///
    /// Returns the number of tokens in the text.
    ///
    /// # Errors
    /// [`Full`] if all distinct tokens together exceed 4 GiB.
    pub fn add(
        &mut self,
        reading: &Reading,
        text: &[u16],
        room: &mut Room,
        numbers: &mut Vec<i32>,
    ) -> Result<u32, Full> {
        let start = numbers.len();
        let Self { tokens, counts } = self;
        let mut full = Ok(());
        reading.each(text, room, |token| match tokens.intern(token) {
            Ok(number) => {
                match counts.get_mut(number as usize) {
                    Some(count) => *count += 1,
                    None => counts.push(1),
                }
                numbers.push(number as i32 + 1);
            }
            Err(error) => full = Err(error),
        });
        full?;
        let count = numbers.len() - start;
        if count == 0 {
            numbers.push(0);
        }
        Ok(count as u32)
    }

    /// Builds the vocabulary of the tokens counted so far.
    ///
    /// # Errors
    /// [`Full`] if the specials make it exceed 4 GiB.
    pub fn build(&self, options: &BuildOptions) -> Result<Built, Full> {
        build(&self.tokens, &self.counts, options)
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tokens.bytes() + self.counts.capacity() * size_of::<u64>()
    }
}

/// Builds a vocabulary from counted tokens. Tokens with count 0 are dropped. A token that is also a special keeps the
/// special's place.
///
/// # Errors
/// [`Full`] if the specials make it exceed 4 GiB.
pub fn build(tokens: &Vocabulary, counts: &[u64], options: &BuildOptions) -> Result<Built, Full> {
    let special = |token: &[u8]| options.specials.iter().any(|special| special == token);
    let least = options.min_freq.max(1);
    let mut kept: Vec<u32> = (0..counts.len() as u32)
        .filter(|&number| counts[number as usize] >= least && !special(tokens.token(number)))
        .collect();
    // WTF-8 bytes sort by code point, as in Python.
    kept.sort_unstable_by(|&a, &b| {
        counts[b as usize].cmp(&counts[a as usize]).then_with(|| tokens.token(a).cmp(tokens.token(b)))
    });
    kept.truncate(options.max_tokens.saturating_sub(options.specials.len()));

    let mut vocabulary = Vocabulary::default();
    let mut indices = vec![-1; counts.len()];
    let mut add = |token: &[u8], number: Option<u32>| {
        let index = vocabulary.intern(token)?;
        if let Some(place) = number.and_then(|number| indices.get_mut(number as usize)) {
            *place = index as i32;
        }
        Ok(())
    };
    let specials = options.specials.iter().map(|special| (special.as_slice(), tokens.get(special)));
    let words = kept.iter().map(|&number| (tokens.token(number), Some(number)));
    if options.special_first {
        specials.chain(words).try_for_each(|(token, number)| add(token, number))?;
    } else {
        words.chain(specials).try_for_each(|(token, number)| add(token, number))?;
    }
    vocabulary.finish();
    Ok(Built { vocabulary, indices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Tokenizer, Truncation};

    fn count(texts: &[&str]) -> (Builder, Vec<i32>, Vec<u32>) {
        let reading = Reading {
            tokenizer: Tokenizer::BasicEnglish,
            ngrams: 1,
            max_length: usize::MAX,
            truncation: Truncation::Head,
            masks_padding: false,
        };
        let (mut builder, mut numbers, mut counts) = (Builder::default(), Vec::new(), Vec::new());
        for text in texts {
            let units: Vec<u16> = text.encode_utf16().collect();
            counts.push(builder.add(&reading, &units, &mut Room::default(), &mut numbers).unwrap());
        }
        (builder, numbers, counts)
    }

    fn options(min_freq: u64, max_tokens: usize, special_first: bool) -> BuildOptions {
        BuildOptions { min_freq, max_tokens, specials: vec![b"<unk>".to_vec(), b"<pad>".to_vec()], special_first }
    }

    fn list(built: &Built) -> Vec<&str> {
        let token = |index| std::str::from_utf8(built.vocabulary.token(index)).unwrap();
        (0..built.vocabulary.len() as u32).map(token).collect()
    }

    #[test]
    fn tokens_are_ordered_by_frequency_then_by_code_point() {
        let (builder, numbers, counts) = count(&["b a", "", "\u{1f642} \u{fb01} <pad> b"]);
        assert_eq!((numbers, counts), (vec![1, 2, 0, 3, 4, 5, 1], vec![2, 0, 4]));
        let built = builder.build(&options(1, usize::MAX, true)).unwrap();
        assert_eq!(list(&built), ["<unk>", "<pad>", "b", "a", "\u{fb01}", "\u{1f642}"]);
        assert_eq!(built.indices, [2, 3, 5, 4, 1]);
        let built = builder.build(&options(1, 3, false)).unwrap();
        assert_eq!(list(&built), ["b", "<unk>", "<pad>"]);
        assert_eq!(built.indices, [0, -1, -1, -1, 2]);
        let built = builder.build(&options(2, 2, true)).unwrap();
        assert_eq!(list(&built), ["<unk>", "<pad>"]);
        assert_eq!(built.indices, [-1, -1, -1, -1, 1]);
    }
}
