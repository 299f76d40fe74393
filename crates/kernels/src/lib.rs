//! Fused CPU kernels for recurrent networks.
//!
//! Everything that only training needs is behind the feature `training`, which is on by default.

#![cfg_attr(
    not(feature = "training"),
    allow(dead_code, reason = "small parts of training that nothing calls then; the compiler leaves them out")
)]

mod encoder;
pub mod generate;
pub mod heads;
pub mod network;
#[cfg(feature = "training")]
pub mod optim;
pub mod phases;
mod pool;
pub mod random;
pub mod recurrent;
#[cfg(feature = "training")]
pub mod seq2seq;
pub mod simd;
pub mod threads;
