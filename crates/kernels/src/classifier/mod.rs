//! Configuration and data of networks that classify, and the network itself under its former name.

mod config;
pub(crate) mod data;

pub use config::{ClassifierConfig, LossOptions, Pooling, StepOptions};
pub use data::{Chunk, Stats};

pub use crate::network::{Explanation, Network as Classifier};
