//! What a network reads row by row.

use std::borrow::Cow;

use crate::encoder::words::{Coded, WordRows};
use crate::simd::Buf;
use recurra_core::Result;

/// Vectors of words, and of the features of their characters.
#[derive(Default)]
pub(super) struct Vectors {
    /// `[vocab_size, embedding_dim]`; empty where they are coded.
    pub words: Buf,
    /// The same in few bits, of a compressed model.
    pub coded: Option<Coded>,
    /// `[buckets, dim]`; empty without subwords.
    pub features: Buf,
}

/// What prediction makes a network's inputs of.
pub(super) struct Inputs<'a> {
    /// The whole input of each word, or, with forms that come with the texts, the part before the mean of the features.
    pub words: WordRows<'a>,
    /// `[buckets, dim]`; of no use where a word's row is all of an input.
    pub features: &'a [f32],
}

impl Vectors {
    /// All words' vectors as singles.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn singles(&self) -> Result<Cow<'_, [f32]>> {
        match &self.coded {
            None => Ok(Cow::Borrowed(&self.words)),
            Some(coded) => coded.decode().map(Cow::Owned),
        }
    }

    /// Zeros.
    pub fn zeros(words: [usize; 2], features: Option<[usize; 2]>) -> Self {
        let zeros = |shape: [usize; 2]| Buf::zeros(shape[0] * shape[1]);
        Self { words: zeros(words), coded: None, features: features.map(zeros).unwrap_or_default() }
    }
}
