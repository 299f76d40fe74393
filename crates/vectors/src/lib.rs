//! Word vectors from unlabelled texts: skip-gram and continuous bag of words with negative sampling (Mikolov et al. 2013) and subwords
//! (Bojanowski et al. 2017), as fastText computes them.
//!
//! - [`Corpus`] counts the words of texts and keeps them as numbers;
//! - [`Trainer`] learns vectors of them, round by round;
//! - [`Learned`] has the words, their vectors, and vectors for words that were not learned.
//!
//! The result is the same for every number of threads. fastText lets its threads write to the same numbers at once, so that no two of
//! its runs agree. Here a round is cut into a fixed number of shards. Each shard learns alone, on copies of the rows that it needs, and
//! what the shards learned is put together in their order.

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
