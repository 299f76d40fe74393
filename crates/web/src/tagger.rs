//! A tagger that answers. JavaScript splits the texts, looks the words up and makes spans of the tags.

use recurra_core::{Forms, Result, Rows};
use recurra_kernels::network::Network;
use recurra_text::{FeatureRoom, Features, push_units};

use crate::words::each_word;

/// A network with a head of tags, and what the characters of words say to it.
pub struct Tagger {
    network: Network,
    /// None for a network that does not see the characters of words.
    features: Option<Features>,
    room: FeatureRoom,
    /// The forms of the sentence to come, in a network with features.
    forms: Forms,
    /// Three numbers for each token.
    answer: Vec<f32>,
}

impl Tagger {
    pub fn new(network: Network, features: Option<Features>) -> Self {
        let (room, forms, answer) = Default::default();
        Self { network, features, room, forms, answer }
    }

    /// Where the last answer is.
    pub fn answer(&self) -> *const f32 {
        self.answer.as_ptr()
    }

    /// The different words of the sentence to come as they are written: the units of all, where each ends, and the id of each.
    pub fn forms(&mut self, units: &[u16], ends: &[u32], ids: &[i32]) -> Result<()> {
        let Self { features, room, forms, .. } = self;
        *forms = Forms::default();
        let Some(features) = features else { return Ok(()) };
        let (mut word, mut ids) = (Vec::new(), ids.iter());
        each_word(units, ends, |part| {
            word.clear();
            push_units(&mut word, part);
            let id = ids.next().copied().unwrap_or(-1);
            forms.push(id, features.most(&word), |to| features.push(&word, room, to))
        })
    }

    /// Tags rows of tokens: ids of words, or numbers of forms in a network with features.
    pub fn tag(&mut self, tokens: &[i32], lengths: &[i32]) -> Result<()> {
        let forms = self.features.map(|_| &self.forms);
        self.answer = self.network.predict_rows(Rows { tokens, lengths, forms })?;
        Ok(())
    }
}
