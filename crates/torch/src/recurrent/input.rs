//! What goes into a layer: a tensor, or an embedding's output.

use crate::embedded::Embedded;
use tch::Tensor;

/// What goes into a layer.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// An embedding's output that is not written out.
    Embedded(&'a Embedded),
}

impl Source<'_> {
    pub(super) fn size(&self) -> Vec<i64> {
        match self {
            Self::Tensor(tensor) => tensor.size(),
            Self::Embedded(embedded) => embedded.size(),
        }
    }

    /// A tensor of the dtype and on the device of the input.
    pub(super) fn like(&self) -> &Tensor {
        match self {
            Self::Tensor(tensor) => tensor,
            Self::Embedded(embedded) => embedded.like(),
        }
    }
}
