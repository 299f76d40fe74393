//! The tokens that a model knows, in one piece of memory, each with its index.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A token that is there already, and its index.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken(pub u32);

/// A list of different tokens, as WTF-8, and the way back from a token to its index.
#[derive(Default)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token ends.
    ends: Vec<u32>,
    indices: HashTable<u32>,
}

#[inline]
fn hash(token: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(token)
}

impl Vocabulary {
    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Memory in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.indices.allocation_size()
    }

    /// The token of an index.
    ///
    /// # Panics
    /// For an index that there is not.
    #[must_use]
    pub fn token(&self, index: u32) -> &[u8] {
        token(&self.bytes, &self.ends, index)
    }

    /// The index of a token.
    #[inline]
    #[must_use]
    pub fn get(&self, wanted: &[u8]) -> Option<u32> {
        self.indices.find(hash(wanted), |&index| self.token(index) == wanted).copied()
    }

    /// Adds a token behind all others.
    ///
    /// # Errors
    /// [`Taken`] for a token that is there already.
    ///
    /// # Panics
    /// When all tokens together come to 4 GiB, forty times of what the largest model file has room for.
    pub fn add(&mut self, wanted: &[u8]) -> Result<(), Taken> {
        let hashed = hash(wanted);
        if let Some(&index) = self.indices.find(hashed, |&index| self.token(index) == wanted) {
            return Err(Taken(index));
        }
        let index = self.ends.len() as u32;
        self.bytes.extend_from_slice(wanted);
        self.ends.push(u32::try_from(self.bytes.len()).expect("tokens of less than 4 GiB"));
        let Self { bytes, ends, indices } = self;
        indices.insert_unique(hashed, index, |&index| hash(token(bytes, ends, index)));
        Ok(())
    }

    /// Gives back memory that further tokens would have needed.
    pub fn finish(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[inline]
fn token<'a>(bytes: &'a [u8], ends: &[u32], index: u32) -> &'a [u8] {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &bytes[start..ends[index] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_answers_as_a_map(tokens in prop::collection::vec("[ab\u{e9}]{0,4}", 0..200), asked in "[abc\u{e9}]{0,4}") {
            let mut vocabulary = Vocabulary::default();
            let mut map: HashMap<&str, u32> = HashMap::new();
            for token in &tokens {
                match map.get(token.as_str()) {
                    Some(&index) => prop_assert_eq!(vocabulary.add(token.as_bytes()), Err(Taken(index))),
                    None => {
                        map.insert(token, vocabulary.len() as u32);
                        prop_assert_eq!(vocabulary.add(token.as_bytes()), Ok(()));
                    }
                }
            }
            vocabulary.finish();
            prop_assert_eq!(vocabulary.len(), map.len());
            for (token, &index) in &map {
                prop_assert_eq!(vocabulary.get(token.as_bytes()), Some(index));
                prop_assert_eq!(vocabulary.token(index), token.as_bytes());
            }
            prop_assert_eq!(vocabulary.get(asked.as_bytes()), map.get(asked.as_str()).copied());
        }
    }
}
