//! Adaptive softmax for each token independently, for many tags sorted by descending frequency: Grave et al.,
//! "Efficient softmax approximation for GPUs", 2017, as in `torch.nn.AdaptiveLogSoftmaxWithLoss(div_value=4,
//! head_bias=True)`.
//!
//! The head scores the most frequent tags and each cluster of the others. A cluster's tags are scored by two narrow
//! layers, in training only if the target is among them. `log p(tag) = log p(cluster) + log p(tag | cluster)` is exact
//! for every tag.

use std::ops::Range;

use super::ANSWER;
use super::tokens::{ANSWERS, SCORES, Tokens};
use crate::encoder::encoded::Needs;
use crate::heads::head::Head;
use crate::heads::linear::Linear;
use crate::heads::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, MOST_TAILS, Unit};
use crate::pool::softmax::{ExpSum, Largest};
use crate::pool::space::NO_MATS;
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use recurra_core::tags::adaptive_cutoffs;

#[cfg(feature = "training")]
mod training;

/// Ratio of the layer widths of adjacent clusters.
const NARROWER: usize = 4;

/// Number of positions predicted together.
const BLOCK: usize = 96;

/// Indices of a cluster's packed weights: those of the first and the second layer, each followed by its backward form.
const DOWN_T: usize = 0;
const DOWN: usize = 1;
const UP_T: usize = 2;
const UP: usize = 3;

/// Indices of a cluster's buffers, with a row per position whose target is in the cluster: the first layer's output,
/// the scores of its tags, and in training the first layer's input and both gradients.
const NARROW: usize = 0;
const TAIL: usize = 1;
const READ: usize = 2;
const D_NARROW: usize = 3;
const D_READ: usize = 4;
/// Number of buffers per cluster.
const BUFFERS: usize = 5;

/// A cluster of tags with its own layers.
struct Tail {
    /// Its first tag and its number of tags.
    first: usize,
    size: usize,
    /// `[narrow, features]` and `[size, narrow]`.
    down: Segment,
    up: Segment,
}

impl Tail {
    /// Packs the weights of both layers.
    fn pack(&self, packs: &mut Vec<PackedB>, flat: &[f32], backward: bool) {
        packs.resize_with(4, PackedB::default);
        for (number, segment) in [(DOWN_T, &self.down), (UP_T, &self.up)] {
            let values = &flat[segment.offset..][..segment.size()];
            let (rows, columns) = (segment.rows.private(), segment.stride());
            packs[number].resize(columns, rows);
            packs[number].pack_transposed(values, columns);
            if backward {
                packs[number + 1].resize(rows, columns);
                packs[number + 1].pack(values, columns);
            }
        }
    }
}

pub(crate) struct Adaptive {
    tags: usize,
    /// Scores the first tags and the clusters.
    tokens: Tokens,
    tails: Vec<Tail>,
}

impl Adaptive {
    /// For outputs of this width. `offset` is advanced past the parameters.
    pub fn new(tags: usize, output: Blocks, dropout: bool, offset: &mut usize) -> Self {
        let [shortlist, rest] = adaptive_cutoffs(tags);
        let linear = Linear::named("adaptive.head", shortlist + MOST_TAILS, output, offset);
        let tokens = Tokens::of(shortlist + MOST_TAILS, linear, dropout);
        let mut narrow = output.public();
        let mut tail = |(number, range): (usize, Range<usize>)| {
            narrow = (narrow / NARROWER).max(1);
            let (between, rows) = (Blocks::new(1, narrow), Blocks::new(1, range.len()));
            let name = |layer: usize| format!("adaptive.tail.{number}.{layer}.weight");
            let down = Segment::matrix(name(0), between, output, offset);
            let up = Segment::matrix(name(1), rows, between, offset);
            Tail { first: range.start, size: range.len(), down, up }
        };
        let tails = [shortlist..rest, rest..tags].into_iter().enumerate().map(&mut tail).collect();
        Self { tags, tokens, tails }
    }

    /// Number of tags that the head scores directly.
    fn shortlist(&self) -> usize {
        self.tails[0].first
    }

    /// Padded width of the scores of all tags.
    fn padded(&self) -> usize {
        Blocks::new(1, self.tags).private()
    }

    /// The buffers of a cluster.
    fn buffers(mats: &HeadMats, tail: usize) -> &[Mat] {
        &mats.tails[tail * BUFFERS..][..BUFFERS]
    }

