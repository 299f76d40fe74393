//! The input, budget and result of a compression.

use std::collections::HashMap;

use recurra_codes::Code;
use recurra_core::NamedArray;
use recurra_linear::LinearModel;
use recurra_text::Vocabulary;

/// A trained model.
pub struct Source<'a> {
    /// All arrays of its networks, as in a file; empty without a network.
    pub arrays: Vec<NamedArray>,
    /// The linear model.
    pub linear: Option<&'a LinearModel>,
    /// The networks' share in the predictions, from 0 to 1.
    pub share: f64,
    /// The words, which are the rows of the matrices `embedding.weight`.
    pub vocabulary: &'a Vocabulary,
    /// Words that are always kept, such as the unknown and padding tokens, ascending.
    pub pinned: Vec<u32>,
    /// The word that replaces dropped words; `None` if no word may be dropped and all keep their ids.
    pub unknown: Option<u32>,
    /// The metadata of the file, without the words.
    pub metadata: HashMap<String, String>,
}

/// Limits of a compressed file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Maximum size of the file in bytes.
    pub max_bytes: Option<usize>,
    /// The code of the word vectors; `None` chooses the best one.
    pub code: Option<Code>,
    /// Maximum number of words to keep, including the pinned ones.
    pub keep_words: Option<usize>,
}

/// The settings that were chosen for a compressed model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The code of the word vectors; `None` without a network.
    pub code: Option<Code>,
    /// Number of words kept.
    pub words: usize,
    /// Number of the linear model's n-grams kept.
    pub features: usize,
    /// The largest integer weight of the linear model; 0 without one.
    pub levels: u8,
    /// The share of the squared inputs and scores that is lost, at least 0.
    pub lost: f64,
}

/// A compressed file.
pub struct Compressed {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The chosen settings.
    pub plan: Plan,
}

/// Metadata key of the settings of a compression, as JSON.
pub const COMPRESSION: &str = "compression";

/// One combination of settings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// The code of the word vectors; `None` without a network.
    pub code: Option<Code>,
    pub words: usize,
    pub features: usize,
    /// The largest integer weight of the linear model; 0 without one.
    pub levels: u8,
}

impl Choice {
    /// The JSON that a file stores about the choice.
    pub fn describe(&self, words: usize) -> String {
        let mut said = serde_json::Map::new();
        if let Some(code) = self.code {
            said.insert("code".into(), code.name().into());
        }
        said.insert("words".into(), words.into());
        if self.levels > 0 {
            said.insert("features".into(), self.features.into());
            said.insert("levels".into(), self.levels.into());
        }
        serde_json::Value::Object(said).to_string()
    }
}
