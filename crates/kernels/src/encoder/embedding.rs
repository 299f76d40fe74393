//! The embedding in a training step: words into rows, gradients of the distinct words, and their move.

use std::ops::Range;

use super::plan::Plan;
use crate::optim::{DenseShared, LateRows, LateShared, StepNumbers};
use crate::random::drop_rows;
use crate::recurrent::layers::{Layers, Source};
use crate::recurrent::sums::add_rows;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// How the embedding moves.
#[derive(Clone, Copy)]
pub(crate) enum Words {
    /// Missed steps are made up when a row is next read. The second address is for the first member alone, to count a step.
    Late(LateShared, *mut LateRows),
    /// States, and the gradient of the whole matrix, zero between steps.
    Dense(DenseShared, *mut f32),
}

/// The embedding of a step, as a team shares it.
#[derive(Clone, Copy)]
pub(crate) struct Embedding {
    /// `[vocab, dims]`.
    pub weights: *mut f32,
    pub vocab: usize,
    pub dims: usize,
    /// The word whose row stays zero.
    pub padding: Option<u32>,
    /// Leaves it as it is.
    pub frozen: bool,
    /// Probability of dropping a value of a position's vector. Positions then differ from their words' rows, so that equal
    /// words cannot be computed once.
    pub dropout: f32,
    pub words: Words,
    /// Inputs of the first layer: a row for each distinct word, or with dropout for each position. And their gradients.
    pub x: Mat,
    pub dx: Mat,
    /// Gradients of the distinct words; the same as `dx` without dropout.
    pub d_rows: Mat,
}

impl Embedding {
    pub(super) fn drops(&self) -> bool {
        self.dropout > 0.0
    }

    /// The vector of the word at a packed position, before any dropout.
    ///
    /// # Safety
    /// The position must be inside; the words must have been gathered.
    pub(super) unsafe fn vector(&self, plan: &Plan, position: usize) -> &[f32] {
        let slot = plan.slots[position] as usize;
        // SAFETY: by the caller's promise; words were checked.
        unsafe {
            let at =
                if self.drops() { self.weights.add(plan.ids[slot] as usize * self.dims) } else { self.x.row(slot) };
            std::slice::from_raw_parts(at, self.dims)
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
            Source::Words { x: self.x, count: plan.ids.len(), slots: plan.slots.as_ptr() }
        }
    }

    /// Copies words' vectors into rows of the first layer's input.
    unsafe fn copy(&self, words: impl Iterator<Item = u32>, first: usize) {
        for (i, word) in words.enumerate() {
            // SAFETY: words were checked; the rows are this member's. Padding columns stay zero.
            unsafe {
                let from = self.weights.add(word as usize * self.dims);
                std::ptr::copy_nonoverlapping(from, self.x.row(first + i), self.dims);
            }
        }
    }

    /// This member's share of the first layer's input; `key` is that of the dropout.
    ///
    /// # Safety
    /// All members must call it; the addresses must be valid for the plan and not be used by anything else.
    pub unsafe fn gather(&self, member: &Member<'_>, plan: &Plan, key: u64) {
        let words = member.share(plan.ids.len(), 8);
        // SAFETY: by the caller's promise; words are distinct and shared out.
        unsafe {
            if let Words::Late(late, _) = self.words {
                late.catch_up(&plan.ids[words.clone()]);
            }
            if !self.drops() {
                return self.copy(plan.ids[words.clone()].iter().copied(), words.start);
            }
            member.meet();
            let positions = member.share(plan.slots.len(), 8);
            self.copy(plan.slots[positions.clone()].iter().map(|&slot| plan.ids[slot as usize]), positions.start);
            drop_rows(key, self.dropout, self.x, positions);
        }
    }

    /// Fetches some of the rows that the next step reads.
    pub fn fetch(&self, words: &[u32]) {
        if let Words::Late(late, _) = self.words {
            late.fetch(words);
        }
    }

    /// Gradients of this member's share of the distinct words, into `d_rows`; returns the share. With a frozen embedding
    /// only what the first layer's own weights need, and no share. With `more` they are added to those of an earlier pass.
    ///
    /// # Safety
    /// As [`Embedding::gather`]; all layers must have gone back before the last meeting.
    pub unsafe fn grads(
        &self,
        member: &Member<'_>,
        layers: &Layers<'_>,
        plan: &Plan,
        key: u64,
        more: bool,
    ) -> Range<usize> {
        let words = member.share(plan.ids.len(), 8);
        // SAFETY: the share is this member's; what is read was finished before the last meeting.
        unsafe {
            layers.sum_words(member, &plan.users, more);
            if self.frozen {
                return 0..0;
            }
            let share = layers.first_input_grads(member, self.dx);
            if self.drops() {
                drop_rows(key, self.dropout, self.dx, share);
                member.meet();
                self.sum_positions(self.dx, member, plan, more);
            }
            if let Some(padding) = self.padding
                && let Some(word) = words.clone().find(|&word| plan.ids[word] == padding)
            {
                std::ptr::write_bytes(self.d_rows.row(word), 0, self.d_rows.stride);
            }
        }
        words
    }

    /// Sums of positions' gradients into `d_rows`, for this member's share of the distinct words; with `more` added to it.
    ///
    /// # Safety
    /// As [`Embedding::grads`]; the gradients of all positions must have been made before the last meeting.
    pub(super) unsafe fn sum_positions(&self, from: Mat, member: &Member<'_>, plan: &Plan, more: bool) {
        for word in member.share(plan.ids.len(), 8) {
            // SAFETY: by the caller's promise; the share is this member's.
            unsafe { add_rows(from, plan.users.of(word), self.d_rows, word, more) };
        }
    }

    /// The optimizer's step for this member's share of the words, by the numbers of step `now`.
    ///
    /// # Safety
    /// As [`Embedding::gather`]; the share must be that of [`Embedding::grads`].
    pub unsafe fn update(
        &self,
        member: &Member<'_>,
        plan: &Plan,
        words: Range<usize>,
        (now, numbers): (u64, StepNumbers),
    ) {
        if self.frozen {
            return;
        }
        // SAFETY: words are distinct and shared out; the dense step's shares do not overlap.
        unsafe {
            match self.words {
                Words::Late(late, _) => {
                    let grads = (self.d_rows.row(words.start).cast_const(), self.d_rows.stride);
                    late.update(&plan.ids[words], grads, now as u32, numbers);
                }
                Words::Dense(states, grads) => {
                    let row = |word: usize| grads.add(plan.ids[word] as usize * self.dims);
                    for word in words.clone() {
                        std::ptr::copy_nonoverlapping(self.d_rows.row(word), row(word), self.dims);
                    }
                    member.meet();
                    let share = member.share(self.vocab * self.dims, 1024);
                    states.step(self.weights, grads, share, numbers);
                    member.meet();
                    for word in words {
                        std::ptr::write_bytes(row(word), 0, self.dims);
                    }
                }
            }
        }
    }

    /// Counts a step with learning rate `lr`. The first member calls it, while no member reads the optimizer's tables.
    ///
    /// # Safety
    /// As said; the addresses must be valid.
    pub unsafe fn count_step(&self, lr: f64) {
        if let (Words::Late(_, late), false) = (self.words, self.frozen) {
            // SAFETY: by the caller's promise.
            unsafe { (*late).begin(lr) };
        }
    }
}
