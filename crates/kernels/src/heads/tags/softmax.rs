//! Each token by itself: a softmax over its tags.

use std::ops::Range;

use super::ANSWER;
use super::tokens::{ANSWERS, SCORES, Tokens};
use crate::encoder::encoded::Needs;
use crate::heads::head::{Aim, Back, Head, HeadMats, HeadPacks, HeadPass, HeadSpace, Tally, Unit};
use crate::heads::losses::cross_entropy;
use crate::heads::targets::Targets;
use crate::pool::softmax::{ExpSum, Largest};
use crate::pool::space::NO_MATS;
use crate::recurrent::segments::Segment;
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

/// Positions that are predicted together: a language model has scores for thousands of tags, which are not kept.
const BLOCK: usize = 96;

pub(crate) struct Softmax {
    pub tokens: Tokens,
}

impl Softmax {
    /// The scores of a row, padding included.
    unsafe fn scores<'a>(&self, scores: Mat, row: usize) -> &'a mut [f32] {
        // SAFETY: by the promise of the callers.
        unsafe { std::slice::from_raw_parts_mut(scores.row(row), self.tokens.linear.padded()) }
    }

    /// The most probable tag of each of some positions, and its probability.
    unsafe fn tags(&self, pass: &HeadPass<'_>, positions: Range<usize>) {
        let HeadMats { scores, answers, .. } = pass.mats;
        for first in positions.clone().step_by(BLOCK) {
            let m = BLOCK.min(positions.end - first);
            // SAFETY: by the promise of the caller; the scores have room for a block.
            unsafe {
                self.tokens.forward(pass, (first, m), scores);
                for row in 0..m {
                    let values = self.scores(scores, row);
                    let best = dispatch(Largest { values: &mut *values, classes: self.tokens.tags });
                    let tag = values.iter().position(|&value| value == best).unwrap_or(0);
                    let sum = dispatch(ExpSum { values, less: best });
                    let answer = answers.row(first + row);
                    answer.write(tag as f32);
                    answer.add(1).write(1.0 / sum);
                }
            }
        }
    }
}

impl Head for Softmax {
    fn needs(&self) -> Needs {
        Needs::Outputs
    }

    fn unit(&self) -> Unit {
        Unit::Token
    }

    fn shares_positions(&self) -> bool {
        true
    }

    fn outputs(&self) -> usize {
        self.tokens.tags
    }

    fn answer_width(&self) -> usize {
        ANSWER
    }

    fn segments(&self) -> Vec<&Segment> {
        self.tokens.segments().to_vec()
    }

    fn pieces(&self) -> usize {
        1
    }

    unsafe fn pack(&self, packs: *mut HeadPacks, _: usize, flat: &[f32], backward: bool) {
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.pack(packs, flat, backward) };
    }

    fn fit(&self, space: &mut HeadSpace, _: usize, total: usize, aim: Aim) -> HeadMats {
        let tags = self.tokens.linear.padded();
        let own = space.own.mats(match aim {
            Aim::Training => [self.tokens.features(total), (total, tags), (0, 0)],
            Aim::Answers => [(0, 0), (total.min(BLOCK), tags), (total, ANSWER)],
            Aim::Scores => [(0, 0), (total, tags), (0, 0)],
        });
        HeadMats { own, pool: NO_MATS, scores: own[SCORES], answers: own[ANSWERS] }
    }

    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of(batch, layout)
    }

    /// The number of tokens, or the sum of the weights of their tags.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, _: usize) -> f64 {
        if options.weights.is_empty() {
            targets.labels.len() as f64
        } else {
            targets.labels.iter().map(|&tag| f64::from(options.weights[tag as usize])).sum()
        }
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        let block = (pass.rows.start, pass.rows.len());
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.forward(pass, block, pass.mats.scores.at(pass.rows.start, 0)) };
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

    unsafe fn backward(&self, pass: &HeadPass<'_>) {
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.backward(pass, (pass.rows.start, pass.rows.len())) };
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.weight_grads(member, back, grads) };
    }

    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim) {
        // SAFETY: by the caller's promise; with one thread the positions are all of them.
        unsafe {
            if aim != Aim::Answers {
                return self.forward(pass);
            }
            self.tags(pass, pass.rows.clone());
            let (answers, layout) = (pass.mats.answers, pass.encoded.layout);
            for time in 0..layout.steps() {
                for row in 0..layout.batch_sizes()[time] as usize {
                    let answer = answers.row(layout.offsets()[time] + row);
                    let next = layout.position(row, time + 1);
                    let after = next.map_or(1.0, |next| *answers.row(next).add(1));
                    answer.add(2).write(*answer.add(1) * after);
                }
            }
        }
    }
}
