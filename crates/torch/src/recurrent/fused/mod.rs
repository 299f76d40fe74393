//! The kernels' recurrent networks as one operation of libtorch's graph, instead of several operators for every time step.
//!
//! `shim/recurrent.cpp` owns the node of the graph (`node.rs` calls it) and calls back into `callbacks.rs`. Values, states and
//! gradients are those of libtorch's own layers; second derivatives are not available.

mod buffers;
mod callbacks;
mod node;
mod team;

pub(super) use node::{fits, run};
