//! Predicts with a tagger. JavaScript splits the texts, looks up the words and makes spans of the tags.

use recurra_core::{Forms, Result, Rows};
use recurra_kernels::network::Network;
use recurra_text::{FeatureRoom, Features, push_units};

use crate::words::each_word;

/// A network with a head of tags, and its character features.
pub struct Tagger {
    network: Network,
    /// `None` for a network without subwords.
    features: Option<Features>,
    room: FeatureRoom,
    /// The forms of the next sentence, for a network with subwords.
    forms: Forms,
    /// Three numbers per token.
    answer: Vec<f32>,
}

impl Tagger {
    pub fn new(network: Network, features: Option<Features>) -> Self {
        let (room, forms, answer) = Default::default();
        Self { network, features, room, forms, answer }
    }

    /// Address of the last prediction.
    pub fn answer(&self) -> *const f32 {
        self.answer.as_ptr()
    }

    /// Sets the distinct words of the next sentence as written: the concatenated units, the end of each word, and its
    /// id.
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

    /// Tags rows of tokens: word ids, or form numbers for a network with subwords.
    pub fn tag(&mut self, tokens: &[i32], lengths: &[i32]) -> Result<()> {
        let forms = self.features.map(|_| &self.forms);
        self.answer = self.network.predict_rows(Rows { tokens, lengths, forms })?;
        Ok(())
    }
}
