//! Loss and backward pass of an adaptive softmax.

use std::ops::Range;

use super::{Adaptive, BUFFERS, D_NARROW, D_READ, DOWN, DOWN_T, NARROW, READ, TAIL, UP, UP_T};
use crate::heads::losses::{RowLoss, cross_entropy};
use crate::heads::pass::{HeadMats, HeadPass, HeadSpace, MOST_TAILS};
use crate::heads::tags::tokens::FEATURES;
use crate::heads::targets::Targets;
use crate::heads::training::{Back, HeadTraining, Tally};
use crate::recurrent::segments::Segment;
use crate::recurrent::sums::Add;
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat};
use crate::simd::outer::Outer;
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

impl Adaptive {
    /// The cluster of a tag that the head does not score directly.
    fn tail_of(&self, tag: usize) -> Option<usize> {
        self.tails.iter().rposition(|tail| tag >= tail.first)
    }

    /// The rows of a cluster's buffers for some positions.
    fn rows(targets: &Targets, tail: usize, positions: &Range<usize>) -> Range<usize> {
        let before = |end: usize| targets.groups[tail].partition_point(|&position| (position as usize) < end);
        before(positions.start)..before(positions.end)
    }

    /// Scores and losses of a cluster's targets at this member's positions, and the gradients of its layers' inputs.
    unsafe fn tail_loss(
        &self,
        pass: &HeadPass<'_>,
        targets: &Targets,
        number: usize,
        (share, mut each): (f32, impl FnMut(usize, RowLoss)),
    ) {
        let (tail, packs) = (&self.tails[number], &pass.packs.tails[number]);
        let own = Self::rows(targets, number, &pass.rows);
        if own.is_empty() {
            return;
        }
        let features = if pass.dropout.is_some() { pass.mats.own[FEATURES] } else { pass.encoded.y };
        let m = own.len();
        // SAFETY: by the caller's promise; the rows of the buffers are those of this member's positions.
        unsafe {
            let [narrow, scores, read, d_narrow, d_read] =
                std::array::from_fn(|buffer| Self::buffers(&pass.mats, number)[buffer].at(own.start, 0));
            let positions = &targets.groups[number][own];
            for (row, &position) in positions.iter().enumerate() {
                std::ptr::copy_nonoverlapping(features.row(position as usize), read.row(row), read.stride);
            }
            dispatch(Gemm { a: read, m, b: &packs[DOWN_T], c: narrow, init: Init::Zero });
            dispatch(Gemm { a: narrow, m, b: &packs[UP_T], c: scores, init: Init::Zero });
            for (row, &position) in positions.iter().enumerate() {
                let values = std::slice::from_raw_parts_mut(scores.row(row), tail.up.rows.private());
                let tag = targets.labels[position as usize] as usize - tail.first;
                each(position as usize, cross_entropy(values, tail.size, tag, &LossOptions::default(), share));
            }
            dispatch(Gemm { a: scores, m, b: &packs[UP], c: d_narrow, init: Init::Zero });
            dispatch(Gemm { a: d_narrow, m, b: &packs[DOWN], c: d_read, init: Init::Zero });
        }
    }
}

