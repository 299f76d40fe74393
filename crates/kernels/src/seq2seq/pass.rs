//! The decoder for a whole batch with known targets. Each member of a team processes its own rows without barriers. The
//! backward pass is in [`back`](super::back).

use std::ops::Range;
use std::slice::from_raw_parts;

use super::attention::{Memory, Span, TanhRows};
use super::decoder::{Decoder, DecoderDropout, StepRows, copy_columns};
use super::params::{Linear, Params};
use super::plan::PairPlan;
use super::space::Mats;
use crate::random::{Chosen, drop_rows};
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};

/// Scheduled sampling of a step.
#[derive(Clone, Copy)]
pub(super) struct Sampling {
    /// The packed positions of the decoder that read the network's own output.
    pub chosen: Chosen,
}

/// The inputs of the decoder.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Projected rows, by the numbers of the plan.
    Table(Mat),
    /// A row of `x` per position, with dropout if there is a key, and possibly units of the network's own. Receives the
    /// units.
    Positions {
        x: Mat,
        units: *mut u32,
        dropout: Option<(u64, f32)>,
        sampling: Option<Sampling>,
        guess: Mat,
        own: &'a [u32],
    },
}

/// A batch's pass through the decoder.
pub(super) struct Pass<'a> {
    pub decoder: Decoder<'a>,
    pub plan: &'a PairPlan,
    pub mats: &'a Mats,
    pub inputs: Inputs<'a>,
    pub dropout: DecoderDropout,
    /// Whether a backward pass follows.
    pub keep: bool,
}

// SAFETY: as `Decoder`.
unsafe impl Sync for Pass<'_> {}

/// The memory of some rows, which is contiguous.
pub(super) fn units(spans: &[Span], rows: &Range<usize>) -> Range<usize> {
    match (spans.get(rows.start), rows.end.checked_sub(1).map(|last| spans[last])) {
        (Some(first), Some(last)) if rows.start < rows.end => first.start..last.start + last.len,
        _ => 0..0,
    }
}

