//! Softmax head: each token independently.

use std::ops::Range;

use super::ANSWER;
use super::tokens::{ANSWERS, SCORES, Tokens};
use crate::encoder::encoded::Needs;
use crate::heads::head::Head;
use crate::heads::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, Unit};
use crate::pool::softmax::{ExpSum, Largest};
use crate::pool::space::NO_MATS;
use crate::recurrent::segments::Segment;
use crate::simd::dispatch;
use crate::simd::gemm::Mat;

#[cfg(feature = "training")]
mod training;

/// Number of positions predicted together: a language model has scores for thousands of tags, which are not kept.
const BLOCK: usize = 96;

pub(crate) struct Softmax {
    pub tokens: Tokens,
}

impl Softmax {
    /// The scores of a row, including padding.
    unsafe fn scores<'a>(&self, scores: Mat, row: usize) -> &'a mut [f32] {
        // SAFETY: by the promise of the callers.
        unsafe { std::slice::from_raw_parts_mut(scores.row(row), self.tokens.linear.padded()) }
    }

    /// The most probable tag of each position, and its probability.
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
        HeadMats { own, pool: NO_MATS, tails: NO_MATS, scores: own[SCORES], answers: own[ANSWERS] }
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        let block = (pass.rows.start, pass.rows.len());
        // SAFETY: by the caller's promise.
        unsafe { self.tokens.forward(pass, block, pass.mats.scores.at(pass.rows.start, 0)) };
    }

    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim) {
        // SAFETY: by the caller's promise; with one thread the positions are all of them.
        unsafe {
            if aim != Aim::Answers {
                return self.forward(pass);
            }
            self.tags(pass, pass.rows.clone());
            super::chances_of_next(pass);
        }
    }

    unsafe fn losses(&self, pass: &HeadPass<'_>, gold: &[u32], to: &mut dyn FnMut(usize, f64)) {
        let (scores, layout) = (pass.mats.scores, pass.encoded.layout);
        let mut sums = vec![0.0; layout.rows()];
        for time in 0..layout.steps() {
            let (begin, running) = (layout.offsets()[time], layout.batch_sizes()[time] as usize);
            for first in (0..running).step_by(BLOCK) {
                let m = BLOCK.min(running - first);
                // SAFETY: by the caller's promise; the scores have room for a block.
                unsafe { self.tokens.forward(pass, (begin + first, m), scores) };
                for row in 0..m {
                    // SAFETY: as above.
                    let values = unsafe { self.scores(scores, row) };
                    let right = values[gold[begin + first + row] as usize];
                    let best = dispatch(Largest { values: &mut *values, classes: self.tokens.tags });
                    let sum = dispatch(ExpSum { values, less: best });
                    sums[first + row] += f64::from(best - right) + f64::from(sum).ln();
                }
            }
        }
        sums.into_iter().enumerate().for_each(|(row, loss)| to(row, loss));
    }
}
