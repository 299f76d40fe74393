//! Inference of cells whose product and gates are computed in one pass: pre-activations stay in registers from the product to
//! the new states.
//!
//! A few rows are computed together, as many as the registers hold. Where the weights fit the first-level cache, these rows run
//! through all their steps before the next ones begin, so that their states stay there too ([`groups`]). Larger weights are read
//! once a step for all rows, some units at a time ([`wide`]). The gates' functions share their divisions, so that values differ
//! from the training's in their last bits.

mod fetch;
mod groups;
mod product;
mod rows;
mod step;
mod units;
mod wide;

pub(crate) use units::{Fused, Units};

use std::marker::PhantomData;

use super::kernel::{AnyCell, InferenceWeights};
use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::dots::{DotIsa, code_bytes_of, dispatch_dots, dot_isa};
use crate::simd::{Buf, Isa, dispatch, isa};
use product::{OnCodes, OnSingles};
use step::Codes;
use units::group_of;

/// Whether cells other than the LSTM go without: a module for browsers counts every kilobyte.
pub(crate) const LSTM_ONLY: bool = cfg!(target_family = "wasm");

/// Whether recurrent weights may be in eight bits; not in browsers either.
pub(crate) const CODES: bool = !cfg!(target_family = "wasm");

/// Bytes of weights for each row of a group that are as good as in the first-level cache.
const NEAR_BYTES: usize = 22 << 10;

/// Packs what inference reads of a cell's weights: with `codes` the recurrent ones in eight bits.
pub(crate) fn pack(packs: &mut DirPacks, gates: usize, weights: &InferenceWeights<'_>) {
    let &InferenceWeights { w_ih, w_hh, hp, rp, kp, input, codes } = weights;
    if codes && CODES {
        packs.coded.pack(gates, w_hh, hp, rp);
        return;
    }
    packs.units.pack(gates, w_hh, hp, rp);
    if input {
        packs.units.pack_input(gates, w_ih, hp, kp);
    }
}

/// Forward over time without anything kept for a backward pass. The states must be set before; they end as the final ones.
///
/// # Safety
/// As [`Steps`].
pub(crate) unsafe fn infer<C: Fused<G>, const G: usize>(cell: &C, steps: Steps<'_>, x: Projected) {
    let (packs, rows) = (steps.packs, steps.rows.len());
    debug_assert!(C::CODES || !packs.coded.exist(), "weights in eight bits were refused for this cell");
    let Some(order) = order(packs, G, rows) else {
        // SAFETY: by the caller's promise.
        return unsafe { cell.forward(steps, x) };
    };
    if C::CODES && packs.coded.exist() {
        let stride = steps.rp * code_bytes_of(dot_isa());
        let mut room = Buf::scratch((2 * rows * stride).div_ceil(size_of::<f32>()));
        let first = Codes { ptr: room.ptr().cast(), stride };
        let codes = [first, first.below(rows)];
        match order {
            Order::Groups => dispatch_dots(OnCodes(groups::Groups::<C, G>(steps, x, codes, PhantomData))),
            Order::Steps => dispatch_dots(OnCodes(wide::Wide::<C, G>(steps, x, codes, PhantomData))),
        }
    } else {
        match order {
            Order::Groups => dispatch(OnSingles(groups::Groups::<C, G>(steps, x, [Codes::NONE; 2], PhantomData))),
            Order::Steps => dispatch(OnSingles(wide::Wide::<C, G>(steps, x, [Codes::NONE; 2], PhantomData))),
        }
    }
}

/// In which order rows and steps are computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// A group of few rows runs through all steps before the next. Each then reads all weights at every step, which takes longer than it
    /// saves where they are not in the first-level cache, or nearly so.
    Groups,
    /// All rows take a step before the next.
    Steps,
}

/// Chooses the order for `rows` rows; None without weights that were packed for inference.
fn order(packs: &DirPacks, gates: usize, rows: usize) -> Option<Order> {
    let (wide, bytes) = if packs.coded.exist() {
        (matches!(dot_isa(), DotIsa::Vnni512 | DotIsa::NeonDot | DotIsa::Neon), packs.coded.bytes())
    } else if packs.units.exist() {
        (matches!(isa(), Isa::Avx512 | Isa::Neon), packs.units.bytes())
    } else {
        return None;
    };
    let group = group_of(if wide { 24 } else { 12 }, gates);
    Some(if rows <= group || bytes <= group * NEAR_BYTES { Order::Groups } else { Order::Steps })
}

/// Whether inference of `rows` rows reads its input directly, which only [`wide`] does. It does not where the recurrent product takes
/// codes: it then ends before a projection could be computed, and a row of the table is there sooner.
pub(crate) fn reads_inputs(packs: &DirPacks, gates: usize, rows: usize) -> bool {
    !packs.coded.exist() && order(packs, gates, rows) == Some(Order::Steps)
}
