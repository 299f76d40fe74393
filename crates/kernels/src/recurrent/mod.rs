//! Recurrent networks over packed data: values, final states and gradients equal to PyTorch's.
//!
//! The functions take and give PyTorch's layouts; inside, every width is padded to whole vectors and the weights are
//! packed for the register tiles. All rows are in the packed (sorted) order.

mod api;
mod buffers;
mod config;
mod gates;
mod gates_back;
mod infer;
mod infer_wide;
mod shape;
mod stack;
mod steps;
mod words;

pub use api::{Gradients, GradientsTo, Mode, Output, OutputTo, Saved, backward, backward_to, forward, forward_to};
pub use config::RecurrentConfig;
pub use words::{Input, Table};

pub(crate) use buffers::{Grads, Trace};
pub(crate) use config::{Blocks, MOST_PARAMETERS, Segment};
pub(crate) use shape::{DirPacks, Shape};
pub(crate) use stack::{Net, slices};
pub(crate) use steps::{DirMats, Projected};
pub(crate) use words::add_rows;
