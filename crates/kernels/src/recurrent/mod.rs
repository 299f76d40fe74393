//! Recurrent networks over packed data: values, final states and gradients equal to PyTorch's.
//!
//! The functions take and give PyTorch's layouts; inside, every width is padded to whole vectors and the weights are
//! packed for the register tiles. All rows are in the packed (sorted) order.

mod api;
pub(crate) mod buffers;
pub(crate) mod cells;
pub(crate) mod coded;
mod config;
pub(crate) mod layers;
mod packing;
pub(crate) mod packs;
pub(crate) mod segments;
pub(crate) mod shape;
pub(crate) mod stack;
pub(crate) mod steps;
pub(crate) mod sums;
mod words;

pub use api::{Gradients, GradientsTo, Mode, Output, OutputTo, Passes, Saved, forward, forward_to};
#[cfg(feature = "training")]
pub use api::{backward, backward_to};
pub use config::RecurrentConfig;
pub use words::{Input, Table};
