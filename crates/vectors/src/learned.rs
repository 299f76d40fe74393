//! The learned vectors.

use recurra_text::Vocabulary;

use crate::error::{Result, filled};
use crate::subwords::Subwords;

/// Words and their vectors.
pub struct Learned {
    words: Vocabulary,
    counts: Vec<u64>,
    dim: usize,
    matrix: Vec<f32>,
    subwords: Subwords,
    /// The rows of the subwords.
    rows: Vec<f32>,
}

impl Learned {
    pub(crate) fn new(
        words: Vocabulary,
        counts: Vec<u64>,
        mut subwords: Subwords,
        (input, width): (Vec<f32>, usize),
        dim: usize,
    ) -> Result<Self> {
        let row = |row: u32| &input[row as usize * width..][..dim];
        let mut matrix = filled(0.0, words.len() * dim)?;
        for (word, to) in matrix.chunks_exact_mut(dim).enumerate() {
            mean(to, subwords.of(word as u32), row);
        }
        let mut rows = filled(0.0, (subwords.len() - words.len()) * dim)?;
        for (number, to) in rows.chunks_exact_mut(dim).enumerate() {
            to.copy_from_slice(row((words.len() + number) as u32));
        }
        subwords.finish();
        Ok(Self { words, counts, dim, matrix, subwords, rows })
    }

    /// The words by descending frequency; ties by code point.
    #[must_use]
    pub fn words(&self) -> &Vocabulary {
        &self.words
    }

    /// Number of occurrences of each word.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Size of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The vectors of the words, `[words, dim]`. With subwords, a vector is the mean of the rows of the word and of its
    /// subwords. Empty after [`Learned::take_matrix`].
    #[must_use]
    pub fn matrix(&self) -> &[f32] {
        &self.matrix
    }

    /// Takes the matrix out.
    pub fn take_matrix(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.matrix)
    }

    /// A vector for an unknown word, from its subwords; `None` if no word of the texts has any of them.
    #[must_use]
    pub fn unknown(&self, word: &[u8]) -> Option<Vec<f32>> {
        let rows = self.subwords.of_unknown(word);
        let mut vector = vec![0.0; self.dim];
        let row = |row: u32| &self.rows[(row as usize - self.words.len()) * self.dim..][..self.dim];
        mean(&mut vector, &rows, row);
        (!rows.is_empty()).then_some(vector)
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let numbers = self.matrix.capacity() + self.rows.capacity();
        self.words.bytes() + 8 * self.counts.capacity() + 4 * numbers + self.subwords.bytes()
    }
}

/// The mean of some rows.
fn mean<'a>(to: &mut [f32], rows: &[u32], row: impl Fn(u32) -> &'a [f32]) {
    for &number in rows {
        for (to, from) in to.iter_mut().zip(row(number)) {
            *to += from;
        }
    }
    if rows.len() > 1 {
        to.iter_mut().for_each(|value| *value /= rows.len() as f32);
    }
}