impl HeadTraining for Adaptive {
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        let mut targets = Targets::of(batch, layout);
        targets.groups = vec![Vec::new(); self.tails.len()];
        for (position, &tag) in (0u32..).zip(&targets.labels) {
            if let Some(tail) = self.tail_of(tag as usize) {
                targets.groups[tail].push(position);
            }
        }
        targets
    }

    /// The number of tokens.
    fn divisor(&self, targets: &Targets, _: &LossOptions<'_>, _: usize) -> f64 {
        targets.labels.len() as f64
    }

    fn fit_groups(&self, space: &mut HeadSpace, mats: HeadMats, most: &dyn Fn(usize) -> usize) -> HeadMats {
        let mut sizes = [(0, 0); MOST_TAILS * BUFFERS];
        for (number, (tail, sizes)) in self.tails.iter().zip(sizes.chunks_exact_mut(BUFFERS)).enumerate() {
            let rows = most(number);
            let (narrow, read) = (tail.down.rows.private(), tail.down.stride());
            sizes[NARROW] = (rows, narrow);
            sizes[TAIL] = (rows, tail.up.rows.private());
            sizes[READ] = (rows, read);
            sizes[D_NARROW] = (rows, narrow);
            sizes[D_READ] = (rows, read);
        }
        HeadMats { tails: space.tails.mats(sizes), ..mats }
    }

    /// A prediction counts as correct if the head prefers the tag (or its cluster, and the cluster the tag) to all
    /// others.
    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally {
        let (mut tally, share, start) = (Tally::default(), (1.0 / divisor) as f32, pass.rows.start);
        let mut right = vec![false; pass.rows.len()];
        for position in pass.rows.clone() {
            let tag = targets.labels[position] as usize;
            let answer = self.tail_of(tag).map_or(tag, |tail| self.shortlist() + tail);
            // SAFETY: by the caller's promise.
            let one = unsafe {
                let row = pass.mats.scores.row(position);
                let values = std::slice::from_raw_parts_mut(row, self.tokens.linear.padded());
                cross_entropy(values, self.tokens.tags, answer, options, share)
            };
            tally.loss += one.loss;
            right[position - start] = one.right;
        }
        for number in 0..self.tails.len() {
            let each = |position: usize, one: RowLoss| {
                tally.loss += one.loss;
                right[position - start] &= one.right;
            };
            // SAFETY: by the caller's promise.
            unsafe { self.tail_loss(pass, targets, number, (share, each)) };
        }
        tally.correct = right.iter().filter(|&&right| right).count() as u64;
        tally
    }

    unsafe fn backward(&self, pass: &HeadPass<'_>, targets: &Targets) {
        let dy = pass.encoded.dy;
        // SAFETY: by the caller's promise.
        unsafe {
            let (start, m) = (pass.rows.start, pass.rows.len());
            self.tokens.linear.backward(&pass.packs.own, pass.mats.scores.at(start, 0), m, dy.at(start, 0));
            for number in 0..self.tails.len() {
                let d_read = Self::buffers(&pass.mats, number)[D_READ];
                for row in Self::rows(targets, number, &pass.rows) {
                    let position = targets.groups[number][row] as usize;
                    let from = std::slice::from_raw_parts(d_read.row(row), d_read.stride);
                    dispatch(Add { from, to: std::slice::from_raw_parts_mut(dy.row(position), d_read.stride) });
                }
            }
            if let Some(dropout) = pass.dropout {
                dropout.drop(dy, pass.rows.clone());
            }
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        // SAFETY: by the caller's promise; each member writes its own rows.
        unsafe {
            self.tokens.weight_grads(member, back, grads);
            for (number, tail) in self.tails.iter().enumerate() {
                let (buffers, n) = (Self::buffers(&back.mats, number), back.targets.groups[number].len());
                for (segment, a, b) in
                    [(&tail.up, buffers[TAIL], buffers[NARROW]), (&tail.down, buffers[D_NARROW], buffers[READ])]
                {
                    let c = Mat { ptr: grads.add(segment.offset), stride: segment.stride() };
                    let i = member.share(segment.rows.private(), 16);
                    dispatch(Outer { a, b, n, i, columns: c.stride, c, fresh: true, sums: None });
                }
            }
        }
    }

    /// As in `torch.nn.Linear`, from the input size of each layer.
    fn bound(&self, segment: &Segment, fan: usize) -> f32 {
        let narrow = self.tails.iter().find(|tail| tail.up.offset == segment.offset);
        let fan = narrow.map_or(fan, |tail| tail.up.cols.public());
        1.0 / (fan as f32).sqrt()
    }
}