    /// Writes the log-probabilities of all tags at `m` positions from `first` into the first rows of `to`.
    unsafe fn log_probabilities(&self, pass: &HeadPass<'_>, (first, m): (usize, usize), to: Mat) {
        let (head, features) = (pass.mats.own[HEAD], pass.encoded.y);
        // SAFETY: by the promise of the caller; the buffers have room for a block.
        unsafe {
            self.tokens.forward(pass, (first, m), head);
            for row in 0..m {
                let scores = std::slice::from_raw_parts_mut(head.row(row), self.tokens.linear.padded());
                let less = log_sum(scores, self.tokens.tags);
                scores.iter_mut().for_each(|score| *score -= less);
                std::ptr::copy_nonoverlapping(scores.as_ptr(), to.row(row), self.shortlist());
            }
            for (number, tail) in self.tails.iter().enumerate() {
                let (packs, buffers) = (&pass.packs.tails[number], Self::buffers(&pass.mats, number));
                let (narrow, scores) = (buffers[NARROW], buffers[TAIL]);
                dispatch(Gemm { a: features.at(first, 0), m, b: &packs[DOWN_T], c: narrow, init: Init::Zero });
                dispatch(Gemm { a: narrow, m, b: &packs[UP_T], c: scores, init: Init::Zero });
                for row in 0..m {
                    let group = *head.row(row).add(self.shortlist() + number);
                    let scores = std::slice::from_raw_parts_mut(scores.row(row), tail.up.rows.private());
                    let less = log_sum(scores, tail.size) - group;
                    let to = std::slice::from_raw_parts_mut(to.row(row).add(tail.first), tail.size);
                    to.iter_mut().zip(scores).for_each(|(to, score)| *to = *score - less);
                }
            }
        }
    }

    /// The most probable tag of each position, and its probability.
    unsafe fn answers(&self, pass: &HeadPass<'_>, positions: Range<usize>) {
        let HeadMats { scores, answers, .. } = pass.mats;
        for first in positions.clone().step_by(BLOCK) {
            let m = BLOCK.min(positions.end - first);
            // SAFETY: by the promise of the caller; the scores have room for a block.
            unsafe {
                self.log_probabilities(pass, (first, m), scores);
                for row in 0..m {
                    let values = std::slice::from_raw_parts(scores.row(row), self.tags);
                    let better = |best: usize, tag: usize| if values[tag] > values[best] { tag } else { best };
                    let tag = (0..self.tags).fold(0, better);
                    let answer = answers.row(first + row);
                    answer.write(tag as f32);
                    answer.add(1).write(values[tag].exp());
                }
            }
        }
    }
}

/// Index of the buffer with the head's scores in prediction, where [`SCORES`] has those of all tags.
const HEAD: usize = 3;

/// The log-sum-exp of a padded row.
fn log_sum(values: &mut [f32], classes: usize) -> f32 {
    let less = dispatch(Largest { values: &mut *values, classes });
    less + dispatch(ExpSum { values, less }).ln()
}

impl Head for Adaptive {
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
        self.tags
    }

    fn answer_width(&self) -> usize {
        ANSWER
    }

    fn segments(&self) -> Vec<&Segment> {
        self.tokens.segments().into_iter().chain(self.tails.iter().flat_map(|tail| [&tail.down, &tail.up])).collect()
    }

    fn pieces(&self) -> usize {
        1 + self.tails.len()
    }

    unsafe fn pack(&self, packs: *mut HeadPacks, piece: usize, flat: &[f32], backward: bool) {
        // SAFETY: by the caller's promise; the references are to single fields.
        unsafe {
            match piece.checked_sub(1) {
                None => self.tokens.pack(packs, flat, backward),
                Some(tail) => {
                    let of = &raw mut (*packs).tails;
                    self.tails[tail].pack(&mut *of.cast::<Vec<PackedB>>().add(tail), flat, backward);
                }
            }
        }
    }

    fn fit(&self, space: &mut HeadSpace, _: usize, total: usize, aim: Aim) -> HeadMats {
        let (all, head) = (self.padded(), self.tokens.linear.padded());
        let own = space.own.mats(match aim {
            Aim::Training => [self.tokens.features(total), (total, head), (0, 0), (0, 0)],
            Aim::Answers => [(0, 0), (total.min(BLOCK), all), (total, ANSWER), (total.min(BLOCK), head)],
            Aim::Scores => [(0, 0), (total, all), (0, 0), (total.min(BLOCK), head)],
        });
        let mut tails = NO_MATS;
        if aim != Aim::Training {
            let block = total.min(BLOCK);
            let mut sizes = [(0, 0); MOST_TAILS * BUFFERS];
            for (tail, sizes) in self.tails.iter().zip(sizes.chunks_exact_mut(BUFFERS)) {
                sizes[NARROW] = (block, tail.down.rows.private());
                sizes[TAIL] = (block, tail.up.rows.private());
            }
            tails = space.tails.mats(sizes);
        }
        HeadMats { own, pool: NO_MATS, tails, scores: own[SCORES], answers: own[ANSWERS] }
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        let block = (pass.rows.start, pass.rows.len());
        // SAFETY: by the caller's promise. Groups come with the loss, which knows the targets.
        unsafe { self.tokens.forward(pass, block, pass.mats.scores.at(pass.rows.start, 0)) };
    }

    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim) {
        // SAFETY: by the caller's promise; with one thread the positions are all of them.
        unsafe {
            if aim == Aim::Answers {
                self.answers(pass, pass.rows.clone());
                return super::chances_of_next(pass);
            }
            for first in pass.rows.clone().step_by(BLOCK) {
                let m = BLOCK.min(pass.rows.end - first);
                self.log_probabilities(pass, (first, m), pass.mats.scores.at(first, 0));
            }
        }
    }
}
