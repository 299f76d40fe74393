//! Loss and backward pass of a softmax over tags.

use super::Softmax;
use crate::heads::losses::cross_entropy;
use crate::heads::pass::HeadPass;
use crate::heads::targets::Targets;
use crate::heads::training::{Back, HeadTraining, Tally};
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

impl HeadTraining for Softmax {
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of(batch, layout)
    }

    /// The number of tokens, or the sum of their tags' weights.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, _: usize) -> f64 {
        if options.weights.is_empty() {
            targets.labels.len() as f64
        } else {
            targets.labels.iter().map(|&tag| f64::from(options.weights[tag as usize])).sum()
        }
    }

    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally {
        let (mut tally, share) = (Tally::default(), (1.0 / divisor) as f32);
        for position in pass.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { self.scores(pass.mats.scores, position) };
            let one = cross_entropy(values, self.tokens.tags, targets.labels[position] as usize, options, share);
            tally.loss += one.loss;
            tally.correct += u64::from(one.right);
        }
        tally
    }

    unsafe fn backward(&self, pass: &HeadPass<'_>, _: &Targets) {
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.backward(pass, (pass.rows.start, pass.rows.len())) };
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.weight_grads(member, back, grads) };
    }
}
