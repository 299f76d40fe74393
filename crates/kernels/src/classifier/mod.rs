//! Configuration and data of networks that classify.

mod config;
pub(crate) mod data;

pub use config::{ClassifierConfig, LossOptions, Pooling, StepOptions};
pub use data::{Chunk, Stats};
