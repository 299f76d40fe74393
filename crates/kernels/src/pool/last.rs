//! Last-state pooling: the final states of the last layer, both directions concatenated.

use super::kernel::Pool;
use super::pooled::Pooled;
use crate::encoder::encoded::Needs;
use crate::simd::gemm::Mat;

pub(super) struct Last;

impl Pool for Last {
    fn needs(&self) -> Needs {
        Needs::States
    }

    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat) {
        let part = at.encoded.part;
        for row in at.rows.clone() {
            for (dir, m) in at.encoded.top.iter().enumerate() {
                // SAFETY: by the caller's promise.
                unsafe { std::ptr::copy_nonoverlapping(m.h.row(row), features.row(row).add(dir * part), part) };
            }
        }
    }
}

#[cfg(feature = "training")]
impl super::training::PoolTraining for Last {
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat) {
        let part = at.encoded.part;
        for row in at.rows.clone() {
            for (dir, m) in at.encoded.top.iter().enumerate() {
                // SAFETY: by the caller's promise.
                unsafe { std::ptr::copy_nonoverlapping(d_features.row(row).add(dir * part), m.dh.row(row), part) };
            }
        }
    }
}
