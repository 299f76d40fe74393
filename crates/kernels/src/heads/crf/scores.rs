//! Transition scores, and the matrices of a batch.

use recurra_core::layout::PackedLayout;
use recurra_core::{Error, ErrorCode, Result};

use super::share::Weights;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, dispatch, pad};

/// The score of a forbidden transition. It is finite, so that differences are not NaN.
const FORBIDDEN: f32 = -1e30;

/// The allowed transitions.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// Tags that may be first, `[tags]`.
    pub start: &'a [bool],
    /// Tags that may be last, `[tags]`.
    pub end: &'a [bool],
    /// Whether the tag `to` may follow the tag `from`, `[from, to]`.
    pub between: &'a [bool],
}

/// The transition scores, prepared for the kernels.
#[derive(Default)]
pub struct Crf {
    pub(super) tags: usize,
    /// Width of all rows: the tags, padded to whole vectors. The padding is forbidden.
    pub(super) stride: usize,
    pub(super) start: Buf,
    pub(super) end: Buf,
    pub(super) between: Buf,
    /// The largest score of each column of `between`, `[stride]`.
    pub(super) tops: Buf,
    /// `exp(between[i][j] - tops[j])`
    pub(super) weights: Buf,
}

/// Matrices `[positions, stride]` of a batch, in packed order.
#[derive(Clone, Copy)]
pub(crate) struct CrfMats {
    /// Scores of the tags at each position; the padding is finite. [`backward`] replaces them by gradients.
    pub emissions: Mat,
    /// Logarithms of the sums over all paths up to a tag, minus the position's largest. The backward pass replaces them
    /// by their exponentials if the next position is not exact.
    pub alpha: Mat,
    /// The sum over previous tags, before the emissions: at an exact position its logarithm, otherwise the sum of
    /// products. The backward pass replaces it by the marginal divided by it.
    pub sums: Mat,
    /// The probability of each tag at each position.
    pub marginals: Mat,
    /// `[positions, 1]`: nonzero if the position is exact.
    pub exact: Mat,
}

impl Crf {
    /// Takes the scores of first tags `[tags]`, of last tags `[tags]`, and of transitions `[from, to]`.
    ///
    /// # Errors
    /// `OutOfRange` if there are no tags, `InvalidShape` if a length does not match.
    pub fn new(tags: usize, start: &[f32], end: &[f32], between: &[f32], allowed: Option<Allowed<'_>>) -> Result<Self> {
        if tags == 0 {
            return Err(Error::new(ErrorCode::OutOfRange, "a CRF needs at least one tag"));
        }
        let square = tags.saturating_mul(tags);
        let mut lengths =
            vec![("start", start.len(), tags), ("end", end.len(), tags), ("between", between.len(), square)];
        if let Some(allowed) = allowed {
            lengths.push(("allowed.start", allowed.start.len(), tags));
            lengths.push(("allowed.end", allowed.end.len(), tags));
            lengths.push(("allowed.between", allowed.between.len(), square));
        }
        for (name, length, expected) in lengths {
            check_length(name, length, expected)?;
        }
        let mut crf = Self::default();
        crf.fill(tags, [start, end], (between, tags), allowed);
        Ok(crf)
    }

    /// Replaces the scores, like [`Crf::new`] with validated arguments, and reuses the memory. The rows of `between`
    /// are `apart` values apart.
    pub(crate) fn fill(
        &mut self,
        tags: usize,
        [start, end]: [&[f32]; 2],
        (between, apart): (&[f32], usize),
        allowed: Option<Allowed<'_>>,
    ) {
        let stride = pad(tags);
        if (self.tags, self.stride) != (tags, stride) {
            let [start, end, tops] = [(); 3].map(|()| Buf::zeros(stride));
            let [between, weights] = [(); 2].map(|()| Buf::zeros(tags.saturating_mul(stride)));
            *self = Self { tags, stride, start, end, between, tops, weights };
        }
        let row = |values: &[f32], flags: Option<&[bool]>, to: &mut [f32]| {
            to.fill(FORBIDDEN);
            for (tag, &value) in values[..tags].iter().enumerate() {
                if flags.is_none_or(|flags| flags[tag]) {
                    to[tag] = value;
                }
            }
        };
        row(start, allowed.map(|allowed| allowed.start), &mut self.start);
        row(end, allowed.map(|allowed| allowed.end), &mut self.end);
        for (from, to) in self.between.chunks_exact_mut(stride).enumerate() {
            let flags = allowed.map(|allowed| &allowed.between[from * tags..(from + 1) * tags]);
            row(&between[from * apart..], flags, to);
        }
        self.tops.fill(FORBIDDEN);
        for scores in self.between.chunks_exact(stride) {
            self.tops.iter_mut().zip(scores).for_each(|(top, &score)| *top = score.max(*top));
        }
        for (to, scores) in self.weights.chunks_exact_mut(stride).zip(self.between.chunks_exact(stride)) {
            dispatch(Weights { scores, tops: &self.tops, to });
        }
    }

    /// Number of tags.
    pub fn tags(&self) -> usize {
        self.tags
    }

    /// The padded scores of the transitions from a tag.
    pub(super) fn between(&self, from: usize) -> &[f32] {
        &self.between[from * self.stride..][..self.stride]
    }

    /// The score of a row's correct path.
    pub(crate) fn path_score(&self, layout: &PackedLayout, emissions: Mat, row: usize, gold: &[u32]) -> f64 {
        let mut score = 0.0;
        let mut before = None;
        for &offset in &layout.offsets()[..layout.lengths()[row] as usize] {
            let tag = gold[offset + row] as usize;
            // SAFETY: positions of the layout are rows of the matrix, and tags below its width.
            score += f64::from(unsafe { *emissions.row(offset + row).add(tag) });
            score += f64::from(before.map_or(self.start[tag], |before| self.between(before)[tag]));
            before = Some(tag);
        }
        score + before.map_or(0.0, |last| f64::from(self.end[last]))
    }

    /// The first place of a path with a forbidden transition or a tag that does not exist; the path's length if only
    /// its last tag is not allowed at the end. Such a path has probability 0, so no loss to learn from.
    pub fn first_forbidden(&self, path: &[u32]) -> Option<usize> {
        let score = |scores: &[f32], tag: u32| scores.get(tag as usize).copied().unwrap_or(FORBIDDEN);
        let mut before = None;
        for (at, &tag) in path.iter().enumerate() {
            let scores = before.map_or(&self.start[..], |before: u32| self.between(before as usize));
            if score(scores, tag) <= FORBIDDEN {
                return Some(at);
            }
            before = Some(tag);
        }
        (score(&self.end, before?) <= FORBIDDEN).then_some(path.len())
    }
}

/// Checks a number of values.
///
/// # Errors
/// `InvalidShape` when the lengths differ.
pub(super) fn check_length(name: &str, length: usize, expected: usize) -> Result<()> {
    if length == expected {
        return Ok(());
    }
    Err(Error::new(ErrorCode::InvalidShape, format!("expected {expected} values for {name} but received {length}")))
}
