//! The contribution of words, and the loss of coding their vectors.

use recurra_codes::{Code, Coded};
use recurra_core::Result;

/// The word vectors of one network.
pub(crate) struct Matrix {
    /// Name of the array.
    pub name: String,
    /// `[rows, dims]`.
    pub values: Vec<f32>,
    pub dims: usize,
}

impl Matrix {
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..][..self.dims]
    }
}

/// Estimates word frequencies from their order, by Zipf's law: one over the rank. Pinned words are as frequent as the
/// first one.
pub(crate) fn frequencies(rows: usize, pinned: &[u32]) -> Vec<f32> {
    let mut rank = 0;
    let one = |row: usize| {
        if pinned.binary_search(&(row as u32)).is_ok() {
            return 1.0;
        }
        rank += 1;
        1.0 / rank as f32
    };
    (0..rows).map(one).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// The contribution of each word: its frequency times the squared difference between its vector and the vector that
/// would replace it.
pub(crate) fn contributions(matrices: &[Matrix], frequencies: &[f32], unknown: Option<usize>) -> Vec<f64> {
    let mut found = vec![0.0; frequencies.len()];
    for matrix in matrices {
        let zero = vec![0.0; matrix.dims];
        let instead = unknown.map_or(&zero[..], |unknown| matrix.row(unknown));
        for (row, (found, &frequency)) in found.iter_mut().zip(frequencies).enumerate() {
            *found += f64::from(frequency) * distance(matrix.row(row), instead);
        }
    }
    found
}

/// The sum of all words' squared norms, weighted by frequency.
pub(crate) fn squares(matrices: &[Matrix], frequencies: &[f32]) -> f64 {
    let of = |matrix: &Matrix| {
        let rows = matrix.values.chunks_exact(matrix.dims).zip(frequencies);
        rows.map(|(row, &frequency)| {
            f64::from(frequency) * row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>()
        })
        .sum::<f64>()
    };
    matrices.iter().map(of).sum::<f64>().max(f64::MIN_POSITIVE)
}

/// All word vectors in a code, and the squared loss of each word.
pub(crate) struct Encoded {
    pub coded: Vec<Coded>,
    pub lost: Vec<f64>,
}

/// Codes all matrices.
pub(crate) fn encode(matrices: &[Matrix], frequencies: &[f32], code: Code) -> Result<Encoded> {
    // The square root prevents a few frequent words from taking all centres of a product code.
    let weights: Vec<f32> = frequencies.iter().map(|frequency| frequency.sqrt()).collect();
    let mut lost = vec![0.0; frequencies.len()];
    let mut coded = Vec::with_capacity(matrices.len());
    for matrix in matrices {
        let made = Coded::encode(&matrix.values, matrix.dims, code, &weights)?;
        let mut decoded = vec![0.0; matrix.dims];
        for (row, (lost, &frequency)) in lost.iter_mut().zip(frequencies).enumerate() {
            made.row_into(row, &mut decoded);
            *lost += f64::from(frequency) * distance(&decoded, matrix.row(row));
        }
        coded.push(made);
    }
    Ok(Encoded { coded, lost })
}
