//! Word vectors from unlabelled texts: skip-gram and continuous bag of words with negative sampling (Mikolov et al. 2013) and subwords
//! (Bojanowski et al. 2017), as fastText computes them.
//!
//! - [`Corpus`] counts the words of texts and keeps them as numbers;
//! - [`Trainer`] learns vectors of them, round by round;
//! - [`Learned`] has the words, their vectors, and vectors for unknown words.
//!
//! The result does not depend on the number of threads. fastText's threads write to shared vectors without
//! synchronisation, so its runs differ. Here, each round is split into a fixed number of shards. Each shard learns on
//! its own copies of the rows it needs, and the shards are merged in order.

mod corpus;
mod error;
mod kernels;
mod learned;
mod merge;
mod options;
mod random;
mod rows;
mod sampling;
mod shard;
mod subwords;
mod trainer;

pub use corpus::Corpus;
pub use learned::Learned;
pub use options::{Kind, Options};
pub use trainer::{Progress, Trainer};
