//! The encoder in a pass.

use super::packs::Packs;
use super::params::Params;
use super::space::EncoderMats;
use crate::encoder::plan::Plan;
use crate::random::drop_rows;
use crate::recurrent::layers::{LayerDropout, Layers, Source};
use crate::recurrent::stack::Net;
use crate::threads::Member;

/// Dropout of embedded units: a key and a rate.
pub(super) type UnitDropout = Option<(u64, f32)>;

/// Gathers this member's share of the first layer's input: a row per distinct unit, or with dropout per position.
///
/// # Safety
/// All members must call it. The addresses must be valid for the plan and not used by anything else.
pub(super) unsafe fn gather(
    member: &Member<'_>,
    params: &Params,
    flat: *const f32,
    plan: &Plan,
    mats: &EncoderMats,
    dropout: UnitDropout,
) {
    let table = params.source;
    let share = member.share(if dropout.is_some() { plan.slots.len() } else { plan.ids.len() }, 8);
    // SAFETY: by the caller's promise; units were checked.
    unsafe {
        for row in share.clone() {
            let number = if dropout.is_some() { plan.slots[row] as usize } else { row };
            let from = flat.add(table.offset + plan.ids[number] as usize * table.width);
            std::ptr::copy_nonoverlapping(from, mats.x.row(row), table.width);
        }
        if let Some((key, p)) = dropout {
            drop_rows(key, p, mats.x, share);
        }
    }
}

/// The encoder's layers for a batch.
pub(super) fn layers<'a>(
    params: &'a Params,
    packs: &'a Packs,
    plan: &'a Plan,
    mats: &'a EncoderMats,
    positions: bool,
    dropout: LayerDropout,
) -> Layers<'a> {
    let source = if positions {
        Source::Positions(mats.x)
    } else {
        Source::Words { x: mats.x, count: plan.inputs(), slots: plan.slots.as_ptr() }
    };
    Layers {
        net: Net {
            shape: &params.shape,
            packs: &packs.encoder,
            layout: &plan.layout,
            slices: &plan.slices,
            aside: None,
        },
        source,
        dirs: &mats.dirs,
        y: &mats.y,
        dy: &mats.dy,
        projected: &mats.projected,
        from_inputs: false,
        dropout,
    }
}
