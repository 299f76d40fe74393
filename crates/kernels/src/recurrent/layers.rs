//! All layers of a network, one after the other: the one loop forward and the one backward, in training, prediction and
//! explanation.
//!
//! As in [`stack`](super::stack), every function is called by all members of a team at once.

use std::ops::Range;

use super::stack::Net;
use super::steps::{DirMats, Projected};
use super::sums::add_rows;
use crate::phases::{Phase, begin};
use crate::random::drop_rows;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::distinct::Users;

/// What goes into the first layer.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A row for each packed position.
    Positions(Mat),
    /// A row for each of `count` distinct words, and for each packed position the number of its word.
    Words { x: Mat, count: usize, slots: *const u32 },
    /// Rows that were projected before, for each direction, and for each packed position the number of its row.
    Projected { tables: &'a [Mat], slots: *const u32 },
    /// The same from two tables for each direction; the numbers are those of [`Projected::Tables`].
    Mixed { made: &'a [Mat], kept: &'a [Mat], slots: *const u32 },
}

// SAFETY: only addresses; see Mat.
unsafe impl Sync for Source<'_> {}

/// Dropout of the outputs between two layers.
#[derive(Default)]
pub(crate) struct LayerDropout {
    p: f32,
    /// Of the outputs of each layer but the last; empty without dropout.
    keys: Vec<u64>,
}

impl LayerDropout {
    /// With probability `p`, and a key for the outputs of each layer but the last.
    pub fn new(p: f32, layers: usize, key: impl Fn(usize) -> u64) -> Self {
        let dropping = if p > 0.0 { layers - 1 } else { 0 };
        Self { p, keys: (0..dropping).map(key).collect() }
    }

    fn drops(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Drops rows of the outputs of a layer, or of their gradient.
    unsafe fn drop(&self, layer: usize, mat: Mat, rows: Range<usize>) {
        // SAFETY: the rows are this member's.
        unsafe { drop_rows(self.keys[layer], self.p, mat, rows) };
    }
}

/// States of the rows of one layer.
#[derive(Clone, Copy)]
pub(crate) struct StateMats {
    pub h: Mat,
    /// Where the cell has it.
    pub c: Mat,
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for StateMats {}
// SAFETY: as above.
unsafe impl Sync for StateMats {}

/// The states that rows begin with.
#[derive(Clone)]
pub(crate) enum Start<'a> {
    /// Zeros, in these rows.
    Zeros(Range<usize>),
    /// Those of each layer, in these rows; with one direction only.
    States(Range<usize>, &'a [StateMats]),
    /// Those that were set before, in all rows.
    Set,
}

/// One pass through all layers.
///
/// # Safety
/// All matrices must have the sizes of shape and layout, and be used by this team only.
pub(crate) struct Layers<'a> {
    pub net: Net<'a>,
    pub source: Source<'a>,
    /// Indexed by `layer * directions + direction`.
    pub dirs: &'a [DirMats],
    /// Outputs of each layer, where they exist, and their gradients.
    pub y: &'a [Mat],
    pub dy: &'a [Mat],
    /// For each direction: the projections of distinct words and later their gradients; without anything kept for a
    /// backward pass also those of positions.
    pub projected: &'a [Mat],
    /// Whether the cell takes its inputs as they are, not projected.
    pub from_inputs: bool,
    pub dropout: LayerDropout,
}

impl Layers<'_> {
    fn count(&self) -> usize {
        self.net.shape.layers()
    }

    fn parts(&self, layer: usize) -> &[DirMats] {
        let dirs = self.net.shape.dirs;
        &self.dirs[layer * dirs..][..dirs]
    }

    /// The last layer's directions.
    pub fn top(&self) -> &[DirMats] {
        self.parts(self.count() - 1)
    }

    /// Gradients of a layer's pre-activations.
    fn gate_grads(&self, layer: usize) -> Vec<Mat> {
        self.parts(layer).iter().map(|m| m.dg).collect()
    }

