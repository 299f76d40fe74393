//! Location of a parameter in the flat buffer, and conversion between PyTorch's layout and the padded one.
//!
//! A parameter may consist of several pieces: the decoder's first layer reads an embedded unit and the previous
//! attentional output. PyTorch keeps their weights side by side in one matrix; here, each piece has its own padding and
//! location.

use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::zeros;

/// Some columns of a parameter: a matrix at `offset` with padded rows and columns.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub offset: usize,
    /// Distance between the starts of two rows; other pieces may use part of it.
    pub stride: usize,
    pub rows: Blocks,
    pub cols: Blocks,
    /// First column in PyTorch's layout.
    first: usize,
}

impl Piece {
    /// The runs of columns: their start in PyTorch's layout of `width` columns, and in the flat buffer.
    fn lines(&self, width: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let starts = |blocks: Blocks| (0..blocks.count).map(move |i| (i * blocks.len, i * blocks.padded));
        starts(self.rows)
            .flat_map(|(public, private)| (0..self.rows.len).map(move |i| (public + i, private + i)))
            .flat_map(move |(public, private)| {
                let (from, to) = (public * width + self.first, self.offset + private * self.stride);
                starts(self.cols).map(move |(a, b)| (from + a, to + b))
            })
    }
}

/// One parameter.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// PyTorch's name and shape.
    pub name: String,
    pub shape: Vec<usize>,
    /// Initial values are drawn from U(-bound, bound); `None` for an embedding.
    pub bound: Option<f32>,
    pieces: Vec<Piece>,
}

impl Place {
    /// A parameter in one piece, at the location of a segment.
    pub fn of(segment: &Segment, name: String, bound: Option<f32>) -> Self {
        let Segment { shape, offset, rows, cols, .. } = segment.clone();
        Self { name, shape, bound, pieces: vec![Piece { offset, stride: segment.stride(), rows, cols, first: 0 }] }
    }

    /// A matrix in one piece at `offset`, with rows `stride` apart.
    pub fn at(name: String, (rows, cols): (Blocks, Blocks), (offset, stride): (usize, usize), bound: f32) -> Self {
        let pieces = vec![Piece { offset, stride, rows, cols, first: 0 }];
        Self { name, shape: vec![rows.public(), cols.public()], bound: Some(bound), pieces }
    }

    /// Adds further columns, at another location.
    pub fn beside(mut self, cols: Blocks, offset: usize, stride: usize) -> Self {
        let first = self.shape[1];
        self.shape[1] += cols.public();
        self.pieces.push(Piece { offset, stride, rows: self.pieces[0].rows, cols, first });
        self
    }

    /// Number of values in PyTorch's layout.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    fn width(&self) -> usize {
        if self.shape.len() > 1 { self.shape[1] } else { self.numel() }
    }

    /// Copies the parameter from PyTorch's layout into the flat buffer.
    pub fn import(&self, public: &[f32], flat: &mut [f32]) {
        for piece in &self.pieces {
            let n = piece.cols.len;
            for (from, to) in piece.lines(self.width()) {
                flat[to..to + n].copy_from_slice(&public[from..from + n]);
            }
        }
    }

    /// Copies the parameter from the flat buffer into PyTorch's layout.
    pub fn export(&self, flat: &[f32]) -> Vec<f32> {
        let mut public = zeros(self.numel());
        for piece in &self.pieces {
            let n = piece.cols.len;
            for (to, from) in piece.lines(self.width()) {
                public[to..to + n].copy_from_slice(&flat[from..from + n]);
            }
        }
        public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_in_pieces_comes_back_as_it_was() {
        let (rows, left, right) = (Blocks::new(2, 3), Blocks::new(1, 5), Blocks::new(2, 7));
        let (first, second) = (rows.private() * left.private(), right.private());
        let place = Place::at("w".into(), (rows, left), (0, left.private()), 0.1).beside(right, first, second + 16);
        assert_eq!(place.shape, [6, 19]);
        let values: Vec<f32> = (0..place.numel()).map(|i| i as f32 + 1.0).collect();
        let mut flat = vec![0.0; first + rows.private() * (second + 16)];
        place.import(&values, &mut flat);
        assert_eq!(place.export(&flat), values);
        // Padding stays zero: the number of written values equals that of the parameters.
        assert_eq!(flat.iter().filter(|&&value| value != 0.0).count(), values.len());
        // Row 4 is in the second block, and its column 12 in the second block of the right piece.
        assert_eq!(flat[first + 17 * (second + 16) + 16], 4.0 * 19.0 + 12.0 + 1.0);
    }
}
