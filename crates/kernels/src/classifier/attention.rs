//! Pooling by attention, `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h + b))` over a text's own tokens, forward
//! and backward, for a run of sorted rows.

use std::ops::Range;

use super::attention_kernels::{Blend, BlendBack, Tanh, TanhBack};
use super::loss::Softmax;
use super::model::Model;
use crate::recurrent::{Blocks, Segment, Shape};
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::outer::{ColumnSums, Outer};
use crate::simd::{Buf, dispatch, pad};
use crate::threads::Member;
use recurra_core::layout::PackedLayout;

/// Places of the parameters.
pub(super) struct AttentionSegments {
    pub weight: Segment,
    pub bias: Segment,
    /// One row; as the others it is padded to 16, so that its products are those of any linear layer.
    pub query: Segment,
}

impl AttentionSegments {
    pub fn new(shape: &Shape, offset: &mut usize) -> Self {
        let width = shape.output();
        Self {
            weight: Segment::matrix("attention.proj.weight".into(), width, width, offset),
            bias: Segment::vector("attention.proj.bias".into(), width, offset),
            query: Segment::matrix("attention.query.weight".into(), Blocks::new(1, 1), width, offset),
        }
    }

    pub fn all(&self) -> [&Segment; 3] {
        [&self.weight, &self.bias, &self.query]
    }
}

/// The parameters, packed.
#[derive(Default)]
pub(super) struct AttentionPacks {
    w_t: PackedB,
    w: PackedB,
    query_t: PackedB,
}

impl AttentionPacks {
    /// Packs the parameters where the model has them.
    pub fn pack(&mut self, model: &Model, flat: &[f32], backward: bool) {
        let Some(AttentionSegments { weight, query, .. }) = &model.attention else { return };
        let of = |segment: &Segment| &flat[segment.offset..][..segment.size()];
        let width = weight.stride();
        self.w_t.resize(width, width);
        self.w_t.pack_transposed(of(weight), width);
        self.query_t.resize(width, query.rows.private());
        self.query_t.pack_transposed(of(query), width);
        if backward {
            self.w.resize(width, width);
            self.w.pack(of(weight), width);
        }
    }
}

/// Buffers that grow as needed; empty with any other pooling.
#[derive(Default)]
pub(super) struct AttentionSpace {
    hidden: Buf,
    d_hidden: Buf,
    scores: Buf,
    shares: Buf,
    d_shares: Buf,
}

/// Their addresses.
#[derive(Clone, Copy)]
pub(super) struct AttentionMats {
    /// `tanh(W h + b)`, a row for each packed position, and the gradient before the tanh.
    hidden: Mat,
    d_hidden: Mat,
    /// A row for each packed position, whose first column is the score, in the end its gradient.
    scores: Mat,
    /// The softmax of a text's scores one after the other, padded to whole vectors; text after text. And its gradient.
    shares: Mat,
    d_shares: Mat,
}

impl AttentionMats {
    pub const NONE: Self = Self {
        hidden: Mat::none(),
        d_hidden: Mat::none(),
        scores: Mat::none(),
        shares: Mat::none(),
        d_shares: Mat::none(),
    };
}

impl AttentionSpace {
    /// Room for a batch; without `backward` for its prediction only.
    pub fn fit(&mut self, model: &Model, rows: usize, total: usize, backward: bool) -> AttentionMats {
        let Some(AttentionSegments { weight, query, .. }) = &model.attention else { return AttentionMats::NONE };
        let mat = |buf: &mut Buf, n: usize, width: usize| {
            buf.grow(n * width);
            Mat::new(buf, width)
        };
        let n = if backward { total } else { 0 };
        AttentionMats {
            hidden: mat(&mut self.hidden, total, weight.stride()),
            d_hidden: mat(&mut self.d_hidden, n, weight.stride()),
            scores: mat(&mut self.scores, total, query.rows.private()),
            shares: mat(&mut self.shares, total + 16 * rows, 1),
            d_shares: mat(&mut self.d_shares, if backward { total + 16 * rows } else { 0 }, 1),
        }
    }
}

/// The pooling of some rows.
pub(super) struct Attention<'a> {
    pub segments: &'a AttentionSegments,
    pub packs: &'a AttentionPacks,
    pub mats: AttentionMats,
    pub flat: *const f32,
    pub layout: &'a PackedLayout,
    pub rows: Range<usize>,
    /// Outputs of the last layer and their gradients, a row for each packed position.
    pub y: Mat,
    pub dy: Mat,
}

