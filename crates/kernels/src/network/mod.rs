//! A whole network, without a graph: embedding, dropout, recurrent layers over packed rows and a head; its training step, its
//! prediction, its explanation and its state.
//!
//! It knows an encoder and a head, and nothing of the task that they are for.

mod batches;
mod carried;
mod explain;
mod model;
mod optimizer;
mod params;
mod plans;
mod predict;
mod reading;
mod space;
mod state;
mod step;
mod stream;
mod train;
mod update;
mod vectors;
mod weights;

pub use explain::Explanation;
pub use model::Network;
pub use stream::Stream;
