//! RNN, LSTM and GRU: whole layers over padded and packed input, and single steps.
//!
//! A call is checked once (`Call`); then it runs through the kernels (`fused`) or libtorch's operators.

mod call;
mod cell;
mod flatten;
mod fused;
mod input;
mod operators;
mod options;
mod padded;
mod run;

pub use cell::{CellWeights, cell};
pub use flatten::flatten_weights;
pub use input::Source;
pub use options::{Options, Packing, cell_of};
pub use run::{rnn, rnn_by_operators};
