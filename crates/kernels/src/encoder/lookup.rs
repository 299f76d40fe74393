//! A matrix whose rows a step looks up by number and updates if they have a gradient.

use std::ops::Range;

use crate::optim::{DenseShared, LateRows, LateShared, StepNumbers};
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// How the rows are updated.
#[derive(Clone, Copy)]
pub(crate) enum Moves {
    /// Skipped steps are applied when a row is next read. The second address is only for the first member, to count a
    /// step.
    Late(LateShared, *mut LateRows),
    /// Dense: the states, and the gradient of the whole matrix, which is zero between steps.
    Dense(DenseShared, *mut f32),
    /// Together with all other parameters: the rows' gradients are added to theirs.
    Rest,
}

/// A matrix `[rows, dims]` of a step, shared by a team.
#[derive(Clone, Copy)]
pub(crate) struct Lookup {
    pub weights: *mut f32,
    pub rows: usize,
    pub dims: usize,
    /// Distance between the starts of two rows.
    pub stride: usize,
    pub moves: Moves,
    /// Gradients of the rows that a batch reads.
    pub grads: Mat,
}

impl Lookup {
    /// A row.
    ///
    /// # Safety
    /// The row must exist, and no member may be updating it.
    #[inline(always)]
    pub unsafe fn row(&self, row: u32) -> *const f32 {
        // SAFETY: by the caller's promise.
        unsafe { self.weights.add(row as usize * self.stride) }
    }

    /// Brings rows up to date.
    ///
    /// # Safety
    /// The rows must exist and belong to this member.
    pub unsafe fn catch_up(&self, rows: &[u32]) {
        if let Moves::Late(late, _) = self.moves {
            // SAFETY: by the caller's promise.
            unsafe { late.catch_up(rows) };
        }
    }

    /// Prefetches rows that the next step reads.
    pub fn fetch(&self, rows: &[u32]) {
        if let Moves::Late(late, _) = self.moves {
            late.fetch(rows);
        }
    }

    /// Sum of the squares of some gradients.
    ///
    /// # Safety
    /// The gradients must exist and belong to this member.
    pub unsafe fn squares(&self, own: Range<usize>) -> f64 {
        // SAFETY: by the caller's promise.
        let grads = unsafe { std::slice::from_raw_parts(self.grads.row(own.start), own.len() * self.grads.stride) };
        grads.iter().map(|&g| f64::from(g) * f64::from(g)).sum()
    }

    /// The optimizer's step number `now` for this member's share `own` of `rows`, which are the rows that the batch
    /// reads.
    ///
    /// # Safety
    /// All members must call it. Rows must be distinct, exist and be shared out, and their gradients must exist.
    pub unsafe fn update(
        &self,
        member: &Member<'_>,
        rows: &[u32],
        own: Range<usize>,
        (now, numbers): (u64, StepNumbers),
    ) {
        // SAFETY: by the caller's promise; the dense step's shares do not overlap.
        unsafe {
            match self.moves {
                Moves::Late(late, _) => {
                    let grads = (self.grads.row(own.start).cast_const(), self.grads.stride);
                    late.update(&rows[own], grads, now as u32, numbers);
                }
                Moves::Dense(states, grads) => {
                    let row = |number: usize| grads.add(rows[number] as usize * self.dims);
                    for number in own.clone() {
                        std::ptr::copy_nonoverlapping(self.grads.row(number), row(number), self.dims);
                    }
                    member.meet();
                    let share = member.share(self.rows * self.dims, 1024);
                    states.step(self.weights, grads, share, numbers);
                    member.meet();
                    for number in own {
                        std::ptr::write_bytes(row(number), 0, self.dims);
                    }
                }
                Moves::Rest => {}
            }
        }
    }

    /// Counts a step with learning rate `lr`. The first member calls it, while no member reads the optimizer's tables.
    ///
    /// # Safety
    /// As described; the addresses must be valid.
    pub unsafe fn count_step(&self, lr: f64) {
        if let Moves::Late(_, late) = self.moves {
            // SAFETY: by the caller's promise.
            unsafe { (*late).begin(lr) };
        }
    }
}
