//! One step of the decoder for some rows.

use super::attention::{Attend, Memory, Span, TanhRows};
use super::packs::Packs;
use super::params::Params;
use super::space::DecoderMats;
use crate::random::drop_rows;
use crate::recurrent::cells::kernel::StepForward;
use crate::recurrent::steps::Projected;
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};

/// The decoder's weights, and the memory that it attends to.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub params: &'a Params,
    pub packs: &'a Packs,
    pub flat: *const f32,
    pub memory: Memory,
}

// SAFETY: only addresses; during a pass, only a member's own rows change.
unsafe impl Sync for Decoder<'_> {}

/// Dropout of a step: keys for the outputs of each layer except the last, and for the attentional output.
#[derive(Clone, Debug, Default)]
pub(super) struct DecoderDropout {
    pub between: f32,
    /// Empty without dropout.
    pub layers: Vec<u64>,
    pub output: u64,
    /// Dropout rate of the attentional output.
    pub p: f32,
}

/// Some rows of a step: first packed position, first row, number of rows, and memory.
#[derive(Clone, Copy)]
pub(super) struct StepRows<'a> {
    pub position: usize,
    pub row: usize,
    pub m: usize,
    pub spans: &'a [Span],
}

/// Copies `width` columns of `m` rows.
///
/// # Safety
/// The columns must be in range, and those of `to` must belong to this thread.
pub(super) unsafe fn copy_columns(m: usize, width: usize, from: Mat, to: Mat) {
    for row in 0..m {
        // SAFETY: by the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(from.row(row), to.row(row), width) };
    }
}

impl Decoder<'_> {
    /// The address of a parameter.
    pub fn at(&self, offset: usize) -> *const f32 {
        self.flat.wrapping_add(offset)
    }

    /// Computes the new states, the attentional output and the weights of the source units from the embedded units and
    /// the previous states. `base` is the product of the embedded units with the first layer's weights, plus its bias.
    /// With `keep`, also stores what the backward pass needs.
    ///
    /// # Safety
    /// The matrices must have these rows, which must belong to this thread.
    pub unsafe fn step(
        &self,
        mats: &DecoderMats,
        at: StepRows<'_>,
        base: Init,
        dropout: Option<&DecoderDropout>,
        keep: bool,
    ) {
        let Self { params, packs, memory, .. } = *self;
        let StepRows { position, row, m, spans } = at;
        let hp = params.hp;
        let place = |mat: Mat, row: usize| {
            // SAFETY: by the caller's promise.
            if mat.exists() { unsafe { mat.at(row, 0) } } else { mat }
        };
        // SAFETY: by the caller's promise.
        unsafe {
            let mut input = place(mats.fed, row);
            for (number, layer) in mats.layers.iter().enumerate() {
                let (own, packs) = (&params.layers[number], &packs.layers[number]);
                let (feed, gates) = (place(layer.feed, position), place(layer.gates, position));
                let (h, c, recurrent) = (place(layer.h, row), place(layer.c, row), place(layer.recurrent, row));
                let state = feed.at(0, hp);
                copy_columns(m, hp, input, feed);
                copy_columns(m, hp, h, state);
                if keep && c.exists() {
                    copy_columns(m, hp, c, place(layer.cprev, position));
                }
                packs.main.there(feed, m, gates, if number == 0 { base } else { Init::Bias(packs.bias.as_ptr()) });
                if let Some(b_hh) = own.b_hh.filter(|_| recurrent.exists()) {
                    packs.state.there(state, m, recurrent, Init::Bias(self.at(b_hh)));
                }
                let (x, saved) = (Projected::Packed(gates), place(layer.saved, position));
                params.cell.step(&StepForward { m, hp, keep, x, position: 0, gates, recurrent, saved, c, h });
                input = h;
                if let Some(&key) = dropout.and_then(|dropout| dropout.layers.get(number)) {
                    let p = dropout.map_or(0.0, |dropout| dropout.between);
                    input = place(layer.inner, position);
                    copy_columns(m, hp, h, input);
                    drop_rows(key, p, layer.inner, position..position + m);
                }
            }
            let (top, tilde) = (place(mats.top, position), place(mats.tilde, position));
            copy_columns(m, hp, input, top);
            let mut query = top;
            if params.scores.query.is_some() {
                query = place(mats.query, row);
                packs.query.there(top, m, query, Init::Zero);
            }
            let bias = self.at(params.output.bias.unwrap_or(0));
            let weights = place(mats.weights, position);
            dispatch(Attend { memory, spans, query, weights, bias, to: tilde });
            packs.output.there(top, m, tilde, Init::Of(tilde));
            dispatch(TanhRows { at: tilde.ptr, n: m * hp });
            if let Some(dropout) = dropout.filter(|dropout| dropout.p > 0.0) {
                drop_rows(dropout.output, dropout.p, mats.tilde, position..position + m);
            }
            copy_columns(m, hp, tilde, place(mats.fed, row));
        }
    }
}
