//! The words of a model and their indices, in one piece of memory.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use recurra_kernels::{Error, ErrorCode, Result};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// Different words, each with its index: from 0 on, in the order given. It does not change.
#[derive(Default)]
pub struct Vocab {
    /// All words, one behind the other.
    words: String,
    /// Where each word ends in `words`.
    ends: Vec<u32>,
    /// Indices of the words by their hashes.
    indices: HashTable<u32>,
    /// Seeded by chance, so that nobody can choose words that fall together.
    hasher: DefaultHashBuilder,
}

impl Vocab {
    /// Makes a vocabulary of words in the order of their indices.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if a word is there twice, or the words have more than 4 GiB together.
    pub fn from_tokens<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut vocab = Self::default();
        for token in tokens {
            vocab.push(token)?;
        }
        vocab.finish();
        Ok(vocab)
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Index of a word.
    pub fn get(&self, token: &str) -> Option<u32> {
        self.find(token.as_bytes())
    }

    /// The word with an index.
    pub fn token(&self, index: u32) -> Option<&str> {
        ((index as usize) < self.len()).then(|| &self.words[range(&self.ends, index)])
    }

    /// All words in the order of their indices.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len() as u32).map(|index| &self.words[range(&self.ends, index)])
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.words.capacity() + self.ends.capacity() * size_of::<u32>() + self.indices.allocation_size()
    }

    /// As [`Vocab::get`]; bytes that are no text are no word.
    pub(crate) fn find(&self, token: &[u8]) -> Option<u32> {
        let same = |&index: &u32| &self.words.as_bytes()[range(&self.ends, index)] == token;
        self.indices.find(self.hasher.hash_one(token), same).copied()
    }

    fn push(&mut self, token: &str) -> Result<()> {
        let Self { words, ends, indices, hasher } = self;
        let index = u32::try_from(ends.len()).ok();
        let end = u32::try_from(words.len() + token.len()).ok();
        let (Some(index), Some(end)) = (index, end) else {
            let message = "Expected words of at most 4 GiB together, but there are more";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        };
        let all = words.as_bytes();
        let entry = indices.entry(
            hasher.hash_one(token.as_bytes()),
            |&other| &all[range(ends, other)] == token.as_bytes(),
            |&other| hasher.hash_one(&all[range(ends, other)]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(earlier) => {
                let earlier = earlier.get();
                let message = format!("Expected different tokens but {token:?} stands at {earlier} and at {index}");
                return Err(Error::new(ErrorCode::InvalidArgument, message));
            }
            hashbrown::hash_table::Entry::Vacant(place) => place.insert(index),
        };
        words.push_str(token);
        ends.push(end);
        Ok(())
    }

    /// Gives back what growing took too much.
    fn finish(&mut self) {
        self.words.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

fn range(ends: &[u32], index: u32) -> std::ops::Range<usize> {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start as usize..ends[index] as usize
}

impl fmt::Debug for Vocab {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Vocab of {} words", self.len())
    }
}

/// From a list of words, none of which becomes a string of its own.
impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Words;

        /// A word that is put where it stays.
        struct Word<'a>(&'a mut Vocab);

        impl<'de> serde::de::DeserializeSeed<'de> for Word<'_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
                deserializer.deserialize_str(self)
            }
        }

        impl Visitor<'_> for Word<'_> {
            type Value = ();
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a word")
            }
            fn visit_str<E: serde::de::Error>(self, token: &str) -> std::result::Result<(), E> {
                self.0.push(token).map_err(E::custom)
            }
        }

        impl<'de> Visitor<'de> for Words {
            type Value = Vocab;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of different words")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Vocab, A::Error> {
                let mut vocab = Vocab::default();
                while list.next_element_seed(Word(&mut vocab))?.is_some() {}
                vocab.finish();
                Ok(vocab)
            }
        }

        let vocab = deserializer.deserialize_seq(Words)?;
        if vocab.len() > i32::MAX as usize {
            return Err(D::Error::custom("more words than an index can count"));
        }
        Ok(vocab)
    }
}
