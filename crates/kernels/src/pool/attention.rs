//! Attention pooling: `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h + b))` over a text's own tokens, forward
//! and backward, for a range of sorted rows.

use super::attention_kernels::{Blend, Tanh};
use super::kernel::Pool;
use super::pooled::Pooled;
use super::softmax::Softmax;
use super::space::{Mats, Space};
use crate::encoder::encoded::{Needs, blocks};
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::{dispatch, pad};

#[cfg(feature = "training")]
mod back;

/// Locations of the parameters.
pub(super) struct Attention {
    weight: Segment,
    bias: Segment,
    /// One row, padded to 16 like the others, so that its products are those of any linear layer.
    query: Segment,
}

/// Indices of the packed parameters: `W` transposed, the query transposed, and `W` for the backward pass.
const W_T: usize = 0;
const QUERY_T: usize = 1;
const W: usize = 2;

/// The buffers.
struct Buffers {
    /// `tanh(W h + b)`, a row per packed position, and the gradient before the tanh.
    hidden: Mat,
    d_hidden: Mat,
    /// A row per packed position, whose first column is the score, finally its gradient.
    scores: Mat,
    /// The softmax of each text's scores, padded to whole vectors and concatenated, and its gradient.
    shares: Mat,
    d_shares: Mat,
}

impl Buffers {
    fn of(&[hidden, d_hidden, scores, shares, d_shares, ..]: &Mats) -> Self {
        Self { hidden, d_hidden, scores, shares, d_shares }
    }
}

impl Attention {
    /// For outputs of this width. `offset` is advanced past the parameters.
    pub fn new(output: Blocks, offset: &mut usize) -> Self {
        Self {
            weight: Segment::matrix("attention.proj.weight".into(), output, output, offset),
            bias: Segment::vector("attention.proj.bias".into(), output, offset),
            query: Segment::matrix("attention.query.weight".into(), Blocks::new(1, 1), output, offset),
        }
    }
}

/// Each row, its length, and the start of its shares.
fn places(at: &Pooled<'_>) -> impl Iterator<Item = (usize, usize, usize)> {
    let lengths = at.encoded.layout.lengths();
    let mut place: usize = lengths[..at.rows.start].iter().map(|&length| pad(length as usize)).sum();
    at.rows.clone().map(move |row| {
        let length = lengths[row] as usize;
        let here = (row, length, place);
        place += pad(length);
        here
    })
}

impl Pool for Attention {
    fn needs(&self) -> Needs {
        Needs::Outputs
    }

    fn segments(&self) -> Vec<&Segment> {
        vec![&self.weight, &self.bias, &self.query]
    }

    fn pack(&self, packs: &mut Vec<PackedB>, flat: &[f32], backward: bool) {
        let of = |segment: &Segment| &flat[segment.offset..][..segment.size()];
        let width = self.weight.stride();
        packs.resize_with(3, PackedB::default);
        packs[W_T].resize(width, width);
        packs[W_T].pack_transposed(of(&self.weight), width);
        packs[QUERY_T].resize(width, self.query.rows.private());
        packs[QUERY_T].pack_transposed(of(&self.query), width);
        if backward {
            packs[W].resize(width, width);
            packs[W].pack(of(&self.weight), width);
        }
    }

    fn fit(&self, space: &mut Space, rows: usize, total: usize, backward: bool) -> Mats {
        let (width, query) = (self.weight.stride(), self.query.rows.private());
        let (shares, n, d_shares) =
            (total + 16 * rows, if backward { total } else { 0 }, if backward { total + 16 * rows } else { 0 });
        space.mats([(total, width), (n, width), (total, query), (shares, 1), (d_shares, 1)])
    }

    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat) {
        let (width, offsets, y, mats) =
            (self.weight.stride(), at.encoded.layout.offsets(), at.encoded.y, Buffers::of(&at.mats));
        // SAFETY: by the caller's promise; shares are padded.
        unsafe {
            let bias = Init::Bias(at.flat.add(self.bias.offset));
            for (first, m) in blocks(at.encoded.layout, at.rows.clone()) {
                let (a, c) = (y.at(first, 0), mats.hidden.at(first, 0));
                dispatch(Gemm { a, m, b: &at.packs[W_T], c, init: bias });
                dispatch(Tanh { values: std::slice::from_raw_parts_mut(c.ptr, m * width) });
                let scores = mats.scores.at(first, 0);
                dispatch(Gemm { a: c, m, b: &at.packs[QUERY_T], c: scores, init: Init::Zero });
            }
            for (row, length, place) in places(at) {
                let shares = std::slice::from_raw_parts_mut(mats.shares.row(place), pad(length));
                for (share, offset) in shares[..length].iter_mut().zip(offsets) {
                    *share = *mats.scores.row(offset + row);
                }
                dispatch(Softmax { values: &mut *shares, classes: length });
                let to = features.row(row);
                dispatch(Blend { y, offsets, row, shares: &shares[..length], to });
            }
        }
    }
}
