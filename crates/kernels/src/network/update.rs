//! The end of a training step: from the gradients of a member's own words and parameters to their new values.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::plans::StepPlan;
use super::step::Step;
use crate::encoder::embedding::Own;
use crate::optim::StepNumbers;
use crate::phases::{Phase, begin};
use crate::recurrent::segments::Segment;
use crate::recurrent::sums::Add;
use crate::simd::dispatch;
use crate::threads::Member;
use recurra_core::fault;

impl Step<'_> {
    /// The parameters whose gradients this member computes, so that it can move them without a meeting: the shares of
    /// [`Net::weight_grads`] and of the head's.
    pub(super) fn own_parameters(&self, member: &Member<'_>) -> Vec<Range<usize>> {
        let head = self.params.head.segments().into_iter().map(|segment| (segment, 16));
        let rnn = self.params.shape.segments.iter().map(|segment| (segment, 8));
        let range = |(segment, unit): (&Segment, usize)| {
            let wide = if segment.shape.len() > 1 { segment.stride() } else { 1 };
            let share = member.share(segment.size() / wide, unit);
            segment.offset + share.start * wide..segment.offset + share.end * wide
        };
        rnn.chain(head).map(range).collect()
    }

    /// The second pass's gradients of this member's parameters, added to the first's.
    pub(super) unsafe fn add_grads(&self, parameters: &[Range<usize>]) {
        for range in parameters {
            let (to, from) = (self.mats.flat_grads, self.mats.more_grads);
            // SAFETY: the parameters are this member's, and the buffers are two.
            unsafe {
                let from = std::slice::from_raw_parts(from.add(range.start), range.len());
                let to = std::slice::from_raw_parts_mut(to.add(range.start), range.len());
                dispatch(Add { from, to });
            }
        }
    }

    /// Adds the gradients of words to those of the head's weights that they are, for this member's share of these; returns the words
    /// that are still to be moved.
    pub(super) unsafe fn add_tied(&self, member: &Member<'_>, plan: &StepPlan, words: Own) -> Own {
        let Some(segment) = &self.params.tied else { return words };
        let share = member.share(segment.rows.private(), 16);
        for (number, &id) in plan.words.ids.iter().enumerate().filter(|(_, id)| share.contains(&(**id as usize))) {
            // SAFETY: all members have met since the gradients of the words; the rows are as wide, and those of the head this member's.
            unsafe {
                let from = std::slice::from_raw_parts(self.embedding.words.grads.row(number), segment.stride());
                let to = self.mats.flat_grads.add(segment.offset + id as usize * segment.stride());
                dispatch(Add { from, to: std::slice::from_raw_parts_mut(to, from.len()) });
            }
        }
        Own::default()
    }

    /// Sum of the squares of this member's gradients, where a step needs it.
    pub(super) unsafe fn squares(&self, parameters: &[Range<usize>], words: &Own) -> f64 {
        if self.options.clip_norm <= 0.0 {
            return 0.0;
        }
        let grads = self.mats.flat_grads;
        // SAFETY: the parameters and words are this member's.
        let square = |start: *const f32, n: usize| unsafe {
            let list = std::slice::from_raw_parts(start, n);
            list.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
        };
        // SAFETY: as above.
        unsafe {
            let rest: f64 = parameters.iter().map(|range| square(grads.add(range.start), range.len())).sum();
            rest + self.embedding.squares(words)
        }
    }

    /// The factor of the gradient, from its norm over all members, of whose squares `own` are this one's; `None` where that is not
    /// finite.
    pub(super) fn clip(&self, member: &Member<'_>, own: f64) -> Option<f32> {
        if self.options.clip_norm <= 0.0 {
            return Some(1.0);
        }
        self.sums[member.rank()].norm.store(own.to_bits(), Ordering::Relaxed);
        member.meet();
        let norm = self.sums(member, |s| &s.norm).map(f64::from_bits).sum::<f64>().sqrt();
        // torch.nn.utils.clip_grad_norm_: at most 1, and 1e-6 against division by zero.
        norm.is_finite().then(|| (self.options.clip_norm / (norm + 1e-6)).min(1.0) as f32)
    }

    /// The optimizer's step for this member's words and parameters.
    pub(super) unsafe fn update(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        (words, parameters): (Own, Vec<Range<usize>>),
        number: u64,
        scale: f32,
    ) {
        let lr = self.options.lr(number as usize);
        let numbers = |t: u64| StepNumbers::new(&self.options.algorithm, t, lr, scale);
        let (t, rest) = (self.word_steps + number + 1, self.optimizer_steps + number + 1);
        // SAFETY: words and parameters are this member's.
        unsafe {
            begin(Phase::Words);
            self.embedding.update(member, &plan.words, words, (t, numbers(t)), (rest, numbers(rest)));
            begin(Phase::Update);
            fault::point("update");
            for range in parameters {
                self.rest.step(self.flat, self.mats.flat_grads, range, numbers(rest));
            }
            begin(Phase::Other);
            // No member reads the tables between the first meeting of a step and the last.
            if member.rank() == 0 {
                self.embedding.count_step(lr);
            }
        }
        member.meet();
    }
}
