//! Max pooling: the maximum over a row's own tokens, for each feature.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use super::kernel::Pool;
use super::pooled::Pooled;
use super::space::{Mats, Space};
use crate::encoder::encoded::Needs;
use crate::simd::gemm::Mat;

/// `width` is the padded width of an output.
pub(super) struct Max {
    pub width: usize,
}

impl Pool for Max {
    fn needs(&self) -> Needs {
        Needs::Outputs
    }

    /// The time of each maximum, as a `u32` in place of a float, for the backward pass.
    fn fit(&self, space: &mut Space, rows: usize, _total: usize, backward: bool) -> Mats {
        space.mats([(if backward { rows } else { 0 }, self.width)])
    }

    unsafe fn forward(&self, at: &Pooled<'_>, features: Mat) {
        let (width, layout, y) = (self.width, at.encoded.layout, at.encoded.y);
        for row in at.rows.clone() {
            let length = layout.lengths()[row] as usize;
            // SAFETY: row and positions are inside the matrices, and this row is this thread's.
            unsafe {
                let to = from_raw_parts_mut(features.row(row), width);
                let output = |time: usize| from_raw_parts(y.row(layout.offsets()[time] + row), width);
                to.copy_from_slice(output(0));
                if !at.mats[0].exists() {
                    for time in 1..length {
                        to.iter_mut().zip(output(time)).for_each(|(max, &y)| *max = if y > *max { y } else { *max });
                    }
                    continue;
                }
                let times = from_raw_parts_mut(at.mats[0].row(row).cast::<u32>(), width);
                times.fill(0);
                for time in 1..length {
                    for ((max, at), &y) in to.iter_mut().zip(times.iter_mut()).zip(output(time)) {
                        let more = y > *max;
                        *max = if more { y } else { *max };
                        *at = if more { time as u32 } else { *at };
                    }
                }
            }
        }
    }
}

#[cfg(feature = "training")]
impl super::training::PoolTraining for Max {
    unsafe fn backward(&self, at: &Pooled<'_>, d_features: Mat) {
        let (width, layout, dy) = (self.width, at.encoded.layout, at.encoded.dy);
        let offsets = layout.offsets();
        for row in at.rows.clone() {
            let length = layout.lengths()[row] as usize;
            // SAFETY: as in `forward`, which wrote the times.
            unsafe {
                let from = from_raw_parts(d_features.row(row), width);
                for offset in &offsets[..length] {
                    from_raw_parts_mut(dy.row(offset + row), width).fill(0.0);
                }
                let times = from_raw_parts(at.mats[0].row(row).cast::<u32>().cast_const(), width);
                for (i, (&time, &value)) in times.iter().zip(from).enumerate() {
                    *dy.row(offsets[time as usize] + row).add(i) = value;
                }
            }
        }
    }
}
