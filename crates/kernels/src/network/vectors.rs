//! What a network reads row by row.

use crate::encoder::words::{Coded, WordRows};
use crate::simd::Buf;

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
    /// Of each word all of an input, or with forms that come with the texts what stands before the mean of the features.
    pub words: WordRows<'a>,
    /// `[buckets, dim]`; of no use where a word's row is all of an input.
    pub features: &'a [f32],
}

impl Vectors {
    /// Zeros.
    pub fn zeros(words: [usize; 2], features: Option<[usize; 2]>) -> Self {
        let zeros = |shape: [usize; 2]| Buf::zeros(shape[0] * shape[1]);
        Self { words: zeros(words), coded: None, features: features.map(zeros).unwrap_or_default() }
    }
}
