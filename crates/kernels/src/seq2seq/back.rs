//! The backward pass of [`Pass`].

use std::ops::Range;

use super::attention::{AddRows, AttendBack, Span, TanhBack};
use super::decoder::{Decoder, copy_columns};
use super::pass::{Pass, units};
use crate::random::drop_rows;
use crate::recurrent::cells::kernel::StepBackward;
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};

impl Pass<'_> {
    /// From the gradients of the attentional outputs to those of all per-row data: gates, keys and values, the
    /// encoder's outputs and final states.
    ///
    /// # Safety
    /// As [`Pass::forward`], which must have been called before. `d_tilde` must contain the gradients from the scores
    /// only, and the gradients of the encoder's final states must be zero.
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

    /// From the attentional output of a step to the gradient of the last layer's output, in `d_top`.
    unsafe fn attention_back(&self, position: usize, row: usize, m: usize, scratch: &mut [f32]) {
        let (Decoder { params, packs, memory, .. }, mats) = (&self.decoder, self.mats);
        let (hp, p) = (params.hp, self.dropout.p);
        // SAFETY: as `backward`.
        unsafe {
            let (d, d_top) = (mats.d_tilde.at(position, 0), mats.d_top.at(row, 0));
            // The gradient from the next step's input; zero if there is none.
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
            // The queries of this step are recomputed: only those of the last step are kept.
            back.query = mats.decoder.query.at(row, 0);
            packs.query.there(top, m, back.query, Init::Zero);
            (back.d_query, back.d_through) = (d_query, mats.d_through.at(row, 0));
            dispatch(back);
            packs.query.back(d_query, m, d_top, Init::Of(d_top));
        }
    }

    /// The backward pass of a step's layers, from the gradient of the last layer's output.
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
                    drop_rows(key, self.dropout.between, inner, position..position + m);
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
                // The final states themselves are needed for the weights' gradients, so these are written elsewhere.
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