impl Pass<'_> {
    /// First packed position of some rows at a step, and the number of rows that have not ended.
    pub(super) fn at(&self, time: usize, rows: &Range<usize>) -> (usize, usize) {
        let running = self.plan.layout.batch_sizes()[time] as usize;
        (self.plan.layout.offsets()[time] + rows.start, running.min(rows.end).saturating_sub(rows.start))
    }

    /// Computes everything up to the attentional outputs, for these rows.
    ///
    /// # Safety
    /// The encoder must have finished; the rows must belong to this thread, and all addresses must be valid for the
    /// plan.
    pub unsafe fn forward(&self, rows: Range<usize>) {
        // SAFETY: by the caller's promise.
        unsafe {
            self.prepare(rows.clone());
            for time in 0..self.plan.layout.steps() {
                let (position, m) = self.at(time, &rows);
                if m == 0 {
                    break;
                }
                let at = StepRows { position, row: rows.start, m, spans: &self.plan.spans[rows.start..][..m] };
                let base = self.read(time, at);
                self.decoder.step(&self.mats.decoder, at, base, Some(&self.dropout), self.keep);
            }
        }
    }

    /// Prepares the memory and the initial states of these rows.
    ///
    /// # Safety
    /// As [`Pass::forward`].
    pub unsafe fn prepare(&self, rows: Range<usize>) {
        // SAFETY: by the caller's promise.
        unsafe {
            self.remember(&rows);
            self.begin(&rows);
        }
    }

    /// Copies the encoder's outputs row by row, and computes keys and values.
    unsafe fn remember(&self, rows: &Range<usize>) {
        let (Decoder { params, packs, .. }, plan, mats) = (&self.decoder, self.plan, self.mats);
        let y = mats.encoder.y[params.shape.layers() - 1];
        let units = units(&plan.spans, rows);
        // SAFETY: as `forward`.
        unsafe {
            for row in rows.clone() {
                let (from, Span { start, len }) = (plan.rows[row] as usize, plan.spans[row]);
                for (time, offset) in plan.source.layout.offsets()[..len].iter().enumerate() {
                    let to = mats.memory.row(start + time);
                    std::ptr::copy_nonoverlapping(y.row(offset + from), to, params.mp);
                }
            }
            let (first, m) = (units.start, units.len());
            let memory = mats.memory.at(first, 0);
            let bias = params.scores.memory.bias.map_or(Init::Zero, |bias| Init::Bias(self.decoder.at(bias)));
            packs.memory.there(memory, m, mats.keys.at(first, 0), bias);
            packs.context.there(memory, m, mats.values.at(first, 0), Init::Zero);
        }
    }

    /// Computes the decoder's initial states.
    unsafe fn begin(&self, rows: &Range<usize>) {
        let (Decoder { params, packs, .. }, mats) = (&self.decoder, self.mats);
        let (m, hp, shape) = (rows.len(), params.hp, &params.shape);
        // SAFETY: as `forward`.
        unsafe {
            std::ptr::write_bytes(mats.decoder.fed.row(rows.start), 0, m * hp);
            for (layer, bridge) in params.bridges.iter().enumerate() {
                let own = &mats.decoder.layers[layer];
                let finals = &mats.encoder.dirs[bridge.layer * shape.dirs..][..shape.dirs];
                for row in rows.clone() {
                    for (dir, m) in finals.iter().enumerate() {
                        let from = self.plan.rows[row] as usize;
                        let copy = |from: *mut f32, to: Mat| {
                            std::ptr::copy_nonoverlapping(from, to.row(row).add(dir * shape.rp), shape.rp);
                        };
                        copy(m.h.row(from), own.final_h);
                        if own.c.exists() {
                            copy(m.c.row(from), own.final_c);
                        }
                    }
                }
                let cross = |linear: Linear, state: usize, from: Mat, to: Mat, copy: Mat| {
                    let (from, to) = (from.at(rows.start, 0), to.at(rows.start, 0));
                    let bias = Init::Bias(self.decoder.at(linear.bias.unwrap_or(0)));
                    packs.bridges[layer][state].there(from, m, to, bias);
                    dispatch(TanhRows { at: to.ptr, n: m * hp });
                    copy_columns(m, hp, to, copy.at(rows.start, 0));
                };
                cross(bridge.h, 0, own.final_h, own.h0, own.h);
                if let Some(c) = bridge.c {
                    cross(c, 1, own.final_c, own.c0, own.c);
                }
            }
        }
    }

    /// The initial value of a step's product with the first layer's weights.
    unsafe fn read(&self, time: usize, at: StepRows<'_>) -> Init {
        let (Decoder { params, packs, .. }, plan, mats) = (&self.decoder, self.plan, self.mats);
        let StepRows { position, row, m, .. } = at;
        // SAFETY: as `forward`.
        unsafe {
            let Inputs::Positions { x, units, dropout, sampling, guess, own } = self.inputs else {
                let Inputs::Table(table) = self.inputs else { return Init::Zero };
                return Init::Rows(table, plan.slots.as_ptr().add(position));
            };
            if let (Some(_), true) = (sampling, time > 0) {
                let before = plan.layout.offsets()[time - 1] + row;
                let bias = Init::Bias(self.decoder.at(params.units.bias.unwrap_or(0)));
                packs.units.there(mats.decoder.tilde.at(before, 0), m, guess.at(row, 0), bias);
            }
            let size = params.target.width;
            for i in 0..m {
                let position = position + i;
                let mut unit = own[position];
                if let Some(Sampling { chosen }) = sampling
                    && time > 0
                    && chosen.has(position as u32)
                {
                    unit = largest(from_raw_parts(guess.row(row + i), params.config.target_size)) as u32;
                }
                units.add(position).write(unit);
                let from = self.decoder.at(params.target.offset + unit as usize * size);
                std::ptr::copy_nonoverlapping(from, x.row(position), size);
            }
            if let Some((key, p)) = dropout {
                drop_rows(key, p, x, position..position + m);
            }
            let gates = mats.decoder.layers[0].gates.at(position, 0);
            let layer = &packs.layers[0];
            layer.embedded.there(x.at(position, 0), m, gates, Init::Bias(layer.bias.as_ptr()));
            Init::Of(gates)
        }
    }
}

/// Keys and values of a batch, for the decoder.
pub(super) fn memory(params: &Params, flat: *const f32, mats: &Mats) -> Memory {
    let through = params.scores.query.map_or(std::ptr::null(), |(_, at)| flat.wrapping_add(at));
    Memory { keys: mats.keys, values: mats.values, through, width: params.hp }
}

/// Index of the largest value; the first of equal ones.
pub(super) fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = at;
        }
    }
    best
}
