//! Inference of cells whose product and gates are computed in one pass: pre-activations stay in registers from the product to
//! the new states.
//!
//! A few rows are computed together, as many as the registers hold. Where the weights fit the first-level cache, these rows run
//! through all their steps before the next ones begin, so that their states stay there too ([`groups`]). Larger weights are read
//! once a step for all rows, some units at a time ([`wide`]). The gates' functions share their divisions, so that values differ
//! from the training's in their last bits.

mod groups;
mod rows;
mod units;
mod wide;

pub(crate) use units::{Fused, Units};

use std::marker::PhantomData;

use super::kernel::AnyCell;
use crate::recurrent::packs::{DirPacks, UnitPanels};
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::{Isa, dispatch, isa};
use units::group_of;

/// Whether cells other than the LSTM go without: a module for browsers counts every kilobyte.
pub(crate) const LSTM_ONLY: bool = cfg!(target_family = "wasm");

/// Bytes of weights for each row of a group that are as good as in the first-level cache.
const NEAR_BYTES: usize = 22 << 10;

/// Forward over time without anything kept for a backward pass. The states must be set before; they end as the final ones.
///
/// # Safety
/// As [`Steps`].
pub(crate) unsafe fn infer<C: Fused<G>, const G: usize>(cell: &C, steps: Steps<'_>, x: Projected) {
    if !steps.packs.units.exist() {
        // SAFETY: by the caller's promise.
        unsafe { cell.forward(steps, x) }
    } else if fit_groups(&steps.packs.units, G, steps.rows.len()) {
        dispatch(groups::Groups::<C, G>(steps, x, PhantomData));
    } else {
        dispatch(wide::Wide::<C, G>(steps, x, PhantomData));
    }
}

/// Whether inference of `rows` rows can read its input directly, which only [`wide`] does.
pub(crate) fn reads_inputs(packs: &DirPacks, gates: usize, rows: usize) -> bool {
    packs.units.exist() && !fit_groups(&packs.units, gates, rows)
}

/// Whether a group of few rows runs through all steps before the next. Each then reads all weights at every step, which takes
/// longer than it saves where they are not in the first-level cache, or nearly so.
fn fit_groups(units: &UnitPanels, gates: usize, rows: usize) -> bool {
    let registers = if matches!(isa(), Isa::Avx512 | Isa::Neon) { 24 } else { 12 };
    let group = group_of(registers, gates);
    rows <= group || units.bytes() <= group * NEAR_BYTES
}
