//! Feature options.

use crate::error::{Result, invalid};

/// Options of the n-grams that become features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureOptions {
    /// Longest n-gram of words, 0 to 3; 0 disables word features. Default 2.
    pub words: usize,
    /// Minimum number of characters in a word, 1 to 100. Default 1; scikit-learn's is 2.
    pub min_word: usize,
    /// Shortest and longest n-gram of characters within a stretch without blanks, including one blank on each side;
    /// each 1 to 8. `(0, 0)` disables character features. Default 2 and 5.
    pub chars: (usize, usize),
    /// Minimum number of rows with the n-gram, at least 1. Default 1.
    pub min_rows: u32,
    /// Maximum number of n-grams; those with the most rows are kept. 1 to [`FeatureOptions::MOST`]. Default 4,000,000.
    pub max_features: usize,
}

impl Default for FeatureOptions {
    fn default() -> Self {
        Self { words: 2, min_word: 1, chars: (2, 5), min_rows: 1, max_features: 4_000_000 }
    }
}

impl FeatureOptions {
    /// Maximum number of features of a model.
    pub const MOST: usize = 1 << 24;

    pub(crate) fn validate(&self) -> Result<()> {
        let (min, max) = self.chars;
        if self.words > 3 {
            return Err(invalid(format!("words must be between 0 and 3, not {}", self.words)));
        }
        if !(1..=100).contains(&self.min_word) {
            return Err(invalid(format!("min_word must be between 1 and 100, not {}", self.min_word)));
        }
        if self.chars != (0, 0) && !(1 <= min && min <= max && max <= 8) {
            return Err(invalid(format!(
                "chars must be two numbers from 1 to 8 in order, or 0 and 0, not {min} and {max}"
            )));
        }
        if self.words == 0 && max == 0 {
            return Err(invalid("words and chars must not both be disabled"));
        }
        if self.min_rows == 0 {
            return Err(invalid("min_rows must be at least 1"));
        }
        if !(1..=Self::MOST).contains(&self.max_features) {
            return Err(invalid(format!(
                "max_features must be between 1 and {}, not {}",
                Self::MOST,
                self.max_features
            )));
        }
        Ok(())
    }
}
