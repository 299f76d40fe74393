//! Inputs with subwords in a step, and their backward pass.

use super::bags::Bags;
use super::lookup::Lookup;
use super::mean::{Sum, mean};
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// The subword features of an encoder's input, shared by a team.
#[derive(Clone, Copy)]
pub(crate) struct Subwords {
    /// The features' vectors.
    pub features: Lookup,
    /// A row per distinct input, before dropout.
    pub inputs: Mat,
    /// Gradients of the distinct inputs.
    pub d_inputs: Mat,
}

impl Subwords {
    /// Computes the rows of this member's share of the inputs. All words and features must be up to date.
    ///
    /// # Safety
    /// The addresses must be valid for the bags, and no member may be updating a row.
    pub unsafe fn gather(&self, member: &Member<'_>, words: &Lookup, ids: &[u32], bags: &Bags) {
        for input in member.share(bags.len(), 8) {
            // SAFETY: by the caller's promise; the row is this member's, and as wide as both parts.
            unsafe {
                let to = self.inputs.row(input);
                std::ptr::copy_nonoverlapping(words.row(ids[bags.words[input] as usize]), to, words.dims);
                let to = std::slice::from_raw_parts_mut(to.add(words.dims), self.features.dims);
                mean(self.features.weights, bags.features(input), to);
            }
        }
    }

    /// Turns the inputs' gradients into those of a mean's terms, for this member's share. A barrier must precede
    /// [`Subwords::sum_features`].
    ///
    /// # Safety
    /// As [`Subwords::gather`]; the gradients of all inputs must have been computed before the last barrier.
    pub unsafe fn divide(&self, member: &Member<'_>, first: usize, bags: &Bags) {
        for input in member.share(bags.len(), 8) {
            let count = bags.features(input).len().max(1) as f32;
            // SAFETY: by the caller's promise.
            let row =
                unsafe { std::slice::from_raw_parts_mut(self.d_inputs.row(input).add(first), self.features.dims) };
            row.iter_mut().for_each(|value| *value /= count);
        }
    }

    /// Gradients of this member's share of the distinct words.
    ///
    /// # Safety
    /// As [`Subwords::divide`].
    pub unsafe fn sum_words(&self, member: &Member<'_>, words: &Lookup, count: usize, bags: &Bags) {
        for word in member.share(count, 8) {
            // SAFETY: by the caller's promise.
            unsafe { self.sum(0, bags.word_users.of(word), words, word) };
        }
    }

    /// Gradients of this member's share of the distinct features.
    ///
    /// # Safety
    /// As [`Subwords::divide`].
    pub unsafe fn sum_features(&self, member: &Member<'_>, first: usize, bags: &Bags) {
        for feature in member.share(bags.own, 8) {
            // SAFETY: by the caller's promise.
            unsafe { self.sum(first, bags.feature_users.of(feature), &self.features, feature) };
        }
    }

    /// The gradient of a row: the sum over its inputs of the columns from `first`.
    unsafe fn sum(&self, first: usize, inputs: &[u32], of: &Lookup, row: usize) {
        // SAFETY: by the promise of the callers.
        unsafe {
            let from = self.d_inputs.at(0, first);
            let to = std::slice::from_raw_parts_mut(of.grads.row(row), of.dims);
            dispatch(Sum { from, rows: inputs, to });
        }
    }
}
