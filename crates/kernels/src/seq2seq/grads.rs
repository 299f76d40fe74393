//! Gradients of the parameters, after the backward pass of all rows. Each member computes some rows of each matrix.

use std::ops::Range;
use std::slice::from_raw_parts;

use super::attention::AddRows;
use super::encoder::UnitDropout;
use super::packs::Packs;
use super::params::{Linear, Matrix, Table};
use super::pass::Inputs;
use super::plan::PairPlan;
use super::step::Step;
use crate::random::drop_rows;
use crate::recurrent::layers::Layers;
use crate::recurrent::sums::add_rows;
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};
use crate::simd::outer::{ColumnSums, Outer};
use crate::threads::Member;

impl Step<'_> {
    /// This member's share of a matrix's gradient, from `n` rows: `d` are the gradients of the matrix's outputs for the
    /// inputs `x`.
    unsafe fn matrix_grad(&self, member: &Member<'_>, matrix: Matrix, d: Mat, x: Mat, n: usize) {
        // SAFETY: by the caller's promise.
        unsafe { self.linear_grad(member, Linear { weight: matrix, bias: None }, d, x, n) };
    }

    /// The same for a vector of `width` values: the sums of columns.
    unsafe fn vector_grad(&self, member: &Member<'_>, offset: usize, width: usize, d: Mat, n: usize) {
        // SAFETY: each member writes its own columns.
        unsafe {
            let sums = self.mats.flat_grads.add(offset);
            dispatch(ColumnSums { a: d, n, columns: member.share(width, 16), sums });
        }
    }

    unsafe fn linear_grad(&self, member: &Member<'_>, linear: Linear, d: Mat, x: Mat, n: usize) {
        // SAFETY: each member writes its own rows.
        unsafe {
            let (grads, matrix) = (self.mats.flat_grads, linear.weight);
            let c = Mat { ptr: grads.add(matrix.offset), stride: matrix.stride };
            let (i, sums) = (member.share(matrix.rows, 8), linear.bias.map(|bias| grads.add(bias)));
            dispatch(Outer { a: d, b: x, n, i, columns: matrix.cols, c, fresh: true, sums });
        }
    }

    /// This member's share of the gradients of all decoder parameters, except the embedding and the weights that
    /// multiply it.
    pub(super) unsafe fn decoder_grads(&self, member: &Member<'_>, plan: &PairPlan, positions: bool) {
        let (params, mats) = (self.params, self.mats);
        let (n, units, rows, hp) = (plan.layout.total(), plan.units(), plan.rows.len(), params.hp);
        // SAFETY: as `run`; the backward pass of all rows ended before the last barrier.
        unsafe {
            self.linear_grad(member, params.units, mats.scores, mats.decoder.tilde, n);
            self.linear_grad(member, params.output, mats.d_tilde, mats.decoder.top, n);
            self.matrix_grad(member, params.context, mats.d_values, mats.memory, units);
            self.linear_grad(member, params.scores.memory, mats.d_keys, mats.memory, units);
            if let Some((query, through)) = params.scores.query {
                self.matrix_grad(member, query, mats.d_query, mats.decoder.top, n);
                self.vector_grad(member, through, hp, mats.d_through, rows);
            }
            for (layer, (own, m)) in params.layers.iter().zip(&mats.decoder.layers).enumerate() {
                let dg = m.gates;
                match own.state {
                    // Input and state are adjacent, and so are their weights.
                    Some(_) if params.added() => {
                        let both = Matrix { cols: 2 * hp, ..own.input };
                        self.matrix_grad(member, both, dg, m.feed, n);
                    }
                    state => {
                        self.matrix_grad(member, own.input, dg, m.feed, n);
                        if let Some(state) = state {
                            self.matrix_grad(member, state, m.dgh, m.feed.at(0, hp), n);
                        }
                    }
                }
                self.vector_grad(member, own.b_ih, params.gp, dg, n);
                if let Some(b_hh) = own.b_hh {
                    self.vector_grad(member, b_hh, params.gp, if params.apart() { m.dgh } else { dg }, n);
                }
                let bridge = &params.bridges[layer];
                self.linear_grad(member, bridge.h, m.d_bridge_h, m.final_h, rows);
                if let Some(c) = bridge.c {
                    self.linear_grad(member, c, m.d_bridge_c, m.final_c, rows);
                }
            }
            if positions {
                return;
            }
            // Gradients of the projections of distinct units: sums over each unit's positions.
            for unit in member.share(plan.ids.len(), 8) {
                add_rows(mats.decoder.layers[0].gates, plan.users.of(unit), mats.d_table, unit, false);
            }
        }
    }

    /// Gradients of the decoder's embedding and of the weights that multiply it.
    pub(super) unsafe fn target_grads(&self, member: &Member<'_>, plan: &PairPlan, packs: &Packs, inputs: Inputs<'_>) {
        let (params, mats) = (self.params, self.mats);
        let Some(embedded) = params.layers[0].embedded else { return };
        let learns = !self.options.freeze_embedding;
        let back = &packs.layers[0].embedded;
        // SAFETY: as `run`; the sums were computed before the last barrier.
        unsafe {
            match inputs {
                Inputs::Table(_) => {
                    self.matrix_grad(member, embedded, mats.d_table, mats.x, plan.ids.len());
                    let share = member.share(plan.ids.len(), 8);
                    if learns {
                        let (dx, first) = (mats.dx.at(share.start, 0), share.start);
                        back.back(mats.d_table.at(first, 0), share.len(), dx, Init::Zero);
                        self.to_table(params.target, &plan.ids, mats.dx, share);
                    }
                }
                Inputs::Positions { dropout, .. } => {
                    let (n, dg) = (plan.layout.total(), mats.decoder.layers[0].gates);
                    self.matrix_grad(member, embedded, dg, mats.x, n);
                    if learns {
                        let share = member.share(n, 8);
                        let first = share.start;
                        back.back(dg.at(first, 0), share.len(), mats.dx.at(first, 0), Init::Zero);
                        if let Some((key, p)) = dropout {
                            drop_rows(key, p, mats.dx, share);
                        }
                        member.meet();
                        let units = from_raw_parts(self.notes.units, n);
                        self.add_to_table(member, params.target, units.iter().copied(), mats.dx);
                    }
                }
            }
        }
    }

    /// Gradients of the encoder's embedding and of its first layer's parameters.
    pub(super) unsafe fn encoder_grads(
        &self,
        member: &Member<'_>,
        plan: &PairPlan,
        layers: &Layers<'_>,
        dropout: UnitDropout,
    ) {
        let (mats, source) = (&self.mats.encoder, &plan.source);
        // SAFETY: as `run`.
        unsafe {
            layers.sum_words(member, &source.users, false);
            // The sums of `decoder_grads` are also complete then.
            member.meet();
            layers.first_weight_grads(member, self.mats.flat_grads);
            if self.options.freeze_embedding {
                return;
            }
            let share = layers.first_input_grads(member, mats.dx);
            let Some((key, p)) = dropout else {
                return self.to_table(self.params.source, &source.ids, mats.dx, share);
            };
            drop_rows(key, p, mats.dx, share);
            member.meet();
            let units = source.slots.iter().map(|&slot| source.ids[slot as usize]);
            self.add_to_table(member, self.params.source, units, mats.dx);
        }
    }

    /// Copies gradients of distinct units into those of an embedding.
    unsafe fn to_table(&self, table: Table, ids: &[u32], from: Mat, share: Range<usize>) {
        for row in share {
            // SAFETY: as `run`; units are distinct and shared out.
            unsafe {
                let to = self.mats.flat_grads.add(table.offset + ids[row] as usize * table.width);
                std::ptr::copy_nonoverlapping(from.row(row), to, table.width);
            }
        }
    }

    /// Adds gradients of positions to those of an embedding, which start as zeros; each member processes some units.
    unsafe fn add_to_table(&self, member: &Member<'_>, table: Table, units: impl Iterator<Item = u32>, from: Mat) {
        for (position, unit) in units.enumerate() {
            if unit as usize % member.size() != member.rank() {
                continue;
            }
            // SAFETY: as `run`; the unit is this member's.
            unsafe {
                let to = self.mats.flat_grads.add(table.offset + unit as usize * table.width);
                let (from, to) = (from.at(position, 0), Mat { ptr: to, stride: table.width });
                dispatch(AddRows { rows: 1, width: table.width, from, to });
            }
        }
    }
}
