//! Buffers by number. A pooling and a head each give out their own numbers.

use crate::simd::Buf;
use crate::simd::gemm::Mat;

/// Most buffers that a pooling or a head has.
const MOST: usize = 10;

/// Addresses of the buffers.
pub(crate) type Mats = [Mat; MOST];

/// No buffer at all.
pub(crate) const NO_MATS: Mats = [Mat::none(); MOST];

/// Buffers that live from batch to batch and grow as needed.
#[derive(Default)]
pub(crate) struct Space([Buf; MOST]);

impl Space {
    /// The buffers for matrices of `(rows, width)`; those without a row do not exist.
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
