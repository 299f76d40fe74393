//! Sums of the rows that belong to one word, and of two lists.

use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch, load, store};

/// `to[row] = sum of from[i]` for `i` in `users`; with `more` added to what is there.
///
/// # Safety
/// The rows must be inside the matrices, which must differ and be equally wide; no other thread may use `to[row]`.
pub(crate) unsafe fn add_rows(from: Mat, users: &[u32], to: Mat, row: usize, more: bool) {
    let to = Mat { ptr: to.ptr.wrapping_add(row * to.stride), stride: to.stride };
    if users.is_empty() {
        return dispatch(AddRows { from, users: [], to, more });
    }
    // A few rows at once, each read in order: of all rows of a frequent word at once, every line would lie in another page.
    let (fours, rest) = users.as_chunks::<4>();
    let mut more = more;
    for &users in fours {
        dispatch(AddRows { from, users, to, more });
        more = true;
    }
    for &user in rest {
        dispatch(AddRows { from, users: [user], to, more });
        more = true;
    }
}

struct AddRows<const N: usize> {
    from: Mat,
    users: [u32; N],
    to: Mat,
    more: bool,
}

impl<const N: usize> Kernel for AddRows<N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: rows are inside the matrices, as the callers ensure; widths are multiples of 16.
        unsafe {
            for j in (0..self.to.stride).step_by(S::L) {
                let to = self.to.ptr.add(j);
                let mut sum = if self.more { load(s, to) } else { s.splat_f32s(0.0) };
                for user in self.users {
                    sum = s.add_f32s(sum, load(s, self.from.row(user as usize).add(j)));
                }
                store(s, to, sum);
            }
        }
    }
}

/// `to[i] += from[i]`.
pub(crate) struct Add<'a> {
    pub from: &'a [f32],
    pub to: &'a mut [f32],
}

impl Kernel for Add<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        self.to.iter_mut().zip(self.from).for_each(|(to, from)| *to += from);
    }
}
