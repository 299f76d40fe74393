//! Explains a score by the characters of the text.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Error, ErrorCode, Result};
use crate::featurizer::Reader;
use crate::model::LinearModel;
use crate::text::lower_into;

/// The contribution of one character to a label's score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// First byte of the character.
    pub from: usize,
    /// Exclusive end of the character.
    pub to: usize,
    /// The contribution.
    pub value: f32,
}

/// The contributions to a label's score. The score is the sum of `bias` and all `value`s.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The score of a text without features.
    pub bias: f32,
    /// Every character of the text, in order.
    pub parts: Vec<Part>,
}

impl Explanation {
    /// The total contribution of the characters that start within a range of bytes.
    #[must_use]
    pub fn of(&self, range: Range<usize>) -> f32 {
        let from = self.parts.partition_point(|part| part.from < range.start);
        let to = self.parts.partition_point(|part| part.from < range.end);
        self.parts[from..to.max(from)].iter().map(|part| part.value).sum()
    }

    /// The label's score, of which its probability is a function. A positive score is evidence for the label.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.bias + self.parts.iter().map(|part| part.value).sum::<f32>()
    }
}

impl LinearModel {
    /// The contribution of each character to a label's score. An n-gram's contribution is divided equally among its
    /// occurrences, and that of an occurrence among its characters.
    ///
    /// # Errors
    /// `OutOfRange` for a label that the model does not have.
    pub fn explain(&self, text: &str, label: usize) -> Result<Explanation> {
        if label >= self.classes {
            let message = format!("label {label} is outside the {} labels", self.classes);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let (output, sign) = match (self.outputs(), label) {
            (1, 0) if self.classes == 2 => (0, -1.0),
            (1, _) => (0, 1.0),
            _ => (label, 1.0),
        };
        let scale = sign * self.weights.scales[output];
        let mut bias = f64::from(sign * self.weights.bias[output]);

        let mut reader = Reader::new(&self.featurizer);
        let mut features = Vec::new();
        let (words, norms) = reader.read(&self.featurizer, text, |number, weight| features.push((number, weight)));
        let mut shares: HashMap<u32, (f64, u32)> = HashMap::with_capacity(features.len());
        for (at, &(number, weight)) in features.iter().enumerate() {
            let value = self.weights.values[number as usize * self.outputs() + output];
            let share = weight * norms[usize::from(at >= words)] * f32::from(value) * scale;
            shares.insert(number, (f64::from(share), 0));
        }
        let mut lower = String::new();
        lower_into(text, &mut lower);
        let occurrences = reader.occurrences(&self.featurizer, &lower);
        for occurrence in &occurrences {
            if let Some((_, count)) = shares.get_mut(&occurrence.number) {
                *count += 1;
            }
        }

        let (origins, begins) = origins(text, &lower);
        let mut values = vec![0.0f64; origins.last().map_or(0, |last| last + 1)];
        for occurrence in &occurrences {
            let Some(&(share, count)) = shares.get(&occurrence.number) else { continue };
            let share = share / f64::from(count);
            let from = begins.partition_point(|&begin| begin < occurrence.from);
            let to = begins.partition_point(|&begin| begin < occurrence.to);
            if from == to {
                bias += share;
            }
            for &origin in &origins[from..to] {
                values[origin] += share / (to - from) as f64;
            }
        }
        let parts = text.char_indices().zip(values).map(|((from, character), value)| Part {
            from,
            to: from + character.len_utf8(),
            value: value as f32,
        });
        Ok(Explanation { bias: bias as f32, parts: parts.collect() })
    }
}

/// For each lowercase character, the index of its original character and its start byte. Lowercasing makes one to three
/// characters of each, independent of its neighbours.
fn origins(text: &str, lower: &str) -> (Vec<usize>, Vec<usize>) {
    let origins =
        text.chars().enumerate().flat_map(|(origin, character)| character.to_lowercase().map(move |_| origin));
    (origins.collect(), lower.char_indices().map(|(begin, _)| begin).collect())
}
