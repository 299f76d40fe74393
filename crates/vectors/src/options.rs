//! What vectors are learned by.

use crate::error::{Result, invalid};

/// What is predicted from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each word near a word, from that word: better for rare words, and slower.
    SkipGram,
    /// A word from the mean of the words near it.
    Cbow,
}

/// How vectors are learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What is predicted from what.
    pub kind: Kind,
    /// Numbers of a vector, from 1 to 4,096.
    pub dim: usize,
    /// Words on each side that count as near, from 1; for each place it is drawn from 1 to this, so that nearer words count more.
    pub window: u32,
    /// Random words that are pushed away for each pair of words, from 1 to 64.
    pub negatives: usize,
    /// Passes over the texts, from 1.
    pub epochs: u32,
    /// The learning rate at the beginning, above 0; it falls linearly to 0.
    pub rate: f32,
    /// A word that the texts have less often gets no vector; from 1.
    pub min_count: u64,
    /// The share of all words above which a word is left out at random, from 0; 0 leaves out none.
    pub subsample: f64,
    /// Shortest and longest run of characters that counts as a subword; a longest of 0 means none.
    pub subwords: (u32, u32),
    /// Number of different subwords, from 1: those that fall into the same bucket share a vector.
    pub buckets: u32,
    /// Threads of the work, on which the result does not depend.
    pub threads: usize,
    /// Seed of the first vectors and of all that is drawn.
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
    /// Refuses what no vectors are learned by.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, naming the option.
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
