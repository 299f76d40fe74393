//! Sums of the rows that belong to one word.

use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch, load, store};

/// `to[row] = sum of from[i]` for `i` in `users`.
///
/// # Safety
/// The rows must be inside the matrices, which must differ and be equally wide; no other thread may use `to[row]`.
pub(crate) unsafe fn add_rows(from: Mat, users: &[u32], to: Mat, row: usize) {
    dispatch(AddRows { from, users, to: Mat { ptr: to.ptr.wrapping_add(row * to.stride), stride: to.stride } });
}

struct AddRows<'a> {
    from: Mat,
    users: &'a [u32],
    to: Mat,
}

impl Kernel for AddRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: rows are inside the matrices, as the callers ensure; widths are multiples of 16.
        unsafe {
            for j in (0..self.to.stride).step_by(S::L) {
                let mut sum = s.splat_f32s(0.0);
                for &user in self.users {
                    sum = s.add_f32s(sum, load(s, self.from.row(user as usize).add(j)));
                }
                store(s, self.to.ptr.add(j), sum);
            }
        }
    }
}
