//! The probabilities of given target units.

use std::sync::{Mutex, PoisonError};

use super::decoder::{Decoder, DecoderDropout};
use super::frozen::encode;
use super::model::Seq2Seq;
use super::pass::{Inputs, Pass, memory};
use super::plan::{PairFinders, PairPlan, Pairs};
use super::rows::{by_length, some_rows};
use super::space::Purpose;
use crate::pool::softmax::{ExpSum, Largest};
use crate::simd::dispatch;
use crate::simd::gemm::{Init, Mat};
use recurra_core::Result;

/// Number of rows scored together.
const TOGETHER: usize = 48;

impl Seq2Seq {
    /// The log-probability of each target unit given the previous ones, in order. The targets of each row end with the
    /// end unit.
    ///
    /// # Errors
    /// As [`recurra_core::Seq2SeqConfig::check_pairs`].
    pub fn score(&self, tokens: &[i32], lengths: &[i32], targets: &[i32], starts: &[u32]) -> Result<Vec<f32>> {
        let params = &self.params;
        params.config.check_pairs(tokens, lengths, targets, starts)?;
        let rows = by_length(lengths);
        let found: Vec<Mutex<Vec<f32>>> = lengths.iter().map(|_| Mutex::default()).collect();
        let weights = self.frozen()?;
        self.each(&weights, &rows.order, TOGETHER, |frozen, flat, scratch, some| {
            let (units, own) = some_rows(tokens, lengths, &rows.starts, some);
            let (mut given, mut places) = (Vec::new(), vec![0]);
            for &row in some {
                let (start, end) = (starts[row as usize] as usize, starts[row as usize + 1] as usize);
                given.extend_from_slice(&targets[start..end]);
                places.push(given.len() as u32);
            }
            let pairs = Pairs { tokens: &units, lengths: &own, targets: &given, starts: &places };
            let plan = PairPlan::new(params, pairs, None, 1, &mut PairFinders::default())?;
            let purpose = Purpose { training: false, positions: false };
            let mats = scratch.space.fit(params, std::slice::from_ref(&plan), purpose);
            let (packs, n) = (&frozen.packs, plan.layout.total());
            // SAFETY: the space is this thread's and fits the batch; units were checked.
            unsafe {
                encode(params, frozen, flat, &plan.source, &mats);
                let (table, size) = (params.target, params.target.width);
                for (row, &unit) in plan.ids.iter().enumerate() {
                    let from = flat[table.offset + unit as usize * size..].as_ptr();
                    std::ptr::copy_nonoverlapping(from, mats.x.row(row), size);
                }
                let bias = Init::Bias(packs.layers[0].bias.as_ptr());
                packs.layers[0].embedded.there(mats.x, plan.ids.len(), mats.table, bias);
                let decoder =
                    Decoder { params, packs, flat: flat.as_ptr(), memory: memory(params, flat.as_ptr(), &mats) };
                let (inputs, dropout) = (Inputs::Table(mats.table), DecoderDropout::default());
                Pass { decoder, plan: &plan, mats: &mats, inputs, dropout, keep: true }.forward(0..some.len());
                let bias = Init::Bias(decoder.at(params.units.bias.unwrap_or(0)));
                packs.units.there(mats.decoder.tilde, n, mats.scores, bias);
                for (place, &row) in plan.layout.sorted_indices().iter().enumerate() {
                    let length = plan.layout.lengths()[place] as usize;
                    let values = plan.layout.offsets()[..length].iter().map(|offset| {
                        let position = offset + place;
                        log_probability(
                            mats.scores,
                            position,
                            plan.labels[position],
                            params.vp,
                            params.config.target_size,
                        )
                    });
                    let to = &found[some[row as usize] as usize];
                    *to.lock().unwrap_or_else(PoisonError::into_inner) = values.collect();
                }
            }
            Ok(())
        })?;
        let rows = found.into_iter().map(|row| row.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(rows.flatten().collect())
    }
}

/// The log-softmax of a unit.
unsafe fn log_probability(scores: Mat, position: usize, unit: u32, width: usize, classes: usize) -> f32 {
    // SAFETY: by the caller's promise.
    let values = unsafe { std::slice::from_raw_parts_mut(scores.row(position), width) };
    let own = values[unit as usize];
    let largest = dispatch(Largest { values: &mut *values, classes });
    let sum = dispatch(ExpSum { values, less: largest });
    (own - largest) - sum.ln()
}
