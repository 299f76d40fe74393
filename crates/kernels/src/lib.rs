//! Packed layout and fused CPU kernels for recurrent networks.

pub mod classifier;
pub mod distinct;
mod encoder;
pub mod error;
pub mod fault;
mod heads;
pub mod layout;
pub mod network;
pub mod optim;
mod pool;
pub mod random;
pub mod recurrent;
pub mod simd;
pub mod threads;

pub use error::{Error, ErrorCode, Result, abandon, guard};
