//! The weights of one layer and direction as the kernels read them.

use super::coded::CodedPanels;
use crate::simd::gemm::PackedB;
use crate::simd::{Buf, Kernel, Lanes, dispatch};

/// The packed weights of one layer and direction.
#[derive(Clone, Default)]
pub(crate) struct DirPacks {
    pub ih_t: PackedB,
    pub hh_t: PackedB,
    pub hr_t: PackedB,
    pub ih: PackedB,
    pub hh: PackedB,
    pub hr: PackedB,
    /// The weights unit by unit, where the cell's inference reads them so.
    pub units: UnitPanels,
    /// The recurrent weights in eight bits instead, where a prediction asks for them.
    pub coded: CodedPanels,
    /// What the input projection adds: both biases, or only `bias_ih` where the recurrent product is kept apart.
    pub bias_x: Buf,
    /// What a recurrent product that is kept apart begins with.
    pub bias_h: Buf,
}

/// Weights in one panel for each vector of units: for each value of the input or state a line with the columns of these units, one
/// gate after the other.
#[derive(Clone, Default)]
pub(crate) struct UnitPanels {
    hh: Panels,
    ih: Panels,
}

#[derive(Clone, Default)]
struct Panels {
    data: Buf,
    /// Values of the input or state.
    k: usize,
    /// Columns of a unit: its gates.
    gates: usize,
}

impl UnitPanels {
    /// Packs `w_hh`, `[gates * hp, rp]` row-major.
    pub fn pack(&mut self, gates: usize, w_hh: &[f32], hp: usize, rp: usize) {
        self.hh.pack(gates, w_hh, hp, rp);
    }

    /// Packs the input's side too, for inputs that are not projected beforehand: `w_ih`, `[gates * hp, kp]`.
    pub fn pack_input(&mut self, gates: usize, w_ih: &[f32], hp: usize, kp: usize) {
        self.ih.pack(gates, w_ih, hp, kp);
    }

    /// Whether they were packed.
    pub fn exist(&self) -> bool {
        self.hh.gates > 0
    }

    /// Bytes of the recurrent weights.
    pub fn bytes(&self) -> usize {
        self.hh.data.len() * size_of::<f32>()
    }

    /// The recurrent weights of the units from `unit` on, a multiple of the lanes, and the number of lines.
    #[inline(always)]
    pub fn hh(&self, unit: usize) -> (*const f32, usize) {
        self.hh.at(unit)
    }

    /// The input's weights, as [`UnitPanels::hh`].
    #[inline(always)]
    pub fn ih(&self, unit: usize) -> (*const f32, usize) {
        self.ih.at(unit)
    }
}

impl Panels {
    fn pack(&mut self, gates: usize, from: &[f32], hp: usize, k: usize) {
        self.data.grow(gates * hp * k);
        (self.k, self.gates) = (k, gates);
        dispatch(ByUnit { gates, from, hp, k, to: &mut self.data });
    }

    #[inline(always)]
    fn at(&self, unit: usize) -> (*const f32, usize) {
        (self.data.as_ptr().wrapping_add(unit * self.gates * self.k), self.k)
    }
}

/// Rows of `k` values, gate by gate, into [`UnitPanels`].
struct ByUnit<'a> {
    gates: usize,
    from: &'a [f32],
    hp: usize,
    k: usize,
    to: &'a mut [f32],
}

impl Kernel for ByUnit<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { gates, from, hp, k, to } = self;
        let line = gates * S::L;
        for (block, panel) in to.chunks_exact_mut(k * line).enumerate() {
            for column in 0..line {
                let row = column / S::L * hp + block * S::L + column % S::L;
                for (value, to) in from[row * k..][..k].iter().zip(panel.chunks_exact_mut(line)) {
                    to[column] = *value;
                }
            }
        }
    }
}
