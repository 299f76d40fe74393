//! A vocabulary: tokens in one buffer, each with its index.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// The token already exists; the value is its index.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken(pub u32);

/// There is no room for another token.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// A list of distinct tokens in WTF-8, with a lookup from token to index.
#[derive(Default)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    /// End of each token.
    ends: Vec<u32>,
    indices: HashTable<Entry>,
}

/// Bytes of a token that its entry contains. Looking up a token of at most this length reads no other memory.
const INLINE: usize = 11;

/// The first bytes of a token, padded with zeros, and its length (its low bits if above 255).
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key(u64, u32);

#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    index: u32,
}

impl Key {
    #[inline]
    fn of(token: &[u8]) -> Self {
        let begin = &token[..token.len().min(INLINE)];
        let length = (token.len().min(255) as u32) << 24;
        match begin.split_first_chunk::<8>() {
            Some((first, rest)) => Self(u64::from_le_bytes(*first), few(rest) | length),
            None => match (begin.first_chunk::<4>(), begin.last_chunk::<4>()) {
                // The two overlap with identical bytes.
                (Some(first), Some(last)) => {
                    let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
                    Self(u64::from(first) | u64::from(last) << (8 * (begin.len() - 4)), length)
                }
                _ => Self(u64::from(few(begin)), length),
            },
        }
    }
}

/// Up to three bytes as a number.
#[inline]
fn few(bytes: &[u8]) -> u32 {
    let at = |place: usize| u32::from(bytes[place]) << (8 * place);
    match bytes.len() {
        0 => 0,
        n => at(0) | at(n / 2) | at(n - 1),
    }
}

#[inline]
fn hash(key: Key, token: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write_u64(key.0);
    hasher.write_u32(key.1);
    if token.len() > INLINE {
        hasher.write(&token[INLINE..]);
    }
    hasher.finish()
}

/// Tokens that are looked up together. In a row of lookups, the processor fetches the entries of several tokens at the same time; with
/// the splitting of words in between, it would fetch them one by one.
#[derive(Default)]
pub struct Waiting {
    wanted: Vec<Wanted>,
    /// The bytes of those that their keys do not contain.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Wanted {
    key: Key,
    hash: u64,
    /// Where its bytes are, if its key does not contain them.
    start: usize,
    end: usize,
}

impl Waiting {
    /// Tokens that are worth waiting for.
    const ENOUGH: usize = 64;

    /// Adds a token; returns whether there are enough.
    #[inline]
    pub fn push(&mut self, token: &[u8]) -> bool {
        let key = Key::of(token);
        let start = self.bytes.len();
        if token.len() > INLINE {
            self.bytes.extend_from_slice(token);
        }
        self.wanted.push(Wanted { key, hash: hash(key, token), start, end: self.bytes.len() });
        self.wanted.len() >= Self::ENOUGH
    }
}

impl Vocabulary {
    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Total bytes of all tokens.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.indices.allocation_size()
    }

    /// The token with an index.
    ///
    /// # Panics
    /// If the index is out of range.
    #[must_use]
    pub fn token(&self, index: u32) -> &[u8] {
        token(&self.bytes, &self.ends, index)
    }

    #[inline]
    fn is(&self, entry: &Entry, key: Key, wanted: &[u8]) -> bool {
        entry.key == key && (wanted.len() <= INLINE || self.token(entry.index) == wanted)
    }

    /// The index of a token.
    #[inline]
    #[must_use]
    pub fn get(&self, wanted: &[u8]) -> Option<u32> {
        let key = Key::of(wanted);
        self.indices.find(hash(key, wanted), |entry| self.is(entry, key, wanted)).map(|entry| entry.index)
    }

    /// As [`Vocabulary::get`] for tokens that wait, which then no longer do; `found` receives the answers in their order.
    pub fn get_all(&self, waiting: &mut Waiting, mut found: impl FnMut(Option<u32>)) {
        let Waiting { wanted, bytes } = waiting;
        for &Wanted { key, hash, start, end } in wanted.iter() {
            let token = &bytes[start..end];
            // A token that its key contains has no bytes here, and none are compared.
            found(self.indices.find(hash, |entry| self.is(entry, key, token)).map(|entry| entry.index));
        }
        wanted.clear();
        bytes.clear();
    }

    /// Appends a token.
    ///
    /// # Errors
    /// [`Taken`] if the token already exists.
    ///
    /// # Panics
    /// If all tokens together reach 4 GiB, forty times the capacity of the largest model file.
    pub fn add(&mut self, wanted: &[u8]) -> Result<(), Taken> {
        let key = Key::of(wanted);
        let hashed = hash(key, wanted);
        if let Some(entry) = self.indices.find(hashed, |entry| self.is(entry, key, wanted)) {
            return Err(Taken(entry.index));
        }
        self.push(wanted, key, hashed);
        Ok(())
    }

    /// The index of a token, which is appended if it is new.
    ///
    /// # Errors
    /// [`Full`] if a new token would make all tokens together exceed 4 GiB.
    #[inline]
    pub fn intern(&mut self, wanted: &[u8]) -> Result<u32, Full> {
        let key = Key::of(wanted);
        let hashed = hash(key, wanted);
        if let Some(entry) = self.indices.find(hashed, |entry| self.is(entry, key, wanted)) {
            return Ok(entry.index);
        }
        if self.bytes.len() + wanted.len() > u32::MAX as usize || self.len() >= i32::MAX as usize {
            return Err(Full);
        }
        Ok(self.push(wanted, key, hashed))
    }

    /// Appends a new token.
    fn push(&mut self, wanted: &[u8], key: Key, hashed: u64) -> u32 {
        let index = self.ends.len() as u32;
        self.bytes.extend_from_slice(wanted);
        self.ends.push(u32::try_from(self.bytes.len()).expect("tokens of less than 4 GiB"));
        let Self { bytes, ends, indices } = self;
        indices.insert_unique(hashed, Entry { key, index }, |entry| hash(entry.key, token(bytes, ends, entry.index)));
        index
    }

    /// Releases spare capacity.
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
        fn it_answers_as_a_map(tokens in prop::collection::vec("[ab\u{e9}\0]{0,4}|a{6,9}b?[c\0]{0,3}|b{9,14}[ab]", 0..200), asked in "[abc\u{e9}]{0,4}|a{5,13}") {
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
            prop_assert_eq!(vocabulary.text_bytes(), map.keys().map(|token| token.len()).sum::<usize>());
            for (token, &index) in &map {
                prop_assert_eq!(vocabulary.get(token.as_bytes()), Some(index));
                prop_assert_eq!(vocabulary.token(index), token.as_bytes());
            }
            let found = map.get(asked.as_str()).copied();
            prop_assert_eq!(vocabulary.get(asked.as_bytes()), found);
            let mut waiting = Waiting::default();
            let wanted: Vec<&str> = tokens.iter().map(String::as_str).chain([asked.as_str()]).collect();
            for _ in 0..2 {
                for token in &wanted {
                    waiting.push(token.as_bytes());
                }
                let mut answers = Vec::new();
                vocabulary.get_all(&mut waiting, |index| answers.push(index));
                prop_assert_eq!(&answers, &wanted.iter().map(|token| map.get(token).copied()).collect::<Vec<_>>());
            }
            let number = found.unwrap_or(map.len() as u32);
            prop_assert_eq!(vocabulary.intern(asked.as_bytes()), Ok(number));
            prop_assert_eq!(vocabulary.intern(asked.as_bytes()), Ok(number));
            prop_assert_eq!(vocabulary.token(number), asked.as_bytes());
        }
    }
}
