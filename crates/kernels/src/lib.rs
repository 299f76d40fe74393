//! Packed layout and fused CPU kernels for recurrent networks.

pub mod error;
pub mod layout;
mod random;
pub mod recurrent;
pub mod simd;
pub mod threads;

pub use error::{Error, ErrorCode, Result, guard};
