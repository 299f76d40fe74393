//! One answer to a row: pooling, linear layer, and a softmax over exclusive classes or a sigmoid for each class.

use super::head::{Head, HeadMats, HeadPacks, HeadPass, HeadSpace, Tally};
use super::losses::{Sigmoid, binary_cross_entropy, cross_entropy};
use super::targets::Targets;
use crate::encoder::encoded::{Encoded, Needs};
use crate::pool;
use crate::pool::kernel::{Pool, Pooled};
use crate::pool::softmax::Softmax;
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat, PackedB};
use crate::simd::outer::{ColumnSums, Outer};
use crate::threads::Member;
use recurra_core::{Chunk, ClassesConfig, LossOptions, layout::PackedLayout};

pub(super) struct Classes {
    classes: usize,
    /// Whether a row may have any number of classes.
    multi_label: bool,
    pool: Box<dyn Pool>,
    weight: Segment,
    bias: Segment,
}

/// Numbers of the packed weights, the second for the way back.
const W_T: usize = 0;
const W: usize = 1;

/// Numbers of the buffers `[rows, features]`: the pooled vectors, their gradients; and the scores.
const FEATURES: usize = 0;
const D_FEATURES: usize = 1;
const SCORES: usize = 2;

impl Classes {
    pub fn new(config: &ClassesConfig, output: Blocks, offset: &mut usize) -> Self {
        let ClassesConfig { classes, multi_label, pooling } = *config;
        let pool = pool::of(pooling, output, offset);
        let rows = Blocks::new(1, classes);
        let weight = Segment::matrix("fc.weight".into(), rows, output, offset);
        let bias = Segment::vector("fc.bias".into(), rows, offset);
        Self { classes, multi_label, pool, weight, bias }
    }

    fn padded(&self) -> usize {
        self.weight.rows.private()
    }

    /// The scores of a row, padding included.
    unsafe fn scores<'a>(&self, pass: &HeadPass<'a>, row: usize) -> &'a mut [f32] {
        // SAFETY: by the promise of the callers.
        unsafe { std::slice::from_raw_parts_mut(pass.mats.scores.row(row), self.padded()) }
    }
}

fn pooled<'a>(pass: &HeadPass<'a>) -> Pooled<'a> {
    Pooled {
        encoded: pass.encoded,
        rows: pass.rows.clone(),
        mats: pass.mats.pool,
        packs: &pass.packs.pool,
        flat: pass.flat,
    }
}

impl Head for Classes {
    fn needs(&self) -> Needs {
        self.pool.needs()
    }

    fn outputs(&self) -> usize {
        self.classes
    }

    fn segments(&self) -> Vec<&Segment> {
        let mut segments = self.pool.segments();
        segments.extend([&self.weight, &self.bias]);
        segments
    }

    /// The linear layer and the pooling.
    fn pieces(&self) -> usize {
        2
    }

    unsafe fn pack(&self, packs: *mut HeadPacks, piece: usize, flat: &[f32], backward: bool) {
        if piece == 1 {
            // SAFETY: by the caller's promise; the reference is to this field only.
            return self.pool.pack(unsafe { &mut (*packs).pool }, flat, backward);
        }
        // SAFETY: as above.
        let own = unsafe { &mut (*packs).own };
        let values = &flat[self.weight.offset..][..self.weight.size()];
        let (classes, features) = (self.padded(), self.weight.stride());
        own.resize_with(2, PackedB::default);
        own[W_T].resize(features, classes);
        own[W_T].pack_transposed(values, features);
        if backward {
            own[W].resize(classes, features);
            own[W].pack(values, features);
        }
    }

    fn fit(&self, space: &mut HeadSpace, rows: usize, total: usize, backward: bool) -> HeadMats {
        let width = self.weight.stride();
        let own = space.own.mats([(rows, width), (if backward { rows } else { 0 }, width), (rows, self.padded())]);
        HeadMats { own, pool: self.pool.fit(&mut space.pool, rows, total, backward), scores: own[SCORES] }
    }

    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of_rows(batch, layout)
    }

    /// The number of rows, or with exclusive classes the sum of their weights; with any number of classes the number of scores.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, rows: usize) -> f64 {
        if self.multi_label {
            (rows * self.classes) as f64
        } else if options.weights.is_empty() {
            rows as f64
        } else {
            targets.labels.iter().map(|&label| f64::from(options.weights[label as usize])).sum()
        }
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        let features = pass.mats.own[FEATURES];
        // SAFETY: by the caller's promise.
        unsafe {
            self.pool.forward(&pooled(pass), features);
            if let Some(dropout) = pass.dropout {
                dropout.drop(features, pass.rows.clone());
            }
            let start = pass.rows.start;
            let (a, c) = (features.at(start, 0), pass.mats.scores.at(start, 0));
            let init = Init::Bias(pass.flat.add(self.bias.offset));
            dispatch(Gemm { a, m: pass.rows.len(), b: &pass.packs.own[W_T], c, init });
        }
    }

    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally {
        let (mut tally, share) = (Tally::default(), (1.0 / divisor) as f32);
        for row in pass.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { self.scores(pass, row) };
            let labels = targets.of(row);
            let one = if self.multi_label {
                binary_cross_entropy(values, self.classes, labels, options, share)
            } else {
                cross_entropy(values, self.classes, labels[0] as usize, options, share)
            };
            tally.loss += one.loss;
            tally.correct += u64::from(one.right);
        }
        tally
    }

    unsafe fn backward(&self, pass: &HeadPass<'_>) {
        let (d_features, start) = (pass.mats.own[D_FEATURES], pass.rows.start);
        // SAFETY: by the caller's promise.
        unsafe {
            let (a, c) = (pass.mats.scores.at(start, 0), d_features.at(start, 0));
            dispatch(Gemm { a, m: pass.rows.len(), b: &pass.packs.own[W], c, init: Init::Zero });
            if let Some(dropout) = pass.dropout {
                dropout.drop(d_features, pass.rows.clone());
            }
            self.pool.backward(&pooled(pass), d_features);
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, encoded: &Encoded<'_>, mats: &HeadMats, grads: *mut f32) {
        let n = encoded.layout.rows();
        // SAFETY: each member writes its own rows.
        unsafe {
            let c = Mat { ptr: grads.add(self.weight.offset), stride: self.weight.stride() };
            let (a, b, i) = (mats.scores, mats.own[FEATURES], member.share(self.padded(), 16));
            dispatch(ColumnSums { a, n, columns: i.clone(), sums: grads.add(self.bias.offset) });
            dispatch(Outer { a, b, n, i, columns: self.weight.stride(), c, fresh: true });
            self.pool.weight_grads(member, encoded, &mats.pool, grads);
        }
    }

    unsafe fn probabilities(&self, pass: &HeadPass<'_>) {
        for row in pass.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { self.scores(pass, row) };
            if self.multi_label {
                dispatch(Sigmoid { values: &mut *values });
                values[self.classes..].fill(0.0);
            } else {
                dispatch(Softmax { values, classes: self.classes });
            }
        }
    }
}