    /// The input's part of a layer's pre-activations.
    unsafe fn project(&self, member: &Member<'_>, layer: usize) -> Vec<Projected> {
        let total = self.net.layout.total();
        let (x, rows, slots) = match (layer, self.source) {
            (0, Source::Projected { tables, slots }) => {
                return tables.iter().map(|&table| Projected::Table(table, slots)).collect();
            }
            (0, Source::Mixed { made, kept, slots }) => {
                let pairs = made.iter().zip(kept);
                return pairs.map(|(&made, &kept)| Projected::Tables([made, kept], slots)).collect();
            }
            (0, Source::Words { x, count, slots }) => (x, count, Some(slots)),
            (0, Source::Positions(x)) => (x, total, None),
            _ => (self.y[layer - 1], total, None),
        };
        let parts = self.parts(layer);
        if self.from_inputs {
            return vec![Projected::Input(x); parts.len()];
        }
        // What is kept goes where the gates will be.
        let gates: Vec<Mat>;
        let to = if parts[0].keep && slots.is_none() {
            gates = parts.iter().map(|m| m.gates).collect();
            &gates
        } else {
            self.projected
        };
        // SAFETY: by the promise of `Layers`.
        unsafe { self.net.project(member, layer, x, rows, to) };
        to.iter().map(|&mat| slots.map_or(Projected::Packed(mat), |slots| Projected::Table(mat, slots))).collect()
    }

    /// From the input to the last layer's outputs and final states. The gradients of the final states of the rows of `start` begin at
    /// zero.
    ///
    /// # Safety
    /// As [`Layers`]; the rows of `start` must be this member's alone until the next meeting.
    pub unsafe fn forward(&self, member: &Member<'_>, start: Start<'_>) {
        let total = self.net.layout.total();
        for layer in 0..self.count() {
            // SAFETY: by the caller's promise and the shares between meetings.
            unsafe {
                let x = self.project(member, layer);
                match &start {
                    Start::Zeros(rows) => self.clear_states(layer, rows),
                    Start::States(rows, states) => self.set_states(layer, rows, states[layer]),
                    Start::Set => {}
                }
                member.meet();
                self.net.forward(member, layer, self.parts(layer), &x);
                if layer + 1 < self.count() {
                    member.meet();
                    if self.dropout.drops() {
                        self.dropout.drop(layer, self.y[layer], member.share(total, 8));
                        member.meet();
                    }
                }
            }
        }
    }

    unsafe fn clear_states(&self, layer: usize, rows: &Range<usize>) {
        for m in self.parts(layer) {
            for mat in [m.h, m.c, m.dh, m.dc].into_iter().filter(|mat| mat.exists()) {
                // SAFETY: by the promise of the caller.
                unsafe { std::ptr::write_bytes(mat.row(rows.start), 0, rows.len() * mat.stride) };
            }
        }
    }

    unsafe fn set_states(&self, layer: usize, rows: &Range<usize>, from: StateMats) {
        // SAFETY: by the promise of the caller; the matrices are equally wide.
        unsafe {
            self.clear_states(layer, rows);
            for m in self.parts(layer) {
                copy_rows(rows, from.h, m.h);
                copy_rows(rows, from.c, m.c);
            }
        }
    }

    /// Copies the final states of some rows.
    ///
    /// # Safety
    /// As [`Layers`], with one direction; the rows must be this member's alone, and have gone forward.
    pub unsafe fn keep_states(&self, rows: &Range<usize>, to: &[StateMats]) {
        for (m, to) in self.dirs.iter().zip(to) {
            // SAFETY: by the caller's promise; the matrices are equally wide.
            unsafe {
                copy_rows(rows, m.h, to.h);
                copy_rows(rows, m.c, to.c);
            }
        }
    }

    /// The recurrence of the last layer backward. The gradients of its outputs and final states must be set.
    ///
    /// # Safety
    /// As [`Layers`].
    #[cfg(feature = "training")]
    pub unsafe fn backward_top(&self, member: &Member<'_>) {
        // SAFETY: by the caller's promise.
        unsafe { self.net.backward(member, self.count() - 1, self.top()) }
    }

