//! Numbered buffers. A pooling and a head each define their own indices.

use crate::simd::Buf;
use crate::simd::gemm::Mat;

/// Maximum number of buffers of a pooling or a head.
const MOST: usize = 10;

/// Addresses of the buffers.
pub(crate) type Mats = [Mat; MOST];

/// No buffers.
pub(crate) const NO_MATS: Mats = [Mat::none(); MOST];

/// Buffers that are kept between batches and grow as needed.
#[derive(Default)]
pub(crate) struct Space([Buf; MOST]);

impl Space {
    /// The buffers for matrices of `(rows, width)`; a buffer without rows does not exist.
    pub fn mats<const N: usize>(&mut self, sizes: [(usize, usize); N]) -> Mats {
        let mut mats = NO_MATS;
        for ((mat, buf), (rows, width)) in mats.iter_mut().zip(&mut self.0).zip(sizes) {
            if rows > 0 {
                *mat = Mat::fit(buf, rows, width);
            }
        }
        mats
    }
}
