//! Loss and backward pass of a CRF head.

use super::{Chain, EXACT_GRADS, crf_mats};
use crate::encoder::encoded::blocks;
use crate::heads::crf;
use crate::heads::pass::HeadPass;
use crate::heads::targets::Targets;
use crate::heads::training::{Back, HeadTraining, Tally};
use crate::recurrent::segments::Segment;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

/// Initial transitions are uniform between this and its negative, as in pytorch-crf.
const BOUND: f32 = 0.1;

impl HeadTraining for Chain {
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of(batch, layout)
    }

    /// The number of tokens, as in pytorch-crf's `token_mean`.
    fn divisor(&self, targets: &Targets, _: &LossOptions<'_>, _: usize) -> f64 {
        targets.labels.len() as f64
    }

    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, _: &LossOptions<'_>, divisor: f64) -> Tally {
        let (layout, mats, gold) = (pass.encoded.layout, crf_mats(&pass.mats.own), &targets.labels);
        let mut tally = Tally::default();
        // SAFETY: by the caller's promise.
        unsafe {
            self.marginals(pass, |row, total| {
                tally.loss += total - pass.packs.crf.path_score(layout, mats.emissions, row, gold);
            });
            for row in pass.rows.clone() {
                for &offset in &layout.offsets()[..layout.lengths()[row] as usize] {
                    let (at, tag) = (offset + row, gold[offset + row] as usize);
                    let values = std::slice::from_raw_parts(mats.marginals.row(at), self.tokens.tags);
                    let own = values[tag];
                    // Usually it is above a half, and so above all others.
                    let largest = own > 0.5 || values.iter().all(|&value| value <= own);
                    tally.correct += u64::from(largest && (own > 0.5 || !values[..tag].contains(&own)));
                }
            }
            let factor = (1.0 / divisor) as f32;
            crf::emission_grads(&pass.packs.crf, layout, mats, pass.rows.clone(), gold, factor);
        }
        tally
    }

    unsafe fn backward(&self, pass: &HeadPass<'_>, _: &Targets) {
        for block in blocks(pass.encoded.layout, pass.rows.clone()) {
            // SAFETY: by the caller's promise.
            unsafe { self.tokens.backward(pass, block) };
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        let (crf, layout, gold, factor) =
            (&back.packs.crf, back.encoded.layout, &back.targets.labels, (1.0 / back.divisor) as f32);
        let mats = crf_mats(&back.mats.own);
        let (share, stride) = (member.share(self.between.stride(), 16), self.between.stride());
        // SAFETY: each member writes its own rows of each parameter, and of the buffer.
        unsafe {
            self.tokens.weight_grads(member, back, grads);
            let border = |segment: &Segment| {
                std::slice::from_raw_parts_mut(grads.add(segment.offset + share.start), share.len())
            };
            let borders = [border(&self.start), border(&self.end)];
            crf::border_grads(layout, mats, gold, factor, share.clone(), borders);
            let between = Mat { ptr: grads.add(self.between.offset), stride };
            crf::transition_grads(crf, layout, mats, gold, factor, share, [between, back.mats.own[EXACT_GRADS]]);
        }
    }

    fn bound(&self, segment: &Segment, fan: usize) -> f32 {
        let own = [&self.start, &self.end, &self.between].iter().any(|own| own.offset == segment.offset);
        if own { BOUND } else { 1.0 / (fan as f32).sqrt() }
    }
}
