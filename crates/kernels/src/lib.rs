//! Fused CPU kernels for recurrent networks.

mod encoder;
pub mod generate;
pub mod heads;
pub mod network;
pub mod optim;
mod pool;
pub mod random;
pub mod recurrent;
pub mod simd;
pub mod threads;
