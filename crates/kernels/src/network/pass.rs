//! One pass of a training step: through all layers and the head, and back to the first layer.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::exchange::Outcome;
use super::params::FEATURES;
use super::plans::StepPlan;
use super::step::Step;
use crate::encoder::encoded::Encoded;
use crate::heads::pass::{HeadDropout, HeadPass};
use crate::heads::training::Back;
use crate::phases::{Phase, begin};
use crate::recurrent::layers::Layers;
use crate::threads::Member;
use recurra_core::fault;

impl Step<'_> {
    /// Through all layers and the head, and back to the first layer; the gradients of all parameters but the first layer's and
    /// the embedding go into `grads`. Stops at a loss that is not finite.
    pub(super) unsafe fn pass(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        layers: &Layers<'_>,
        mask: u64,
        grads: *mut f32,
    ) -> Outcome {
        let own = self.own_rows(member, plan);
        // SAFETY: by the promise of `run` and the shares between meetings.
        unsafe {
            layers.forward(member, self.start(own.clone()));
            begin(Phase::Other);
            self.meet_around_head(member);
            begin(Phase::Head);
            let encoded = self.encoded(layers, plan);
            let divisor = self.head(member, plan, encoded, self.head_share(member, encoded.layout, own), mask);
            begin(Phase::Other);
            self.meet_around_head(member);
            layers.backward_top(member);
            begin(Phase::Other);
            member.meet();
            let outcome = self.outcome(member, plan.answers(self.params) as f64 / divisor);
            if outcome.finite {
                fault::point("step");
                let (mats, packs) = (self.mats.head, &*self.head_packs);
                let back = Back { encoded, mats, packs, targets: &plan.targets, divisor };
                begin(Phase::HeadGrads);
                self.params.head.weight_grads(member, &back, grads);
                layers.backward(member, Some(grads));
            }
            outcome
        }
    }

    fn encoded<'b>(&'b self, layers: &'b Layers<'b>, plan: &'b StepPlan) -> Encoded<'b> {
        let last = self.params.shape.layers() - 1;
        let (y, dy) = (self.mats.y[last], self.mats.dy[last]);
        Encoded { layout: &plan.words.layout, top: layers.top(), y, dy, part: self.params.shape.rp }
    }

    /// Scores, losses and the way back to the encoder, for this member's rows. Returns what the losses are divided by.
    unsafe fn head(
        &self,
        member: &Member<'_>,
        plan: &StepPlan,
        encoded: Encoded<'_>,
        rows: Range<usize>,
        mask: u64,
    ) -> f64 {
        let (head, p) = (&self.params.head, self.params.config.encoder.dropouts.of_outputs() as f32);
        let dropout = (p > 0.0).then(|| HeadDropout { key: self.key([mask, FEATURES, 0]), p });
        let own = || head.divisor(&plan.targets, &self.options.loss, encoded.layout.rows());
        let divisor = plan.group.as_ref().map_or_else(own, |group| group.divisor);
        // SAFETY: the rows are this member's; the packs were made before the last meeting.
        let tally = unsafe {
            let pass =
                HeadPass { encoded, rows, mats: self.mats.head, packs: &*self.head_packs, flat: self.flat, dropout };
            head.forward(&pass);
            let tally = head.loss(&pass, &plan.targets, &self.options.loss, divisor);
            head.backward(&pass, &plan.targets);
            tally
        };
        let sums = &self.sums[member.rank()];
        sums.loss.store(tally.loss.to_bits(), Ordering::Relaxed);
        sums.correct.store(tally.correct, Ordering::Relaxed);
        divisor
    }
}
