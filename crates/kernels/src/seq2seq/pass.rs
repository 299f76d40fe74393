//! The decoder over a whole batch whose targets are known: the way there and the way back, each member of a team with rows of its
//! own and without meetings.

use std::ops::Range;
use std::slice::from_raw_parts;

use super::attention::{AddRows, AttendBack, Memory, Span, TanhBack, TanhRows};
use super::decoder::{Decoder, DecoderDropout, StepRows, copy_columns};
use super::params::Linear;
use super::plan::PairPlan;
use super::space::Mats;
use crate::random::{Chosen, drop_rows};
use crate::recurrent::cells::kernel::StepBackward;
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};

/// Scheduled sampling of a step.
#[derive(Clone, Copy)]
pub(super) struct Sampling {
    /// Which of the decoder's packed positions read the network's own unit.
    pub chosen: Chosen,
}

/// What the decoder reads.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Rows that were projected, by the numbers of the plan.
    Table(Mat),
    /// A row of `x` for each position, with dropout if there is a key, and perhaps units of the network's own. Receives the units.
    Positions {
        x: Mat,
        units: *mut u32,
        dropout: Option<(u64, f32)>,
        sampling: Option<Sampling>,
        guess: Mat,
        own: &'a [u32],
    },
}

/// A batch's way through the decoder.
pub(super) struct Pass<'a> {
    pub decoder: Decoder<'a>,
    pub plan: &'a PairPlan,
    pub mats: &'a Mats,
    pub inputs: Inputs<'a>,
    pub dropout: DecoderDropout,
    /// Whether a way back follows.
    pub keep: bool,
}

// SAFETY: as `Decoder`.
unsafe impl Sync for Pass<'_> {}

/// The memory of some rows, which lies together.
pub(super) fn units(spans: &[Span], rows: &Range<usize>) -> Range<usize> {
    match (spans.get(rows.start), rows.end.checked_sub(1).map(|last| spans[last])) {
        (Some(first), Some(last)) if rows.start < rows.end => first.start..last.start + last.len,
        _ => 0..0,
    }
}

