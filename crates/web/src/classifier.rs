//! Predicts with a classifier.

use recurra_core::{Error, ErrorCode, Result};
use recurra_kernels::network::Network;
use recurra_linear::{LinearModel, Mix, Room as LinearRoom};
use recurra_text::{Counts, Encoder, Room, Vocabulary, needs_javascript};

/// A linear model with its mixture, and reusable buffers for a text.
struct Linear {
    model: LinearModel,
    mix: Mix,
    room: LinearRoom,
    logs: Vec<f32>,
}

/// One or more networks, a linear model, or both, with what reads texts.
pub struct Classifier {
    networks: Vec<Network>,
    linear: Option<Linear>,
    vocabulary: Vocabulary,
    /// `None` if JavaScript looks up the tokens.
    encoder: Option<Encoder>,
    unknown: u32,
    classes: usize,
    several: bool,
    room: Room,
    ids: Vec<i32>,
    /// A probability per label, then the number of tokens and of known tokens.
    answer: Vec<f32>,
}

impl Classifier {
    pub fn new(
        networks: Vec<Network>,
        linear: Option<(LinearModel, Mix)>,
        vocabulary: Vocabulary,
        encoder: Option<Encoder>,
        unknown: u32,
        classes: usize,
        several: bool,
    ) -> Self {
        let linear = linear.map(|(model, mix)| {
            let (room, logs) = (model.room(), vec![0.0; classes]);
            Linear { model, mix, room, logs }
        });
        let answer = vec![0.0; classes + 2];
        let (room, ids) = Default::default();
        Self { networks, linear, vocabulary, encoder, unknown, classes, several, room, ids, answer }
    }

    /// Whether JavaScript must lowercase a text before its words are looked up.
    pub fn needs_lower(&self, text: &[u16]) -> bool {
        self.encoder.is_some_and(|encoder| encoder.reading.tokenizer.lowers()) && needs_javascript(text)
    }

    /// Address of the last prediction.
    pub fn answer(&self) -> *const f32 {
        self.answer.as_ptr()
    }

    /// Predicts the labels of a text. The networks read `lowered`.
    pub fn predict(&mut self, text: &[u16], lowered: &[u16]) -> Result<()> {
        let Some(encoder) = self.encoder else {
            return Err(Error::new(ErrorCode::Internal, "the tokenizer of this model is JavaScript's own"));
        };
        let mut ids = std::mem::take(&mut self.ids);
        ids.clear();
        let counts = encoder.encode(&self.vocabulary, lowered, &mut self.room, &mut ids);
        let done = self.answer_for(&ids, counts, text);
        self.ids = ids;
        done
    }

    /// Predicts the labels of a text whose tokens were looked up; -1 is an unknown token.
    pub fn predict_ids(&mut self, found: &[i32], text: &[u16]) -> Result<()> {
        let unknown = self.unknown as i32;
        let mut ids = std::mem::take(&mut self.ids);
        ids.clear();
        ids.extend(found.iter().map(|&id| if id < 0 { unknown } else { id }));
        let counts = Counts { tokens: ids.len() as u32, known: ids.iter().filter(|&&id| id != unknown).count() as u32 };
        if ids.is_empty() {
            ids.push(unknown);
        }
        let done = self.answer_for(&ids, counts, text);
        self.ids = ids;
        done
    }

    /// Replaces the probabilities of the last answer by the scores before softmax, the mean of all networks.
    pub fn raw_scores(&mut self) -> Result<()> {
        let scores = &mut self.answer[..self.classes];
        scores.fill(0.0);
        let (lengths, share) = ([self.ids.len() as i32], self.networks.len() as f32);
        for network in &self.networks {
            let own = network.logits(&self.ids, &lengths)?;
            scores.iter_mut().zip(&own).for_each(|(mean, score)| *mean += score / share);
        }
        Ok(())
    }

    fn answer_for(&mut self, ids: &[i32], counts: Counts, text: &[u16]) -> Result<()> {
        let (probabilities, behind) = self.answer.split_at_mut(self.classes);
        behind.copy_from_slice(&[counts.tokens as f32, counts.known as f32]);
        probabilities.fill(0.0);
        let lengths = [ids.len() as i32];
        let share = self.networks.len() as f32;
        // In the same order and precision as the ensemble on other platforms: summed, then divided.
        for network in &self.networks {
            let scores = network.predict(ids, &lengths)?;
            probabilities.iter_mut().zip(&scores).for_each(|(sum, score)| *sum += score);
        }
        if share > 1.0 {
            probabilities.iter_mut().for_each(|sum| *sum /= share);
        }
        if let Some(Linear { model, mix, room, logs }) = &mut self.linear {
            if self.networks.is_empty() {
                // The networks' share is 0, but a probability of 0 would have no logarithm.
                probabilities.fill(1.0 / self.classes as f32);
            }
            model.predict_with(room, &String::from_utf16_lossy(text), logs);
            mix.refine(probabilities, logs, self.classes, self.several);
        }
        Ok(())
    }
}
