//! Fused CPU kernels for recurrent networks.

pub mod classifier;
pub mod optim;
pub mod random;
pub mod recurrent;
pub mod simd;
pub mod threads;
