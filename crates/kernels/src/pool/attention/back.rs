//! The backward pass of attention pooling.

use super::{Attention, Buffers, W, places};
use crate::encoder::encoded::{Encoded, blocks};
use crate::pool::attention_kernels::{BlendBack, TanhBack};
use crate::pool::pooled::Pooled;
use crate::pool::space::Mats;
use crate::pool::training::PoolTraining;
use crate::recurrent::segments::Segment;
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat};
use crate::simd::outer::Outer;
use crate::threads::Member;

impl PoolTraining for Attention {
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat) {
        let (offsets, y, dy, mats) = (at.encoded.layout.offsets(), at.encoded.y, at.encoded.dy, Buffers::of(&at.mats));
        // SAFETY: by the caller's promise.
        unsafe {
            let query = at.flat.add(self.query.offset);
            for (row, length, place) in places(at) {
                let shares = std::slice::from_raw_parts(mats.shares.row(place), length);
                let d_shares = std::slice::from_raw_parts_mut(mats.d_shares.row(place), length);
                let d = d_features.row(row);
                dispatch(BlendBack { y, dy, offsets, row, shares, d, d_shares: &mut *d_shares });
                let mean: f32 = shares.iter().zip(&*d_shares).map(|(share, d)| share * d).sum();
                for ((share, d_share), offset) in shares.iter().zip(d_shares).zip(offsets) {
                    *mats.scores.row(offset + row) = share * (*d_share - mean);
                }
            }
            for (first, m) in blocks(at.encoded.layout, at.rows.clone()) {
                for position in first..first + m {
                    let (u, du) = (mats.hidden.row(position), mats.d_hidden.row(position));
                    dispatch(TanhBack { d: *mats.scores.row(position), query, u, du, n: self.weight.stride() });
                }
                let (a, c) = (mats.d_hidden.at(first, 0), dy.at(first, 0));
                dispatch(Gemm { a, m, b: &at.packs[W], c, init: Init::Of(c) });
            }
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, encoded: &Encoded<'_>, mats: &Mats, grads: *mut f32) {
        let (mats, n) = (Buffers::of(mats), encoded.layout.total());
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = |segment: &Segment| Mat { ptr: grads.add(segment.offset), stride: segment.stride() };
            let columns = self.weight.stride();
            let i = member.share(self.weight.rows.private(), 16);
            let sums = Some(grads.add(self.bias.offset));
            dispatch(Outer { a: mats.d_hidden, b: encoded.y, n, i, columns, c: c(&self.weight), fresh: true, sums });
            let i = member.share(self.query.rows.private(), 16);
            let c = c(&self.query);
            dispatch(Outer { a: mats.scores, b: mats.hidden, n, i, columns, c, fresh: true, sums: None });
        }
    }
}
