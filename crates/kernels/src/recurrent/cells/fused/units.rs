//! What a cell does with the products of a vector of units, and how many rows are computed together.

use crate::recurrent::cells::kernel::CellKernel;
use crate::simd::gemm::Mat;
use crate::simd::{Lanes, load};

/// Most rows that are computed together.
const MOST_ROWS: usize = 8;

/// A cell with `G` gates whose inference is computed in one pass; its weights are packed by unit.
pub(crate) trait Fused<const G: usize>: CellKernel {
    /// The new states of `M` rows and a vector of their units. A second state is updated in place.
    ///
    /// # Safety
    /// The matrices of `units` must have these rows and units.
    unsafe fn units<S: Lanes, const M: usize>(s: S, units: &Units<S, G, M>) -> [S::f32s; M];
}

/// Rows that are computed together: as many as the accumulators of the gates leave registers for.
pub(super) const fn group_of(registers: usize, gates: usize) -> usize {
    let rows = registers / gates;
    if rows < MOST_ROWS { rows } else { MOST_ROWS }
}

pub(super) const fn group<S: Lanes, const G: usize>() -> usize {
    group_of(S::MR * S::NV, G)
}

/// The pre-activations of `M` rows and a vector of their units, from `unit` on, and their old states.
pub(crate) struct Units<S: Lanes, const G: usize, const M: usize> {
    pub(super) sums: [[S::f32s; G]; M],
    pub(super) x: [*const f32; M],
    pub(super) bias: *const f32,
    pub(super) hp: usize,
    pub(super) unit: usize,
    pub(super) old: Mat,
    pub(super) c: Mat,
}

impl<S: Lanes, const G: usize, const M: usize> Units<S, G, M> {
    /// The input's part of a gate, and its bias; of a cell that adds the product also the bias of that.
    ///
    /// # Safety
    /// The row must be below `M`, the gate below `G`.
    #[inline(always)]
    pub unsafe fn input(&self, s: S, row: usize, gate: usize) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { load(s, self.x[row].add(gate * self.hp + self.unit)) }
    }

    /// The product of a gate's recurrent weights and the old state.
    ///
    /// # Safety
    /// As [`Units::input`].
    #[inline(always)]
    pub unsafe fn product(&self, row: usize, gate: usize) -> S::f32s {
        self.sums[row][gate]
    }

    /// That and its bias, for a cell that keeps them apart from the input's.
    ///
    /// # Safety
    /// As [`Units::input`].
    #[inline(always)]
    pub unsafe fn recurrent(&self, s: S, row: usize, gate: usize) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { s.add_f32s(self.sums[row][gate], load(s, self.bias.add(gate * self.hp + self.unit))) }
    }

    /// The old state.
    ///
    /// # Safety
    /// As [`Units::input`].
    #[inline(always)]
    pub unsafe fn old(&self, s: S, row: usize) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe { load(s, self.old.row(row).add(self.unit)) }
    }

    /// Where the second state is.
    ///
    /// # Safety
    /// As [`Units::input`]; the cell must have one.
    #[inline(always)]
    pub unsafe fn second(&self, row: usize) -> *mut f32 {
        // SAFETY: by the caller's promise.
        unsafe { self.c.row(row).add(self.unit) }
    }
}
