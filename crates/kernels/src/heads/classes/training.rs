//! Loss and backward pass of a classification head.

use super::{Classes, D_FEATURES, FEATURES, pooled};
use crate::heads::losses::{binary_cross_entropy, cross_entropy};
use crate::heads::pass::HeadPass;
use crate::heads::targets::Targets;
use crate::heads::training::{Back, HeadTraining, Tally};
use crate::threads::Member;
use recurra_core::{Chunk, LossOptions, layout::PackedLayout};

impl HeadTraining for Classes {
    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of(batch, layout)
    }

    /// The number of rows; with exclusive classes and weights, the sum of the rows' weights; with several labels, the
    /// number of scores.
    fn divisor(&self, targets: &Targets, options: &LossOptions<'_>, rows: usize) -> f64 {
        if self.multi_label {
            (rows * self.classes) as f64
        } else if options.weights.is_empty() {
            rows as f64
        } else {
            targets.labels.iter().map(|&label| f64::from(options.weights[label as usize])).sum()
        }
    }

    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, options: &LossOptions<'_>, divisor: f64) -> Tally {
        let (mut tally, share) = (Tally::default(), (1.0 / divisor) as f32);
        for row in pass.rows.clone() {
            // SAFETY: by the caller's promise.
            let values = unsafe { self.scores(pass, row) };
            let labels = targets.of_row(row);
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

    unsafe fn backward(&self, pass: &HeadPass<'_>, _: &Targets) {
        let (d_features, start) = (pass.mats.own[D_FEATURES], pass.rows.start);
        // SAFETY: by the caller's promise.
        unsafe {
            let (a, c) = (pass.mats.scores.at(start, 0), d_features.at(start, 0));
            self.linear.backward(&pass.packs.own, a, pass.rows.len(), c);
            if let Some(dropout) = pass.dropout {
                dropout.drop(d_features, pass.rows.clone());
            }
            self.pool.backward(&pooled(pass), d_features);
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        let (encoded, mats, n) = (&back.encoded, &back.mats, back.encoded.layout.rows());
        // SAFETY: each member writes its own rows.
        unsafe {
            self.linear.weight_grads(member, mats.scores, mats.own[FEATURES], n, grads);
            self.pool.weight_grads(member, encoded, &mats.pool, grads);
        }
    }
}
