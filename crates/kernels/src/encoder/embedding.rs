//! The embedding in a training step: looks up words, computes the gradients of the distinct words, and updates them.

use std::ops::Range;

use super::lookup::Lookup;
use super::plan::Plan;
use super::subwords::Subwords;
use crate::optim::StepNumbers;
use crate::random::drop_rows;
use crate::recurrent::layers::{Layers, Source};
use crate::recurrent::sums::add_rows;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// The embedding of a step, shared by a team.
#[derive(Clone, Copy)]
pub(crate) struct Embedding {
    /// The words' vectors.
    pub words: Lookup,
    /// The subword features, if there are any.
    pub subwords: Option<Subwords>,
    /// The word whose vector stays zero.
    pub padding: Option<u32>,
    /// Whether the word vectors are frozen.
    pub frozen: bool,
    /// Dropout rate for the values of a position's vector. With dropout, positions differ from their inputs' rows, so
    /// equal inputs cannot be computed once.
    pub dropout: f32,
    /// Inputs of the first layer: a row per distinct input, or with dropout per position. And their gradients.
    pub x: Mat,
    pub dx: Mat,
    /// Gradients of the distinct inputs; without dropout, the same as `dx`.
    pub d_rows: Mat,
}

/// A member's shares of the rows that a batch reads and updates.
#[derive(Clone, Default)]
pub(crate) struct Own {
    pub words: Range<usize>,
    pub features: Range<usize>,
}

impl Embedding {
    pub(super) fn drops(&self) -> bool {
        self.dropout > 0.0
    }

    /// Whether any vector is trained.
    pub(super) fn learns(&self) -> bool {
        !self.frozen || self.subwords.is_some()
    }

    /// The vector of the input at a packed position, before dropout.
    ///
    /// # Safety
    /// The position must be in range, and the inputs must have been gathered.
    pub(super) unsafe fn vector(&self, plan: &Plan, position: usize) -> &[f32] {
        let slot = plan.slots[position] as usize;
        // SAFETY: by the caller's promise; words were checked.
        unsafe {
            match self.subwords {
                Some(Subwords { features, inputs, .. }) => {
                    std::slice::from_raw_parts(inputs.row(slot), self.words.dims + features.dims)
                }
                None if self.drops() => std::slice::from_raw_parts(self.words.row(plan.ids[slot]), self.words.dims),
                None => std::slice::from_raw_parts(self.x.row(slot), self.words.dims),
            }
        }
    }

    /// The first layer's input at a packed position.
    ///
    /// # Safety
    /// As [`Embedding::vector`].
    pub(super) unsafe fn input(&self, plan: &Plan, position: usize) -> *const f32 {
        let row = if self.drops() { position } else { plan.slots[position] as usize };
        // SAFETY: by the caller's promise.
        unsafe { self.x.row(row) }
    }

