//! Options of learning word vectors.

use crate::error::{Result, invalid};

/// The kind of prediction that vectors are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Skip-gram: predicts each nearby word from a word. Better for rare words, and slower.
    SkipGram,
    /// Continuous bag of words: predicts a word from the mean of the nearby words.
    Cbow,
}

/// Options of learning word vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Skip-gram or CBOW.
    pub kind: Kind,
    /// Size of a vector, from 1 to 4,096.
    pub dim: usize,
    /// Maximum distance of nearby words on each side, from 1. The window of each word is drawn from 1 to this, so that
    /// nearer words count more.
    pub window: u32,
    /// Number of negative words drawn for each word pair, from 1 to 64.
    pub negatives: usize,
    /// Passes over the texts, from 1.
    pub epochs: u32,
    /// Initial learning rate, above 0. It falls linearly to 0.
    pub rate: f32,
    /// Minimum count of a word that gets a vector; from 1.
    pub min_count: u64,
    /// Frequency (share of all words) above which occurrences of a word are randomly dropped, from 0; 0 drops none.
    pub subsample: f64,
    /// Shortest and longest subword, in characters; a longest of 0 disables subwords.
    pub subwords: (u32, u32),
    /// Number of buckets for subwords, from 1. Subwords in the same bucket share a vector.
    pub buckets: u32,
    /// Number of threads. The result does not depend on it.
    pub threads: usize,
    /// Seed of the initial vectors and of all random draws.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: Kind::SkipGram,
            dim: 64,
            window: 8,
            negatives: 5,
            epochs: 5,
            rate: 0.05,
            min_count: 3,
            subsample: 1e-4,
            subwords: (0, 0),
            buckets: 2_000_000,
            threads: 1,
            seed: 0,
        }
    }
}

impl Options {
    /// Checks the options.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, which names the option.
    pub fn validate(&self) -> Result<()> {
        let (shortest, longest) = self.subwords;
        let faults = [
            ("dim", !(1..=4_096).contains(&self.dim), "from 1 to 4,096"),
            ("window", !(1..=1_000).contains(&self.window), "from 1 to 1,000"),
            ("negatives", !(1..=64).contains(&self.negatives), "from 1 to 64"),
            ("epochs", self.epochs == 0, "at least 1"),
            ("lr", !(self.rate > 0.0 && self.rate <= 1.0), "above 0 and at most 1"),
            ("minCount", self.min_count == 0, "at least 1"),
            ("subsample", !(self.subsample >= 0.0 && self.subsample <= 1.0), "from 0 to 1"),
            ("maxn", longest > 64, "at most 64"),
            ("minn", longest > 0 && !(1..=longest).contains(&shortest), "from 1 to maxn"),
            ("buckets", self.buckets == 0, "at least 1"),
        ];
        match faults.into_iter().find(|&(_, broken, _)| broken) {
            Some((option, _, expected)) => Err(invalid(option, format!("{option} must be {expected}"))),
            None => Ok(()),
        }
    }
}
