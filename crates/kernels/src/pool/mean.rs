//! Mean pooling: the mean over a row's own tokens.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use super::kernel::Pool;
use super::pooled::Pooled;
use crate::encoder::encoded::Needs;
use crate::simd::gemm::Mat;

pub(super) struct Mean;

impl Pool for Mean {
    fn needs(&self) -> Needs {
        Needs::Outputs
    }

    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat) {
        let (width, layout, y) = (at.encoded.width(), at.encoded.layout, at.encoded.y);
        for row in at.rows.clone() {
            let length = layout.lengths()[row] as usize;
            // SAFETY: row and positions are inside the matrices, and this row is this thread's.
            unsafe {
                let to = from_raw_parts_mut(features.row(row), width);
                let output = |time: usize| from_raw_parts(y.row(layout.offsets()[time] + row), width);
                to.copy_from_slice(output(0));
                for time in 1..length {
                    to.iter_mut().zip(output(time)).for_each(|(sum, y)| *sum += y);
                }
                let share = 1.0 / length as f32;
                to.iter_mut().for_each(|sum| *sum *= share);
            }
        }
    }
}

#[cfg(feature = "training")]
impl super::training::PoolTraining for Mean {
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat) {
        let (width, layout, dy) = (at.encoded.width(), at.encoded.layout, at.encoded.dy);
        for row in at.rows.clone() {
            let length = layout.lengths()[row] as usize;
            let share = 1.0 / length as f32;
            // SAFETY: as in `forward`.
            unsafe {
                let from = from_raw_parts_mut(d_features.row(row), width);
                from.iter_mut().for_each(|value| *value *= share);
                for offset in &layout.offsets()[..length] {
                    from_raw_parts_mut(dy.row(offset + row), width).copy_from_slice(from);
                }
            }
        }
    }
}