impl Attention<'_> {
    fn width(&self) -> usize {
        self.segments.weight.stride()
    }

    /// First position and number of positions that these rows have at each step.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> {
        let (start, end) = (self.rows.start, self.rows.end);
        let (sizes, offsets) = (self.layout.batch_sizes(), self.layout.offsets());
        let block =
            move |(&size, &offset): (&u32, &usize)| (offset + start, end.min(size as usize).saturating_sub(start));
        sizes.iter().zip(offsets).map(block).take_while(|block| block.1 > 0)
    }

    /// Each row, its length, and where its shares begin.
    fn places(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let lengths = self.layout.lengths();
        let mut at: usize = lengths[..self.rows.start].iter().map(|&length| pad(length as usize)).sum();
        self.rows.clone().map(move |row| {
            let length = lengths[row] as usize;
            let place = (row, length, at);
            at += pad(length);
            place
        })
    }

    /// From the outputs to the pooled vectors.
    ///
    /// # Safety
    /// The matrices must have the sizes of model and layout; these rows must be this thread's alone.
    pub unsafe fn forward(&self, features: Mat) {
        let (width, offsets, mats) = (self.width(), self.layout.offsets(), self.mats);
        // SAFETY: by the caller's promise; shares are padded.
        unsafe {
            let bias = Init::Bias(self.flat.add(self.segments.bias.offset));
            for (at, m) in self.blocks() {
                let (a, c) = (self.y.at(at, 0), mats.hidden.at(at, 0));
                dispatch(Gemm { a, m, b: &self.packs.w_t, c, init: bias });
                dispatch(Tanh { values: std::slice::from_raw_parts_mut(c.ptr, m * width) });
                let scores = mats.scores.at(at, 0);
                dispatch(Gemm { a: c, m, b: &self.packs.query_t, c: scores, init: Init::Zero });
            }
            for (row, length, at) in self.places() {
                let shares = std::slice::from_raw_parts_mut(mats.shares.row(at), pad(length));
                for (share, offset) in shares[..length].iter_mut().zip(offsets) {
                    *share = *mats.scores.row(offset + row);
                }
                dispatch(Softmax { values: &mut *shares, classes: length });
                let to = features.row(row);
                dispatch(Blend { y: self.y, offsets, row, shares: &shares[..length], to });
            }
        }
    }

    /// From the gradients of the pooled vectors to those of the outputs, and to what [`Self::weight_grads`] needs.
    ///
    /// # Safety
    /// As [`Self::forward`], which must have come before.
    pub unsafe fn backward(&self, d_features: Mat) {
        let (offsets, mats) = (self.layout.offsets(), self.mats);
        // SAFETY: by the caller's promise.
        unsafe {
            let query = self.flat.add(self.segments.query.offset);
            for (row, length, at) in self.places() {
                let shares = std::slice::from_raw_parts(mats.shares.row(at), length);
                let d_shares = std::slice::from_raw_parts_mut(mats.d_shares.row(at), length);
                let d = d_features.row(row);
                dispatch(BlendBack { y: self.y, dy: self.dy, offsets, row, shares, d, d_shares: &mut *d_shares });
                let mean: f32 = shares.iter().zip(&*d_shares).map(|(share, d)| share * d).sum();
                for ((share, d_share), offset) in shares.iter().zip(d_shares).zip(offsets) {
                    *mats.scores.row(offset + row) = share * (*d_share - mean);
                }
            }
            for (at, m) in self.blocks() {
                for position in at..at + m {
                    let (u, du) = (mats.hidden.row(position), mats.d_hidden.row(position));
                    dispatch(TanhBack { d: *mats.scores.row(position), query, u, du, n: self.width() });
                }
                let (a, c) = (mats.d_hidden.at(at, 0), self.dy.at(at, 0));
                dispatch(Gemm { a, m, b: &self.packs.w, c, init: Init::Of(c) });
            }
        }
    }
}

impl AttentionSegments {
    /// This member's share of the parameters' gradients, once all rows have gone back.
    ///
    /// # Safety
    /// The matrices must have `total` rows and not change meanwhile; all members of the team must call it.
    pub unsafe fn weight_grads(
        &self,
        member: &Member<'_>,
        mats: &AttentionMats,
        y: Mat,
        total: usize,
        grads: *mut f32,
    ) {
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = |segment: &Segment| Mat { ptr: grads.add(segment.offset), stride: segment.stride() };
            let columns = self.weight.stride();
            let i = member.share(self.weight.rows.private(), 16);
            let sums = grads.add(self.bias.offset);
            dispatch(ColumnSums { a: mats.d_hidden, n: total, columns: i.clone(), sums });
            dispatch(Outer { a: mats.d_hidden, b: y, n: total, i, columns, c: c(&self.weight), fresh: true });
            let i = member.share(self.query.rows.private(), 16);
            dispatch(Outer { a: mats.scores, b: mats.hidden, n: total, i, columns, c: c(&self.query), fresh: true });
        }
    }
}
