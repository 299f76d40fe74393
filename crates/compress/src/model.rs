//! What goes in and comes out: a model, a budget, and what was done.

use std::collections::HashMap;

use recurra_codes::Code;
use recurra_core::NamedArray;
use recurra_linear::LinearModel;
use recurra_text::Vocabulary;

/// A trained model.
pub struct Source<'a> {
    /// All arrays of its networks, as a file has them; none without a network.
    pub arrays: Vec<NamedArray>,
    /// The linear model.
    pub linear: Option<&'a LinearModel>,
    /// The networks' share in the answers, from 0 to 1.
    pub share: f64,
    /// Its words, the rows of the matrices `embedding.weight`.
    pub vocabulary: &'a Vocabulary,
    /// Words that stay whatever the budget, as unknown and padding ones, in ascending order.
    pub pinned: Vec<u32>,
    /// The word that stands for all that are left out; none where none may be left out, and all keep their numbers.
    pub unknown: Option<u32>,
    /// What the file says of the model, its words not among it.
    pub metadata: HashMap<String, String>,
}

/// What a file may take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Bytes of the file, at most.
    pub max_bytes: Option<usize>,
    /// How the words' vectors are coded; what fits best if it is not given.
    pub code: Option<Code>,
    /// Words that are kept, at most, those pinned among them.
    pub keep_words: Option<usize>,
}

/// What was done to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How the words' vectors are coded; none without a network.
    pub code: Option<Code>,
    /// Words that were kept.
    pub words: usize,
    /// N-grams of the linear model that were kept.
    pub features: usize,
    /// The largest whole number of its weights; 0 without a linear model.
    pub levels: u8,
    /// The share of the inputs' and scores' squares that is lost, from 0 on.
    pub lost: f64,
}

/// A small file.
pub struct Compressed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was done.
    pub plan: Plan,
}

/// Key of the metadata under which a file says what was done to its model, as JSON.
pub const COMPRESSION: &str = "compression";

/// One combination.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// Of words' vectors; none without a network.
    pub code: Option<Code>,
    pub words: usize,
    pub features: usize,
    /// The largest whole number of the linear model's weights; 0 without one.
    pub levels: u8,
}

impl Choice {
    /// What a file says of it.
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
