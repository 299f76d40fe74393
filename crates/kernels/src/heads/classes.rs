//! Classification head: pooling, a linear layer, and a softmax over exclusive classes or a sigmoid per class.

use super::head::Head;
use super::linear::Linear;
use super::losses::Sigmoid;
use super::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, Unit};
use crate::encoder::encoded::Needs;
use crate::pool;
use crate::pool::kernel::Pool;
use crate::pool::pooled::Pooled;
use crate::pool::softmax::Softmax;
use crate::pool::space::NO_MATS;
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use recurra_core::ClassesConfig;

#[cfg(feature = "training")]
mod training;

pub(super) struct Classes {
    classes: usize,
    /// Whether a row may have any number of classes.
    multi_label: bool,
    pool: Box<dyn Pool>,
    linear: Linear,
}

/// Buffer indices: the pooled vectors `[rows, features]`, their gradients, and the scores.
const FEATURES: usize = 0;
const D_FEATURES: usize = 1;
const SCORES: usize = 2;

impl Classes {
    pub fn new(config: &ClassesConfig, output: Blocks, offset: &mut usize) -> Self {
        let ClassesConfig { classes, multi_label, pooling } = *config;
        let pool = pool::of(pooling, output, offset);
        Self { classes, multi_label, pool, linear: Linear::new(classes, output, offset) }
    }

    /// The scores of a row, including padding.
    unsafe fn scores<'a>(&self, pass: &HeadPass<'a>, row: usize) -> &'a mut [f32] {
        // SAFETY: by the promise of the callers.
        unsafe { std::slice::from_raw_parts_mut(pass.mats.scores.row(row), self.linear.padded()) }
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

    fn unit(&self) -> Unit {
        Unit::Row
    }

    fn outputs(&self) -> usize {
        self.classes
    }

    /// A probability for each class.
    fn answer_width(&self) -> usize {
        self.classes
    }

    fn segments(&self) -> Vec<&Segment> {
        let mut segments = self.pool.segments();
        segments.extend([&self.linear.weight, &self.linear.bias]);
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
        self.linear.pack(unsafe { &mut (*packs).own }, flat, backward);
    }

    fn fit(&self, space: &mut HeadSpace, rows: usize, total: usize, aim: Aim) -> HeadMats {
        let (width, backward) = (self.linear.width(), aim == Aim::Training);
        let sizes = [(rows, width), (if backward { rows } else { 0 }, width), (rows, self.linear.padded())];
        let own = space.own.mats(sizes);
        let pool = self.pool.fit(&mut space.pool, rows, total, backward);
        HeadMats { own, pool, tails: NO_MATS, scores: own[SCORES], answers: own[SCORES] }
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
            self.linear.forward(&pass.packs.own, pass.flat, a, pass.rows.len(), c);
        }
    }

    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim) {
        // SAFETY: by the caller's promise.
        unsafe { self.forward(pass) };
        for row in pass.rows.clone().filter(|_| aim == Aim::Answers) {
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
