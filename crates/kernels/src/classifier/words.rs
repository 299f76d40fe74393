//! The embedding's part of a step: gradients of the distinct words, and their move.

use std::ops::Range;

use super::plan::Plan;
use super::step::{EMBEDDING, Step};
use crate::optim::{DenseShared, LateRows, LateShared, StepNumbers};
use crate::recurrent::stack::Net;
use crate::recurrent::sums::add_rows;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// How the embedding moves; see [`super::optimizer::Rows`].
#[derive(Clone, Copy)]
pub(super) enum Words {
    /// The second address is for the first member alone, to count a step.
    Late(LateShared, *mut LateRows),
    /// States, and the gradient of the whole matrix, zero between steps.
    Dense(DenseShared, *mut f32),
}

impl Step<'_> {
    /// Gradients of this member's share of the distinct words, into `d_rows`; returns the share. With a frozen embedding
    /// only what the first layer's own weights need, and no share.
    pub(super) unsafe fn word_grads(&self, member: &Member<'_>, net: &Net<'_>, plan: &Plan, mask: u64) -> Range<usize> {
        let (mats, shape, total) = (self.mats, &self.model.shape, plan.layout.total());
        let words = member.share(plan.ids.len(), 8);
        let dg: Vec<Mat> = mats.dirs[..shape.dirs].iter().map(|m| m.dg).collect();
        let frozen = self.options.freeze_embedding;
        // SAFETY: the share is this member's, what is read was finished before the last meeting.
        unsafe {
            if self.drops_words() {
                if frozen {
                    return 0..0;
                }
                let share = net.input_grads(member, 0, &dg, total, mats.dx);
                self.dropout(mask, [EMBEDDING, 0], mats.dx, share);
                member.meet();
                for word in words.clone() {
                    add_rows(mats.dx, plan.users.of(word), mats.d_rows, word);
                }
            } else {
                for (from, to) in dg.iter().zip(&mats.projected) {
                    for word in words.clone() {
                        add_rows(*from, plan.users.of(word), *to, word);
                    }
                }
                if frozen {
                    return 0..0;
                }
                net.input_grads(member, 0, &mats.projected, plan.ids.len(), mats.dx);
            }
            if let Some(padding) = self.model.config.padding_idx
                && let Some(word) = words.clone().find(|&word| plan.ids[word] == padding)
            {
                std::ptr::write_bytes(mats.d_rows.row(word), 0, mats.d_rows.stride);
            }
        }
        words
    }

    /// The optimizer's step for this member's share of the embedding.
    pub(super) unsafe fn move_words(
        &self,
        member: &Member<'_>,
        plan: &Plan,
        words: Range<usize>,
        (now, numbers): (u64, StepNumbers),
    ) {
        if self.options.freeze_embedding {
            return;
        }
        let d_rows = self.mats.d_rows;
        // SAFETY: words are distinct and shared out; the dense step's shares do not overlap.
        unsafe {
            match self.words {
                Words::Late(late, _) => {
                    let grads = (d_rows.row(words.start).cast_const(), d_rows.stride);
                    late.update(&plan.ids[words], grads, now as u32, numbers);
                }
                Words::Dense(states, grads) => {
                    let dims = self.model.config.embedding_dim;
                    let row = |word: usize| grads.add(plan.ids[word] as usize * dims);
                    for word in words.clone() {
                        std::ptr::copy_nonoverlapping(d_rows.row(word), row(word), dims);
                    }
                    member.meet();
                    let share = member.share(self.model.config.vocab_size * dims, 1024);
                    states.step(self.embedding, grads, share, numbers);
                    member.meet();
                    for word in words {
                        std::ptr::write_bytes(row(word), 0, dims);
                    }
                }
            }
        }
    }
}
