//! Inputs that are a word's vector with the mean of its features' vectors behind it, as
//! `torch.cat([embedding(words), embedding_bag(features, mode="mean")], -1)` gives them.

use super::lookup::Lookup;
use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch, prefetch_all};
use crate::threads::Member;
use recurra_core::distinct::{Distinct, Users};

/// What the distinct inputs of a batch are made of.
#[derive(Default)]
pub(crate) struct Bags {
    /// For each input, the number of its word.
    words: Vec<u32>,
    /// The inputs of each word.
    word_users: Users,
    /// Distinct features, in order of first use.
    pub ids: Vec<u32>,
    /// Where the features of each input begin in `features`, and at last how many there are.
    starts: Vec<u32>,
    features: Vec<u32>,
    /// The inputs of each distinct feature, as often as they have it.
    feature_users: Users,
}

impl Bags {
    /// Of inputs with these words, numbers below `count`, and the features of each, which `distinct` numbers.
    pub fn new<'a>(
        words: Vec<u32>,
        count: usize,
        features: impl Iterator<Item = &'a [u32]>,
        distinct: &mut Distinct,
    ) -> Self {
        let mut bags = Self { word_users: Users::new(&words, count), words, starts: vec![0], ..Self::default() };
        let (mut numbers, mut inputs) = (Vec::new(), Vec::new());
        distinct.begin(0);
        for (input, features) in features.enumerate() {
            bags.features.extend_from_slice(features);
            bags.starts.push(bags.features.len() as u32);
            numbers.extend(features.iter().map(|&feature| distinct.number(feature, &mut bags.ids)));
            inputs.resize(numbers.len(), input as u32);
        }
        bags.feature_users = Users::new(&numbers, bags.ids.len()).through(&inputs);
        bags
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    fn features(&self, input: usize) -> &[u32] {
        &self.features[self.starts[input] as usize..self.starts[input + 1] as usize]
    }
}

/// What the characters of words add to an encoder's input, as a team shares it.
#[derive(Clone, Copy)]
pub(crate) struct Subwords {
    /// The features' vectors.
    pub features: Lookup,
    /// A row for each distinct input, before any dropout.
    pub inputs: Mat,
    /// Gradients of the distinct inputs.
    pub d_inputs: Mat,
}

impl Subwords {
    /// The rows of this member's share of the inputs. All words and features must be current.
    ///
    /// # Safety
    /// The addresses must be valid for the bags; no member may be moving a row.
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

    /// From the inputs' gradients to those of a mean's parts, for this member's share. A meeting must lie before
    /// [`Subwords::sum_features`].
    ///
    /// # Safety
    /// As [`Subwords::gather`]; the gradients of all inputs must have been made before the last meeting.
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
        for feature in member.share(bags.ids.len(), 8) {
            // SAFETY: by the caller's promise.
            unsafe { self.sum(first, bags.feature_users.of(feature), &self.features, feature) };
        }
    }

    /// The gradient of a row: the sum over its inputs of the columns from `first` on.
    unsafe fn sum(&self, first: usize, inputs: &[u32], of: &Lookup, row: usize) {
        // SAFETY: by the promise of the callers.
        unsafe {
            let from = self.d_inputs.at(0, first);
            let to = std::slice::from_raw_parts_mut(of.grads.row(row), of.dims);
            dispatch(Sum { from, rows: inputs, to });
        }
    }
}

/// Rows to look ahead: those of a hashed table come from all over it.
const AHEAD: usize = 8;

/// The mean of some rows of `weights`, each as wide as `to`; zero of none.
///
/// # Safety
/// The rows must exist, and no thread may be writing them.
pub(crate) unsafe fn mean(weights: *const f32, rows: &[u32], to: &mut [f32]) {
    let from = Mat { ptr: weights.cast_mut(), stride: to.len() };
    let count = rows.len().max(1) as f32;
    dispatch(Sum { from, rows, to: &mut *to });
    to.iter_mut().for_each(|value| *value /= count);
}

/// The sum of some rows, in their order.
struct Sum<'a> {
    from: Mat,
    rows: &'a [u32],
    to: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { from, rows, to } = self;
        to.fill(0.0);
        for (i, &row) in rows.iter().enumerate() {
            if let Some(&next) = rows.get(i + AHEAD) {
                prefetch_all(from.ptr.wrapping_add(next as usize * from.stride), to.len());
            }
            // SAFETY: rows are inside the matrix, as the callers ensure.
            let row = unsafe { std::slice::from_raw_parts(from.row(row as usize), to.len()) };
            // A plain loop, which the compiler vectorises with the instruction set of `S`.
            to.iter_mut().zip(row).for_each(|(to, from)| *to += from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_count_a_feature_as_often_as_it_comes_and_none_is_zero() {
        let weights: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let of = |rows: &[u32]| {
            let mut to = [9.0f32; 3];
            // SAFETY: the rows are inside.
            unsafe { mean(weights.as_ptr(), rows, &mut to) };
            to
        };
        assert_eq!(of(&[]), [0.0; 3]);
        assert_eq!(of(&[3]), [9.0, 10.0, 11.0]);
        assert_eq!(of(&[0, 2, 2, 0]), [3.0, 4.0, 5.0]);
    }
}
