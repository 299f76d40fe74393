//! Packed layout and fused CPU kernels for recurrent networks.

pub mod classifier;
pub mod distinct;
pub mod error;
pub mod fault;
pub mod layout;
pub mod optim;
pub mod random;
pub mod recurrent;
pub mod simd;
pub mod threads;

pub use error::{Error, ErrorCode, Result, abandon, guard};