    /// The first layer's input.
    pub fn source(&self, plan: &Plan) -> Source<'static> {
        if self.drops() {
            Source::Positions(self.x)
        } else {
            Source::Words { x: self.x, count: plan.inputs(), slots: plan.slots.as_ptr() }
        }
    }

    /// Gathers this member's share of the first layer's input; `key` is the dropout key.
    ///
    /// # Safety
    /// All members must call it. The addresses must be valid for the plan and not used by anything else.
    pub unsafe fn gather(&self, member: &Member<'_>, plan: &Plan, key: u64) {
        let words = member.share(plan.own(), 8);
        let others = |ids: &[u32]| member.share(ids.len(), 8);
        // SAFETY: by the caller's promise; words and features are distinct and shared out.
        unsafe {
            self.words.catch_up(&plan.ids[words.clone()]);
            let more = &plan.ids[plan.own()..];
            self.words.catch_up(&more[others(more)]);
            if let (Some(subwords), Some(bags)) = (&self.subwords, &plan.bags) {
                subwords.features.catch_up(&bags.ids[others(&bags.ids)]);
                member.meet();
                subwords.gather(member, &self.words, &plan.ids, bags);
            } else if !self.drops() {
                return self.copy(words, |word| self.words.row(plan.ids[word]));
            }
            if !self.drops() {
                return;
            }
            member.meet();
            let positions = member.share(plan.slots.len(), 8);
            self.copy(positions.clone(), |position| self.vector(plan, position).as_ptr());
            drop_rows(key, self.dropout, self.x, positions);
        }
    }

    /// Copies vectors into rows of the first layer's input. Padding columns stay zero.
    unsafe fn copy<'a>(&'a self, rows: Range<usize>, from: impl Fn(usize) -> *const f32 + 'a) {
        let width = self.words.dims + self.subwords.map_or(0, |subwords| subwords.features.dims);
        for row in rows {
            // SAFETY: by the promise of `gather`; the rows are this member's.
            unsafe { std::ptr::copy_nonoverlapping(from(row), self.x.row(row), width) };
        }
    }

    /// Prefetches the rows of this member's share for a later step: part `part` of `parts`.
    pub fn fetch(&self, member: &Member<'_>, plan: &Plan, part: usize, parts: usize) {
        let some = |rows: &[u32], of: &Lookup| {
            let share = &rows[member.share(rows.len(), 8)];
            of.fetch(&share[share.len() * part / parts..share.len() * (part + 1) / parts]);
        };
        some(&plan.ids, &self.words);
        if let (Some(subwords), Some(bags)) = (&self.subwords, &plan.bags) {
            some(&bags.ids, &subwords.features);
        }
    }

    /// Computes the gradients of this member's shares of the distinct words and features, and returns the shares. With
    /// frozen words, only those of the features and of the first layer's own weights. With `more`, adds them to those
    /// of an earlier pass.
    ///
    /// # Safety
    /// As [`Embedding::gather`]; the backward pass of all layers must have ended before the last barrier.
    pub unsafe fn grads(&self, member: &Member<'_>, layers: &Layers<'_>, plan: &Plan, key: u64, more: bool) -> Own {
        // SAFETY: the share is this member's; everything read was finished before the last barrier.
        unsafe {
            layers.sum_words(member, &plan.users, more);
            if !self.learns() {
                return Own::default();
            }
            let share = layers.first_input_grads(member, self.dx);
            if self.drops() {
                drop_rows(key, self.dropout, self.dx, share);
                member.meet();
                self.sum_positions(self.dx, member, plan, more);
            }
            self.rows_of_inputs(member, plan)
        }
    }

    /// From the gradients of the inputs to those of this member's words and features.
    unsafe fn rows_of_inputs(&self, member: &Member<'_>, plan: &Plan) -> Own {
        let mut own = Own { words: member.share(plan.own(), 8), features: 0..0 };
        // SAFETY: as `grads`.
        unsafe {
            if let (Some(subwords), Some(bags)) = (&self.subwords, &plan.bags) {
                let first = self.words.dims;
                subwords.divide(member, first, bags);
                member.meet();
                subwords.sum_features(member, first, bags);
                own.features = member.share(bags.own, 8);
                if self.frozen {
                    own.words = 0..0;
                    return own;
                }
                subwords.sum_words(member, &self.words, plan.own(), bags);
            }
            if let Some(padding) = self.padding
                && let Some(word) = own.words.clone().find(|&word| plan.ids[word] == padding)
            {
                std::ptr::write_bytes(self.words.grads.row(word), 0, self.words.grads.stride);
            }
        }
        own
    }

    /// Sums the positions' gradients into `d_rows`, for this member's share of the distinct inputs; with `more`, adds
    /// to it.
    ///
    /// # Safety
    /// As [`Embedding::grads`]; the gradients of all positions must have been computed before the last barrier.
    pub(super) unsafe fn sum_positions(&self, from: Mat, member: &Member<'_>, plan: &Plan, more: bool) {
        for input in member.share(plan.inputs(), 8) {
            // SAFETY: by the caller's promise; the share is this member's.
            unsafe { add_rows(from, plan.users.of(input), self.d_rows, input, more) };
        }
    }

    /// Sum of the squares of this member's gradients.
    ///
    /// # Safety
    /// As [`Embedding::update`].
    pub unsafe fn squares(&self, own: &Own) -> f64 {
        // SAFETY: by the caller's promise.
        unsafe {
            let features = self.subwords.map(|subwords| subwords.features.squares(own.features.clone()));
            self.words.squares(own.words.clone()) + features.unwrap_or(0.0)
        }
    }

    /// The optimizer's step for this member's rows, with the step number and the derived factors, for the words and for
    /// the other parameters.
    ///
    /// # Safety
    /// As [`Embedding::gather`]; the shares must be those of [`Embedding::grads`].
    pub unsafe fn update(
        &self,
        member: &Member<'_>,
        plan: &Plan,
        own: Own,
        words: (u64, StepNumbers),
        rest: (u64, StepNumbers),
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            if !self.frozen {
                self.words.update(member, &plan.ids, own.words, words);
            }
            if let (Some(subwords), Some(bags)) = (&self.subwords, &plan.bags) {
                subwords.features.update(member, &bags.ids, own.features, rest);
            }
        }
    }

    /// Counts a step with learning rate `lr`. The first member calls it, while no member reads the optimizer's tables.
    ///
    /// # Safety
    /// As described; the addresses must be valid.
    pub unsafe fn count_step(&self, lr: f64) {
        // SAFETY: by the caller's promise.
        unsafe {
            if !self.frozen {
                self.words.count_step(lr);
            }
            if let Some(subwords) = &self.subwords {
                subwords.features.count_step(lr);
            }
        }
    }
}
