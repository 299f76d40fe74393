//! Sums and means of rows by number.

use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch, prefetch_all};

/// Number of rows to prefetch ahead: the rows of a hashed table are scattered.
const AHEAD: usize = 8;

/// The mean of some rows of `weights`, each as wide as `to`; zero for no rows.
///
/// # Safety
/// The rows must exist, and no thread may be writing them.
pub(crate) unsafe fn mean(weights: *const f32, rows: &[u32], to: &mut [f32]) {
    let from = Mat { ptr: weights.cast_mut(), stride: to.len() };
    let count = rows.len().max(1) as f32;
    dispatch(Sum { from, rows, to: &mut *to });
    to.iter_mut().for_each(|value| *value /= count);
}

/// The sum of some rows, in order.
pub(super) struct Sum<'a> {
    pub from: Mat,
    pub rows: &'a [u32],
    pub to: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { from, rows, to } = self;
        to.fill(0.0);
        for (i, &row) in rows.iter().enumerate() {
            if let Some(&next) = rows.get(i + AHEAD) {
                prefetch_all(from.ptr.wrapping_add(next as usize * from.stride), to.len());
            }
            // SAFETY: rows are inside the matrix, as the callers ensure.
            let row = unsafe { std::slice::from_raw_parts(from.row(row as usize), to.len()) };
            // A plain loop, which the compiler vectorises with the instruction set of `S`.
            to.iter_mut().zip(row).for_each(|(to, from)| *to += from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_count_a_feature_as_often_as_it_comes_and_none_is_zero() {
        let weights: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let of = |rows: &[u32]| {
            let mut to = [9.0f32; 3];
            // SAFETY: the rows are inside.
            unsafe { mean(weights.as_ptr(), rows, &mut to) };
            to
        };
        assert_eq!(of(&[]), [0.0; 3]);
        assert_eq!(of(&[3]), [9.0, 10.0, 11.0]);
        assert_eq!(of(&[0, 2, 2, 0]), [3.0, 4.0, 5.0]);
    }
}
