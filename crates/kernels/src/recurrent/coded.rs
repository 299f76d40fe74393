//! Recurrent weights in eight bits, for predictions that ask for them.
//!
//! Each row of `weight_hh` has its own scale, so that its largest weight becomes 127 or -127. States are between -1 and 1 and have
//! codes with the fixed scale of one 127th. A product is a sum of whole numbers, times both scales.

use crate::simd::dots::{DotWork, Dots, LARGEST, code_bytes, dispatch_dots, write_code};
use crate::simd::{Buf, Lanes};

/// Weights in one panel for each vector of units, as [`UnitPanels`](super::packs::UnitPanels) with groups of codes instead of singles.
#[derive(Clone, Default)]
pub(crate) struct CodedPanels {
    codes: Buf,
    /// For each column, what its sum begins with.
    starts: Vec<i32>,
    /// For each column, what its sum is multiplied by.
    scales: Buf,
    /// Values of the state.
    k: usize,
    /// Columns of a unit: its gates.
    gates: usize,
    /// Singles that are as large as the codes of a unit's gate.
    singles: usize,
}

/// The panel of a vector of units. The values of gate `g` are `g` times the padded size of the state later.
pub(crate) struct CodedPanel {
    pub weights: *const u8,
    pub starts: *const i32,
    pub scales: *const f32,
    /// Values of the state.
    pub k: usize,
}

impl CodedPanels {
    /// Packs `w_hh`, `[gates * hp, rp]` row-major. A row with a weight that is not finite makes its products NaN.
    pub fn pack(&mut self, gates: usize, w_hh: &[f32], hp: usize, rp: usize) {
        (self.k, self.gates) = (rp, gates);
        self.scales.grow(gates * hp);
        self.starts.resize(gates * hp, 0);
        dispatch_dots(Pack { panels: self, w_hh, hp });
    }

    /// Whether they were packed.
    pub fn exist(&self) -> bool {
        self.gates > 0
    }

    /// Bytes of the codes.
    pub fn bytes(&self) -> usize {
        self.codes.len() * size_of::<f32>()
    }

    /// The panel of the units from `unit` on, a multiple of the lanes.
    #[inline(always)]
    pub fn at(&self, unit: usize) -> CodedPanel {
        CodedPanel {
            weights: self.codes.as_ptr().wrapping_add(unit * self.gates * self.singles).cast(),
            starts: self.starts.as_ptr().wrapping_add(unit),
            scales: self.scales.as_ptr().wrapping_add(unit),
            k: self.k,
        }
    }
}

struct Pack<'a> {
    panels: &'a mut CodedPanels,
    w_hh: &'a [f32],
    hp: usize,
}

impl DotWork for Pack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<D: Dots>(self, _: D) {
        let Self { panels, w_hh, hp } = self;
        let (k, gates, lanes, bytes) = (panels.k, panels.gates, D::S::L, code_bytes::<D>());
        panels.singles = k / D::TAKES;
        panels.codes.grow(gates * hp * panels.singles);
        let codes: *mut u8 = panels.codes.ptr().cast();
        for (row, weights) in w_hh.chunks_exact(k).enumerate() {
            let (gate, unit) = (row / hp, row % hp);
            // Not the maximum of `f32`, which drops NaN.
            let largest =
                weights.iter().fold(0.0_f32, |most, &w| if most.is_nan() || w.abs() <= most { most } else { w.abs() });
            let scale = if largest > 0.0 { LARGEST / largest } else { 0.0 };
            panels.scales[row] = largest / (LARGEST * LARGEST);
            let column = unit / lanes * lanes * gates * panels.singles * 4 + (gate * lanes + unit % lanes) * 4;
            let mut sum = 0;
            for (at, &weight) in weights.iter().enumerate() {
                let code = (weight * scale).round_ties_even() as i32;
                sum += code;
                let place = column + at / D::TAKES * gates * lanes * 4 + at % D::TAKES * bytes;
                // SAFETY: a column has four bytes in each of its `k / TAKES` lines, and all lie inside the buffer.
                unsafe { write_code::<D>(code, codes.add(place)) };
            }
            panels.starts[row] = -D::OFFSET * sum;
        }
    }
}
