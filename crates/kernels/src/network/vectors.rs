//! What a network reads row by row.

use crate::simd::Buf;

/// Vectors of words, and of the features of their characters.
#[derive(Default)]
pub(super) struct Vectors {
    /// `[vocab_size, embedding_dim]`.
    pub words: Buf,
    /// `[buckets, dim]`; empty without subwords.
    pub features: Buf,
}

impl Vectors {
    /// Zeros.
    pub fn zeros(words: [usize; 2], features: Option<[usize; 2]>) -> Self {
        let zeros = |shape: [usize; 2]| Buf::zeros(shape[0] * shape[1]);
        Self { words: zeros(words), features: features.map(zeros).unwrap_or_default() }
    }
}