impl Pass<'_> {
    /// First packed position of some rows of a step, and how many run.
    fn at(&self, time: usize, rows: &Range<usize>) -> (usize, usize) {
        let running = self.plan.layout.batch_sizes()[time] as usize;
        (self.plan.layout.offsets()[time] + rows.start, running.min(rows.end).saturating_sub(rows.start))
    }

    /// Everything up to the attentional outputs, for these rows.
    ///
    /// # Safety
    /// The encoder must have gone all its way; the rows must be this thread's, all addresses valid for the plan.
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
                let dropout = (self.dropout.p > 0.0).then_some(&self.dropout);
                self.decoder.step(&self.mats.decoder, at, base, dropout, self.keep);
            }
        }
    }

    /// Memory and initial states of these rows.
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

    /// Copies the encoder's outputs row after row, and makes keys and values of them.
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

    /// The decoder's initial states.
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

    /// What a step's product with the weights of the first layer begins with.
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

    /// From the gradients of the attentional outputs to those of everything that is a row's own: gates, keys and values, the
    /// encoder's outputs and final states.
    ///
    /// # Safety
    /// As [`Pass::forward`], which must have come before; `d_tilde` must hold the gradients of the scores alone, and the encoder's
    /// final states' gradients be zero.
    pub unsafe fn backward(&self, rows: Range<usize>, scratch: &mut Vec<f32>) {
        let (Decoder { params, .. }, mats, plan) = (&self.decoder, self.mats, self.plan);
        let (hp, units) = (params.hp, units(&plan.spans, &rows));
        scratch.resize(plan.source.layout.steps(), 0.0);
        // SAFETY: as `forward`.
        unsafe {
            let clear = |mat: Mat, first: usize, n: usize| {
                if mat.exists() {
                    std::ptr::write_bytes(mat.row(first), 0, n * mat.stride);
                }
            };
            clear(mats.d_keys, units.start, units.len());
            clear(mats.d_values, units.start, units.len());
            clear(mats.d_through, rows.start, rows.len());
            for layer in &mats.decoder.layers {
                clear(layer.d_feed, rows.start, rows.len());
                clear(layer.dc, rows.start, rows.len());
            }
            for time in (0..plan.layout.steps()).rev() {
                let (position, m) = self.at(time, &rows);
                if m > 0 {
                    self.attention_back(position, rows.start, m, scratch);
                    self.cells_back(position, rows.start, m);
                }
            }
            let (first, n) = (units.start, units.len());
            let d_memory = mats.d_memory.at(first, 0);
            self.decoder.packs.memory.back(mats.d_keys.at(first, 0), n, d_memory, Init::Zero);
            self.decoder.packs.context.back(mats.d_values.at(first, 0), n, d_memory, Init::Of(d_memory));
            let dy = mats.encoder.dy[params.shape.layers() - 1];
            for row in rows.clone() {
                let (to, Span { start, len }) = (plan.rows[row] as usize, plan.spans[row]);
                for (time, offset) in plan.source.layout.offsets()[..len].iter().enumerate() {
                    let from = mats.d_memory.row(start + time);
                    std::ptr::copy_nonoverlapping(from, dy.row(offset + to), params.mp);
                }
            }
            for layer in 0..params.bridges.len() {
                self.bridge_back(layer, &rows, hp);
            }
        }
    }

    /// From the attentional output of a step to the gradient of the last layer's output, into `d_top`.
    unsafe fn attention_back(&self, position: usize, row: usize, m: usize, scratch: &mut [f32]) {
        let (Decoder { params, packs, memory, .. }, mats) = (&self.decoder, self.mats);
        let (hp, p) = (params.hp, self.dropout.p);
        // SAFETY: as `backward`.
        unsafe {
            let (d, d_top) = (mats.d_tilde.at(position, 0), mats.d_top.at(row, 0));
            // What the next step read; zero where there is none.
            dispatch(AddRows { rows: m, width: hp, from: mats.decoder.layers[0].d_feed.at(row, 0), to: d });
            if p > 0.0 {
                drop_rows(self.dropout.output, p, mats.d_tilde, position..position + m);
            }
            let value = mats.decoder.tilde.at(position, 0);
            dispatch(TanhBack { rows: m, width: hp, from: d, more: Mat::none(), value, scale: 1.0 - p, to: d });
            packs.output.back(d, m, d_top, Init::Zero);
            let top = mats.decoder.top.at(position, 0);
            let bahdanau = params.scores.query.is_some();
            let mut back = AttendBack {
                memory: *memory,
                spans: &self.plan.spans[row..][..m],
                query: top,
                weights: mats.decoder.weights.at(position, 0),
                d,
                d_keys: mats.d_keys,
                d_values: mats.d_values,
                d_query: d_top,
                d_through: Mat::none(),
                scratch,
            };
            if !bahdanau {
                return dispatch(back);
            }
            let d_query = mats.d_query.at(position, 0);
            std::ptr::write_bytes(d_query.ptr, 0, m * d_query.stride);
            // The queries of this step are made again: only those of the last one are there.
            back.query = mats.decoder.query.at(row, 0);
            packs.query.there(top, m, back.query, Init::Zero);
            (back.d_query, back.d_through) = (d_query, mats.d_through.at(row, 0));
            dispatch(back);
            packs.query.back(d_query, m, d_top, Init::Of(d_top));
        }
    }

    /// Through the layers of a step, from the gradient of the last one's output.
    unsafe fn cells_back(&self, position: usize, row: usize, m: usize) {
        let (Decoder { params, packs, .. }, mats) = (&self.decoder, self.mats);
        let hp = params.hp;
        let place = |mat: Mat, row: usize| {
            // SAFETY: as `backward`.
            if mat.exists() { unsafe { mat.at(row, 0) } } else { mat }
        };
        // SAFETY: as `backward`.
        unsafe {
            let mut dy = mats.d_top.at(row, 0);
            for (number, layer) in mats.decoder.layers.iter().enumerate().rev() {
                let packs = &packs.layers[number];
                let (gates, d_feed, feed) = (layer.gates.at(position, 0), layer.d_feed.at(row, 0), layer.feed);
                let dgh = place(layer.dgh, position);
                let dh = d_feed.at(0, hp);
                params.cell.step_back(&StepBackward {
                    m,
                    hp,
                    gates,
                    hprev: feed.at(position, hp),
                    cprev: place(layer.cprev, position),
                    saved: place(layer.saved, position),
                    dh,
                    dy,
                    dc: place(layer.dc, row),
                    dg: gates,
                    dgh,
                });
                packs.main.back(gates, m, d_feed, Init::Zero);
                if params.apart() {
                    packs.state.back(dgh, m, dh, Init::Of(dh));
                }
                let below = number.checked_sub(1);
                dy = d_feed;
                if let Some(below) = below
                    && let Some(&key) = self.dropout.layers.get(below)
                {
                    let inner = mats.decoder.layers[below].inner;
                    dy = inner.at(position, 0);
                    copy_columns(m, hp, d_feed, dy);
                    drop_rows(key, self.dropout.p, inner, position..position + m);
                }
            }
        }
    }

    /// From the gradients of a layer's initial states to those of the encoder's final ones.
    unsafe fn bridge_back(&self, layer: usize, rows: &Range<usize>, hp: usize) {
        let (Decoder { params, packs, .. }, mats) = (&self.decoder, self.mats);
        let (shape, bridge) = (&params.shape, &params.bridges[layer]);
        let (own, m, first) = (&mats.decoder.layers[layer], rows.len(), rows.start);
        // SAFETY: as `backward`.
        unsafe {
            let cross = |state: usize, d: Mat, value: Mat, to: Mat, finals: Mat| {
                let (value, to) = (value.at(first, 0), to.at(first, 0));
                let (more, scale) = (Mat::none(), 1.0);
                dispatch(TanhBack { rows: m, width: hp, from: d, more, value, scale, to });
                // The final states themselves are needed for the weights' gradients: these go to another place.
                packs.bridges[layer][state].back(to, m, finals.at(first, 0), Init::Zero);
            };
            let finals = [mats.d_final_h, mats.d_final_c];
            cross(0, own.d_feed.at(first, hp), own.h0, own.d_bridge_h, finals[0]);
            if bridge.c.is_some() {
                cross(1, own.dc.at(first, 0), own.c0, own.d_bridge_c, finals[1]);
            }
            let dirs = &mats.encoder.dirs[bridge.layer * shape.dirs..][..shape.dirs];
            for row in rows.clone() {
                let to = self.plan.rows[row] as usize;
                for (dir, m) in dirs.iter().enumerate() {
                    let add = |from: Mat, to: *mut f32| {
                        let (from, to) = (from.at(row, dir * shape.rp), Mat { ptr: to, stride: shape.rp });
                        dispatch(AddRows { rows: 1, width: shape.rp, from, to });
                    };
                    add(finals[0], m.dh.row(to));
                    if bridge.c.is_some() {
                        add(finals[1], m.dc.row(to));
                    }
                }
            }
        }
    }
}

/// Keys and values of a batch, as the decoder reads them.
pub(super) fn memory(params: &super::params::Params, flat: *const f32, mats: &Mats) -> Memory {
    let through = params.scores.query.map_or(std::ptr::null(), |(_, at)| flat.wrapping_add(at));
    Memory { keys: mats.keys, values: mats.values, through, width: params.hp }
}

/// The first of the largest values.
pub(super) fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = at;
        }
    }
    best
}
