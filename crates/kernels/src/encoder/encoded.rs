//! The output of an encoder for a head, and the gradients that the head returns.

use std::ops::Range;

use crate::recurrent::steps::DirMats;
use crate::simd::gemm::Mat;
use recurra_core::layout::PackedLayout;

/// The part of an encoder's output that a head reads. It determines which buffers exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The final states of the last layer.
    States,
    /// The outputs of the last layer at every position.
    Outputs,
}

/// The vectors of a batch and their gradients. Rows are in packed (sorted) order.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a> {
    pub layout: &'a PackedLayout,
    /// Final states of the last layer's directions, and their gradients.
    pub top: &'a [DirMats],
    /// Outputs of the last layer, a row per packed position, and their gradients; only with [`Needs::Outputs`].
    pub y: Mat,
    pub dy: Mat,
    /// Padded width of one direction's state.
    pub part: usize,
}

/// First position and number of positions of sorted rows at each step; a single block if these are all rows.
pub(crate) fn blocks(layout: &PackedLayout, rows: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let (start, end) = (rows.start, rows.end);
    let all = rows == (0..layout.rows());
    let (sizes, offsets) = (layout.batch_sizes(), layout.offsets());
    let block = move |(&size, &offset): (&u32, &usize)| (offset + start, end.min(size as usize).saturating_sub(start));
    let steps = if all { 0 } else { sizes.len() };
    let whole = all.then_some((0, layout.total()));
    whole.into_iter().chain(sizes[..steps].iter().zip(offsets).map(block).take_while(|block| block.1 > 0))
}

impl Encoded<'_> {
    /// Padded width of an output: both directions concatenated.
    pub fn width(&self) -> usize {
        self.part * self.top.len()
    }
}
