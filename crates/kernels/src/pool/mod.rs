//! The poolings, one file each. To add one, add a file, a line in [`of`] and a variant of [`Pooling`].

mod attention;
mod attention_kernels;
pub(crate) mod kernel;
mod last;
mod max;
mod mean;
pub(crate) mod pooled;
pub(crate) mod softmax;
pub(crate) mod space;
#[cfg(feature = "training")]
pub(crate) mod training;

/// Without the feature `training`, there is no backward pass.
#[cfg(not(feature = "training"))]
pub(crate) mod training {
    pub(crate) trait PoolTraining {}

    impl<P> PoolTraining for P {}
}

use kernel::Pool;

use crate::recurrent::segments::Blocks;
use recurra_core::Pooling;

/// A pooling of outputs of this width. Its parameters start at `offset`, which is advanced past them.
pub(crate) fn of(pooling: Pooling, output: Blocks, offset: &mut usize) -> Box<dyn Pool> {
    match pooling {
        Pooling::Last => Box::new(last::Last),
        Pooling::Mean => Box::new(mean::Mean),
        Pooling::Max => Box::new(max::Max { width: output.private() }),
        Pooling::Attention => Box::new(attention::Attention::new(output, offset)),
    }
}
