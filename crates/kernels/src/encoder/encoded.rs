//! What an encoder leaves for a head, and takes back from it.

use crate::recurrent::steps::DirMats;
use crate::simd::gemm::Mat;
use recurra_core::layout::PackedLayout;

/// What a head reads of an encoder; it decides which buffers exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The final states of the last layer.
    States,
    /// The outputs of the last layer at every position.
    Outputs,
}

/// The vectors of a batch, and the places of their gradients. Rows are in the packed (sorted) order.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a> {
    pub layout: &'a PackedLayout,
    /// Final states of the last layer's directions, and their gradients.
    pub top: &'a [DirMats],
    /// Outputs of the last layer, a row for each packed position, and their gradients; with [`Needs::Outputs`] only.
    pub y: Mat,
    pub dy: Mat,
    /// Padded width of one direction's state.
    pub part: usize,
}

impl Encoded<'_> {
    /// Padded width of an output: the directions' states side by side.
    pub fn width(&self) -> usize {
        self.part * self.top.len()
    }
}
