//! Product codes: each part of a row is the nearest of 256 directions, times the row's norm.

use crate::bfloat16::{nearest as bfloat16, single};
use crate::kmeans::{CENTRES, Points, centres, halves, nearest};
use crate::{Result, room};

/// A matrix in product codes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Product {
    /// Number of values in a part.
    pub width: usize,
    /// `[rows, dims / width]`.
    pub codes: Vec<u8>,
    /// `[dims / width, 256, width]`, bfloat16.
    pub centres: Vec<u16>,
    /// Index of each row's norm in `lengths`.
    pub norms: Vec<u8>,
    /// The distinct norms, bfloat16.
    pub lengths: Vec<u16>,
}

/// The norm of a row, summed in the order of its elements.
fn length(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum::<f32>().sqrt()
}

impl Product {
    /// Codes `values`, `[rows, dims]`. Rows with a larger weight are approximated more closely. `dims` must be a
    /// multiple of `width`.
    pub fn encode(values: &[f32], dims: usize, width: usize, weights: &[f32]) -> Result<Self> {
        let (rows, parts) = (weights.len(), dims / width);
        let mut directions = room(values.len())?;
        let mut norms = room(rows)?;
        for row in values.chunks_exact(dims) {
            let norm = length(row);
            let by = if norm > 0.0 { 1.0 / norm } else { 0.0 };
            directions.extend(row.iter().map(|value| value * by));
            norms.push(norm);
        }
        let book = |values: &[f32], dims: usize, stride: usize, seed: u64| {
            let book = centres(Points { values, dims, stride, weights }, seed);
            book.into_iter().map(|value| single(bfloat16(value))).collect::<Vec<_>>()
        };
        let mut codes = room(rows * parts)?;
        codes.resize(rows * parts, 0);
        let mut all = room(dims * CENTRES)?;
        for part in 0..parts {
            let centres = book(&directions[part * width..], width, dims, part as u64 + 1);
            let halves = halves(&centres);
            for (row, direction) in directions.chunks_exact(dims).enumerate() {
                codes[row * parts + part] = nearest(&direction[part * width..][..width], &centres, &halves);
            }
            for centre in 0..CENTRES {
                all.extend((0..width).map(|dim| bfloat16(centres[dim * CENTRES + centre])));
            }
        }
        // The norm that fits the decoded direction best, rather than the row's norm: decoded directions are slightly
        // shorter.
        let mut product = Self { width, codes, centres: all, norms: vec![0; rows], lengths: vec![bfloat16(1.0)] };
        let mut decoded = vec![0.0; dims];
        for (row, norm) in norms.iter_mut().enumerate() {
            product.decode(row, &mut decoded);
            let square: f32 = decoded.iter().map(|value| value * value).sum();
            let dot: f32 = decoded.iter().zip(&values[row * dims..][..dims]).map(|(a, b)| a * b).sum();
            *norm = if square > 0.0 { (dot / square).max(0.0) } else { 0.0 };
        }
        let lengths = book(&norms, 1, 1, 0);
        let of_lengths = halves(&lengths);
        product.norms = norms.iter().map(|norm| nearest(&[*norm], &lengths, &of_lengths)).collect();
        product.lengths = lengths.iter().map(|&value| bfloat16(value)).collect();
        Ok(product)
    }

    /// Decodes a row.
    #[inline]
    pub fn decode(&self, row: usize, to: &mut [f32]) {
        let width = self.width;
        let parts = to.len() / width;
        let length = single(self.lengths[usize::from(self.norms[row])]);
        let codes = &self.codes[row * parts..][..parts];
        for ((part, &code), to) in codes.iter().enumerate().zip(to.chunks_exact_mut(width)) {
            let centre = &self.centres[(part * CENTRES + usize::from(code)) * width..][..width];
            to.iter_mut().zip(centre).for_each(|(to, &value)| *to = single(value) * length);
        }
    }
}
