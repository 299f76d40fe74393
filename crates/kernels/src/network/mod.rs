//! A whole network, without a graph: embedding, dropout, recurrent layers over packed rows and a head; its training step, its
//! prediction, its explanation and its state.
//!
//! It knows an encoder and a head, and nothing of the task that they are for.

mod batches;
mod carried;
#[cfg(feature = "codes")]
mod compressed;
mod embed;
#[cfg(feature = "training")]
pub(crate) mod exchange;
#[cfg(feature = "training")]
mod explain;
#[cfg(feature = "training")]
mod group;
mod model;
#[cfg(feature = "training")]
mod optimizer;
mod own;
mod params;
#[cfg(feature = "training")]
mod pass;
#[cfg(feature = "training")]
mod plans;
mod predict;
mod reading;
#[cfg(feature = "training")]
mod reduce;
#[cfg(feature = "training")]
mod space;
#[cfg(feature = "training")]
pub(crate) mod state;
#[cfg(feature = "training")]
mod step;
mod stream;
#[cfg(feature = "training")]
mod train;
#[cfg(feature = "training")]
mod update;
mod vectors;
#[cfg(feature = "training")]
mod weight_drop;
mod weights;

#[cfg(feature = "training")]
pub use exchange::Exchange;
#[cfg(feature = "training")]
pub use explain::Explanation;
pub use model::Network;
pub use stream::Stream;

/// Without training no network has an optimizer.
#[cfg(not(feature = "training"))]
mod optimizer {
    use crate::network::vectors::Vectors;
    use recurra_core::Result;

    /// There is none.
    pub(super) enum Optimizer {}

    impl Optimizer {
        pub fn flush(&mut self, _: &mut Vectors) -> Result<()> {
            match *self {}
        }

        pub fn bytes(&self) -> usize {
            match *self {}
        }
    }
}

/// Without training it needs no memory.
#[cfg(not(feature = "training"))]
mod space {
    #[derive(Default)]
    pub(super) struct TrainSpace {}
}
