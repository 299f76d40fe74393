//! The weights of one layer and direction as the kernels read them.

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
    /// What the input projection adds: both biases, or only `bias_ih` where the recurrent product is kept apart.
    pub bias_x: Buf,
    /// What a recurrent product that is kept apart begins with.
    pub bias_h: Buf,
}

/// Weights so that neighbouring panels make all gates of some units: for as many units as a vector has lanes, their columns
/// of each gate, one gate after the other.
#[derive(Clone, Default)]
pub(crate) struct UnitPanels {
    hh: PackedB,
    ih: PackedB,
    bias: Buf,
}

impl UnitPanels {
    /// Packs `w_hh`, `[gates * hp, rp]` row-major.
    pub fn pack(&mut self, gates: usize, w_hh: &[f32], hp: usize, rp: usize) {
        by_unit(&mut self.hh, gates, w_hh, hp, rp);
    }

    /// Packs the input's side too, for inputs that are not projected beforehand: `w_ih`, `[gates * hp, kp]`, and what its
    /// product begins with.
    pub fn pack_input(&mut self, gates: usize, w_ih: &[f32], bias: &[f32], hp: usize, kp: usize) {
        by_unit(&mut self.ih, gates, w_ih, hp, kp);
        self.bias.grow(gates * hp);
        dispatch(ByUnit { gates, from: bias, hp, width: 1, to: &mut self.bias });
    }

    /// Whether they were packed.
    pub fn exist(&self) -> bool {
        self.hh.n > 0
    }

    /// The recurrent weights.
    pub fn hh(&self) -> &PackedB {
        &self.hh
    }

    /// The input's weights, and what their product begins with.
    pub fn input(&self) -> (&PackedB, *const f32) {
        (&self.ih, self.bias.as_ptr())
    }
}

fn by_unit(packed: &mut PackedB, gates: usize, from: &[f32], hp: usize, width: usize) {
    let mut rows = Buf::scratch(gates * hp * width);
    dispatch(ByUnit { gates, from, hp, width, to: &mut rows });
    packed.resize(width, gates * hp);
    packed.pack_transposed(&rows, width);
}

/// Rows of `width` values, gate by gate, into the order of [`UnitPanels`].
struct ByUnit<'a> {
    gates: usize,
    from: &'a [f32],
    hp: usize,
    width: usize,
    to: &'a mut [f32],
}

impl Kernel for ByUnit<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { gates, from, hp, width, to } = self;
        for (at, to) in to.chunks_exact_mut(width).enumerate() {
            let (block, column) = (at / (gates * S::L), at % (gates * S::L));
            let row = column / S::L * hp + block * S::L + column % S::L;
            to.copy_from_slice(&from[row * width..][..width]);
        }
    }
}