    /// From the gradients of the last layer's pre-activations to those of the first's. With `grads` also those of the
    /// parameters of all layers but the first, at the offsets of the segments.
    ///
    /// # Safety
    /// As [`Layers`]; a meeting must lie after [`Layers::backward_top`].
    #[cfg(feature = "training")]
    pub unsafe fn backward(&self, member: &Member<'_>, grads: Option<*mut f32>) {
        let total = self.net.layout.total();
        for layer in (1..self.count()).rev() {
            let (dg, dx) = (self.gate_grads(layer), self.dy[layer - 1]);
            // SAFETY: by the caller's promise and the shares between meetings.
            unsafe {
                if let Some(grads) = grads {
                    self.net.weight_grads(member, layer, self.parts(layer), (self.y[layer - 1], total), &dg, grads);
                }
                let share = self.net.input_grads(member, layer, &dg, total, dx);
                if self.dropout.drops() {
                    self.dropout.drop(layer - 1, dx, share);
                }
                member.meet();
                self.net.backward(member, layer - 1, self.parts(layer - 1));
                member.meet();
            }
        }
    }

    /// Gradients of the distinct words' projections: sums over the positions of each, with `more` added to what is there.
    ///
    /// # Safety
    /// As [`Layers`]; the first layer must have gone back.
    pub unsafe fn sum_words(&self, member: &Member<'_>, users: &Users, more: bool) {
        begin(Phase::InputGrads);
        let Source::Words { count, .. } = self.source else { return };
        for (m, &to) in self.parts(0).iter().zip(self.projected) {
            for word in member.share(count, 8) {
                // SAFETY: by the caller's promise; the share is this member's.
                unsafe { add_rows(m.dg, users.of(word), to, word, more) };
            }
        }
    }

    /// What was projected for the first layer, and the gradients of the projections.
    fn first(&self) -> (Mat, usize, Vec<Mat>) {
        match self.source {
            Source::Words { x, count, .. } => (x, count, self.projected.to_vec()),
            Source::Positions(x) => (x, self.net.layout.total(), self.gate_grads(0)),
            Source::Projected { .. } | Source::Mixed { .. } => {
                unreachable!("there is no way back through rows that were projected before")
            }
        }
    }

    /// Gradients of this member's share of the first layer's input, which is returned; after [`Layers::sum_words`].
    ///
    /// # Safety
    /// As [`Layers`].
    pub unsafe fn first_input_grads(&self, member: &Member<'_>, dx: Mat) -> Range<usize> {
        let (_, rows, dg) = self.first();
        // SAFETY: by the caller's promise.
        unsafe { self.net.input_grads(member, 0, &dg, rows, dx) }
    }

    /// Gradients of the first layer's input at this member's share of the positions, which is returned, whatever the source is.
    ///
    /// # Safety
    /// As [`Layers`]; the first layer must have gone back.
    pub unsafe fn position_grads(&self, member: &Member<'_>, dx: Mat) -> Range<usize> {
        // SAFETY: by the caller's promise.
        unsafe { self.net.input_grads(member, 0, &self.gate_grads(0), self.net.layout.total(), dx) }
    }

    /// Gradients of the first layer's parameters; a meeting must lie after [`Layers::sum_words`].
    ///
    /// # Safety
    /// As [`Layers`].
    pub unsafe fn first_weight_grads(&self, member: &Member<'_>, grads: *mut f32) {
        let (x, rows, dg) = self.first();
        // SAFETY: by the caller's promise.
        unsafe { self.net.weight_grads(member, 0, self.parts(0), (x, rows), &dg, grads) }
    }
}

/// Copies rows between two matrices of the same width, where they exist.
unsafe fn copy_rows(rows: &Range<usize>, from: Mat, to: Mat) {
    if from.exists() && to.exists() {
        // SAFETY: by the promise of the callers.
        unsafe { std::ptr::copy_nonoverlapping(from.row(rows.start), to.row(rows.start), rows.len() * to.stride) };
    }
}
